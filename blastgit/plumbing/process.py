"""Running git: the caller's own repository never leaks in, and a failure is an error with git's own words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from blastgit.errors import RepoError

_REPO_VARIABLES = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_DIR",
    "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
})  # fmt: skip
"""What `git rev-parse --local-env-vars` lists: set while a hook runs, and wrong for any other repository."""


class GitError(RepoError):
    """Git refused; `stderr` has its words, and `stdout` what it had printed by then."""

    def __init__(self, args: Sequence[str], stderr: str, stdout: str = "") -> None:
        """Keep git's words, and say what was tried."""
        self.stderr = stderr.strip()
        self.stdout = stdout
        super().__init__(f"git {args[0]} failed: {self.stderr or 'it said nothing'}")


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment for git: no repository of the caller's, no prompt, messages in English."""
    kept = {key: value for key, value in os.environ.items() if key not in _REPO_VARIABLES}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **(extra or {})}


def run_git(
    directory: Path | str | None,
    *args: str,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    with_hooks: bool = False,
) -> bytes:
    """Run git in a repository and return what it prints.

    Hooks are for what others do with git. Here they are off, as they are in libgit2; and git would look for those of a
    relative `core.hooksPath` in the present folder, which may be anybody's.

    Args:
        directory: The git directory, or None for a command that needs none.
        args: The subcommand and its arguments.
        stdin: What it reads.
        env: Variables on top of `git_environment()`.
        pass_fds: Descriptors that it inherits (a lock that must outlive this process as long as git does).
        with_hooks: Whether git knows where hooks are.

    Raises:
        GitError: It failed.
        RepoError: There is no git on this machine.
    """
    with _started(directory, args, env=env, pass_fds=pass_fds, with_hooks=with_hooks) as process:
        return _finish(process, args, b"" if stdin is None else stdin)


@contextmanager
def git_in_waiting(
    directory: Path, *args: str, first: bytes, pass_fds: Sequence[int] = ()
) -> Iterator[Callable[[bytes], bytes]]:
    """Start git and hand it the first part of its input; what is yielded hands it the rest, and returns what it prints.

    If that is never called, git reads the end of its input.

    Args:
        directory: The git directory.
        args: The subcommand and its arguments.
        first: The first part.
        pass_fds: Descriptors that it inherits.

    Raises:
        GitError: It failed; only the call for the rest raises it.
        RepoError: There is no git on this machine.
    """
    with _started(directory, args, pass_fds=pass_fds) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already: the call for the rest says why
            process.stdin.write(first)
            process.stdin.flush()
        yield lambda rest: _finish(process, args, rest)


@contextmanager
def _started(
    directory: Path | str | None,
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    with_hooks: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    where = [] if directory is None else [f"--git-dir={directory}"]
    where += [] if with_hooks else ["-c", f"core.hooksPath={os.devnull}"]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            ["git", *where, *args], stdin=pipe, stdout=pipe, stderr=pipe, env=git_environment(env), pass_fds=pass_fds
        )
    except FileNotFoundError:
        raise RepoError("there is no git on PATH: install git 2.39 or later") from None
    with process:
        yield process


def _finish(process: subprocess.Popen[bytes], args: Sequence[str], rest: bytes) -> bytes:
    try:
        out, err = process.communicate(rest)
    except BaseException:
        process.kill()
        raise
    if process.returncode:
        raise GitError(args, err.decode("utf-8", "replace"), out.decode("utf-8", "replace"))
    return out
