"""The index of many transients: building, updating and querying it, compared with sqlite and reading documents."""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import IO, Any

from benchmarks import samples
from benchmarks.race import Row, Target, race, time_alone
from blastgit.api.repo import DataRepo
from blastgit.demo import Sample
from blastgit.index.open_index import Limits, OpenIndex
from blastgit.revision.dr import read_dr
from blastgit.search.compare.compared import CompareOptions, Comparing

REVISIONS = 3
_NEW = 100  # revisions between two updates
_SECOND, _CONE, _JOIN = 1.0, 0.05, 1.0  # seconds that an update, a cone and a join over all may take
_AFFECTED = 2.0  # seconds that `affected` may take on a filter of 50,000 transients
_READ = 200  # documents that are read one by one; the rest is reckoned
_START, _DAY = 1_780_000_000, 86_400  # seconds; a revision comes each day

_CIRCLE = """SELECT dataset FROM transients WHERE ra_deg BETWEEN 119 AND 121 AND dec_deg BETWEEN 9 AND 11
AND degrees(2 * asin(sqrt(power(sin(radians(dec_deg - 10) / 2), 2) + cos(radians(dec_deg)) * cos(radians(10))
* power(sin(radians(ra_deg - 120) / 2), 2)))) < 0.9"""
_CONE_SEARCH = (120, 10, 0.9)
_ADQL = "SELECT dataset FROM transients WHERE 1 = CONTAINS(POINT(ra_deg, dec_deg), CIRCLE(120, 10, 0.9))"
_OVER_ALL = """SELECT count(*), avg(p.magnitude - s.log_mass_50) FROM photometry p
JOIN sed s ON p.transient = s.transient AND p.revision = s.revision AND p.aperture = s.aperture"""


def indexed(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Build an index of many transients, update it, query it, and compare it with sqlite and documents."""
    repo, generator = repo_of_many(folder, samples.first(), options.indexed)
    index, words = repo.index, f"{options.indexed:,} transients of {REVISIONS} revisions"
    start = time.perf_counter()
    index.update(rebuild=True)
    seconds = time.perf_counter() - start
    yield Row(
        f"make the index of {words}: {REVISIONS * options.indexed / seconds:,.0f} revisions a second", "", seconds
    )
    size = index.path.stat().st_size
    git = sum(path.stat().st_size for path in (repo.path / "objects").rglob("*.pack"))
    yield Row("its size", "git's packs", size, git, size / git, unit="MB")
    yield from _updates(repo, generator, min(options.rounds, 5))
    sqlite = _to_sqlite(repo, folder / "tables.sqlite")
    yield from _questions(repo, sqlite, options)


def _updates(repo: DataRepo, generator: _Generator, rounds: int) -> Iterator[Row]:
    taken, opening = [], []
    for number in range(rounds + 1):
        generator.more(REVISIONS + number)
        start = time.perf_counter()
        with repo.index.open(as_is=True) as db:
            db.query("SELECT count(*) FROM transients")
        opened = time.perf_counter()
        done = repo.index.update()
        if done.revisions != _NEW:
            raise RuntimeError(f"not what is measured here: {done}")
        if number:
            opening.append(opened - start)
            taken.append(time.perf_counter() - opened)
    seconds = median(taken)
    yield Row("open it", "", median(opening))
    yield Row(f"take in {_NEW} new revisions", "1 s", seconds, _SECOND, seconds / _SECOND, Target(1.0))
    seconds = time_alone(lambda _: repo.index.update(), rounds)
    yield Row("  where nothing changed", "", seconds)


def _questions(repo: DataRepo, sqlite: Path, options: argparse.Namespace) -> Iterator[Row]:
    connection = sqlite3.connect(sqlite)
    with repo.index.open(as_is=True) as db:
        for what, sql, limit in (
            ("cone search", _CIRCLE, _CONE),
            ("join photometry and SED, all rows", _OVER_ALL, _JOIN),
        ):
            mine = db.query(sql).rows
            theirs = connection.execute(sql).fetchall()
            if len(mine) != len(theirs):
                raise RuntimeError(f"sqlite has another answer: {len(mine)}, {len(theirs)}")
            times = race(_asking(connection.execute, sql), {"index": _asking(db.query, sql)}, min(options.rounds, 5))[
                "index"
            ]
            yield times.row(what, "sqlite, same tables")
            yield Row("  against what it may take", f"{limit * 1e3:g} ms", median(times.own), limit,
                      median(times.own) / limit, Target(1.0))  # fmt: skip
            reading = _one_by_one(repo) * options.indexed * (1 if what.startswith("cone") else REVISIONS)
            yield Row(f"  against documents one by one ({_READ} read)", "read_dr of each", median(times.own), reading,
                      median(times.own) / reading, Target(10, faster=True))  # fmt: skip
        seconds = time_alone(lambda _: repo.find(cone=_CONE_SEARCH, flags="!bad", index=db), options.rounds)
        yield Row("cone search by find, flagged ones left out", "50 ms", seconds, _CONE, seconds / _CONE, Target(1.0))
        if len(db.adql(_ADQL)) != len(db.query(_CIRCLE)):
            raise RuntimeError("ADQL has another answer")
        seconds = time_alone(lambda _: db.adql(_ADQL), options.rounds)
        yield Row("cone search in ADQL", "50 ms", seconds, _CONE, seconds / _CONE, Target(1.0))
        yield from _comparing(repo, db, options)
    yield from _affected(repo, options)
    connection.close()
    theirs_size = sqlite.stat().st_size
    size = repo.index.path.stat().st_size
    yield Row("size", "sqlite, same tables", size, theirs_size, size / theirs_size, unit="MB")


def _affected(repo: DataRepo, options: argparse.Namespace) -> Iterator[Row]:
    """Ask what was made with a filter that all transients use."""
    repo.references.record("r/filter/DES_z", values={"ab_offset": 0.0}, time=datetime(2020, 1, 1, tzinfo=UTC))
    if len(repo.affected("filter:DES_z")) < REVISIONS * options.indexed:
        raise RuntimeError("not all revisions were found")
    seconds = time_alone(lambda _: repo.affected("filter:DES_z"), min(options.rounds, 5))
    limit = _AFFECTED * options.indexed / 50_000
    yield Row("what was made with a filter that all use", f"{limit:g} s", seconds, limit, seconds / limit, Target(1.0))


def _comparing(repo: DataRepo, db: OpenIndex, options: argparse.Namespace) -> Iterator[Row]:
    """Compare the first revision of all transients with the second: all their photometry, or all their SEDs."""
    sides = [f"at:{datetime.fromtimestamp(_START + day * _DAY + 1, UTC):%Y-%m-%dT%H:%M:%SZ}" for day in (0, 1)]
    reading = 2 * options.indexed * _one_by_one(repo)
    for what in ("photometry", "sed"):
        comparing = Comparing(db, sides[0], sides[1], CompareOptions(what))
        if comparing.compare().both < options.indexed:
            raise RuntimeError("not all transients were compared")
        seconds = time_alone(lambda _, comparing=comparing: comparing.compare(), 3)  # type: ignore[misc]
        yield Row(f"compare two dates, {what} of all", f"read_dr of each ({_READ} read)", seconds, reading,
                  seconds / reading, Target(10, faster=True))  # fmt: skip


def _asking(ask: Callable[[str], Any], sql: str) -> Callable[[int], object]:
    return lambda _: list(ask(sql))


def _one_by_one(repo: DataRepo) -> float:
    """Return the seconds that it takes to read one document."""
    git = repo.session.repository.git
    start = time.perf_counter()
    for number in range(_READ):
        name = f"t{number:06}"
        tree: Any = git.references[f"refs/heads/{name}"].peel().tree
        read_dr(tree[f"{name}.json"].data, name)
    return (time.perf_counter() - start) / _READ


def _to_sqlite(repo: DataRepo, path: Path) -> Path:
    """Write the same tables into sqlite, with the indexes that these queries need."""
    connection = sqlite3.connect(path)
    with connection, repo.index.open(Limits(600, 6_000_000_000), as_is=True) as db:
        for table in repo.index.tables.values():
            names = ", ".join(column.name for column in table.columns)
            if not table.view:
                connection.execute(f"CREATE TABLE {table.name} ({names})")
                columns = db.arrow(f"SELECT * FROM {table.name}")
                marks = ", ".join("?" * len(table.columns))
                for batch in columns.to_batches(max_chunksize=100_000):
                    values = [column.cast("string") if str(column.type).startswith("timestamp") else column
                              for column in batch.columns]  # fmt: skip
                    rows = zip(*(column.to_pylist() for column in values), strict=True)
                    connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
        connection.execute("CREATE VIEW transients AS SELECT * FROM revisions WHERE is_latest")
        connection.execute("CREATE INDEX places ON revisions (dec_deg, ra_deg)")
        for table_name in ("photometry", "sed"):
            connection.execute(f"CREATE INDEX of_{table_name} ON {table_name} (transient, revision, aperture)")
        connection.execute("ANALYZE")
    connection.close()
    return path


def repo_of_many(folder: Path, sample: Sample, transients: int) -> tuple[DataRepo, _Generator]:
    """Make a repo of many transients with `git fast-import`; each document has its own values."""
    path = folder / "repo"
    repo = DataRepo.init(path, simulated=True)
    written = samples.write(sample, folder / "in")
    repo.record(sample.name, written.export, written.data)
    generator = _Generator(path, sample.name, transients)
    generator.all()
    return DataRepo(path), generator


class _Generator:
    """Writes revisions like that of a sample, each with other names, positions, digits and SEDs."""

    def __init__(self, path: Path, name: str, transients: int) -> None:
        self._path = path
        self._name = name
        self._random = random.Random(1)
        self._transients = transients
        self._paths = _git(path, "ls-tree", "-r", "--name-only", f"{name}/0").split("\n")
        self._others = {each: _git(path, "show", f"{name}/0:{each}") for each in self._paths}
        text = self._others.pop(f"{name}.json")
        text = re.sub(
            r'"ra_deg": [-0-9.e]+,\n( *)"dec_deg": [-0-9.e]+', r'"ra_deg": @RA@,\n\1"dec_deg": @DEC@', text, count=1
        )
        # What was measured has many digits; the last of them are made anew for each revision.
        self._digits = "".join(self._random.choices("0123456789", k=1_000_000))
        self._pieces = re.split(r"(?<=\d\.\d{6})\d{5,}", text)

    def all(self) -> None:
        """Write all revisions of all transients."""
        self._write(range(self._transients), range(REVISIONS))

    def more(self, number: int) -> None:
        """Write one more revision of some of them."""
        step = max(1, self._transients // _NEW)
        self._write(range(0, step * _NEW, step), [number])

    def _write(self, transients: range, numbers: range | list[int]) -> None:
        quickly = ("core.compression=1", "core.hooksPath=/dev/null", "core.fsync=none")  # a hook would see every ref
        options = [word for each in quickly for word in ("-c", each)]
        command = ["git", f"--git-dir={self._path}", *options, "fast-import", "--quiet", "--depth=0"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            for number in transients:
                for revision in numbers:
                    self._revision(process.stdin, f"t{number:06}", revision)
        if process.returncode:
            raise RuntimeError("git fast-import failed")
        if len(numbers) > 1:
            _git(self._path, "pack-refs", "--all")

    def _revision(self, stream: IO[bytes], name: str, revision: int) -> None:
        start = self._random.randrange(len(self._digits) // 2)
        digits = (self._digits[place : place + 8] for place in range(start, len(self._digits), 6))
        document = self._pieces[0] + "".join(
            f"{some}{piece}" for some, piece in zip(digits, self._pieces[1:], strict=False)
        )
        place = random.Random(name)
        document = (
            document.replace("@RA@", repr(place.uniform(0, 360)), 1)
            .replace("@DEC@", repr(place.uniform(-90, 90)), 1)
            .replace(self._name, name)
            .replace('"dataset_version": 0', f'"dataset_version": {revision}')
            .replace('"last_modified": "2026', f'"last_modified": "{2026 + revision}')  # all stages ran again
        )
        data = {f"{name}.json": document}
        for path, text in self._others.items():
            if not revision or "sed_output" in path:
                random_md5 = f"md5: {self._random.getrandbits(128):032x}"
                data[path.replace(self._name, name)] = re.sub(r"md5: [0-9a-f]{32}", random_md5, text).replace(
                    self._name, name
                )
        who = f"Benchmark <benchmark@example.org> {_START + revision * _DAY} +0000"
        fresh = "Out-Of-Date: none\n" if revision else ""
        message = (
            f"{name} revision {revision}: made up\n\nRevision: {revision}\nApp-Version: v1\nMarker: revision\n"
            f"Status: complete\n{fresh}Files: {len(self._others)}\nBytes: 1000\n"
        )
        parent = f"from refs/heads/{name}^0\n" if revision >= REVISIONS else ""
        lines = [f"commit refs/heads/{name}\ncommitter {who}\ndata {len(message)}\n{message}\n{parent}"]
        for path, text in data.items():
            lines.append(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n")
        lines.append(f"tag {name}/{revision}\nfrom refs/heads/{name}\ntagger {who}\ndata 7\nmade up\n")
        stream.write("".join(lines).encode())


def _git(repo: Path, *words: str) -> str:
    done = subprocess.run(["git", f"--git-dir={repo}", *words], capture_output=True, text=True, check=True)
    return done.stdout.removesuffix("\n") if words[0] == "ls-tree" else done.stdout
