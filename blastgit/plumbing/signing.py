"""Signing with git, in a temporary repository that has the objects of a data repo but not its refs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pygit2

from blastgit.errors import RepoError
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.quarantine import alternates
from blastgit.plumbing.safe_text import lines_of
from blastgit.plumbing.user_settings import Keep, own_environment

ARMOUR = re.compile(rb"-----BEGIN (?:PGP|SSH) (?:SIGNATURE|MESSAGE)-----")
GOOD, BAD, UNKNOWN, NONE = "good", "bad", "unknown", "none"

_GOOD = re.compile(r'Good "git" signature for (.+)|\[GNUPG:\] GOODSIG \S+ (.+)')
_BAD = {
    "BADSIG": "it was altered after it was signed",
    "incorrect signature": "it was altered after it was signed",
    "REVKEYSIG": "its key was revoked",
}
_UNKNOWN = {
    "NO_PUBKEY": "GnuPG has no such public key: `gpg --import` it",
    "EXPKEYSIG": "it was good, but its key has since expired",
    "Unable to open": "the file of allowed signers cannot be read",
    "No principal matched": "its key is not an allowed signer's (--signers, or git's gpg.ssh.allowedSignersFile)",
    "cannot run": "the program with which git checks signatures is not installed",
}
"""Messages of git, and their meaning."""


@dataclass(frozen=True)
class Signature:
    """The result of checking a signature.

    Attributes:
        status: "good"; "bad"; "unknown" if it cannot be checked here; "none" if there is none.
        text: Who signed, or why it is not good.
    """

    status: str
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"status": self.status, "text": self.text}


@dataclass(frozen=True)
class Sign:
    """How to sign.

    Attributes:
        key: The key, as in git's `user.signingkey`; "" for the one in git's settings.
    """

    key: str = ""


@contextmanager
def signing_repo(repo: Path, who: pygit2.Signature, coming: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """Yield a repository for signing, and its environment; it sees objects of the data repo, but none of its refs.

    Args:
        repo: The data repo.
        who: Who signs, and when.
        coming: A folder of new objects, which it also sees.
    """
    environment = {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates(repo / "objects", coming), "GIT_COMMITTER_NAME": who.name,
        "GIT_COMMITTER_EMAIL": who.email, "GIT_COMMITTER_DATE": f"@{who.time} +0000", "GIT_AUTHOR_NAME": who.name,
        "GIT_AUTHOR_EMAIL": who.email, "GIT_AUTHOR_DATE": f"@{who.time} +0000",
    }  # fmt: skip
    with TemporaryDirectory(prefix="blastgit-sign-") as folder:
        scratch = Path(folder) / "sign.git"
        run_git(None, "init", "--quiet", "--bare", "--template=", str(scratch))
        included = str((repo / "config").absolute()).replace("\\", "\\\\").replace('"', '\\"')
        with (scratch / "config").open("a") as file:
            file.write(f'[include]\n\tpath = "{included}"\n')
        yield scratch, environment


@dataclass(frozen=True)
class UnsignedCommit:
    """A commit before signing: its author and time, message, tree and parents."""

    who: pygit2.Signature
    message: str
    tree: pygit2.Oid
    parents: Sequence[pygit2.Oid]


def signed_commit(repo: Path, batch: Batch, commit: UnsignedCommit, sign: Sign) -> str:
    """Add a signed commit to the batch with its tree, and return its id.

    Raises:
        RepoError: It cannot be signed.
    """
    words = [word for parent in commit.parents for word in ("-p", str(parent))]
    with batch.written() as place, signing_repo(repo, commit.who, place.path) as (scratch, environment):
        command = "commit-tree", f"-S{sign.key}", str(commit.tree), *words, "-F", "-"
        try:
            made = run_git(scratch, *command, stdin=commit.message.encode(), env=environment, keep=Keep.SIGNING)
        except GitError as error:
            raise not_signed("the checkpoint", error.stderr) from None
        data = run_git(scratch, "cat-file", "commit", made.decode().strip(), env=environment)
        if not ARMOUR.search(data):
            raise not_signed("the checkpoint", "git made a commit without a signature")
    return str(batch.commit_object(data))


def not_signed(what: str, why: str) -> RepoError:
    """Return the error for something that git could not sign."""
    return RepoError(
        f"{what} could not be signed, and nothing was made: {why}. Git needs the key (user.signingkey), its kind "
        "(gpg.format: openpgp or ssh), and access to it; docs/releases.md shows how"
    )


def check_signature(repo: Path, oid: str, raw: bytes, signers: Path | None = None, verb: str = "tag") -> Signature:
    """Check the signature of a tag object or a commit.

    Args:
        repo: The data repo.
        oid: The object.
        raw: Its bytes.
        signers: An allowed-signers file for SSH keys (ssh-keygen(1)); by default the one in git's settings.
        verb: "tag" or "commit".
    """
    if not ARMOUR.search(raw):
        return Signature(NONE, f"the {verb} is not signed")
    command = ["git", f"--git-dir={repo}", *_signers(repo, signers), f"verify-{verb}", "--raw", oid]
    with own_environment(repo, Keep.SIGNING) as environment:
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
    said = (done.stderr + done.stdout).decode("utf-8", "replace").strip()  # git writes even good results to stderr
    if done.returncode == 0:
        found = _GOOD.search(said)
        who = next(filter(None, found.groups()), "") if found else ""
        return Signature(GOOD, f"signed by {who}" if who else "signed")
    bad = next((words for sign, words in _BAD.items() if sign in said), None)
    if bad is not None:
        return Signature(BAD, f"the signature is not good: {bad}")
    unknown = next((words for sign, words in _UNKNOWN.items() if sign in said), None)
    if unknown is not None:
        return Signature(UNKNOWN, f"it is signed, but the signature cannot be checked here: {unknown}")
    why = "; ".join(lines_of(said).splitlines()) or f"git ended with {done.returncode} and gave no reason"
    return Signature(BAD, f"the signature is not good: {why}")


def _signers(repo: Path, signers: Path | None) -> list[str]:
    """Return git's options for the allowed signers; even without any, git detects altered data."""
    if signers is not None:
        return ["-c", f"gpg.ssh.allowedSignersFile={os.fspath(signers.absolute())}"]
    try:
        run_git(repo, "config", "gpg.ssh.allowedSignersFile", keep=Keep.SIGNING)
    except GitError:
        return ["-c", f"gpg.ssh.allowedSignersFile={os.devnull}"]
    return []
