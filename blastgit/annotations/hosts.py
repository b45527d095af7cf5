"""Finding the host that a person names, by its key or its name, in the exports that carry it."""

from __future__ import annotations

from collections.abc import Iterator

from blastgit.errors import DamagedData, NotFound
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.repository.hosts import Hosts


def find_host(repository: Repository, text: str) -> str:
    """Return the key of a host.

    Args:
        repository: The data repo; documents are searched until one has the host, those of latest revisions first.
        text: A key, also a former one, or the name of the host.

    Raises:
        NotFound: No revision has that host.
    """
    hosts = Hosts.of(repository.settings)
    wanted = hosts.known_as(text)
    clues = [key.rpartition("/")[2].encode() for key in (text, wanted, *hosts.former(wanted))]
    is_place = text.startswith("J")  # no document contains the text of a position
    for revision in _revisions(repository):
        if not is_place and not any(clue in revision.dr_bytes for clue in clues):
            continue
        host = revision.dr.export.document["host"]
        key = hosts.key(None if host is None else host["fields"])
        if key and (key == wanted or host["fields"].get("name") == text):
            return key
    raise NotFound(
        f"no revision in {repository.location} has the host {text}: name it by CATALOGUE/RELEASE/ID, else by its name, "
        "else by its position, as `blastgit show NAME:host` prints them; give --announce if it is yet to come"
    )


def _revisions(repository: Repository) -> Iterator[Revision]:
    history = History(repository)
    names = history.transients()
    for name in names:
        try:
            latest = history.latest(name)
        except DamagedData:
            continue  # `verify` is for these
        if latest is not None:
            yield latest
    for name in names:
        try:
            yield from history.revisions(name)[:-1]
        except (NotFound, DamagedData):
            continue
