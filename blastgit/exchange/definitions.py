"""Definitions of filters and surveys: the documents of all transients in a data repo must agree on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blastgit.errors import DamagedData, InvalidInput
from blastgit.repository.commits import Revision
from blastgit.revision.document import Json
from blastgit.revision.export import Export

Definition = tuple[str, str]
"""A table and a name in it: `("filters", "DES_z")`."""

Known = dict[Definition, tuple[Revision, dict[str, Json]]]
"""The fields of each definition, and the revision they are from."""

_SINGULAR = {"filters": "filter", "surveys": "survey"}


def definitions(export: Export) -> dict[Definition, dict[str, Json]]:
    """Return the fields of each filter and survey of an export, by name; a filter's survey is given by name."""
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
    """Return the definitions of some filters and surveys, each from the first revision that has it.

    Args:
        revisions: The revisions, in order of preference; only as many are read as needed.
        wanted: The definitions to look for.
    """
    known: Known = {}
    left = set(wanted)
    for revision in revisions:
        if not left:
            break
        try:
            found = definitions(revision.dr.export)
        except DamagedData:  # a damaged revision here does not prevent the import of others
            continue
        for each in left & found.keys():
            known[each] = revision, found[each]
        left -= found.keys()
    return known


def check_definitions(theirs: Iterable[Revision], known: Mapping[Definition, tuple[Revision, dict[str, Json]]]) -> None:
    """Check that revisions to be imported define filters and surveys in the same way as those here.

    Fields that only one side has are from another version of Blast and ignored.

    Raises:
        InvalidInput: A definition differs; the error names it.
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
