"""The tag object of a release: made, signed if that is wanted, and its signature checked. Git does the signing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pygit2

from blastgit.errors import RepoError
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.quarantine import alternates
from blastgit.plumbing.safe_text import one_line
from blastgit.plumbing.user_settings import Keep, own_environment
from blastgit.releases.label import Label
from blastgit.repository.local import Repository

_ARMOUR = re.compile(rb"^-----BEGIN (?:PGP|SSH) (?:SIGNATURE|MESSAGE)-----", re.MULTILINE)
_GOOD = re.compile(r'Good "git" signature for (.+)|\[GNUPG:\] GOODSIG \S+ (.+)')
_BAD = {
    "BADSIG": "the tag was altered after it was signed",
    "incorrect signature": "the tag was altered after it was signed",
    "REVKEYSIG": "its key was revoked",
}
_UNKNOWN = {
    "NO_PUBKEY": "GnuPG has no such public key: `gpg --import` it",
    "EXPKEYSIG": "it was good, and its key has expired since",
    "Unable to open": "the file of allowed signers cannot be read",
    "No principal matched": "its key is none of the allowed signers' (--signers, or gpg.ssh.allowedSignersFile of git)",
    "cannot run": "the program that git checks signatures with is not here",
}
"""What git says, and what it means."""

GOOD, BAD, UNKNOWN, NONE = "good", "bad", "unknown", "none"


@dataclass(frozen=True)
class Signature:
    """What is known of a tag's signature.

    Attributes:
        status: "good"; "bad"; "unknown" if it cannot be judged here; "none" if the tag is not signed.
        text: By whom, or why not.
    """

    status: str
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"status": self.status, "text": self.text}


@dataclass(frozen=True)
class Sign:
    """How a tag is to be signed.

    Attributes:
        key: Which key, as `user.signingkey` of git has it; "" for the one that git's settings name.
    """

    key: str = ""


@dataclass(frozen=True)
class Unsigned:
    """A release's tag as it is before anybody signs it.

    Attributes:
        label: The release.
        commit: What is tagged.
        message: Why.
    """

    label: Label
    commit: str
    message: str


def add_tag(repository: Repository, batch: Batch, tag: Unsigned, sign: Sign | None) -> str:
    """Add the tag object of a release to the batch that has its commit, and return its id; no ref is moved.

    Raises:
        RepoError: It cannot be written, or not be signed.
    """
    if sign is None:
        oid = pygit2.Oid(hex=tag.commit)
        return str(batch.tag(str(tag.label), oid, repository.committer(), tag.message.removesuffix("\n")))
    with batch.written() as place:
        seen = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates(repository.path / "objects", place.path)}
        return str(batch.tag_object(_signed(repository, tag, sign, seen)))


def _signed(repository: Repository, tag: Unsigned, sign: Sign, seen: Mapping[str, str]) -> bytes:
    """Have git sign in a repository of its own, which sees the objects of the data repo and those that are to come."""
    who = repository.committer()
    environment = {
        **seen,
        "GIT_COMMITTER_NAME": who.name,
        "GIT_COMMITTER_EMAIL": who.email,
        "GIT_COMMITTER_DATE": f"@{who.time} +0000",
    }
    with TemporaryDirectory(prefix="blastgit-tag-") as folder:
        scratch = Path(folder) / "tag.git"
        run_git(None, "init", "--quiet", "--bare", "--template=", str(scratch))
        included = str((repository.path / "config").absolute()).replace("\\", "\\\\").replace('"', '\\"')
        with (scratch / "config").open("a") as file:
            file.write(f'[include]\n\tpath = "{included}"\n')
        key = ["--local-user", sign.key] if sign.key else ["--sign"]
        try:
            words = "tag", *key, "-F", "-", str(tag.label), tag.commit
            run_git(scratch, *words, stdin=tag.message.encode(), env=environment, keep=Keep.SIGNING)
        except GitError as error:
            raise _not_signed(tag.label, error.stderr) from None
        made = run_git(scratch, "cat-file", "tag", tag.label.ref, env=environment)
        if not _ARMOUR.search(made):
            raise _not_signed(tag.label, "git made a tag without a signature")  # as 2.39 does if an SSH key is missing
        return made


def _not_signed(label: Label, why: str) -> RepoError:
    return RepoError(
        f"{label} could not be signed, and nothing was frozen: {why}. Git needs to know the key (user.signingkey) and "
        "its kind (gpg.format: openpgp or ssh), and to reach it; docs/releases.md shows how"
    )


def check_signature(repository: Repository, tag: pygit2.Oid, signers: Path | None = None) -> Signature:
    """Check the signature of a tag object.

    Args:
        repository: The data repo.
        tag: The tag object.
        signers: Who may sign with which SSH key (ssh-keygen(1), ALLOWED SIGNERS); by default as git's settings say.
    """
    if not _ARMOUR.search(repository.git[tag].read_raw()):
        return Signature(NONE, "the tag is not signed")
    command = ["git", f"--git-dir={repository.path}", *_signers(repository, signers), "verify-tag", "--raw", str(tag)]
    with own_environment(repository.path, Keep.SIGNING) as environment:
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
    said = (done.stderr + done.stdout).decode("utf-8", "replace").strip()  # git says it on stderr, also if all is well
    if done.returncode == 0:
        found = _GOOD.search(said)
        who = next(filter(None, found.groups()), "") if found else ""
        return Signature(GOOD, f"signed by {who}" if who else "signed")
    bad = next((words for sign, words in _BAD.items() if sign in said), None)
    if bad is not None:
        return Signature(BAD, f"the signature is not good: {bad}")
    unknown = next((words for sign, words in _UNKNOWN.items() if sign in said), None)
    if unknown is not None:
        return Signature(UNKNOWN, f"it is signed, and the signature cannot be judged here: {unknown}")
    return Signature(
        BAD, f"the signature is not good: {one_line(said.splitlines()[-1] if said else 'git said nothing')}"
    )


def _signers(repository: Repository, signers: Path | None) -> list[str]:
    """Return how git is told who may sign; with nobody at all it still finds what was altered after it was signed."""
    if signers is not None:
        return ["-c", f"gpg.ssh.allowedSignersFile={os.fspath(signers.absolute())}"]
    try:
        run_git(repository.path, "config", "gpg.ssh.allowedSignersFile", keep=Keep.SIGNING)
    except GitError:
        return ["-c", f"gpg.ssh.allowedSignersFile={os.devnull}"]
    return []
