"""Where the bytes of attachments lie: on the branch, or in the store with a pointer on the branch."""

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
"""Bytes of an attachment that lies on the branch: a plot as every clone may have it."""

_POINTER = re.compile(r"attachment/([0-9a-f]{2})/([0-9a-f]{62})\.dvc")


def plan(file: Path, type_: str = "", mime: str | None = None) -> tuple[Attachment, bytes]:
    """Return how a remark names a file, and its bytes if they go on the branch; nothing is written.

    Args:
        file: The file.
        type_: What kind of thing it is.
        mime: Its MIME type; by default what its name says.

    Raises:
        InvalidInput: It cannot be read, is empty, changes meanwhile, or cannot be kept.
    """
    try:
        size = file.stat().st_size
        is_file = file.is_file()
        data = file.read_bytes() if is_file and size <= SMALL else b""
    except OSError as error:
        raise InvalidInput(f"{file} cannot be attached: {error.strerror}") from None
    if not is_file:
        raise InvalidInput(f"{file} cannot be attached: it is no file")
    mime = mime or media_type(file.name)
    digest = sha256_of(file) if size > SMALL else hashlib.sha256(data).hexdigest()
    attachment = Attachment(file.name, digest, size, type_, mime, size > SMALL)
    attachment.check()
    return attachment, data


def keep(repository: Repository, file: Path, attachment: Attachment, progress: Progress = silent) -> bytes:
    """Take a file into the store, and return the pointer to it, which is for the branch.

    Raises:
        InvalidInput: It cannot be read, or changed since it was looked at.
        StoreError: The store fails.
    """
    sums = put(repository, file, progress)
    if (sums.sha256, sums.size) != (attachment.sha256, attachment.size):
        raise InvalidInput(f"{file} changed while it was attached: wait until its writer is done")
    return pointer_of(attachment, sums.md5)


def pointer_of(attachment: Attachment, md5: str) -> bytes:
    """Return the pointer to an attachment that the store holds."""
    return Pointer(md5, attachment.size, attachment.sha256[2:]).write()


def put(repository: Repository, file: Path, progress: Progress = silent) -> Checksums:
    """Take a file into the store, and return what it is known by there; it is durable.

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
        NotFound: The branch, as far as it is here, does not have it.
        Withdrawn: It was taken down.
        DamagedData: It is not what was attached.
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
    """Yield each content of the store that the branch points to, and the path of the pointer.

    Raises:
        DamagedData: A pointer is none.
    """
    if "attachment" not in tip.tree:
        return
    tree = tip.tree["attachment"]
    if not isinstance(tree, pygit2.Tree):
        raise DamagedData("attachment of the branch annotations is no folder")
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
