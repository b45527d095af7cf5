"""Write a provenance graph as PROV-JSON (W3C Member Submission, 24 April 2013), which other tools read."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from blastgit.provenance.graph import Graph
from blastgit.revision.document import Json

_PREFIXES = {"blastgit": "urn:blastgit:", "data": "urn:blastgit:data:"}


def to_prov(graph: Graph) -> dict[str, Any]:
    """Return the PROV-JSON document of a graph.

    Things are entities (`data:2026dgt@1:sed/global`), stages are activities, Blast and blastgit are software agents.
    Inputs that were considered but not used are not PROV relations, but an attribute `blastgit:notUsed` of the product.
    """
    revision = graph.revision
    blast = "blastgit:blast/" + _escaped(graph.about.get("app_version", "unknown"))
    recorder = "blastgit:recorder/" + _escaped(graph.about.get("recorded_by", "unknown"))
    software = {"$": "prov:SoftwareAgent", "type": "prov:QUALIFIED_NAME"}
    whole = _name(revision)
    document: dict[str, Any] = {
        "prefix": dict(_PREFIXES),
        "agent": {agent: {"prov:type": software} for agent in (blast, recorder)},
        "entity": {whole: {"prov:label": revision, **{f"blastgit:{key}": text for key, text in graph.about.items()}}},
        "activity": {},
        "used": {},
        "wasGeneratedBy": {},
        "wasDerivedFrom": {},
        "wasAssociatedWith": {},
        "hadMember": {},
        "wasAttributedTo": {"_:whole": {"prov:entity": whole, "prov:agent": recorder}},
    }
    for thing in graph.things.values():
        left = [use.source for use in graph.sources.get(thing.name, ()) if not use.really]
        document["entity"][_entity(graph, thing.name)] = {
            "prov:label": thing.name,
            "prov:type": thing.kind,
            **{f"blastgit:{key}": _value(value) for key, value in thing.facts.items()},
            **({"blastgit:notUsed": left} if left else {}),
        }
        if "revision" not in thing.facts and not thing.is_shared:
            _add(document, "hadMember", {"prov:collection": whole, "prov:entity": _entity(graph, thing.name)})
    for use in graph.uses:
        if use.really:
            pair = {"prov:generatedEntity": use.product, "prov:usedEntity": use.source}
            _add(document, "wasDerivedFrom", {end: _entity(graph, name) for end, name in pair.items()})
    for deed in graph.deeds:
        activity = f"blastgit:run/{_escaped(revision)}/{_escaped(deed.stage)}"
        outcome = {} if deed.outcome is None else {"blastgit:outcome": deed.outcome}
        document["activity"][activity] = {"prov:label": deed.stage, **outcome}
        _add(document, "wasAssociatedWith", {"prov:activity": activity, "prov:agent": blast})
        for name in deed.uses:
            _add(document, "used", {"prov:activity": activity, "prov:entity": _entity(graph, name)})
        for name in deed.makes:
            _add(document, "wasGeneratedBy", {"prov:entity": _entity(graph, name), "prov:activity": activity})
    return {key: value for key, value in document.items() if value}


def _add(document: dict[str, Any], relation: str, ends: dict[str, str]) -> None:
    document[relation][f"_:{relation}{len(document[relation])}"] = ends


def _entity(graph: Graph, name: str) -> str:
    """Return the entity of a thing; one of an earlier revision, or a shared one, is the same in every graph."""
    thing = graph.things.get(name)
    if thing is not None and thing.is_shared:
        return _name(name)
    earlier = None if thing is None else thing.facts.get("revision")
    return _name(graph.revision, name) if earlier is None else _name(str(earlier), name.removeprefix(f"{earlier}:"))


def _name(revision: str, thing: str = "") -> str:
    return f"data:{_escaped(revision)}{':' if thing else ''}{_escaped(thing)}"


def _escaped(text: str) -> str:
    return quote(text, safe="/.-_@+")


def _value(value: Json) -> Json:
    return value if isinstance(value, str | int | float | bool) else str(value)
