"""What a pushed marker must look like: a revision, a reproduction of one, or a stage."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pygit2

from blastgit.checks.outdated import outdated_faults
from blastgit.checks.trailers import Stated, revision_faults
from blastgit.errors import BlastgitError, DamagedData, Denied
from blastgit.guard.deny import deny
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import files_of
from blastgit.naming.names import document_of, is_personal, is_reference, transient_of
from blastgit.naming.paths import check_new_paths
from blastgit.naming.refs import MAIN
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import Marker, Revision
from blastgit.repository.entries import LIMIT
from blastgit.repository.format import CONFIG
from blastgit.repository.simulated import WORDS, kind_of
from blastgit.repository.skeleton import dot_files, is_dot_file
from blastgit.revision.document import SIZE_LIMIT
from blastgit.revision.dr import DatasetRevision, read_dr, write_dr
from blastgit.store.pointer import SUFFIX, Pointer, read_pointer
from blastgit.workflow.publish import Publish, because

_POINTER_LIMIT = 4096

Files = dict[str, pygit2.Oid]
Pointers = dict[str, Pointer]


def check_revision(repo: Quarantine, line: str, marker: Marker, number: int, *, has_stages: bool) -> Pointers:
    """Check the commit of a revision, all but the contents in stores, and return its pointers by path.

    Args:
        repo: The data repo.
        line: The line that it is of.
        marker: The commit.
        number: The number that its trailer states.
        has_stages: Whether markers of stages lead to it.

    Raises:
        Denied: With what is wrong.
    """
    pointers, state = check_state(repo, line, marker, number)
    document = state.document
    if repo.settings.simulated and not kind_of(document.export):
        raise Denied(f"{document_of(line)} does not say that its data are simulated, as all that this repo holds are")
    deny(revision_faults(state, repo.rules, has_stages=has_stages))
    check_digest(repo, state)
    _check_complete(repo, line, marker)
    _check_currency(repo, line, marker, number)
    return pointers


def _check_currency(repo: Quarantine, line: str, marker: Marker, number: int) -> None:
    """Check that a revision is up to date that says so. A first push takes in a whole history as it is."""
    if repo.is_new or is_reference(line):
        return
    try:
        faults = list(outdated_faults(repo, Revision(repo.git, line, marker.commit, number)))
    except DamagedData:
        return  # a revision before it is damaged, which `verify` tells
    deny(faults)


def check_digest(repo: Quarantine, state: Stated) -> None:
    """Check the Science-Digest of a state, if it was made by the rules that hold here now.

    Raises:
        Denied: It is not that of the document.
    """
    trailers = state.marker.trailers
    if trailers[Trailer.RULES] == repo.rules.digest and trailers[Trailer.SCIENCE_DIGEST] != _science_digest(
        repo, state.document
    ):
        raise Denied("its trailer Science-Digest is not that of its document: later runs would be compared wrongly")


def _check_complete(repo: Quarantine, line: str, marker: Marker) -> None:
    """Check that a state gets a number here. A first push takes in a whole history as it is."""
    status = marker.trailers[Trailer.STATUS]
    if is_personal(line) or repo.is_new or Publish.of(repo.settings).allows(status):
        return
    raise Denied(
        f"it is not complete ({because(status)}), and this repo gives numbers to complete states only (`publish: "
        "complete`): record with blastgit, which keeps it as a draft"
    )


def check_state(repo: Quarantine, line: str, marker: Marker, number: int) -> tuple[Pointers, Stated]:
    """Check what a commit holds, all but the contents in stores, and return its pointers by path and what it states.

    Args:
        repo: The data repo.
        line: The line that it is of.
        marker: The commit: a revision, or a marker on the way to one.
        number: The number of that revision.

    Raises:
        Denied: With what is wrong.
    """
    name = document_of(line)
    files = files_of(repo, marker.commit.tree_id)
    pointers, own = check_tree(repo, name, files)
    if name not in files:
        raise Denied(f"it has no {name}: the document of a state is named after what it is about")
    document = _document(repo, name, files)
    if document.export.name != transient_of(line):
        raise Denied(f"{name} is about {document.export.name}")
    _check_kind(repo, name, document)
    if document.number != number:
        raise Denied(f"{name} says that it is revision {document.number}, and it should be {number}")
    for path in sorted(document.files.keys() ^ (pointers.keys() | own)):
        if path in document.files:
            raise Denied(f"{name} names {path!r}, which has no pointer")
        if path in own:
            raise Denied(f"{path!r} is not of the format: {name} does not name such a file")
        raise Denied(f"the pointer {path + SUFFIX!r} is about a file that {name} does not name")
    sizes = {path: _check_own(repo, path, files[path], document.files[path]) for path in sorted(own)}
    sizes |= {path: pointer.size for path, pointer in pointers.items()}
    return pointers, Stated(line, marker, document, sizes)


def _check_own(repo: Quarantine, path: str, oid: pygit2.Oid, expected: str) -> int:
    """Check a file that git itself is to keep, and return its size: no store tells that, or looks at its bytes."""
    try:
        data = repo.blob(oid, LIMIT)
    except Denied as error:
        raise Denied(f"{path!r} lies in git itself, which is for small files only: {error}") from None
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if not data:
        raise Denied(f"{path!r} is empty")
    if found != expected:
        raise Denied(f"{path!r} has the checksum {found}, and the document says {expected}")
    return len(data)


def _check_kind(repo: Quarantine, name: str, document: DatasetRevision) -> None:
    """Check that a document does not say that it is of the other kind, simulated or real."""
    try:
        stated = kind_of(document.export)
    except BlastgitError as error:
        raise Denied(f"{name}: {error}") from None
    if stated is not None and stated != repo.settings.simulated:
        kinds = WORDS[stated], WORDS[repo.settings.simulated]
        raise Denied(f"{name} says that its data are {kinds[0]}, and this repo holds {kinds[1]} ones: never both")


def check_tree(repo: Quarantine, document: str, files: Mapping[str, pygit2.Oid]) -> tuple[Pointers, set[str]]:
    """Check that a tree holds the dot files, at most the document, and beside them pointers and files as they are.

    Returns:
        The pointers by path, and the paths of the files that git itself is to keep.

    Raises:
        Denied: With what is wrong.
    """
    dots = dot_files(repo.config)
    paths = {path for path in files if path.endswith(SUFFIX) and path not in dots}
    own = {path for path in files.keys() - paths - dots.keys() if "/" in path and not path.startswith((".git", ".dvc"))}
    strange = sorted(files.keys() - paths - own - dots.keys() - {document})
    if strange:
        raise Denied(f"{strange[0]!r} is not of the format: there may be {document}, files, and the dot files")
    stored = {path.removesuffix(SUFFIX) for path in paths}
    if own & stored:
        raise Denied(f"{min(own & stored)!r} is not of the format: it stands there as it is, and as a pointer as well")
    try:
        check_new_paths(sorted(own | stored))
    except BlastgitError as error:
        raise Denied(str(error)) from None
    for path, expected in dots.items():
        _check_dot_file(repo, files, path, expected)
    return {path.removesuffix(SUFFIX): _pointer(repo, path, files[path]) for path in sorted(paths)}, own


def _check_dot_file(repo: Quarantine, files: Mapping[str, pygit2.Oid], path: str, expected: bytes) -> None:
    if path not in files:
        raise Denied(f"it lacks {path}, without which `dvc pull` brings no files")
    data = _blob(repo, path, files[path], 64 * 1024)
    if data == expected or (path != CONFIG and is_dot_file(path, data)):
        return
    if path == CONFIG:
        if _was_on_main(repo, files[path]):
            return
        raise Denied(".dvc/config is not the one that main has: fetch main, then record again")
    raise Denied(f"{path} is not the one that every revision has: record with blastgit")


def _was_on_main(repo: Quarantine, config: pygit2.Oid) -> bool:
    """Whether main had this `.dvc/config` at any time: a store may have moved since a revision was recorded."""
    main = repo.ref(MAIN)
    walk = () if main is None else repo.git.walk(main)
    return any(".dvc/config" in each.tree and each.tree[".dvc/config"].id == config for each in walk)


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
    data = _blob(repo, name, files[name], SIZE_LIMIT)
    try:
        document = read_dr(data, name)
        canonical = write_dr(document.export, document.number, document.files)
    except BlastgitError as error:
        raise Denied(str(error)) from None
    if canonical != data:
        raise Denied(f"{name} is not written as the format asks (docs/format.md, Bytes): record with blastgit")
    return document


def _science_digest(repo: Quarantine, document: DatasetRevision) -> str:
    from blastgit.revision.digest import science_digest
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
