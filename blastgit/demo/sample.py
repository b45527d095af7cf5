"""One state of one transient as Blast publishes it: the export and its files."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """One state of one transient.

    Attributes:
        export: The export, as parsed JSON.
        files: The files' contents by Blast's path without the leading `/data/`, such as
            `cutout_cdn/2026dgt/DES/DES_z.fits`.
    """

    export: dict[str, Any] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """The transient's name."""
        return str(self.export["transient"]["fields"]["name"])

    @property
    def text(self) -> str:
        """The export as Blast sends it: NaN and Infinity stay bare words, which strict JSON forbids."""
        return json.dumps(self.export)

    def write(self, directory: Path) -> tuple[Path, Path]:
        """Write `export.json` and the files under `data/`; return both paths."""
        export, data = directory / "export.json", directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        export.write_text(self.text, encoding="utf-8")
        for path, content in self.files.items():
            target = data / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return export, data

    def archive(self, path: Path) -> Path:
        """Write the same tar.gz as Blast's own download, reproducibly byte for byte; return its path."""
        buffer = io.BytesIO()
        with (
            gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=buffer, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            for name, content in self._members():
                member = tarfile.TarInfo(name)  # the defaults: time 0, owner 0, mode 644
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        path.write_bytes(buffer.getvalue())
        return path

    def _members(self) -> Iterator[tuple[str, bytes]]:
        yield "transient.json", self.text.encode()
        for path, content in self.files.items():
            root, _, rest = path.partition(f"/{self.name}/")
            yield f"{'cutouts' if root == 'cutout_cdn' else 'sed_data'}/{rest}", content
            if path.endswith(".npz"):  # Blast also asks for its thumbnail, and by a bug gets the file again
                yield f"sed_data/{rest}", content
