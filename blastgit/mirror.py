"""Reading a data repo that lies elsewhere: just the refs that a question needs are fetched into a temporary copy."""

from __future__ import annotations

import re
import weakref
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import pygit2

from blastgit.errors import NotFound, RepoError, UsageError
from blastgit.handle import Handle
from blastgit.plumbing.process import GitError, run_git

_SCP_LIKE = re.compile(r"[^/:]+:(?!//).+")
_SCHEMES = {"file", "http", "https", "ssh", "git", "git+ssh"}


def local_path(location: str) -> Path | None:
    """Return the folder that a location means, or None if it is the URL of a repository elsewhere.

    Raises:
        UsageError: The URL has a scheme that git should not be trusted with.
    """
    parts = urlsplit(location)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    if "://" in location or "::" in location:
        if parts.scheme not in _SCHEMES or "::" in location.split("/", maxsplit=1)[0]:
            raise UsageError(f"{location!r}: a data repo is a folder, or a URL of {', '.join(sorted(_SCHEMES))}")
        return None
    is_remote = _SCP_LIKE.fullmatch(location) and not Path(location).exists()
    return None if is_remote else Path(location)


class Mirror(Handle):
    """A data repo elsewhere, as far as it has been fetched."""

    def __init__(self, url: str) -> None:
        """Fetch main, and only that.

        Raises:
            RepoError: The repository cannot be reached, or is no data repo.
        """
        self.url = url
        self._folder = TemporaryDirectory(prefix="blastgit-")
        self._finalizer = weakref.finalize(self, self._folder.cleanup)
        path = Path(self._folder.name) / "mirror.git"
        run_git(None, "init", "--quiet", "--bare", "--template=", str(path))
        self._fetched: set[str] = set()
        self.path = path
        self._fetch("refs/heads/main", depth=True)
        super().__init__(path)

    def need(self, name: str, number: int | None = None) -> None:
        """Fetch what is needed to read a transient: one revision if a number is given, else its whole branch."""
        if number is not None:
            try:
                self._fetch(f"refs/tags/{name}/{number}", depth=True)
            except NotFound:
                pass
            else:
                return
        self._fetch(f"refs/heads/{name}", f"refs/tags/{name}/*")

    def need_all(self) -> None:
        """Fetch every transient."""
        self._fetch("refs/heads/*", "refs/tags/*")

    def _fetch(self, *refs: str, depth: bool = False) -> None:
        wanted = [ref for ref in refs if ref not in self._fetched]
        if not wanted:
            return
        options = (
            ["--depth=1"] if depth else ["--unshallow"] if self._is_shallow and refs[0] != "refs/heads/main" else []
        )
        specs = [f"+{ref}:{ref}" for ref in wanted]
        try:
            run_git(
                self.path, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *options, "--", self.url, *specs
            )
        except GitError as error:
            if "couldn't find remote ref" in error.stderr:
                raise NotFound(
                    f"{self.url} has no {wanted[0].partition('/')[2]}; `blastgit list` shows what it has"
                ) from None
            raise RepoError(f"{self.url} cannot be read: {error.stderr}") from None
        self._fetched |= set(wanted)
        if hasattr(self, "git"):
            self.git = pygit2.Repository(str(self.path))

    @property
    def _is_shallow(self) -> bool:
        return (self.path / "shallow").exists()
