"""The input of a reader: the verified bytes of a file or the rows of a document, with their identity."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from blastgit.datasets.types import DatasetType
from blastgit.errors import UsageError
from blastgit.readers.identity import Identity
from blastgit.revision.document import Json


class Content(bytes):
    """The bytes of a file, with its identity.

    Attributes:
        identity: The identity of the file.
    """

    identity: Identity


@dataclass(frozen=True)
class Dataset:
    """One dataset to be loaded.

    Attributes:
        identity: Its identity.
        type: Its dataset type.
        key: Its data ID, which is unique within its type: `{"survey": "DES", "filter": "DES_z"}`.
        rows: Its rows, if it is made of rows, without empty columns.
    """

    identity: Identity
    type: DatasetType
    key: Mapping[str, str]
    rows: Sequence[Mapping[str, Json]] = ()
    _read: Callable[[], bytes] | None = field(default=None, repr=False)

    def data(self) -> bytes:
        """Return the bytes of the file, after checking their SHA-256.

        Raises:
            UsageError: It is made of rows.
            DamagedData: The store lacks it, or it is damaged.
        """
        if self._read is None:
            raise UsageError(f"{self.identity} are rows of the document and no file: read them as table, row or json")
        return self._read()

    def open(self) -> BinaryIO:
        """Return the file, open for reading."""
        return io.BytesIO(self.data())

    def check_rows(self) -> Sequence[Mapping[str, Json]]:
        """Return the rows.

        Raises:
            UsageError: It is a file.
        """
        if self._read is not None:
            raise UsageError(f"{self.identity} is a file and no rows: read it as bytes, or with a reader of files")
        return self.rows


Reader = Callable[[Dataset], object]
"""A function that returns a dataset as an object. It may raise any exception."""
