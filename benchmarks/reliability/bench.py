"""A data repo for the reliability tests, and its inputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.crash import switch_off_maintenance
from blastgit import DataRepo
from blastgit.demo import Sample

NAME = "2026dgt"
Inputs = tuple[Path, Path]


class Bench:
    """A folder with one data repo and the inputs for it."""

    def __init__(self, folder: Path) -> None:
        """Make a fresh repo."""
        self.folder = folder
        self.repo = folder / "repo"
        DataRepo.init(self.repo, simulated=True)
        switch_off_maintenance(self.repo)
        self._count = 0

    def write(self, sample: Sample) -> Inputs:
        """Write a sample in the layout of Blast."""
        self._count += 1
        target = self.folder / f"in{self._count}"
        target.mkdir()
        return sample.write(target)

    def record(self, name: str, inputs: Inputs) -> None:
        """Record, as another worker would."""
        DataRepo(self.repo).record(name, *inputs)

    def is_whole(self) -> bool:
        """Open the repo as the next command does; return whether all is sound and there are no leftovers."""
        opened = DataRepo(self.repo)
        clean = not any((self.repo / "blastgit/locks").iterdir()) and not any((self.repo / "dvc/tmp").glob("*"))
        histories = [[entry.revision.number for entry in opened.log(each.name)] for each in opened.list()]
        return clean and opened.verify().is_sound and all(sorted(h) == list(range(len(h))) for h in histories)

    def numbers(self) -> list[int]:
        """Return the revision numbers of the tested transient, in ascending order."""
        opened = DataRepo(self.repo)
        return [entry.revision.number for entry in opened.log(NAME)][::-1] if opened.list(NAME) else []


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="blastgit-reliability-") as made:
        yield Path(made)
