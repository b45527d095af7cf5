"""What must be true of a commit's tree: its document, a pointer or the file itself for each file, the dot files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from blastgit.errors import BlastgitError
from blastgit.naming.paths import check_paths
from blastgit.plumbing.objects import undamaged
from blastgit.plumbing.trees import flatten, read_blob
from blastgit.repository.commits import Snapshot
from blastgit.repository.entries import LIMIT
from blastgit.repository.simulated import WORDS, kind_of
from blastgit.repository.skeleton import dot_files, is_dot_file
from blastgit.revision.dr import write_dr
from blastgit.store.pointer import SUFFIX


class Fault(NamedTuple):
    """Something that is wrong with a state.

    Attributes:
        text: What, in a sentence.
        path: The file of the dataset that it is about; "" for the document, or the tree as a whole.
    """

    text: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.path!r}: {self.text}" if self.path else self.text


def state_faults(state: Snapshot, number: int, *, simulated: bool) -> Iterator[Fault]:
    """Yield what is wrong with a state, all but the contents of its files; see `kept_fault` for those in git itself.

    Args:
        state: The state.
        number: The revision that it is, or is on the way to.
        simulated: Whether the data repo holds simulated data.

    Raises:
        DamagedData: Git lacks an object of it, or cannot read one.
    """
    with undamaged(str(state)):
        yield from _faults(state, number, simulated=simulated)


def _faults(state: Snapshot, number: int, *, simulated: bool) -> Iterator[Fault]:
    name = state.document_name
    if name not in state.commit.tree:
        yield Fault(f"it has no {name}: the document of a state is named after what it is about")
        return
    yield from _tree_faults(state)
    try:
        check_paths(sorted(state.held))
        document, pointers = state.dr, state.pointers
    except BlastgitError as error:
        yield Fault(str(error))
        return
    yield from _document_faults(state, number, simulated=simulated)
    for path in sorted(document.files.keys() ^ pointers.keys()):
        if path in document.files:
            yield Fault(f"{name} names it, but it has no pointer", path)
        elif state.held[path].in_git:
            yield Fault(f"it stands there as it is, and {name} does not name such a file", path)
        else:
            yield Fault(f"it has a pointer, and {name} does not name it", path)
    for path, pointer in state.stored.items():
        if pointer.write() != state.read_in_git(path):
            yield Fault("its pointer has more than MD5, size and name, or has another layout", path)


def _tree_faults(state: Snapshot) -> Iterator[Fault]:
    """Check everything in the tree that is not a file of the dataset."""
    dots, name = dot_files(b""), state.document_name
    for path, _ in flatten(state.commit.tree):
        is_held = "/" in path or path.endswith(SUFFIX)
        if path not in dots and path != name and (not is_held or path.startswith((".git", ".dvc"))):
            yield Fault(f"{path!r} is not of the format: there may be {name}, files in folders, and the dot files")
    for path in dots:
        found = read_blob(state.commit.tree, path)
        if found is None:
            yield Fault(f"it lacks {path}, without which `dvc pull` brings no files")
        elif not is_dot_file(path, found):
            yield Fault(f"its {path} is not the one that every revision has, which plain git and DVC need")


def _document_faults(state: Snapshot, number: int, *, simulated: bool) -> Iterator[Fault]:
    name, document = state.document_name, state.dr
    if document.number != number:
        yield Fault(f"{name} says that it is revision {document.number}, but it should be {number}")
    if document.export.name != state.transient:
        yield Fault(f"{name} is about {document.export.name}")
    if write_dr(document.export, document.number, document.files) != document.data:
        yield Fault(f"{name} is not written as the format asks (docs/format.md, Bytes): record with blastgit")
    try:
        stated = kind_of(document.export)
    except BlastgitError as error:
        yield Fault(f"{name}: {error}")
        return
    if stated is not None and stated != simulated:
        yield Fault(
            f"{name} says that its data are {WORDS[stated]}, and this repo holds {WORDS[simulated]} ones: never both"
        )


def kept_fault(state: Snapshot, path: str) -> str:
    """Return what is wrong with a file that git itself keeps, and whose bytes no store looks at; "" if nothing is."""
    try:
        size = state.pointer(path).size
        found, expected = hashlib.sha256(state.read_in_git(path)).hexdigest(), state.sha256(path)
    except BlastgitError as error:
        return str(error)
    if size > LIMIT:
        return f"it has {size:,} bytes, and is stored in git itself, which is for small files only"
    if not size:
        return "it is empty"
    if found != expected:
        return f"it is stored in git itself with the SHA-256 {found}, but its document says {expected}"
    return ""
