"""What stands downstream of something: a file, an input image, a host, a row, across transients and revisions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from blastgit.errors import DamagedData, InvalidName, NotFound
from blastgit.naming.names import parse_spec
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.progress import Progress, silent
from blastgit.provenance.graph import IMAGES, Graph, read_graph
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.history import History
from blastgit.repository.lines import own_lines
from blastgit.revision.document import Json
from blastgit.workflow.resolve import resolve

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Affected(NamedTuple):
    """One thing that was made of the subject, or is it; a tuple, since there may be very many.

    Attributes:
        revision: The revision that has it, `2026dgt@1`.
        product: The thing: a natural path or a file.
        distance: Steps from the subject; 0 is the subject itself.
        via: What of the revision is the subject.
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
    """What to look for. Exactly one of the attributes is set.

    Attributes:
        digest: A file's content, `sha256:…`.
        image: A survey's image in a filter, `images/DES/DES_z`.
        host: The name of a host.
        row: A revision and a product of it; "" for all of it.
    """

    digest: str = ""
    image: str = ""
    host: str = ""
    row: tuple[str, str] = ("", "")

    @property
    def clue(self) -> bytes:
        """Bytes that the document of every revision has which is concerned: quicker to look for than to parse them."""
        return (self.digest or self.host or self.image.rpartition("/")[2] or "").encode()


def read_subjects(repository: Repository, text: str) -> list[Subject]:
    """Read `sha256:…`, `images/SURVEY/FILTER`, `host:NAME`, `NAME@N:PATH`, or the id of an annotation.

    A file of a revision means its content, and the host of one means the host, wherever else they are; an annotation
    means all that it is about.

    Raises:
        InvalidName: It is none of these.
        NotFound: There is no such revision or annotation, or nothing at that path.
    """
    if _SHA256.fullmatch(text):
        return [Subject(digest=text)]
    if _ID.fullmatch(text):
        return _annotated(repository, text)
    if text.startswith(f"{IMAGES}/") and text.count("/") == 2:
        return [Subject(image=text)]
    if text.startswith("host:") and text.removeprefix("host:"):
        return [Subject(host=text.removeprefix("host:"))]
    spec = None if text.startswith("sha256:") else parse_spec(text)
    if spec is None or spec.path is None:
        raise InvalidName(
            f"{text!r} is no one thing: write NAME@N:PATH, sha256:… in full, {IMAGES}/SURVEY/FILTER or host:NAME"
        )
    return [_of_revision(resolve(repository, spec), spec.path)]


def _of_revision(revision: Snapshot, path: str) -> Subject:
    if path in revision.dr.files:
        return Subject(digest=revision.dr.files[path])
    host = _host_name(revision.dr.export.document)
    return Subject(host=host) if path == "host" and host else Subject(row=(str(revision), path))


def _annotated(repository: Repository, name: str) -> list[Subject]:
    from blastgit.annotations.branch import Branch

    found = [event.subject for events in Branch(repository).all() for event in events if event.id == name]
    subjects = []
    for subject in found:
        if subject.kind == "file":
            subjects.append(Subject(digest=subject.name))
        elif subject.kind == "revision":
            subjects.append(_of_revision(resolve(repository, parse_spec(subject.name)), subject.part))
    if not subjects:
        about = f"is about {found[0]}, of which nothing is made" if found else "does not exist"
        raise NotFound(f"the annotation {name} {about}")
    return subjects


def affected(repository: Repository, subject: Subject, progress: Progress = silent) -> Iterator[Affected]:
    """Yield all that was really made of a subject, nearest first in each revision.

    Every revision's document is searched for the subject; those that have it are read, and those after them, which may
    hold what was made of it then.

    Raises:
        NotFound: A row was named, and its revision has nothing there.
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
    """Yield all that was really made with a host, also where another one has taken its place since.

    Args:
        repository: The data repo.
        having: Which revisions of which transients have it.
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
            continue  # `verify` is for these
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
