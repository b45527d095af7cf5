"""Changes of the branch `annotations`: lines are added, and none is ever taken out."""

from __future__ import annotations

import re

from blastgit.errors import BlastgitError, Denied
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.refs import Change
from blastgit.guard.trees import changed_files
from blastgit.names import check_path
from blastgit.revision.document import parse

FOLDERS = ("revision", "file", "transient", "run", "collection", "interval")
"""What an annotation can be about; each has a folder."""

ATTRIBUTES = ".gitattributes"
_ATTRIBUTES = re.compile(r"(?:#.*|\*(?:\.jsonl)?(?: (?:merge=union|-?text|text=auto|eol=lf|-?diff))+)?")
_FILE_LIMIT = 16 * 1024 * 1024
_LINE_LIMIT = 64 * 1024


def check_annotations(repo: Quarantine, change: Change) -> None:
    """Check a push to the branch.

    Raises:
        Denied: With the file and line that is wrong.
    """
    assert change.new is not None
    new = repo.commit(change.new, "its commit")
    old = None if change.old is None else repo.commit(change.old, "its commit")
    if old is not None and not repo.is_ancestor(str(old.id), str(new.id)):
        raise Denied("it would not move forward from where it is: fetch it, merge, and push again")
    seen: dict[str, str] = {}
    for path, before, after in changed_files(repo, None if old is None else old.tree_id, new.tree_id):
        _check_name(path, seen)
        if after is None:
            raise Denied(f"{path} would go: annotations are only ever added; withdraw one by adding another")
        try:
            _check_file(path, repo.blob(before, _FILE_LIMIT) if before else b"", repo.blob(after, _FILE_LIMIT))
        except BlastgitError as error:
            raise Denied(f"{path}: {error}") from None


def _check_name(path: str, seen: dict[str, str]) -> None:
    twin = seen.setdefault(path.casefold(), path)
    if twin != path:
        raise Denied(f"{path!r} and {twin!r} differ only in case: a clone may not hold both")
    if path == ATTRIBUTES:
        return
    if not path.endswith(".jsonl") or path.split("/", maxsplit=1)[0] not in FOLDERS or "/" not in path:
        raise Denied(f"{path!r} has no place here: only *.jsonl below {'/, '.join(FOLDERS)}/")
    try:
        check_path(path)
    except BlastgitError as error:
        raise Denied(str(error)) from None


def _check_file(path: str, before: bytes, after: bytes) -> None:
    if path == ATTRIBUTES:
        _check_attributes(after)
    else:
        check_lines(before, after)


def _check_attributes(data: bytes) -> None:
    for line in data.decode("utf-8", "replace").splitlines():
        if not _ATTRIBUTES.fullmatch(line.strip()):
            raise Denied(f"{line[:80]!r} may not be there: only `*.jsonl merge=union` and the like")


def check_lines(before: bytes, after: bytes) -> None:
    """Check that every line of `before` is still there, in order, and that each new one is a JSON object.

    Raises:
        Denied: With the line that is wrong.
    """
    if after and not after.endswith(b"\n"):
        raise Denied("its last line does not end with a line feed")
    kept = iter(before.split(b"\n")[:-1])
    expected = next(kept, None)
    for number, line in enumerate(after.split(b"\n")[:-1], 1):
        if line == expected:
            expected = next(kept, None)
        else:
            check_line(line, number)
    if expected is not None:
        shown = expected[:60].decode("utf-8", "replace")
        raise Denied(f"the line {shown!r}… was altered, moved or taken out: lines here stay; add a new one")


def check_line(line: bytes, number: int) -> None:
    """Check that a line is one annotation: a JSON object of bounded size.

    Raises:
        Denied: It is not.
    """
    if len(line) > _LINE_LIMIT:
        raise Denied(f"line {number} has {len(line):,} bytes, more than the {_LINE_LIMIT:,} allowed")
    try:
        value = parse(line, f"line {number}")
    except BlastgitError as error:
        raise Denied(str(error)) from None
    if not isinstance(value, dict):
        raise Denied(f"line {number} is not a JSON object, one annotation")
