"""Make the tag object of a release, and have git sign it if asked for."""

from __future__ import annotations

from dataclasses import dataclass

import pygit2

from blastgit.plumbing.batch import Batch
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.signing import ARMOUR, Sign, not_signed, signing_repo
from blastgit.plumbing.user_settings import Keep
from blastgit.releases.label import Label
from blastgit.repository.base import Repository


@dataclass(frozen=True)
class Unsigned:
    """A release's tag before it is signed.

    Attributes:
        label: The release.
        commit: The tagged commit.
        message: The message.
    """

    label: Label
    commit: str
    message: str


def add_tag(repository: Repository, batch: Batch, tag: Unsigned, sign: Sign | None) -> str:
    """Add the tag object of a release to the batch with its commit, and return its id; no ref is moved.

    Raises:
        RepoError: It cannot be written or signed.
    """
    who = repository.committer()
    if sign is None:
        return str(batch.tag(str(tag.label), pygit2.Oid(hex=tag.commit), who, tag.message.removesuffix("\n")))
    with batch.written() as place, signing_repo(repository.path, who, place.path) as (scratch, environment):
        key = ["--local-user", sign.key] if sign.key else ["--sign"]
        words = "tag", *key, "-F", "-", str(tag.label), tag.commit
        try:
            run_git(scratch, *words, stdin=tag.message.encode(), env=environment, keep=Keep.SIGNING)
        except GitError as error:
            raise not_signed(str(tag.label), error.stderr) from None
        made = run_git(scratch, "cat-file", "tag", tag.label.ref, env=environment)
        if not ARMOUR.search(made):
            raise not_signed(str(tag.label), "git made a tag without a signature")  # git 2.39, without the SSH key
    return str(batch.tag_object(made))
