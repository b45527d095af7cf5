"""Derive collections from others: end the validity of a calibration, and reduce runs to the revisions that count."""

from __future__ import annotations

from dataclasses import replace

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Member
from blastgit.collections.model import Calibration, Chained, Collection, Run, Tagged
from blastgit.collections.resolve import Resolver
from blastgit.errors import InvalidInput, NotFound
from blastgit.repository.base import Repository


def decertified(name: str, calibration: Calibration, span: Member) -> Calibration:
    """Return a calibration collection in which a dataset is no longer valid during a span.

    Raises:
        NotFound: It is not valid then in the first place.
    """
    held = [each for each in calibration.of(span.dataset.name) if each.dataset == span.dataset and each.overlaps(span)]
    if not held:
        raise NotFound(f"{name} does not hold {span}")
    left = [rest for each in held for rest in _left(each, span)]
    gone = set(map(calibration.line, held))
    kept = [line for line in calibration.lines if line not in gone]
    return replace(calibration, lines=tuple(sorted({*kept, *map(calibration.line, left)})))


def _left(member: Member, span: Member) -> list[Member]:
    """Return a member's validity outside a span: none, one part, or the parts before and after."""
    parts = []
    if span.begin is not None and (member.begin is None or member.begin < span.begin):
        parts.append(Member(member.dataset, member.begin, span.begin))
    if span.end is not None and (member.end is None or span.end < member.end):
        parts.append(Member(member.dataset, span.end, member.end))
    return parts


def screened(repository: Repository, before: Catalogue, name: str) -> dict[str, Collection | None]:
    """Return `NAME/filtered` with the datasets that count of a chain's own runs, and the chain with it in their place.

    Raises:
        NotFound: The collection does not exist, or has no runs of its own.
        InvalidInput: It is not a chain.
    """
    chain, filtered = before[name], f"{name}/filtered"
    if not isinstance(chain, Chained):
        raise InvalidInput(f"{name} is {chain.kind} and no chain: only a chain's runs can be screened")
    own = [child for child in chain.children if child.startswith(f"{name}/") and isinstance(before.get(child), Run)]
    if not own:
        raise NotFound(f"{name} has no runs of its own among its children")
    old = before.get(filtered) or Tagged(about=f"What counts of the runs of {name}")
    if not isinstance(old, Tagged):
        raise InvalidInput(f"{filtered} is {old.kind}, and should be TAGGED")
    resolver = Resolver(repository, before.with_changes({name: Chained(children=tuple(own))}))
    members = [Member(found.dataset) for found in resolver.members(name, None)]
    taken = {member.dataset.name for member in members}
    lines = {line for line in old.lines if old.parse(line).dataset.name not in taken}
    rest = [child for child in chain.children if child not in own and child != filtered]
    return {
        filtered: replace(old, lines=tuple(sorted({*lines, *map(old.line, members)}))),
        name: replace(chain, children=(filtered, *rest)),
    }
