"""Find a host by its key or name in the exports that contain it."""

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
        repository: The data repo; its documents are searched until one has the host, latest revisions first.
        text: A key, present or former, or the name of the host.

    Raises:
        NotFound: No revision has that host.
    """
    hosts = Hosts.of(repository.settings)
    wanted = hosts.known_as(text)
    clues = [key.rpartition("/")[2].encode() for key in (text, wanted, *hosts.former(wanted))]
    is_place = text.startswith("J")  # a position is computed: no document contains its text
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
            continue  # `verify` reports it
        if latest is not None:
            yield latest
    for name in names:
        try:
            yield from history.revisions(name)[:-1]
        except (NotFound, DamagedData):
            continue
