"""Names of releases: a collection and a version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pygit2

from blastgit.collections.names import check_name
from blastgit.errors import BlastgitError, InvalidInput, InvalidName, NotFound
from blastgit.naming.nearest import did_you_mean
from blastgit.naming.refs import RELEASES, TAGS, Kind, place
from blastgit.plumbing.objects import undamaged
from blastgit.repository.base import Repository

PREFIX = "release/"


@dataclass(frozen=True, order=True, slots=True)
class Label:
    """The name of a release.

    Attributes:
        collection: The collection that was frozen.
        version: The version of the release.
    """

    collection: str
    version: str

    @property
    def ref(self) -> str:
        """The ref of its tag."""
        return f"{TAGS}{self}"

    @property
    def folder(self) -> str:
        """The default folder for a download: `nearby-1`."""
        return f"{self.collection.replace('/', '-')}-{self.version}"

    def __str__(self) -> str:
        return f"{PREFIX}{self.collection}/{self.version}"


def make_label(collection: str, version: str) -> Label:
    """Return the name of a new release.

    Raises:
        InvalidName: The name of the collection or the version is not valid.
    """
    label = Label(check_name(collection), version)
    if "/" in version or not pygit2.reference_is_valid_name(label.ref):
        raise InvalidName(f"{version!r} is not a version: letters, digits and ._+-, as in 1, 2026.1, v1.0")
    try:
        place(label.ref)
    except BlastgitError:
        raise InvalidName(f"{version!r} is not a version: letters, digits and ._+-, as in 1, 2026.1, v1.0") from None
    return label


def read_label(text: str) -> Label:
    """Read `release/COLLECTION/VERSION`.

    Raises:
        InvalidName: It does not have this form.
    """
    ref = text if text.startswith(TAGS) else f"{TAGS}{text}"
    try:
        found = place(ref)
    except BlastgitError:
        found = None
    if found is None or found.kind is not Kind.RELEASE or not pygit2.reference_is_valid_name(ref):
        raise InvalidName(f"{text[:120]!r} names no release: write release/COLLECTION/VERSION")
    return Label(found.collection, ref.rpartition("/")[2])


def is_release(text: str) -> bool:
    """Whether a text names a release: no transient can have such a name."""
    return text.startswith(PREFIX)


def releases(repository: Repository) -> list[Label]:
    """Return all releases, sorted. Reads the names of all refs."""
    return sorted(read_label(ref) for ref in repository.references(RELEASES))


def tag_of(repository: Repository, label: Label) -> pygit2.Oid:
    """Return the id of a release's tag object.

    Raises:
        NotFound: The release does not exist; the error names some that do.
    """
    reference = repository.reference(label.ref)
    if reference is None:
        others = [str(each) for each in releases(repository)]
        listed = f"there are {', '.join(others[:5])}" if others else "nothing was frozen here yet"
        hint = did_you_mean(str(label), others, listed)
        raise NotFound(f"there is no {label} in {repository.location}{hint}")
    with undamaged(label.ref):
        return pygit2.Oid(hex=str(reference.resolve().target))


def check_new(label: Label, others: Iterable[Label]) -> None:
    """Check that a new release is compatible with the existing ones.

    Raises:
        InvalidInput: It exists, or git or a file system cannot hold both.
    """
    new = str(label).casefold()
    for other in others:
        old = str(other).casefold()
        if other == label:
            raise InvalidInput(f"{label} exists, and releases never move: give this state another version")
        if old == new:
            raise InvalidInput(f"{label} and {other} differ only in case: give this state another version")
        if new.startswith(f"{old}/") or old.startswith(f"{new}/"):
            raise InvalidInput(f"git cannot hold both {label} and {other}: give this state another version")
