"""Members of collections: datasets, each a revision or one file of it, and the validity of calibrations."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

from blastgit.annotations.subjects import instant, instant_text
from blastgit.errors import BlastgitError, InvalidInput, InvalidName
from blastgit.naming.names import Spec, is_personal, parse_spec, transient_of
from blastgit.naming.paths import check_path
from blastgit.naming.refs import tag_name, tag_ref


class Dataset(NamedTuple):
    """One dataset; a tuple for speed, since there may be very many.

    Attributes:
        line: The transient, or `u/USER/TRANSIENT` for a personal line of work.
        number: The revision.
        path: The file in it; "" for the whole revision.
    """

    line: str
    number: int
    path: str = ""

    @property
    def name(self) -> str:
        """The transient that the dataset is about."""
        return transient_of(self.line)

    @property
    def is_personal(self) -> bool:
        """Whether it belongs to a personal line of work."""
        return is_personal(self.line)

    @property
    def tag(self) -> str:
        """The revision's tag, `2026dgt/1`."""
        return tag_name(self.line, self.number)

    @property
    def ref(self) -> str:
        """The ref of the revision's tag."""
        return tag_ref(self.line, self.number)

    @property
    def revision(self) -> Dataset:
        """The revision as a whole."""
        return Dataset(self.line, self.number) if self.path else self

    def __str__(self) -> str:
        return f"{self.line}@{self.number}{':' if self.path else ''}{self.path}"


class Member(NamedTuple):
    """A dataset in a collection, with its validity.

    Attributes:
        dataset: The dataset.
        begin: The first instant at which it is valid; None for no limit, or where validity does not apply.
        end: The first instant at which it is no longer valid; None for no limit.
    """

    dataset: Dataset
    begin: datetime | None = None
    end: datetime | None = None

    def covers(self, time: datetime) -> bool:
        """Whether it is valid at an instant."""
        return (self.begin is None or self.begin <= time) and (self.end is None or time < self.end)

    def overlaps(self, other: Member) -> bool:
        """Whether both are valid at some instant."""
        begins = [each for each in (self.begin, other.begin) if each is not None]
        ends = [each for each in (self.end, other.end) if each is not None]
        return not begins or not ends or max(begins) < min(ends)

    @property
    def validity(self) -> str:
        """When it is valid, as text."""
        begin, end = ("" if each is None else instant_text(each) for each in (self.begin, self.end))
        return f"from {begin or 'ever'} until {end or 'ever'}"

    def __str__(self) -> str:
        timed = self.begin is not None or self.end is not None
        return f"{self.dataset} {self.validity}" if timed else str(self.dataset)


def read_dataset(text: str) -> Dataset:
    """Read the name of a dataset: `2026dgt@1`, or `2026dgt@1:cutout_cdn/DES/DES_z.fits`.

    Raises:
        InvalidName: It does not name a dataset. A bare transient does not, since its latest revision may change.
    """
    spec = parse_spec(text)
    if spec.number is None:
        raise InvalidName(f"{text[:80]!r} is a transient and no dataset: name its revision by number, {spec.name}@N")
    return dataset_of(spec.name, spec)


def dataset_of(line: str, spec: Spec) -> Dataset:
    """Return the dataset that a spec with a number names.

    Raises:
        InvalidName: It names the state after a stage, or its path is not valid.
    """
    if spec.stage is not None:
        raise InvalidName(f"{spec} is the state after a stage: collections hold revisions and their files")
    try:
        return Dataset(line, spec.number or 0, check_path(spec.path) if spec.path else "")
    except BlastgitError as error:
        raise InvalidName(str(error)) from None


def dataset_line(dataset: Dataset) -> str:
    """Return a dataset as a line of a collection's file."""
    return json.dumps(str(dataset), ensure_ascii=False)


def member_line(member: Member) -> str:
    """Return a dataset and its validity as a line of a collection's file."""
    begin, end = (None if each is None else instant_text(each) for each in (member.begin, member.end))
    return json.dumps({"dataset": str(member.dataset), "begin": begin, "end": end}, ensure_ascii=False)


def parse_dataset(line: str) -> Dataset:
    """Read a line by `dataset_line`, without checks: files on main were checked when they were written."""
    head, _, path = line[1:-1].partition(":")
    name, _, number = head.rpartition("@")
    return Dataset(name, int(number), path)


def parse_member(line: str) -> Member:
    """Read a line by `member_line`."""
    value = json.loads(line)
    begin, end = (None if value[key] is None else datetime.fromisoformat(value[key]) for key in ("begin", "end"))
    return Member(parse_dataset(f'"{value["dataset"]}"'), begin, end)


def certified(dataset: Dataset, begin: datetime | str | None, end: datetime | str | None) -> Member:
    """Return a dataset with its validity.

    Args:
        dataset: The dataset.
        begin: The first instant at which it is valid; None for no limit.
        end: The first instant at which it is no longer valid; None for no limit.

    Raises:
        InvalidInput: A time has no zone, or the end is not after the beginning.
    """
    first, last = utc(begin), utc(end)
    if first is not None and last is not None and first >= last:
        raise InvalidInput(
            f"the validity of {dataset} would end at {instant_text(last)}, not after its begin, {instant_text(first)}: "
            "the end is the first instant that does not belong to it"
        )
    return Member(dataset, first, last)


def utc(time: datetime | str | None) -> datetime | None:
    """Return a time in UTC.

    Raises:
        InvalidInput: It is not a time, or has no zone.
    """
    if isinstance(time, datetime):
        return instant(time.isoformat())
    return None if time is None else instant(time)
