"""Isolates git from the settings of users and machines, except those for connections and credentials.

Git reads settings from the system's file, the user's file and some forty variables. Many of them change what a command
does: `fetch.pruneTags` would delete published tags. Git therefore gets a separate file with only the settings that the
call needs. It is an allow-list, since every version of git adds settings.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.plumbing.scratch import Scratch


class Keep(Enum):
    """Which of the user's settings a git command needs: patterns of keys, in lower case except their middle part."""

    NOTHING = ""
    TRUST = r"safe\.directory"
    HOOKS = r"safe\.directory|core\.hookspath"
    SIGNING = r"gpg\..*|user\.(signingkey|name|email)"
    CONNECTION = (
        r"safe\.directory|(url|http|credential|ssh)\..*|core\.(sshcommand|gitproxy|askpass)|protocol\.(.*\.)?allow"
    )

    @classmethod
    def to_reach(cls, location: str) -> Keep:
        """Return what is needed to work with a remote repository, or with another local folder."""
        is_here = location.startswith(("/", "file://")) or Path(location).exists()
        return cls.TRUST if is_here else cls.CONNECTION


OF_A_REPO = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_DIR",
    "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
})  # fmt: skip
"""From `git rev-parse --local-env-vars`: set while a hook runs, and wrong for any other repository."""

_STEERING = re.compile(
    r"GIT_(CONFIG|DEFAULT|TEST|NOTES|ATTR|REF|PUSH_OPTION|DIFF|MERGE|INDEX|FORCE|ADVICE|REFLOG|NO|ALLOC|MMAP|ALLOW_NULL"
    r"|TEMPLATE|QUARANTINE|OPTIONAL|FLUSH|EXTERNAL_DIFF|PROGRESS|PRINT|OVERRIDE|TRANSPORT|CURL)(_.*)?|GIT_.*_PATHSPECS"
)
"""Other variables that change the behaviour or the messages of git."""

_OF_CONNECTIONS = frozenset({"GIT_ALLOW_PROTOCOL", "GIT_PROTOCOL_FROM_USER"})
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1",
    "GIT_DEFAULT_HASH": "sha1", "GIT_DEFAULT_REF_FORMAT": "files",
}  # fmt: skip
_PINNED = {
    "core.attributesFile": os.devnull, "fetch.prune": "false", "fetch.pruneTags": "false",
    "fetch.recurseSubmodules": "false", "protocol.version": "2", "push.followTags": "false", "push.gpgSign": "false",
    "push.recurseSubmodules": "no", "tag.gpgSign": "false",
}  # fmt: skip
"""Settings that override even the repository's own: a mirror's `fetch.prune` would delete refs, too."""

_NO_HOOKS = {"core.hooksPath": os.devnull}


@contextmanager
def own_environment(
    directory: Path | str | None,
    keep: Keep = Keep.NOTHING,
    extra: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[dict[str, str]]:
    """Yield an environment for git in which only some of the user's settings apply, valid within the context.

    Args:
        directory: The git directory, for settings that are included only for some repositories.
        keep: Which of the user's settings apply.
        extra: Further variables.
        settings: Settings for this call.

    Raises:
        RepoError: The user's settings cannot be read.
    """
    environment = {key: value for key, value in os.environ.items() if _is_kept(key, value, keep)}
    pinned = _PINNED if keep is Keep.HOOKS else _PINNED | _NO_HOOKS
    environment |= (
        _FIXED | {"GIT_CONFIG_GLOBAL": os.devnull} | _as_variables(pinned | dict(settings or {})) | dict(extra or {})
    )
    text = "" if keep is Keep.NOTHING else _settings(directory, re.compile(keep.value))
    if not text:
        yield environment
        return
    scratch = Scratch()  # private and cleaned up, since the settings may include a token
    try:
        file = scratch.path / "gitconfig"
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
        yield {**environment, "GIT_CONFIG_GLOBAL": str(file)}
    finally:
        scratch.remove()


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    keys = {f"GIT_CONFIG_KEY_{i}": key for i, key in enumerate(settings)}
    values = {f"GIT_CONFIG_VALUE_{i}": value for i, value in enumerate(settings.values())}
    return keys | values | {"GIT_CONFIG_COUNT": str(len(settings))}


def _is_kept(name: str, value: str, keep: Keep) -> bool:
    if name.startswith("GIT_TRACE"):
        return value.startswith("/") and not name.startswith(
            "GIT_TRACE2_PARENT"
        )  # otherwise traces would mix with git's messages
    if name in _OF_CONNECTIONS:
        return keep is Keep.CONNECTION
    return name not in OF_A_REPO and not _STEERING.fullmatch(name)


def _settings(directory: Path | str | None, wanted: re.Pattern[str]) -> str:
    """Return a settings file with the matching settings of the user, the system and the environment.

    They are read by git itself, which knows where they are and which files they include.
    """
    where = [] if directory is None else [f"--git-dir={Path(directory).absolute()}"]
    command = ["git", *where, "config", "--list", "--includes", "--show-scope", "-z"]
    environment = {key: value for key, value in os.environ.items() if key not in OF_A_REPO} | {"LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(command, capture_output=True, cwd="/", env=environment, check=False)
    except FileNotFoundError:
        raise RepoError("there is no git on PATH: install git 2.39 or later") from None
    if done.returncode:
        raise RepoError(f"git cannot read your settings: {done.stderr.decode('utf-8', 'replace').strip()}")
    words = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    found = zip(words[::2], words[1::2], strict=False)
    return "".join(
        _entry(*setting.partition("\n"))
        for scope, setting in found
        if scope in ("system", "global", "command") and wanted.fullmatch(setting.partition("\n")[0])
    )


def _entry(key: str, has_value: str, value: str) -> str:
    section, _, rest = key.partition(".")
    middle, dot, name = rest.rpartition(".")
    head = f'[{section} "{_escaped(middle)}"]' if dot else f"[{section}]"
    if not has_value:
        return f"{head}\n\t{name}\n"
    quoted = _escaped(value).replace("\n", "\\n").replace("\t", "\\t").replace("\b", "\\b")
    return f'{head}\n\t{name} = "{quoted}"\n'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
