"""Running git, isolated from the caller's own repository; failures become errors with git's message."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.plumbing.credentials import hidden
from blastgit.plumbing.safe_text import lines_of
from blastgit.plumbing.user_settings import OF_A_REPO, Keep, own_environment


class GitError(RepoError):
    """Git failed or was killed.

    Attributes:
        stderr: Its error message, or "".
        stdout: Its output so far.
        said: Its error message, or how it ended.
        was_killed: Whether it was killed by a signal.
    """

    def __init__(self, args: Sequence[str], stderr: str, stdout: str = "", code: int = 1) -> None:
        """Make the error from git's output and exit code."""
        self.stderr = stderr.strip()
        self.stdout = stdout
        self.said = self.stderr or _ending(code)
        self.was_killed = code < 0
        super().__init__(f"git {_subcommand(args)} failed: {self.said}")


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment for a program that runs git with the user's settings, without prompts or hook variables."""
    kept = {key: value for key, value in os.environ.items() if key not in OF_A_REPO}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **(extra or {})}


def _subcommand(args: Sequence[str]) -> str:
    words = iter(args)
    for word in words:
        if word not in ("-c", "-C"):
            return word
        next(words, None)
    return ""


def run_git(
    directory: Path | str | None,
    *args: str,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    keep: Keep = Keep.NOTHING,
) -> bytes:
    """Run git in a repository and return its output.

    Hooks are disabled, as in libgit2: they are for other uses of git, and git would look for those of a relative
    `core.hooksPath` in the current folder, which anybody may control.

    Args:
        directory: The git directory, or None for a command that needs none.
        args: The subcommand and its arguments.
        stdin: Its input.
        env: Variables on top of those of `own_environment()`.
        pass_fds: Descriptors that it inherits (locks that must be held as long as git runs).
        keep: Which of the user's settings apply; hooks are only found with `Keep.HOOKS`.

    Raises:
        GitError: It failed.
        RepoError: Git is not installed.
    """
    with _started(directory, args, env=env, pass_fds=pass_fds, keep=keep) as process:
        return _finish(process, args, b"" if stdin is None else stdin)


def git_folder(path: Path) -> Path:
    """Return the git directory of a repository or of a folder in a checkout, as git finds it.

    Raises:
        RepoError: Git finds none or refuses to open it; the error quotes git, for example on the folder's owner.
    """
    try:
        found = run_git(None, "-C", str(path), "rev-parse", "--absolute-git-dir", keep=Keep.TRUST)
    except GitError as error:
        raise RepoError(f"{path} is not a git repository that can be used here ({lines_of(error.said)})") from None
    return Path(os.fsdecode(found).rstrip("\n"))


@dataclass(frozen=True)
class Waiting:
    """A git process that has got the first part of its input."""

    _process: subprocess.Popen[bytes]
    _args: Sequence[str]

    def wait_for(self, answer: bytes) -> bool:
        """Wait until it has printed a line; False if it has ended without it, in which case `go_on` raises."""
        assert self._process.stdout is not None
        return answer in iter(self._process.stdout.readline, b"")

    def go_on(self, rest: bytes) -> bytes:
        """Send the rest of its input, and return the rest of its output.

        Raises:
            GitError: It failed.
        """
        return _finish(self._process, self._args, rest)


@contextmanager
def git_in_waiting(
    directory: Path,
    *args: str,
    first: bytes,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Iterator[Waiting]:
    """Start git with the first part of its input; the result waits for answers and sends the rest.

    If `go_on` is never called, git gets the end of its input.

    Args:
        directory: The git directory.
        args: The subcommand and its arguments.
        first: The first part.
        env: Variables on top of `git_environment()`.
        pass_fds: Descriptors that it inherits.

    Raises:
        GitError: It failed; only `go_on` raises it.
        RepoError: Git is not installed.
    """
    with _started(directory, args, env=env, pass_fds=pass_fds) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has already ended: `go_on` will raise
            _write(process.stdin.fileno(), first)
        yield Waiting(process, args)


@contextmanager
def _started(
    directory: Path | str | None,
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    keep: Keep = Keep.NOTHING,
) -> Iterator[subprocess.Popen[bytes]]:
    where = [] if directory is None else [f"--git-dir={directory}"]
    pipe = subprocess.PIPE
    command = hidden(args)
    more = {**(env or {}), **command.environment}
    with own_environment(directory, keep, more, command.settings) as environment:
        try:
            process = subprocess.Popen(
                ["git", *where, *command.args],
                bufsize=0,  # data left in a buffer when git is killed would make later calls fail
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=environment,
                pass_fds=pass_fds,
            )
        except FileNotFoundError:
            raise RepoError("there is no git on PATH: install git 2.39 or later") from None
        with process:
            yield process


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _finish(process: subprocess.Popen[bytes], args: Sequence[str], rest: bytes) -> bytes:
    try:
        out, err = process.communicate(rest)
    except BaseException:
        process.kill()
        raise
    if process.returncode:
        raise GitError(args, err.decode("utf-8", "replace"), out.decode("utf-8", "replace"), process.returncode)
    return out


def _ending(code: int) -> str:
    return (
        f"it was ended by a signal ({signal.strsignal(-code)})"
        if code < 0
        else f"it ended with {code} and gave no reason"
    )
