"""Attachments in exported JSON lines: with their bytes, if they are small enough."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from typing import Any

from blastgit.annotations.attachment import ATTACHMENT_LIMIT, Attachment, read_attachment
from blastgit.annotations.attachment_store import pointer_of, put, read
from blastgit.annotations.branch import Branch
from blastgit.errors import InvalidInput
from blastgit.repository.base import Repository
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.pointer import read_pointer

_MD5 = re.compile(r"[0-9a-f]{32}")
_OWN = ("data", "md5")


def pack(repository: Repository, branch: Branch, attachment: Attachment) -> dict[str, Any]:
    """Return an attachment as JSON: with its bytes if it is small enough, else with its MD5 in the store.

    One that was withdrawn has neither.

    Raises:
        DamagedData: The store lacks it.
    """
    found = branch.attachment(attachment.path)
    if found is None or (attachment.stored and Withdrawals(repository).attachment(attachment.sha256)):
        return attachment.to_json()
    more = {"md5": read_pointer(found, attachment.path).md5} if attachment.stored else {}
    if attachment.size <= ATTACHMENT_LIMIT:
        more["data"] = base64.b64encode(read(repository, branch, attachment)).decode()
    return {**attachment.to_json(), **more}


def unpack(repository: Repository, value: Any, files: dict[str, bytes]) -> Any:
    """Return an attachment as an annotation has it; put large bytes into the store, what the branch needs into `files`.

    Raises:
        InvalidInput: Its bytes do not match its checksum or size.
        StoreError: The store fails.
    """
    if not isinstance(value, dict) or not any(key in value for key in _OWN):
        return value
    rest = {key: item for key, item in value.items() if key not in _OWN}
    attachment = read_attachment(rest)
    attachment.check()
    data = _bytes(value["data"], attachment) if "data" in value else None
    if data is not None and not attachment.stored:
        files[attachment.path] = data
    elif data is not None:
        files[attachment.path] = pointer_of(attachment, _store(repository, data))
    elif isinstance(value["md5"], str) and _MD5.fullmatch(value["md5"]) and attachment.stored:
        if repository.store.sizes([value["md5"]]).get(value["md5"], -1) not in (attachment.size, None):
            raise InvalidInput(
                f"the attachment {attachment.name} is too large to come along, and the store {repository.store.url} "
                f"lacks it: bring its content there first ({value['md5']})"
            )
        files[attachment.path] = pointer_of(attachment, value["md5"])
    return rest


def _bytes(encoded: object, attachment: Attachment) -> bytes:
    try:
        data = base64.b64decode(str(encoded), validate=True)
    except binascii.Error:
        raise InvalidInput("the data of its attachment are not base64") from None
    if hashlib.sha256(data).hexdigest() != attachment.sha256 or len(data) != attachment.size:
        raise InvalidInput("the data of its attachment have another checksum or size than it states")
    return data


def _store(repository: Repository, data: bytes) -> str:
    repository.prepare_to_edit()
    folder = repository.work_folder / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / os.urandom(16).hex()
    try:
        file.write_bytes(data)
        return put(repository, file).md5
    finally:
        file.unlink(missing_ok=True)
