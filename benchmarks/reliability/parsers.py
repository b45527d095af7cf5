"""Everything that reads what somebody else wrote, each with a good example to begin with."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from gzip import compress
from io import BytesIO
from pathlib import Path

import h5py

from benchmarks.reliability.hostile import mutate
from benchmarks.reliability.row import Row, turns
from blastgit import BlastgitError
from blastgit.annotations.annotation import read_strictly
from blastgit.annotations.branch import read_lines
from blastgit.annotations.exchange import read_rows
from blastgit.checks.tombstones import tombstone_faults
from blastgit.collections.datasets import read_dataset
from blastgit.collections.text import check_text
from blastgit.content import describe, same
from blastgit.content.model import Tolerance
from blastgit.demo import small
from blastgit.naming.refs import place, read_changes
from blastgit.naming.trailers import read_trailers
from blastgit.releases.citation import Citation
from blastgit.releases.frozen import Entry, Frozen, read_frozen
from blastgit.releases.label import Label
from blastgit.repository.settings import read_settings
from blastgit.revision.dr import read_dr
from blastgit.revision.export import read_given
from blastgit.search.adql import translate
from blastgit.search.saved.check import check_sql
from blastgit.search.saved.text import read_query
from blastgit.store.config import default_remote, other_remotes
from blastgit.store.pointer import read_pointer

_ID = b"00000000-0000-5000-8000-000000000000"
_LINE = (
    b'{"actor":"human","comment":"seen","flag":"bad","id":"' + _ID + b'","subject":"revision:2026dgt@0",'
    b'"tags":["a"],"time":"2026-06-01T00:00:00Z","user":"alice"}'
)
_POLICY = (
    b"format: 1\nkind: real\npolicy:\n  roles:\n    admin: [alice]\n    writer: [{who: 'x*', until: 2027-01-01}]\n"
)
_CONFIG = (
    b"[core]\nremote = store\n['remote \"store\"']\nurl = s3://b/x\nendpointurl = https://h\n"
    b"['remote \"o\"']\nurl = /x\n"
)
_STONES = b"withdrawn:\n- {path: a/b, md5: '0', sha256: '1', size: 1, at: '2026-07-01', by: me, reason: why}\n"
_COLLECTION = (
    b'type: CALIBRATION\nabout: "x"\nmembers:\n- {"dataset": "2026dgt@0:a/b.fits", "begin": null, "end": null}\n'
)
_ADQL = (
    b"SELECT TOP 5 t.transient, COUNT(*) AS n FROM blastgit.transients AS t WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), "
    b"CIRCLE('ICRS', 10.0, -5, 0.1)) GROUP BY t.transient ORDER BY n DESC"
)
_ECSV = b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: subject, datatype: string}\nsubject comment\n2026dgt@0 seen\n"


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Hand each parser what has been mutated."""
    with tempfile.TemporaryDirectory(prefix="blastgit-reliability-") as folder:
        yield from try_all(Path(folder), options.fuzz, options.minutes, options.seed)


def parsers(folder: Path) -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """Return every parser, by what it reads, with a good example."""
    export, data = small("2026fuzz").write(folder)
    return {
        "exports": (export.read_bytes(), read_given),
        "documents": (export.read_bytes(), lambda raw: read_dr(raw, "x.json")),
        "pointers": (b"outs:\n- md5: " + b"a" * 32 + b"\n  size: 5\n  hash: md5\n  path: x\n", _pointer),
        "settings": (_POLICY, read_settings),
        "settings of stores": (_CONFIG, lambda raw: (default_remote(raw), other_remotes(raw, folder / "none"))),
        "annotations": (_LINE, read_strictly),
        "files of annotations": (
            _LINE + b"\n" + _LINE + b"\n",
            lambda raw: read_lines(raw, "revision/2026dgt/0.jsonl"),
        ),
        "lists of annotations": (_ECSV, read_rows),
        "releases": (_release(), lambda raw: read_frozen(raw, Label("best", "1"))),
        "collections": (_COLLECTION, lambda raw: check_text(raw, "calib/x")),
        "tombstones": (_STONES, lambda raw: list(tombstone_faults("withdrawn/x/0.yaml", raw, lambda *_: None))),
        "saved queries": (
            b"-- description: x\nSELECT name FROM revisions\n",
            lambda raw: check_sql(read_query(raw, "x")),
        ),
        "ADQL": (_ADQL, lambda raw: translate(raw.decode("utf-8", "replace"))),
        "messages": (
            b"x\n\nRevision: 1\nMarker: revision\n",
            lambda raw: read_trailers(raw.decode("utf-8", "replace")),
        ),
        "what git tells a hook": (b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/2026dgt\n", _changes),
        **{name: (good, partial(_compare, folder, name, good)) for name, good in _contents(data).items()},
    }


def _contents(data: Path) -> dict[str, bytes]:
    """Return a good file of each kind that is compared by content, by a name of that kind."""
    with BytesIO() as stream:
        with h5py.File(stream, "w") as file:
            file.create_dataset("chain/x", data=[1.0, 2.0], chunks=(1,), compression="gzip")
            file.attrs["about"] = "x"
        packed = stream.getvalue()
    image = min(data.rglob("*.fits")).read_bytes()
    return {
        "x.npz": min(data.rglob("*.npz")).read_bytes(),
        "x.fits": image,
        "x.fits.gz": compress(image),
        "x.h5": packed,
    }


def _release() -> bytes:
    entries = tuple(Entry(read_dataset(name), "0" * 40, ("best",)) for name in ("2026abc@1:a/b.fits", "2026dgt@0"))
    head = ("TAGGED", "the best", "1" * 40, "2026-06-01T00:00:00Z", "urn:uuid:x")
    size, formats, citation = 5, ("application/fits",), Citation("Best", publisher="x")
    return Frozen(Label("best", "1"), *head, True, 2, size, formats, citation, entries).text()


def _compare(folder: Path, name: str, good: bytes, raw: bytes) -> None:
    old, new = _file(folder / f"old-{name}", good), _file(folder / f"new-{name}", raw)
    same(name, old, new, Tolerance())
    describe(name, old, new, Tolerance())


def _pointer(raw: bytes) -> object:
    return read_pointer(raw, "a/x.dvc")


def _query(raw: bytes) -> None:
    check_sql(read_query(raw, "x"))


def _trailers(raw: bytes) -> object:
    return read_trailers(raw.decode("utf-8", "replace"))


def _changes(raw: bytes) -> object:
    return [place(change.ref) for change in read_changes(raw)]


def _file(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def try_all(folder: Path, count: int, minutes: float = 0, seed: int = 0) -> Iterator[Row]:
    """Yield a line for each parser: an error that is expected, or a value; never anything else.

    Args:
        folder: Where to put the files that are compared.
        count: How many inputs for all parsers together.
        minutes: How long for each parser at most; 0 for as long as it takes.
        seed: Of the changes.
    """
    found = parsers(folder)
    for what, (good, parse) in found.items():
        draw, tried, survived = random.Random(f"{what}{seed or ''}"), 0, 0
        for _ in turns(max(1, count // len(found)), minutes):
            tried += 1
            try:
                parse(mutate(good, draw))
                survived += 1
            except BlastgitError:
                survived += 1
            except Exception as error:  # noqa: BLE001 (this is what the row counts)
                print(f"not expected: {what}: {type(error).__name__}: {error}", file=sys.stderr)
        yield Row(f"hostile {what}", tried, survived)
