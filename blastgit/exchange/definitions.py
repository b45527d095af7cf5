"""Filters and surveys: what each transient's document says of them must agree within one data repo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blastgit.errors import DamagedData, InvalidInput
from blastgit.repository.commits import Revision
from blastgit.revision.document import Json
from blastgit.revision.export import Export

Definition = tuple[str, str]
"""A table and a name in it: `("filters", "DES_z")`."""

Known = dict[Definition, tuple[Revision, dict[str, Json]]]
"""What is said of each, and in which revision."""

_SINGULAR = {"filters": "filter", "surveys": "survey"}


def definitions(export: Export) -> dict[Definition, dict[str, Json]]:
    """Return what an export says of each filter and survey, by name; a filter's survey by that one's name."""
    document = export.document
    names = {row["pk"]: row["fields"].get("name") for row in document["surveys"]}
    found: dict[Definition, dict[str, Json]] = {}
    for table in _SINGULAR:
        for row in document[table]:
            fields = dict(row["fields"])
            if table == "filters":
                fields["survey"] = names.get(fields.get("survey"))
            found[table, str(fields.get("name"))] = fields
    return found


def gather(revisions: Iterable[Revision], wanted: Iterable[Definition]) -> Known:
    """Return what revisions say of some filters and surveys, the first of them that has one deciding.

    Args:
        revisions: The revisions, those that count most first; no more are read than it takes.
        wanted: What to look for.
    """
    known: Known = {}
    left = set(wanted)
    for revision in revisions:
        if not left:
            break
        try:
            found = definitions(revision.dr.export)
        except DamagedData:  # what is here and cannot be read keeps nothing else from coming
            continue
        for each in left & found.keys():
            known[each] = revision, found[each]
        left -= found.keys()
    return known


def check_definitions(theirs: Iterable[Revision], known: Mapping[Definition, tuple[Revision, dict[str, Json]]]) -> None:
    """Check that revisions which are to come say the same of filters and surveys as those that are here.

    Fields that only one of the two knows are of another version of Blast, and no contradiction.

    Raises:
        InvalidInput: They do not; the error names what differs.
    """
    for revision in theirs:
        for (table, name), fields in definitions(revision.dr.export).items():
            if (table, name) not in known:
                continue
            ours, here = known[table, name]
            for key in fields.keys() & here.keys():
                if fields[key] != here[key]:
                    raise InvalidInput(
                        f"the {_SINGULAR[table]} {name} is defined otherwise there: {key} is {fields[key]!r} in "
                        f"{revision}, and {here[key]!r} in {ours} here. Data that mean different things by one name do "
                        "not belong in one repo: nothing was taken in"
                    )
