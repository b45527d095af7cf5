"""Read many branches: a few in this process, many in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import BlastgitError
from blastgit.index.lines import Line, read_lines
from blastgit.repository.base import Repository
from blastgit.repository.local import LocalRepository

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 250  # branches per batch: some 750 revisions, which take about a second
_MANY = 2000  # branches from which it pays to start processes, which takes about a second


@dataclass(frozen=True)
class Gathered:
    """The result of reading some branches, to be passed between processes.

    Attributes:
        tables: The rows of each table.
        renewed: Transients whose old rows must be deleted.
        damaged: What cannot be read, and why.
        lines: How many branches were read.
    """

    tables: dict[str, pa.Table]
    renewed: list[str]
    damaged: dict[str, str]
    lines: int


def gather(repository: Repository, lines: Sequence[Line], jobs: int | None = None) -> Iterator[Gathered]:
    """Yield the rows of branches that moved, batch by batch, in any order.

    Args:
        repository: The data repo.
        lines: The branches.
        jobs: How many processes; None for one per processor if there are many branches.

    Raises:
        BlastgitError: A process died.
    """
    batches = iter([list(lines[start : start + _AT_ONCE]) for start in range(0, len(lines), _AT_ONCE)])
    count = jobs or (cpu_count() or 1)
    if count == 1 or len(lines) < (_MANY if jobs is None else 2) or not repository.is_here:
        for batch in batches:
            yield _gather(repository, batch)
        return
    try:
        yield from _in_processes(repository.path, batches, count)
    except BrokenProcessPool:
        raise BlastgitError(
            "a process that read the data repo died or could not start; the index is as it was. With --jobs 1 (jobs=1) "
            "there is just one; a script of one's own that wants several calls this under "
            "`if __name__ == '__main__':`"
        ) from None


def _in_processes(repo: Path, batches: Iterator[list[Line]], jobs: int) -> Iterator[Gathered]:
    context = multiprocessing.get_context("spawn")  # a fork would share the state of libgit2 and of threads
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        begun: set[Future[Gathered]] = {pool.submit(_gather_in, repo, batch) for batch in islice(batches, 2 * jobs)}
        while begun:
            ended, begun = wait(begun, return_when=FIRST_COMPLETED)
            begun |= {pool.submit(_gather_in, repo, batch) for batch in islice(batches, len(ended))}
            for future in ended:
                yield future.result()


def _gather_in(repo: Path, lines: list[Line]) -> Gathered:
    return _gather(LocalRepository(repo), lines)


def _gather(repository: Repository, lines: list[Line]) -> Gathered:
    read = read_lines(repository, lines)
    read.rows.add("filters", read.filters.values())
    return Gathered(read.rows.to_arrow(), read.renewed, read.rows.damaged, len(lines))
