"""Check a pushed release: it must be new, and what it states must be true."""

from __future__ import annotations

from collections.abc import Mapping

import pygit2

from blastgit.checks.commit import tag_faults
from blastgit.errors import BlastgitError, Denied
from blastgit.guard.deny import deny
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import files_of
from blastgit.naming.refs import RELEASES, Change
from blastgit.releases.check import Tagged, examine
from blastgit.releases.label import check_new, read_label, releases
from blastgit.repository.format import CONFIG
from blastgit.repository.skeleton import dot_files, is_dot_file

_FILES = 5_000_000
_SHOWN = 3
_DOT_FILE = 64 * 1024  # bytes


def check_pushed(repo: Quarantine, change: Change, coming: Mapping[str, str | None]) -> None:
    """Check the tag of a release.

    Args:
        repo: The data repo.
        change: The tag.
        coming: All pushed refs with their new values.

    Raises:
        Denied: It is not as `blastgit collection freeze` makes it.
    """
    label = read_label(change.ref)
    try:
        check_new(label, [*releases(repo), *(read_label(ref) for ref in coming if _is_other(ref, change.ref))])
        tag = repo.tag(change.new or "", str(label))
        deny(tag_faults(tag))
        files = files_of(repo, repo.commit(tag.target, "what the tag names").tree_id, _FILES)
        for path in dot_files(repo.config):
            if path in files and path != CONFIG and not is_dot_file(path, repo.blob(files[path], _DOT_FILE)):
                raise Denied(f"{path} is not the one that blastgit ships, which plain git and DVC rely on")
        tagged = Tagged(repo, label, pygit2.Oid(hex=str(tag.id)))
        found = examine(repo, tagged, coming)
    except Denied:
        raise
    except BlastgitError as error:
        raise Denied(str(error)) from None
    if found.remarks:
        raise Denied(f"{found.remarks[0]}: push main first, or with it")
    faults = [f"{where}: {text}" for where, text in found.problems]
    if faults:
        more = f" (and {len(faults) - _SHOWN} more)" if len(faults) > _SHOWN else ""
        raise Denied(
            f"it is not correct: {'; '.join(faults[:_SHOWN])}{more}; make it with `blastgit collection freeze`"
        )


def _is_other(ref: str, own: str) -> bool:
    return ref.startswith(RELEASES) and ref != own
