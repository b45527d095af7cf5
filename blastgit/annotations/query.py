"""Find annotations: of a subject and what it contains, of the inputs it was made from, or of everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property

from blastgit.annotations.branch import Branch
from blastgit.annotations.flags import Flags, FlagState
from blastgit.annotations.intervals import Intervals
from blastgit.annotations.resolve import Resolver, Target
from blastgit.annotations.states import AnnotationStatus, annotation_states, flags_of
from blastgit.annotations.subjects import Subject, read_subject
from blastgit.errors import NotFound
from blastgit.naming.names import is_reference, parse_spec
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.workflow.inputs import Uses
from blastgit.workflow.origins import Earlier, Origins, origins_of
from blastgit.workflow.shared_inputs import SharedInput, SharedInputs


@dataclass(frozen=True)
class Filter:
    """Which annotations to show.

    Attributes:
        history: Whether to include superseded and retracted ones.
        flag: Only those with this flag; `!bad` for all without it.
        tag: Only those with a tag that matches this pattern.
        user: Only those of users that match this pattern.
        since: Only from this moment on.
        until: Only before this moment.
    """

    history: bool = False
    flag: str = ""
    tag: str = ""
    user: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def admits(self, note: AnnotationStatus) -> bool:
        """Whether to show an annotation."""
        event, remark = note.event, note.event.remark
        return (
            (self.history or note.is_current)
            and (not self.flag or (remark.flag == self.flag.lstrip("!")) != self.flag.startswith("!"))
            and (not self.tag or any(fnmatchcase(tag, self.tag) for tag in remark.tags))
            and (not self.user or fnmatchcase(event.user, self.user))
            and (self.since is None or event.time >= self.since)
            and (self.until is None or event.time < self.until)
        )


@dataclass(frozen=True)
class Notes:
    """The annotations found.

    Attributes:
        subject: The subject asked for, as text; "" for everything.
        notes: Its annotations, then those of its inputs, each oldest first.
        flags: The flag that holds for each subject among them.
        own: The flag of the subject itself, or None.
        inherited: The worst flag of an input that was actually used, if inputs were asked for, or None.
        unread: How many lines were skipped because this version cannot read them.
    """

    subject: str
    notes: tuple[AnnotationStatus, ...]
    flags: dict[Subject, FlagState]
    own: FlagState | None = None
    inherited: str | None = None
    unread: int = 0

    def to_json(self) -> dict[str, object]:
        """Return it under its stable keys."""
        return {
            "subject": self.subject, "flag": self.own.to_json() if self.own else None, "inherited": self.inherited,
            "flags": {str(subject): state.to_json() for subject, state in sorted(self.flags.items())},
            "notes": [note.to_json() for note in self.notes], "unread": self.unread,
        }  # fmt: skip


class Query:
    """Queries of the annotations of a data repo at one moment."""

    def __init__(self, repository: Repository) -> None:
        """Open the branch as it is now."""
        self._repository = repository
        self.branch = Branch(repository)
        self._history = History(repository)
        self._resolver = Resolver(repository)

    @cached_property
    def flags(self) -> Flags:
        """The vocabulary."""
        return Flags.of(self._repository.settings)

    def all(self) -> Iterator[AnnotationStatus]:
        """Yield every annotation, subject by subject."""
        for events in self.branch.all():
            yield from annotation_states(events)

    def of(self, subject: Subject) -> list[AnnotationStatus]:
        """Return the annotations of a subject and its parts."""
        return annotation_states(self.branch.of(subject))

    def about(self, text: str, *, inherited: bool = False) -> Notes:
        """Return the annotations of a subject, of what it is part of and of what it contains.

        Args:
            text: The subject, as people name it.
            inherited: Include those of the inputs that were actually used; always done with `flags: inherit`.

        Raises:
            NotFound: The subject does not exist.
        """
        inherited = inherited or self.flags.inherit
        target = self._resolver.target(text)
        subject = target.subject
        if subject.kind == "interval":
            found = list(self._overlapping(subject))
        elif subject.kind == "transient":
            found = list(self._transient(subject))
            if not found and self._history.tip(subject.name) is None:
                raise self._history.unknown(subject.name)
        elif subject.kind == "revision" or target.seen_as:
            found = list(self._in_revision(target, inherited=inherited))
        else:
            found = self.of(subject)
        states = flags_of(found, self.flags)
        used = {note.event.subject for note in found if note.distance}
        worst = [state.value for each, state in states.items() if each in used]
        name = text if target.seen_as else str(subject)
        marked = self.flags.worst(worst) if worst else None
        return Notes(name, tuple(found), states, states.get(subject), marked, self.branch.unread)

    def _overlapping(self, wanted: Subject) -> Iterator[AnnotationStatus]:
        for events in self._intervals.within(wanted):
            yield from annotation_states(events)

    @cached_property
    def _intervals(self) -> Intervals:
        return Intervals(self._repository, self.branch)

    def _beside(self, revisions: Iterable[Revision]) -> Iterator[AnnotationStatus]:
        """Yield the annotations of the intervals during which revisions were being made."""
        for events in self._intervals.beside(revisions).values():
            yield from annotation_states(events)

    def _transient(self, subject: Subject) -> Iterator[AnnotationStatus]:
        yield from _touching(self.of(subject), subject.part)
        if not any(map(self.branch.has, ("revision", "file", "interval"))):
            return
        try:
            revisions = self._history.revisions(subject.name)
        except NotFound:
            return  # annotated before its first revision
        seen: set[Subject] = set()
        for revision in revisions:
            yield from _touching(self.of(read_subject(f"revision:{revision}")), subject.part)
            for path, note in self._files(revision, subject.part):
                if note.event.subject not in seen:
                    yield replace(note, origin=f"{revision}:{path}")
            seen.update(Subject("file", digest) for digest in self._resolver.files(revision).values())
        yield from self._beside(revisions)

    def _in_revision(self, target: Target, *, inherited: bool) -> Iterator[AnnotationStatus]:
        line, number, part = self._place(target)
        own = self.of(Subject("revision", f"{line}@{number}"))
        if line.startswith("u/"):
            yield from _touching(own, part)
            return
        revision = self._resolver.revision(f"{line}@{number}")
        origins = origins_of(self._repository, revision) if inherited else Origins(Uses(()))
        asked = _asked(origins.uses, part) if inherited else []
        distances = origins.uses.inputs(asked)
        earlier = {name: each for name, each in origins.earlier.items() if name in distances}
        for note in [*own, *self.of(Subject("reference" if is_reference(line) else "transient", line))]:
            steps = _distance(note.event.subject.part, distances)
            if _touches(note.event.subject.part, part) or steps:
                yield replace(note, distance=steps)
        for path, note in self._files(revision, "" if inherited else part):
            steps = distances.get(path, 0)
            if _touches(path, part) or steps:
                yield replace(note, origin=f"{revision}:{path}", distance=steps)
        for name, each in earlier.items():
            yield from self._of_earlier(each, distances[name])
        yield from self._beside([revision])
        yield from self._of_shared(revision, origins, {**dict.fromkeys(asked, 0), **distances})
        run = revision.trailers.get(Trailer.RUN) if inherited else None
        if run:
            for note in self.of(Subject("run", run)):
                yield replace(note, distance=1)

    def _of_earlier(self, input_: Earlier, steps: int) -> Iterator[AnnotationStatus]:
        """Yield the annotations of an input from an earlier revision: as part of that revision, and by content."""
        state, path = input_.view.state, input_.path
        if not isinstance(state, Revision):
            return
        for note in self.of(Subject("revision", str(state))):
            if note.event.subject.part and _touches(note.event.subject.part, path):
                yield replace(note, distance=steps)
        if path in state.dr.files and self.branch.has("file"):
            for note in self.of(Subject("file", state.dr.files[path])):
                yield replace(note, origin=f"{state}:{path}", distance=steps)

    def _of_shared(self, revision: Revision, origins: Origins, distances: dict[str, int]) -> Iterator[AnnotationStatus]:
        """Yield the annotations of inputs that many transients share: the host of a revision, its filters, a model."""
        if not any(map(self.branch.has, ("host", "reference", "revision/r"))):
            return
        nearest: dict[Subject, tuple[int, str]] = {}
        for node, steps in distances.items():
            place = node if node in origins.earlier else f"{revision}:{node}"
            for each in self._shared.of(revision, origins, node):
                found = (steps + each.steps, place)
                for subject in _subjects_of(each):
                    nearest[subject] = min(nearest.get(subject, found), found)
        for subject, (steps, place) in nearest.items():
            for note in self.of(subject):
                yield replace(note, origin=place, distance=steps)

    @cached_property
    def _shared(self) -> SharedInputs:
        return SharedInputs(self._repository)

    def _place(self, target: Target) -> tuple[str, int, str]:
        if not target.seen_as:
            return (*target.subject.revision, target.subject.part)
        spec = parse_spec(target.seen_as)
        assert spec.number is not None
        return spec.name, spec.number, spec.path or ""

    def _files(self, revision: Revision, part: str) -> Iterator[tuple[str, AnnotationStatus]]:
        """Yield the annotations of a revision's files, including those made where another revision has the content."""
        if not self.branch.has("file"):
            return
        for path, digest in self._resolver.files(revision).items():
            if _touches(path, part):
                for note in self.of(Subject("file", digest)):
                    yield path, note


def _asked(uses: Uses, part: str) -> list[str]:
    """Return the products at a path, or the results for "", whose inputs' annotations are wanted."""
    return [each for each in {step.product for step in uses.steps} if _touches(each, part)] if part else uses.results


def _subjects_of(shared: SharedInput) -> list[Subject]:
    """Return the subjects of a shared input: a host, or a reference and its revision."""
    if shared.is_host:
        return [Subject("host", shared.name)]
    whole = Subject("reference", shared.name)
    return [whole] if shared.number is None else [whole, Subject("revision", str(shared))]


def _touching(notes: Iterable[AnnotationStatus], part: str) -> list[AnnotationStatus]:
    return [note for note in notes if _touches(note.event.subject.part, part)]


def _touches(one: str, other: str) -> bool:
    """Whether two paths are equal or one contains the other; "" contains every path."""
    if not one or not other or one == other:
        return True
    return one.startswith((f"{other}/", f"{other}.")) or other.startswith((f"{one}/", f"{one}."))


def _distance(part: str, distances: dict[str, int]) -> int:
    if not part:
        return 0
    return min((steps for node, steps in distances.items() if _touches(part, node)), default=0)
