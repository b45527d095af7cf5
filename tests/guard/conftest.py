"""A data repo and a plain clone of it, in which any commit can be forged, and from which git pushes."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit, small
from blastgit.guard.receive import receive
from blastgit.plumbing.objects import ZERO
from blastgit.plumbing.process import git_environment
from blastgit.repository.init import init

Tree = dict[bytes, tuple[str, str]]


@dataclass(frozen=True)
class Clone:
    """A bare clone, `--mirror`, and the repo that it came from."""

    repo: Path
    path: Path

    def git(self, *args: object, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        done = self._run(*args, stdin=stdin, env=env)
        assert done.returncode == 0, f"git {args}: {done.stderr.decode()}"
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def _run(
        self, *args: object, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["git", f"--git-dir={self.path}", *map(str, args)]
        return subprocess.run(command, input=stdin, capture_output=True, env=git_environment(env), check=False)

    def push(self, *specs: str, url: str = "", env: Mapping[str, str] | None = None) -> str:
        """Push with plain git; return "" if it was taken in, else what the other side says."""
        done = self._run("push", "--quiet", url or f"file://{self.repo}", *specs, env=env)
        return done.stderr.decode() if done.returncode else ""

    def check(self, *specs: str, who: str = "") -> str:
        """Push by calling the hook's check in this process, which finds the clone's objects as it does in a push.

        What is found good moves the refs. Git's own checks (`receive.fsckObjects`) are left out.
        """
        lines = [line for spec in self._expanded(specs) if len(set((line := self._line(*spec)).split(" "))) == 3]

        def move(_: Callable[[], bool]) -> None:
            updates = [line.split(" ") for line in lines]
            text = "".join(f"update {ref} {new} {old}\n" for old, new, ref in updates)
            self.git("--git-dir", self.repo, "update-ref", "--stdin", stdin=text.encode())

        (self.repo / "objects/info/alternates").write_text(f"{self.path}/objects\n")  # the repo refers to them for good
        with pytest.MonkeyPatch.context() as patch:
            if who:
                patch.setenv("GL_USER", who)
            return "\n".join(receive(self.repo, "".join(f"{line}\n" for line in lines).encode(), move))

    def _expanded(self, specs: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for spec in specs:
            source, colon, target = spec.lstrip("+").partition(":")
            if "*" in source:
                found = self.git("for-each-ref", "--format=%(refname)", source.removesuffix("*")).split()
                yield from ((ref, ref) for ref in found)
            else:
                yield source, target if colon else source

    def _line(self, source: str, target: str) -> str:
        there = dict(line.split() for line in self.refs().splitlines())
        old = there.get(target, ZERO)
        return f"{old} {self.git('rev-parse', source) if source else ZERO} {target}"

    def refs(self) -> str:
        """All refs of the repo that is pushed to."""
        return Clone(self.repo, self.repo).git("for-each-ref", "--format=%(refname) %(objectname)")

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=data)

    def show(self, where: str) -> bytes:
        return self._run("cat-file", "blob", where).stdout

    def tree(self, where: str) -> Tree:
        """Return mode and id of every file below a tree."""
        listed = self._run("ls-tree", "-r", "-z", where).stdout.split(b"\0")[:-1]
        rows = (line.partition(b"\t") for line in listed)
        return {path: (facts.decode().split()[0], facts.decode().split()[2]) for facts, _, path in rows}

    def write(self, files: Mapping[bytes, tuple[str, str]]) -> str:
        """Write a tree with `git mktree`, which asks no questions about names."""
        level: dict[bytes, tuple[str, str]] = {}
        inner: dict[bytes, Tree] = {}
        for path, entry in files.items():
            name, slash, rest = path.partition(b"/")
            if slash:
                inner.setdefault(name, {})[rest] = entry
            else:
                level[name] = entry
        level |= {name: ("040000", self.write(below)) for name, below in inner.items()}
        kinds = {"040000": "tree", "160000": "commit"}
        lines = [f"{mode} {kinds.get(mode, 'blob')} {oid}\t".encode() + name for name, (mode, oid) in level.items()]
        return self.git("mktree", "-z", "--missing", stdin=b"".join(line + b"\0" for line in lines))

    def commit(self, tree: str, parents: list[str], message: str, *, like: str = "") -> str:
        """Make a commit, with the author's date of another one if that is given."""
        date = self.git("log", "-1", "--format=%aI", like) if like else "2026-06-01T00:00:00+00:00"
        options = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *options, stdin=message.encode(), env={"GIT_AUTHOR_DATE": date})

    def tag(self, name: str, target: str) -> None:
        self.git("tag", "--force", "--annotate", "--message=x", name, target)

    def forge(self, edit: Callable[[Tree], None], message: Callable[[str], str] = str) -> str:
        """Change the tree or the message of the good revision 1, and tag the result as revision 1."""
        files = self.tree("good")
        edit(files)
        text = message(self.git("log", "-1", "--format=%B", "good"))
        commit = self.commit(self.write(files), [self.git("rev-parse", "good^")], text, like="good")
        self.git("update-ref", "refs/heads/2026dgt", commit)
        self.tag("2026dgt/1", commit)
        return commit

    def edit_main(self, changes: Mapping[str, bytes | None], branch: str = "main") -> str:
        """Commit changes of files on top of main or of the annotations; None takes a file out."""
        known = self._run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").stdout.decode().strip()
        files = self.tree(known) if known else {}
        for path, data in changes.items():
            files.pop(path.encode(), None)
            if data is not None:
                files[path.encode()] = "100644", self.blob(data)
        commit = self.commit(self.write(files), [known] if known else [], "By hand")
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def record(self, seed: int, repo: Path | None = None) -> None:
        """Record one of many states of a small transient, by default in the clone."""
        sample = small("2026dgt") if seed == 0 else refit(small("2026dgt"), seed=seed)
        export, data = sample.write(self.path.parent / str(seed))
        assert DataRepo(repo or self.path).record("2026dgt", export, data).revision == seed


def make_clone(folder: Path) -> Clone:
    """Return a clone whose repo has revision 0 of 2026dgt, while the clone has revision 1 as well, called `good`."""
    clone = Clone(folder / "repo", folder / "clone.git")
    init(clone.repo, simulated=True)
    clone.record(0, clone.repo)
    subprocess.run(["git", "clone", "--quiet", "--mirror", clone.repo, clone.path], check=True, env=git_environment())
    clone.record(1)
    clone.git("tag", "good", "2026dgt/1^{commit}")
    clone.git("tag", "settings", "main")
    return clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A repo with revision 0, and a clone with revision 1."""
    return make_clone(tmp_path)


@pytest.fixture(scope="session")
def _bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, str]:
    clone = make_clone(tmp_path_factory.mktemp("bench"))
    return clone, clone.refs()


@pytest.fixture
def deny(_bench: tuple[Clone, str]) -> Callable[..., str]:
    """Push something that is to be denied; return the words, having seen that the repo is as it was."""
    clone, refs = _bench

    def check(*specs: str, **options: Any) -> str:
        said = clone.check(*specs, **options)
        assert said
        assert clone.refs() == refs
        return said

    return check


@pytest.fixture
def bench(_bench: tuple[Clone, str]) -> Clone:
    """The clone that `deny` pushes from, shared by all tests that change nothing in its repo."""
    clone, _ = _bench
    clone.git("update-ref", "refs/heads/2026dgt", "good")
    clone.git("update-ref", "refs/heads/main", "settings")
    clone.git("config", "--file", clone.repo / "config", "receive.fsckObjects", "true")
    clone.tag("2026dgt/1", "good")
    return clone


@pytest.fixture
def me() -> str:
    """Who runs the tests, as the policy would call them."""
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
