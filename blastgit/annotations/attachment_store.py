"""Where the bytes of attachments are kept: on the branch, or in the store with a pointer on the branch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pygit2

from blastgit.annotations.attachment import Attachment
from blastgit.annotations.branch import Branch
from blastgit.errors import DamagedData, InvalidInput, NotFound, Withdrawn
from blastgit.plumbing.durable import sync_file_systems
from blastgit.plumbing.trees import flatten
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.contents import checked
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.hashing import Checksums, sha256_of
from blastgit.store.intake import Intake
from blastgit.store.media_types import media_type
from blastgit.store.pointer import Pointer, read_pointer

SMALL = 256 * 1024
"""Most bytes of an attachment that goes on the branch: a plot that may well be in every clone."""

_POINTER = re.compile(r"attachment/([0-9a-f]{2})/([0-9a-f]{62})\.dvc")


def plan(file: Path, type_: str = "", mime: str | None = None) -> tuple[Attachment, bytes]:
    """Return a file as an attachment, and its bytes if they go on the branch; nothing is written.

    Args:
        file: The file.
        type_: What kind of file it is.
        mime: Its MIME type; by default guessed from its name.

    Raises:
        InvalidInput: It cannot be read, is empty, changes meanwhile, or is not valid.
    """
    try:
        size = file.stat().st_size
        is_file = file.is_file()
        data = file.read_bytes() if is_file and size <= SMALL else b""
    except OSError as error:
        raise InvalidInput(f"{file} cannot be attached: {error.strerror}") from None
    if not is_file:
        raise InvalidInput(f"{file} cannot be attached: it is not a file")
    mime = mime or media_type(file.name)
    digest = sha256_of(file) if size > SMALL else hashlib.sha256(data).hexdigest()
    attachment = Attachment(file.name, digest, size, type_, mime, size > SMALL)
    attachment.check()
    return attachment, data


def keep(repository: Repository, file: Path, attachment: Attachment, progress: Progress = silent) -> bytes:
    """Copy a file into the store, and return the pointer to it for the branch.

    Raises:
        InvalidInput: It cannot be read, or has changed since `plan`.
        StoreError: The store fails.
    """
    sums = put(repository, file, progress)
    if (sums.sha256, sums.size) != (attachment.sha256, attachment.size):
        raise InvalidInput(f"{file} changed while it was attached: wait until its writer is done")
    return pointer_of(attachment, sums.md5)


def pointer_of(attachment: Attachment, md5: str) -> bytes:
    """Return the pointer to an attachment in the store."""
    return Pointer(md5, attachment.size, attachment.sha256[2:]).write()


def put(repository: Repository, file: Path, progress: Progress = silent) -> Checksums:
    """Copy a file durably into the store, and return its checksums.

    Raises:
        InvalidFiles: It cannot be read, is empty, or changes meanwhile.
        StoreError: The store fails.
    """
    repository.prepare_to_edit()
    store = repository.store
    with Intake(store, {file.name: file}, progress) as intake:
        sums = intake.store([file.name])[file.name]
    sync_file_systems(store.synced_folders())
    return sums


def read(repository: Repository, branch: Branch, attachment: Attachment) -> bytes:
    """Return the bytes of an attachment, checked.

    Raises:
        NotFound: This copy of the branch does not have it.
        Withdrawn: It was withdrawn.
        DamagedData: Its bytes are not those that were attached.
    """
    found = branch.attachment(attachment.path)
    if found is None:
        raise NotFound(f"the attachment {attachment.name} is not on the branch annotations here: run `blastgit sync`")
    what = f"the attachment {attachment.name}"
    if attachment.stored:
        refuse_withdrawn(repository, attachment)
        pointer = read_pointer(found, attachment.path)
        return b"".join(checked(repository.store.read(pointer.md5), attachment.sha256, what))
    return b"".join(checked([found], attachment.sha256, what))


def refuse_withdrawn(repository: Repository, attachment: Attachment) -> None:
    """Check that an attachment was not withdrawn.

    Raises:
        Withdrawn: It was.
    """
    stone = Withdrawals(repository).attachment(attachment.sha256) if attachment.stored else None
    if stone is not None:
        raise Withdrawn(f"the attachment {attachment.name} was {stone}")


def stored_contents(tip: pygit2.Commit) -> Iterator[tuple[str, Checksums]]:
    """Yield the path of each pointer on the branch, and the checksums of the content in the store.

    Raises:
        DamagedData: A pointer cannot be read.
    """
    if "attachment" not in tip.tree:
        return
    tree = tip.tree["attachment"]
    if not isinstance(tree, pygit2.Tree):
        raise DamagedData("attachment of the branch annotations is not a folder")
    for below, _ in flatten(tree):
        path = f"attachment/{below}"
        match = _POINTER.fullmatch(path)
        if match is not None:
            pointer = read_pointer(_data(tree, below), path)
            yield path, Checksums(pointer.md5, match[1] + match[2], pointer.size)


def _data(tree: pygit2.Tree, path: str) -> bytes:
    blob = tree[path]
    assert isinstance(blob, pygit2.Blob)
    return blob.data
