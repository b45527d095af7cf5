"""Find everything derived from a file, an input image, a host or a row, across transients and revisions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from blastgit.errors import DamagedData, InvalidName, NotFound
from blastgit.naming.names import is_reference, parse_spec
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.progress import Progress, silent
from blastgit.provenance.graph import IMAGES, Graph, read_graph
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.history import History
from blastgit.repository.lines import own_lines
from blastgit.revision.document import Json
from blastgit.workflow.resolve import resolve

if TYPE_CHECKING:
    from blastgit.annotations.subjects import Subject as AnnotationSubject

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Affected(NamedTuple):
    """A product derived from the subject, or the subject itself; a tuple, since there may be very many.

    Attributes:
        revision: The revision that has it, `2026dgt@1`.
        product: A natural path or a file.
        distance: Steps from the subject; 0 for the subject itself.
        via: The subject's own path in the revision.
    """

    revision: str
    product: str
    distance: int
    via: str

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"revision": self.revision, "product": self.product, "distance": self.distance, "via": self.via}


@dataclass(frozen=True, slots=True)
class Subject:
    """What to look for. Exactly one attribute is set.

    Attributes:
        digest: A file's content, `sha256:…`.
        image: A survey's image in a filter, `images/DES/DES_z`.
        host: The name of a host.
        row: A revision and a product of it; "" for the whole revision.
    """

    digest: str = ""
    image: str = ""
    host: str = ""
    row: tuple[str, str] = ("", "")

    @property
    def clue(self) -> bytes:
        """Bytes that the document of every affected revision contains: searching is faster than parsing."""
        return (self.digest or self.host or self.image.rpartition("/")[2] or "").encode()


def read_subject(repository: Repository, text: str) -> Subject:
    """Read `sha256:…`, `images/SURVEY/FILTER`, `host:NAME`, `NAME@N` or `NAME@N:PATH`.

    A file of a revision stands for its content, and the host of one for the host, in any revision.

    Raises:
        InvalidName: It is none of these.
        NotFound: The revision does not exist, or has nothing at that path.
    """
    if _SHA256.fullmatch(text):
        return Subject(digest=text)
    if text.startswith(f"{IMAGES}/") and text.count("/") == 2:
        return Subject(image=text)
    if text.startswith("host:") and text.removeprefix("host:"):
        return Subject(host=text.removeprefix("host:"))
    spec = None if text.startswith("sha256:") else parse_spec(text)
    if spec is None or (spec.path is None and spec.number is None):
        raise InvalidName(
            f"{text!r} is not a single item: write NAME@N, NAME@N:PATH, sha256:… in full, {IMAGES}/SURVEY/FILTER or "
            "host:NAME"
        )
    return _of_revision(resolve(repository, spec), spec.path or "")


def _of_revision(revision: Snapshot, path: str) -> Subject:
    if path in revision.dr.files:
        return Subject(digest=revision.dr.files[path])
    host = _host_name(revision.dr.export.document)
    return Subject(host=host) if path == "host" and host else Subject(row=(str(revision), path))


def annotated(repository: Repository, text: str) -> list[str]:
    """Return the subjects of an annotation, in the form of `read_subject`; a text that is not an id is returned as is.

    Raises:
        NotFound: No annotation has the id, or nothing can be derived from its subjects.
    """
    if not _ID.fullmatch(text):
        return [text]
    from blastgit.annotations.branch import Branch

    found = [event.subject for events in Branch(repository).all() for event in events if event.id == text]
    subjects = list(filter(None, map(_source, found)))
    if not subjects:
        about = f"is about {found[0]}, of which nothing is made" if found else "does not exist"
        raise NotFound(f"the annotation {text} {about}")
    return subjects


def _source(subject: AnnotationSubject) -> str:
    """Return an annotated subject in the form of `read_subject`; "" if nothing can be derived from it."""
    if subject.kind == "file":
        return subject.name
    if subject.kind == "revision":
        return subject.name if is_reference(subject.name) else ":".join(filter(None, (subject.name, subject.part)))
    return {"host": f"host:{subject.name}", "reference": subject.name}.get(subject.kind, "")


def affected(repository: Repository, subject: Subject, progress: Progress = silent) -> Iterator[Affected]:
    """Yield everything that was actually derived from a subject, nearest first in each revision.

    Every revision's document is searched for the subject. Those that contain it are read, and so are later revisions,
    which may still have products made from it.

    Raises:
        NotFound: A row was named that its revision does not have.
    """
    for revision in _candidates(repository, subject, progress):
        graph = read_graph(repository, revision)
        found = _found(graph, revision, subject)
        if subject.row[0] == str(revision) and not found:
            hint = did_you_mean(subject.row[1], with_beginnings(graph.things))
            raise NotFound(f"{revision} has nothing at {subject.row[1]!r} that anything was made of{hint}")
        for name in found:
            yield Affected(str(revision), name, 0, name)
        for name, distance in graph.downstream(found).items():
            yield Affected(str(revision), name, distance, found[0])


def affected_by_host(repository: Repository, having: Mapping[str, Set[int]]) -> Iterator[Affected]:
    """Yield everything that was actually derived from a host, even where another host has replaced it since.

    Args:
        repository: The data repo.
        having: The numbers of the revisions that have the host, by transient.
    """
    history = History(repository)
    for name, numbers in having.items():
        for revision in history.revisions(name):
            earlier = [f"{name}@{number}:host" for number in sorted(numbers) if number < revision.number]
            graph = read_graph(repository, revision)
            mine = ["host"] if revision.number in numbers else []
            found = [each for each in (*mine, *earlier) if each in graph.things]
            for each in found:
                yield Affected(str(revision), each, 0, each)
            for each, distance in graph.downstream(found).items():
                yield Affected(str(revision), each, distance, found[0])


def _candidates(repository: Repository, subject: Subject, progress: Progress) -> Iterator[Revision]:
    history = History(repository)
    names = [parse_spec(subject.row[0]).name] if subject.row[0] else [*history.transients(), *own_lines(repository)]
    for done, name in enumerate(names, 1):
        try:
            revisions = history.revisions(name)
        except (NotFound, DamagedData):
            continue  # `verify` reports it
        is_there = False
        for revision in revisions:
            is_there = is_there or (subject.row[0] in ("", str(revision)) and subject.clue in revision.dr_bytes)
            if is_there:
                yield revision
        progress("searching", done, len(names))


def _found(graph: Graph, revision: Revision, subject: Subject) -> list[str]:
    if subject.digest:
        sha256 = subject.digest.removeprefix("sha256:")
        return [name for name, thing in graph.things.items() if thing.facts.get("sha256") == sha256]
    if subject.host:
        hosts = [name for name, thing in graph.things.items() if thing.kind == "host"]
        return [name for name in hosts if graph.things[name].facts.get("name") == subject.host]
    spec, path = subject.row
    earlier = "" if spec in ("", str(revision)) else spec
    wanted = subject.image or path
    return graph.match(f"{earlier}:{wanted}".lstrip(":")) if wanted else graph.of_revision(earlier)


def _host_name(document: dict[str, Json]) -> str:
    host = document.get("host")
    return str(host["fields"].get("name") or "") if host else ""
