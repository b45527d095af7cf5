"""Which revision last changed each value and each file of a transient."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from blastgit.errors import NotFound
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.lines import ancestry
from blastgit.revision.compare import compare, jsonable
from blastgit.revision.document import Json
from blastgit.revision.normalise import normalise


@dataclass(frozen=True)
class Blamed:
    """One value or file of the latest revision.

    Attributes:
        path: Its natural path, or the file's path.
        value: The value, or the file's checksum.
        revision: The revision that last changed it.
    """

    path: str
    value: Json
    revision: Revision

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "path": self.path, "value": self.value, "revision": self.revision.number, "tag": self.revision.tag,
            "time": self.revision.time.isoformat(), "app_version": self.revision.app_version,
            "reason": self.revision.reason,
        }  # fmt: skip


def blame(repository: Repository, name: str, wanted: str | None = None) -> list[Blamed]:
    """Return the values and files of a transient's latest revision, each with the revision that last changed it.

    Args:
        repository: The data repo.
        name: The transient.
        wanted: A path, the beginning of one, or a shell pattern; None for everything.

    Raises:
        NotFound: The transient does not exist, or it has no such value or file.
    """
    rules, wanted = repository.rules, wanted.rstrip("/") if wanted else None
    revisions = ancestry(repository, name)
    origin: dict[str, Revision] = {}
    form, files = normalise(revisions[0].dr.export, rules), revisions[0].dr.files
    origin |= dict.fromkeys([*form.values, *files], revisions[0])
    for revision in revisions[1:]:
        after, after_files = normalise(revision.dr.export, rules), revision.dr.files
        changed = {change.path for change in compare(form, after, rules)}
        changed |= {path for path in after_files if files.get(path) != after_files[path]}
        changed |= after.values.keys() - origin.keys()  # twins of one name may be renumbered
        origin |= dict.fromkeys(changed, revision)
        form, files = after, after_files
    values = {**files, **{path: jsonable(value) for path, value in form.values.items()}}
    found = [Blamed(path, values[path], origin[path]) for path in values if _matches(path, wanted)]
    if not found:
        hint = did_you_mean(wanted or "", with_beginnings(values), f"`blastgit blame {name}` lists all")
        raise NotFound(f"{revisions[-1]} has no value or file {wanted!r}{hint}")
    return found


def _matches(path: str, wanted: str | None) -> bool:
    return (
        wanted is None or path == wanted or path.startswith((f"{wanted}.", f"{wanted}/")) or fnmatchcase(path, wanted)
    )
