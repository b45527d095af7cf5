"""Fuzzes all parsers of external input, each starting from a valid example.

A test passes if the input gives a value or an expected error, within a budget of time and memory.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from gzip import compress
from io import BytesIO
from pathlib import Path

import h5py
import pygit2
from pygit2.enums import ObjectType

from benchmarks.reliability.hostile import mutate
from benchmarks.reliability.row import Row, turns
from blastgit import BlastgitError
from blastgit.annotations.annotation import read_strictly
from blastgit.annotations.branch import read_lines
from blastgit.annotations.exchange import read_rows
from blastgit.checks.commit import commit_faults
from blastgit.checks.line import Sequence, stage_faults
from blastgit.checks.settings import check_settings
from blastgit.checks.tombstones import tombstone_faults
from blastgit.checks.trailers import trailer_faults
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
from blastgit.repository.commits import Marker
from blastgit.repository.settings import read_settings
from blastgit.revision.digest import science_digest
from blastgit.revision.document import Json
from blastgit.revision.dr import read_dr, write_dr
from blastgit.revision.export import read_given
from blastgit.revision.normalise import normalise
from blastgit.revision.reference import make_reference
from blastgit.revision.rules import default_rules
from blastgit.search.adql import translate
from blastgit.search.saved.check import check_sql
from blastgit.search.saved.text import read_query
from blastgit.store.config import default_remote, other_remotes
from blastgit.store.pointer import read_pointer

_SECONDS, _MEMORY = 10, 2 << 30
"""The budget for one input: processor time, and memory in addition to that of the process."""
_ID = b"00000000-0000-5000-8000-000000000000"
_LINE = (
    b'{"actor":"human","comment":"seen","flag":"bad","id":"' + _ID + b'","subject":"revision:2026dgt@0",'
    b'"tags":["a"],"time":"2026-06-01T00:00:00Z","user":"alice"}'
)
_POLICY = (
    b"format: 1\nkind: real\npolicy:\n  roles:\n    admin: [alice]\n    writer: [{who: 'x*', until: 2027-01-01}]\n"
)
_SETTINGS = (
    _POLICY
    + b"""\
title: x
publish: complete
hosts: {"NGC 4993": GLADE/2.3/1234, "A 1": NGC/1/2}
references: {dust: {about: dust, reviewed: true}, model: null}
names: {good: {complete: [Host information]}, old: {app_version: v1.12.*}, pinned: {pinned: {2026dgt: 1}}}
stages: {Recalibration: {after: [Local aperture photometry], makes: [photometry/*_local/*.flux]}}
variants: {photometry: {paths: [photometry], default: a, names: {a: {app_version: v1.*}, b: {made_by: Recalibration}}}}
renames: {}
storage: {sed_plot: {keep: false}, image: {store: o}}
"""
)
_PERHAPS = b"format: 1\nhosts: {NGC 1: GLADE/2/1}\nvariants: {fits: {paths: [sed], names: {a: {run: x}}}}"
_MESSAGE = (
    b"2026dgt host-match: failed\n\nApp-Version: v1\nMarker: stage\nStage: Host match\nOutcome: failed\n"
    b"Reason: no luck\nOwner: a\nHost: h\nBegan: 2026-06-01T00:00:00.000000Z\nAttempts: 1\nBase: none\n"
)
_COMMIT = (
    b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@b> 1780000000 +0000\n"
    b"committer A <a@b> 1780000000 +0000\n\n" + _MESSAGE
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
    """Give mutated inputs to each parser."""
    with tempfile.TemporaryDirectory(prefix="blastgit-reliability-") as folder:
        yield from try_all(Path(folder), options.fuzz, options.minutes, options.seed)


def parsers(folder: Path) -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """Return every parser, by the kind of its input, with a valid example."""
    export, data = small("2026fuzz").write(folder)
    return {
        "exports": (export.read_bytes(), read_given),
        "documents": (write_dr(read_given(export.read_bytes()), 0, {"a/b.fits": f"sha256:{'0' * 64}"}), _document),
        "documents of references": (_reference(), _document),
        "commits": (_COMMIT, partial(_commit, pygit2.init_repository(str(folder / "git"), bare=True))),
        "pointers": (b"outs:\n- md5: " + b"a" * 32 + b"\n  size: 5\n  hash: md5\n  path: x\n", _pointer),
        "settings": (_POLICY, read_settings),
        "sections of settings": (_SETTINGS, _settings),
        "hosts and variants": (_PERHAPS, _settings),
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
            b"-- description: x\nSELECT transient FROM revisions\n",
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
    """Return a valid file of each kind that is compared by content, by a name of that kind."""
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


def _settings(raw: bytes) -> None:
    check_settings(read_settings(raw))


def _reference() -> bytes:
    fields: dict[str, Json] = {"architecture": "MAF", "layers": [1, 2.5, None], "trained": {"on": "x", "at": 1e-3}}
    return write_dr(make_reference("r/model/sbi", fields, datetime(2026, 6, 1, tzinfo=UTC), "v1"), 0, {})


def _document(raw: bytes) -> None:
    """Check a document as the hook does."""
    document = read_dr(raw, "x.json")
    write_dr(document.export, document.number, document.files)
    sha256 = {path: digest.removeprefix("sha256:") for path, digest in document.files.items()}
    science_digest(normalise(document.export, default_rules()), sha256, default_rules())


def _commit(git: pygit2.Repository, raw: bytes) -> None:
    """Check a commit as the hook does; git itself refuses unreadable ones."""
    try:
        commit = git[git.odb.write(ObjectType.COMMIT, raw)]
        assert isinstance(commit, pygit2.Commit)
        commit.message  # noqa: B018 (git reads it only now)
    except (pygit2.GitError, ValueError):
        return
    if any(commit_faults(commit)):
        return
    marker = Marker(commit)
    for faults in (trailer_faults(marker), Sequence("2026dgt").faults(marker), stage_faults(marker)):
        list(faults)


def _pointer(raw: bytes) -> object:
    return read_pointer(raw, "a/x.dvc")


def _changes(raw: bytes) -> object:
    return [place(change.ref) for change in read_changes(raw)]


def _file(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def try_all(folder: Path, count: int, minutes: float = 0, seed: int = 0) -> Iterator[Row]:
    """Test each parser, and yield a line of the table for it: inputs must give a value or an expected error.

    Args:
        folder: Where to put the files that are compared.
        count: How many inputs for all parsers together.
        minutes: How long for each parser at most; 0 for as long as it takes.
        seed: Of the changes.
    """
    with _bounded():
        yield from _try_all(folder, count, minutes, seed)


def _try_all(folder: Path, count: int, minutes: float, seed: int) -> Iterator[Row]:
    found = parsers(folder)
    for what, (good, parse) in found.items():
        parse(good)
        draw, tried, survived, slowest = random.Random(f"{what}{seed or ''}"), 0, 0, 0.0
        for _ in turns(max(1, count // len(found)), minutes):
            raw, begin = mutate(good, draw), time.process_time()
            problem = _problem(parse, raw)
            tried, survived, slowest = tried + 1, survived + (not problem), max(slowest, time.process_time() - begin)
            if problem:
                print(f"not expected: {what}: {problem}: {raw[:2000]!r}", file=sys.stderr, flush=True)
        yield Row(f"hostile {what}", tried, survived, f"the slowest took {slowest:.2f} s")


@contextmanager
def _bounded() -> Iterator[None]:
    """Bound the memory of this process, as `blastgit.content.memory` does for a library."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _problem(parse: Callable[[bytes], object], raw: bytes) -> str:
    """Return what is wrong with the result of an input; "" if it gave a value or an expected error in time."""
    signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        parse(raw)
    except BlastgitError:
        return ""
    except Exception as error:  # noqa: BLE001 (this is what the row counts)
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def _out_of_time(*_: object) -> None:
    raise TimeoutError(f"it took more than {_SECONDS} s")
