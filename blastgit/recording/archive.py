"""Blast's own archive of a transient: a tar file with `transient.json`, `cutouts/` and `sed_data/`.

Real archives hold every npz member twice (Blast's `api/views.py` forgets to change the name of a thumbnail).
"""

from __future__ import annotations

import errno
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Self

from blastgit.errors import BlastgitError, InvalidFiles, InvalidInput, StoreError
from blastgit.naming.paths import check_new_paths, check_path, dataset_path
from blastgit.recording.sources import Gathered
from blastgit.revision.document import SIZE_LIMIT
from blastgit.revision.export import Export, named_files, read_export
from blastgit.revision.leftovers import is_leftover
from blastgit.store.hashing import CHUNK, sha256_of

_DOCUMENT = "transient.json"
_FOLDERS = {"cutouts": "cutout_cdn", "sed_data": "sed_output"}
_LIMIT = 8 * 1024**3  # bytes unpacked; real archives have some 20 MB
_MEMBERS = 10_000
_HEADER_LIMIT = 1024 * 1024
_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip


class _Member(tarfile.TarInfo):
    """Refuses oversized headers, which tarfile would read into memory whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.type in _HEADERS and member.size > _HEADER_LIMIT:
            raise InvalidFiles(f"the archive has a header of {member.size:,} bytes, more than {_HEADER_LIMIT:,}")
        return member


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[Export, Gathered[Path]]]:
    """Unpack an archive into a temporary folder; yield its export, and its files by path in the dataset.

    Raises:
        InvalidInput: It is not such an archive, or is damaged.
        InvalidFiles: A member is a link or a device, leaves the folder, or is too large; or a file that the export
            names is missing.
        InvalidExport: Its `transient.json` is not an export.
    """
    with TemporaryDirectory(prefix="blastgit-") as folder:
        try:
            with tarfile.open(path, "r:*", tarinfo=_Member) as archive:
                files = _unpack(archive, Path(folder))
                left = [member.name for member in archive.getmembers() if is_leftover(member.name)]
        except FileNotFoundError:
            raise InvalidInput(f"there is no archive {path}") from None
        except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, RecursionError) as error:
            raise _unreadable(path, error) from None
        if _DOCUMENT not in files:
            raise InvalidInput(f"{path} has no {_DOCUMENT}: is it an archive of Blast?")
        export = read_export(files.pop(_DOCUMENT).read_bytes(), f"{_DOCUMENT} of {path}")
        check_new_paths(list(files))
        missing = [name for name in named_files(export.document) if dataset_path(name) not in files]
        if missing:
            raise InvalidFiles(f"{path}: the export names {missing[0]}, which the archive lacks")
        yield export, Gathered(dict(sorted(files.items())), left)


def _unreadable(path: Path, error: Exception) -> BlastgitError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"no space left to unpack {path} in {gettempdir()}: make room, or set TMPDIR")
    return InvalidInput(f"{path} is not a readable tar archive: {str(error).partition(chr(10))[0].rstrip(':')}")


def _unpack(archive: tarfile.TarFile, folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    room = _LIMIT
    for count, member in enumerate(archive):
        if count >= _MEMBERS:
            raise InvalidFiles(f"the archive has more than {_MEMBERS:,} members")
        path = _member_path(member)
        if path is None:
            continue
        room -= member.size
        if room < 0 or (path == _DOCUMENT and member.size > SIZE_LIMIT):
            raise InvalidFiles(f"the archive would unpack to more than {_LIMIT:,} bytes at {member.name!r}")
        copy = folder / str(count)
        _copy_member(archive, member, copy)
        if path in files and (path == _DOCUMENT or sha256_of(copy) != sha256_of(files[path])):
            raise InvalidFiles(f"the archive holds {member.name!r} twice, with different content")
        files[path] = copy
    _check_end(archive, room)
    return files


def _check_end(archive: tarfile.TarFile, room: int) -> None:
    """Refuse an archive with data after its end: tarfile mistakes a damaged header for the end."""
    assert archive.fileobj is not None
    archive.fileobj.seek(archive.offset)
    while chunk := archive.fileobj.read(CHUNK):  # to the end of the file, where the checksum is
        room -= len(chunk)
        if chunk.strip(b"\0") or room < 0:
            raise InvalidFiles(f"the archive is damaged: there is no member at byte {archive.offset:,}")


def _member_path(member: tarfile.TarInfo) -> str | None:
    """Return the path of a member in the dataset; None for a folder or a leftover of another program.

    Raises:
        InvalidFiles: Blast would not write such a member.
    """
    if member.isdir() or is_leftover(member.name):
        return None
    if not member.isreg():
        raise InvalidFiles(f"the archive's {member.name!r} is a link or a device: only plain files are accepted")
    name = member.name.removeprefix("./")
    if name == _DOCUMENT:
        return _DOCUMENT
    root, _, rest = name.partition("/")
    if root not in _FOLDERS:
        raise InvalidFiles(f"the archive's {member.name!r} is neither {_DOCUMENT} nor below cutouts/ or sed_data/")
    return check_path(f"{_FOLDERS[root]}/{rest}")


def _copy_member(archive: tarfile.TarFile, member: tarfile.TarInfo, copy: Path) -> None:
    source = archive.extractfile(member)
    assert source is not None
    with source, copy.open("xb") as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)
