"""Turn what people write into subjects: resolves revisions to numbers and files to checksums, and checks they exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from blastgit.annotations.branch import Branch
from blastgit.annotations.hosts import find_host
from blastgit.annotations.subjects import KINDS, Subject, new_subject
from blastgit.errors import BlastgitError, InvalidName, NotFound
from blastgit.naming.names import fold, is_personal, is_reference, parse_spec, reference_line
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.naming.refs import branch_ref, run_ref, tag_ref
from blastgit.plumbing.trees import flatten, read_blob
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.repository.hosts import Hosts
from blastgit.repository.references import ReferenceTypes
from blastgit.repository.renames import Renames
from blastgit.revision.document import as_object, parse
from blastgit.revision.normalise import normalise
from blastgit.workflow.resolve import resolve

_METRICS = "metrics/"  # a metric can be annotated as a part of the revision: metrics/astrometry.rms


@dataclass(frozen=True, slots=True)
class Target:
    """A subject, and for a file the path by which the user named it.

    Attributes:
        subject: The subject.
        seen_as: For a file, `2026dgt@1:cutout_cdn/DES/DES_z.fits`; else "".
    """

    subject: Subject
    seen_as: str = ""

    def __str__(self) -> str:
        return self.seen_as or str(self.subject)


class Resolver:
    """Resolves the names of subjects. It caches what it reads, since one call may name ten thousand."""

    def __init__(self, repository: Repository, *, announce: bool = True) -> None:
        """Start with an empty cache.

        Args:
            repository: The repo.
            announce: Whether to accept transients and hosts that this repo does not know yet.
        """
        self._repository = repository
        self._announce = announce
        self._history = History(repository)
        self._revisions: dict[str, Revision] = {}
        self._files: dict[str, dict[str, str]] = {}
        self._values: dict[str, list[str]] = {}

    def targets(self, texts: Iterable[str]) -> list[Target]:
        """Return the subject that each text names, without duplicates.

        Raises:
            InvalidName: A text is not the name of a subject.
            InvalidInput: An interval ends before it begins, or its times have no zone.
            NotFound: The revision, file, value or collection does not exist.
        """
        found: dict[Subject, Target] = {}
        named = list(texts)
        self._repository.look_up(_refs_of(named))  # all at once
        for target in map(self.target, named):
            found.setdefault(target.subject, target)
        return list(found.values())

    def target(self, text: str) -> Target:
        """Return the subject that a text names; raises the errors of `targets`."""
        kind, colon, rest = text.partition(":")
        if kind == "sha256" or (colon and kind in ("file", "run", "interval")):
            return Target(new_subject(text if kind != "sha256" else f"file:{text}"))
        if colon and kind == "collection":
            return Target(self._collection(new_subject(text)))
        if kind == "host" and rest:
            return Target(self._host(rest))
        if colon and self._is_reference_type(kind):
            return self._named(f"{reference_line(kind, 'x')[:-1]}{rest}")
        if colon and kind in KINDS:
            text = rest
        target = self._named(text)
        if colon and kind in KINDS and kind not in (target.subject.kind, "file"):
            raise InvalidName(f"{kind}:{text} is about a {target.subject.kind}: a revision has a number, NAME@N")
        return target

    def shared(self, text: str) -> Subject | None:
        """Return the named host, reference or revision of a reference; None if the text names anything else.

        Raises:
            InvalidName: The type of reference does not exist.
            NotFound: The reference does not exist.
        """
        kind, colon, _ = text.partition(":")
        if is_reference(text) or (colon and (kind in ("host", "reference") or self._is_reference_type(kind))):
            found = self.target(text).subject.whole
            return found if found.kind in ("host", "reference", "revision") else None
        return None

    def _named(self, text: str) -> Target:
        spec = parse_spec(text)
        if spec.is_latest and is_reference(text) and "@" not in text.partition(":")[0]:
            return Target(self._reference(new_subject(f"reference:{text}")))
        if spec.is_latest and not is_personal(text) and "@" not in text.partition(":")[0]:
            return Target(self._transient(new_subject(f"transient:{text}")))
        place = text if spec.path is None else text.removesuffix(f":{spec.path}")
        revision = self.revision(place)
        if spec.path is None:
            return Target(new_subject(f"revision:{revision}"))
        path = spec.path.rstrip("/")
        digest = self.files(revision).get(path)
        if digest is not None:
            return Target(new_subject(f"file:{digest}"), f"{revision}:{path}")
        self._check_part(revision, path)
        return Target(new_subject(f"revision:{revision}:{path}"))

    def revision(self, text: str) -> Revision:
        """Return the revision that a text without a path names, `2026dgt@1`."""
        if text not in self._revisions:
            found = resolve(self._repository, parse_spec(text))
            if not isinstance(found, Revision):
                raise InvalidName(f"{text} is an intermediate state of a run: annotate the revision that it led to")
            self._revisions[text] = found
        return self._revisions[text]

    def _transient(self, subject: Subject) -> Subject:
        """Check the name of a transient, which need not have any revision yet."""
        latest = self._history.latest(subject.name)
        if latest is not None and subject.part and subject.part not in self.files(latest):
            self._check_part(latest, subject.part)
        twin = None if latest is not None else self._twins.get(fold(subject.name))
        if twin is not None and twin != subject.name:
            raise NotFound(f"there is no transient {subject.name}, and {twin} differs only in case: use that name")
        if latest is None and not self._announce and not self._is_announced(subject):
            raise NotFound(f"{self._history.unknown(subject.name)}, or give --announce if it is yet to come")
        return subject

    def _is_announced(self, subject: Subject) -> bool:
        """Whether a transient without revisions is known: by a run in progress, another name or an annotation."""
        renames = Renames.of(self._repository.settings)
        return (
            self._repository.reference(run_ref(subject.name)) is not None
            or self._history.tagged(subject.name, 0) is not None  # a clone has tags, and branches under other names
            or any(self._history.tip(other) is not None for other in renames.others(subject.name))
            or bool(Branch(self._repository).of(subject.whole))
        )

    def _is_reference_type(self, kind: str) -> bool:
        """Whether the word before a colon is a type of reference, not a transient."""
        return (
            kind in ReferenceTypes.of(self._repository.settings).types
            and self._repository.reference(branch_ref(kind)) is None
        )

    def _reference(self, subject: Subject) -> Subject:
        latest = self._history.latest(subject.name)
        if latest is None:
            ReferenceTypes.of(self._repository.settings).check(subject.name)
            raise self._history.unknown(subject.name)
        if subject.part and subject.part not in self.files(latest):
            self._check_part(latest, subject.part)
        return subject

    def _host(self, text: str) -> Subject:
        if self._announce:
            return new_subject(f"host:{Hosts.of(self._repository.settings).known_as(text)}")
        subject = new_subject(f"host:{text}")
        if Branch(self._repository).of(subject):
            return subject
        return new_subject(f"host:{find_host(self._repository, text)}")

    @cached_property
    def _twins(self) -> dict[str, str]:
        return {fold(name): name for name in self._history.transients()}

    def _collection(self, subject: Subject) -> Subject:
        tree = self._repository.main.tree
        if read_blob(tree, f"collections/{subject.name}.yaml") is None:
            folder = "collections/"
            known = [path[len(folder) : -len(".yaml")] for path, _ in flatten(tree) if path.startswith(folder)]
            hint = did_you_mean(subject.name, known, f"for a run that only commits name, write run:{subject.name}")
            raise NotFound(f"collection {subject.name} does not exist in {self._repository.location}{hint}")
        return subject

    def files(self, revision: Revision) -> dict[str, str]:
        """Return the files of a revision by path, each with its `sha256:…`."""
        key = str(revision)
        if key not in self._files:
            document = as_object(parse(revision.dr_bytes, key), key)  # checked when it was recorded
            self._files[key] = dict(as_object(document.get("files"), "files"))
        return self._files[key]

    def _check_part(self, revision: Revision, path: str) -> None:
        key = str(revision)
        if key not in self._values:
            self._values[key] = list(normalise(revision.dr.export, self._repository.rules).values)
        values = self._values[key]
        begun = (f"{path}.", f"{path}/")
        if any(value == path or value.startswith(begun) for value in [*values, *self.files(revision)]):
            return
        if path.startswith(_METRICS) and self._is_measured(revision, path.removeprefix(_METRICS)):
            return
        hint = did_you_mean(path, with_beginnings([*values, *self.files(revision)]))
        raise NotFound(f"{revision} has no file, row or value {path!r}{hint}")

    def _is_measured(self, revision: Revision, key: str) -> bool:
        events = Branch(self._repository).of(Subject("revision", str(revision)))
        return any(event.remark.metric is not None and event.remark.metric.key == key for event in events)


def _refs_of(texts: Iterable[str]) -> Iterator[str]:
    """Yield the tags and branches of what is named."""
    for text in texts:
        kind, colon, rest = text.partition(":")
        with suppress(BlastgitError):  # reported when this text is resolved
            spec = parse_spec(rest if colon and kind in KINDS else text)
            yield branch_ref(spec.name) if spec.number is None else tag_ref(spec.name, spec.number)


def label(targets: Sequence[Target]) -> str:
    """Return targets in a few words: `2026dgt@1 and 9,999 more`."""
    first = str(targets[0]).removeprefix("revision:").removeprefix("transient:").removeprefix("reference:")
    return first if len(targets) == 1 else f"{first} and {len(targets) - 1:,} more"
