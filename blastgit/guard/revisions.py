"""What a pushed marker must look like: a revision, a reproduction of one, or a stage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import pygit2

from blastgit.errors import BlastgitError, Denied
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import files_of
from blastgit.naming.paths import check_paths
from blastgit.repository.commits import Marker
from blastgit.repository.entries import LIMIT
from blastgit.repository.simulated import WORDS, kind_of
from blastgit.repository.skeleton import dot_files
from blastgit.revision.document import SIZE_LIMIT
from blastgit.revision.dr import DatasetRevision, read_dr, write_dr
from blastgit.store.pointer import SUFFIX, Pointer, read_pointer

_POINTER_LIMIT = 4096
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

Files = dict[str, pygit2.Oid]
Pointers = dict[str, Pointer]


def check_revision(repo: Quarantine, name: str, marker: Marker, number: int) -> Pointers:
    """Check the commit of a revision, all but the contents in stores, and return its pointers by path.

    Args:
        repo: The data repo.
        name: The transient.
        marker: The commit.
        number: The number that its trailer states.

    Raises:
        Denied: With what is wrong.
    """
    pointers, document = check_state(repo, name, marker.commit, number)
    if repo.settings.simulated and not kind_of(document.export):
        raise Denied(f"{name}.json does not say that its data are simulated, as all that this repo holds are")
    _check_trailers(repo, marker, document)
    return pointers


def check_state(repo: Quarantine, name: str, commit: pygit2.Commit, number: int) -> tuple[Pointers, DatasetRevision]:
    """Check what a commit holds, all but the contents in stores, and return its pointers by path and its document.

    Args:
        repo: The data repo.
        name: The transient.
        commit: The commit: a revision, or a marker on the way to one.
        number: The number of that revision.

    Raises:
        Denied: With what is wrong.
    """
    files = files_of(repo, commit.tree_id)
    pointers, own = check_tree(repo, name, files)
    if f"{name}.json" not in files:
        raise Denied(f"it has no {name}.json: the document of a state bears its transient's name")
    document = _document(repo, name, files)
    if document.export.name != name:
        raise Denied(f"{name}.json is about {document.export.name}")
    _check_kind(repo, name, document)
    if document.number != number:
        raise Denied(f"{name}.json says that it is revision {document.number}, and it should be {number}")
    for path in sorted(document.files.keys() ^ (pointers.keys() | own)):
        if path in document.files:
            raise Denied(f"{name}.json names {path!r}, which has no pointer")
        if path in own:
            raise Denied(f"{path!r} is not of the format: {name}.json does not name such a file")
        raise Denied(f"the pointer {path + SUFFIX!r} is about a file that {name}.json does not name")
    for path in sorted(own):
        _check_own(repo, path, files[path], document.files[path])
    return pointers, document


def _check_own(repo: Quarantine, path: str, oid: pygit2.Oid, expected: str) -> None:
    """Check a file that git itself is to keep: no store tells its size, and nobody else looks at its bytes."""
    try:
        data = repo.blob(oid, LIMIT)
    except Denied as error:
        raise Denied(f"{path!r} lies in git itself, which is for small files only: {error}") from None
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if not data:
        raise Denied(f"{path!r} is empty")
    if found != expected:
        raise Denied(f"{path!r} has the checksum {found}, and the document says {expected}")


def _check_kind(repo: Quarantine, name: str, document: DatasetRevision) -> None:
    """Check that a document does not say that it is of the other kind, simulated or real."""
    try:
        stated = kind_of(document.export)
    except BlastgitError as error:
        raise Denied(f"{name}.json: {error}") from None
    if stated is not None and stated != repo.settings.simulated:
        kinds = WORDS[stated], WORDS[repo.settings.simulated]
        raise Denied(f"{name}.json says that its data are {kinds[0]}, and this repo holds {kinds[1]} ones: never both")


def check_tree(repo: Quarantine, name: str, files: Mapping[str, pygit2.Oid]) -> tuple[Pointers, set[str]]:
    """Check that a tree holds the dot files, at most the document, and beside them pointers and files as they are.

    Returns:
        The pointers by path, and the paths of the files that git itself is to keep.

    Raises:
        Denied: With what is wrong.
    """
    dots = dot_files(repo.config)
    paths = {path for path in files if path.endswith(SUFFIX) and path not in dots}
    own = {path for path in files.keys() - paths - dots.keys() if "/" in path and not path.startswith((".git", ".dvc"))}
    strange = sorted(files.keys() - paths - own - dots.keys() - {f"{name}.json"})
    if strange:
        raise Denied(f"{strange[0]!r} is not of the format: there may be {name}.json, files, and the dot files")
    stored = {path.removesuffix(SUFFIX) for path in paths}
    if own & stored:
        raise Denied(f"{min(own & stored)!r} is not of the format: it stands there as it is, and as a pointer as well")
    try:
        check_paths(sorted(own | stored))
    except BlastgitError as error:
        raise Denied(str(error)) from None
    for path, expected in dots.items():
        _check_dot_file(repo, files, path, expected)
    return {path.removesuffix(SUFFIX): _pointer(repo, path, files[path]) for path in sorted(paths)}, own


def _check_dot_file(repo: Quarantine, files: Mapping[str, pygit2.Oid], path: str, expected: bytes) -> None:
    if path not in files:
        raise Denied(f"it lacks {path}, without which `dvc pull` brings no files")
    if _blob(repo, path, files[path], 64 * 1024) == expected:
        return
    if path == ".dvc/config":
        raise Denied(".dvc/config is not the one that main has: fetch main, then record again")
    raise Denied(f"{path} is not the one that every revision has: record with blastgit")


def _pointer(repo: Quarantine, path: str, oid: pygit2.Oid) -> Pointer:
    data = _blob(repo, path, oid, _POINTER_LIMIT)
    try:
        pointer = read_pointer(data, path)
    except BlastgitError as error:
        raise Denied(str(error)) from None
    if pointer.write() != data:
        raise Denied(f"the pointer {path} says more than MD5, size and name, or says it in another way")
    return pointer


def _document(repo: Quarantine, name: str, files: Mapping[str, pygit2.Oid]) -> DatasetRevision:
    path = f"{name}.json"
    data = _blob(repo, path, files[path], SIZE_LIMIT)
    try:
        document = read_dr(data, path)
        canonical = write_dr(document.export, document.number, document.files)
    except BlastgitError as error:
        raise Denied(str(error)) from None
    if canonical != data:
        raise Denied(f"{path} is not written as the format asks (docs/format.md, Bytes): record with blastgit")
    return document


def _check_trailers(repo: Quarantine, marker: Marker, document: DatasetRevision) -> None:
    export, trailers = document.export, marker.trailers
    if marker.commit.author.time != int(export.time.timestamp()):
        raise Denied(f"its author date should be metadata.export_time, {export.time:%Y-%m-%dT%H:%M:%SZ}")
    if marker.app_version != export.app_version:
        raise Denied(f"its trailer App-Version is {marker.app_version!r}, and the document says {export.app_version!r}")
    for key in ("Rules", "Science-Digest"):
        if not _DIGEST.fullmatch(trailers.get(key, "")):
            raise Denied(f"its trailer {key} should be sha256:… in 64 digits")
    if trailers["Rules"] == repo.rules.digest and trailers["Science-Digest"] != _science_digest(repo, document):
        raise Denied("its trailer Science-Digest is not that of its document: later runs would be compared wrongly")


def _science_digest(repo: Quarantine, document: DatasetRevision) -> str:
    from blastgit.recording.decide import science_digest
    from blastgit.revision.normalise import normalise

    sha256 = {path: digest.removeprefix("sha256:") for path, digest in document.files.items()}
    try:
        return science_digest(normalise(document.export, repo.rules), sha256, repo.rules)
    except BlastgitError as error:
        raise Denied(str(error)) from None


def _blob(repo: Quarantine, path: str, oid: pygit2.Oid, limit: int) -> bytes:
    try:
        return repo.blob(oid, limit)
    except Denied as error:
        raise Denied(f"{path!r}: {error}") from None
