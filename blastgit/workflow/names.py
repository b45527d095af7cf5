"""Convenient names of revisions (`NAME@best-photometry`), resolved to revision numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from blastgit.errors import InvalidName, NotFound, RepoError
from blastgit.naming.keys import read_mapping
from blastgit.naming.names import DRAFT, Spec, parse_spec
from blastgit.naming.nearest import did_you_mean
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.safe_yaml import load_shipped
from blastgit.workflow.meaning import Meaning, read_meaning, why_not
from blastgit.workflow.stages import Stages

_WHERE = "blastgit.yaml on main: names"
_VERSION = re.compile(r"v\d")


Names = Mapping[str, Meaning]


def read_names(section: Any) -> Names:
    """Return the shipped names and a data repo's own.

    Args:
        section: The value of `names` in `blastgit.yaml`, or None.

    Raises:
        RepoError: It is not valid; the error says where.
    """
    found = {**load_shipped(__file__, "names.yaml"), **read_mapping(section, _WHERE, "map names to what they mean")}
    return {_name(name): read_meaning(spec, f"{_WHERE}.{name}") for name, spec in found.items() if spec is not None}


def _name(name: Any) -> str:
    try:
        is_own = isinstance(name, str) and name != DRAFT and not _VERSION.match(name)
        if is_own and parse_spec(f"xx@{name}").alias == name:
            return str(name)
    except InvalidName:
        pass
    raise RepoError(
        f"{_WHERE}.{name}: a name has small letters, digits and - and begins with a letter; not latest, draft or v1"
    )


def named(repository: Repository, name: str, word: str) -> Revision:
    """Return the revision of a transient for a convenient name or a version of Blast (`v1.12.0`).

    Raises:
        NotFound: The transient does not exist, or has no revision that meets the name.
        InvalidName: The name does not exist.
        RepoError: The name is about a stage that does not exist.
    """
    History(repository).revision(
        Spec(name)
    )  # a transient that does not exist is told from a name that it does not meet
    if _VERSION.match(word):
        return _given_by(repository, name, word)
    names: Names = repository.settings.read("names", read_names)
    if word not in names:
        hint = did_you_mean(word, [*names, "latest"], f"there are latest, {', '.join(names)}", count=2)
        raise InvalidName(f"there is no name @{word}{hint}")
    meaning = names[word]
    if meaning.pinned:
        if name not in meaning.pinned:
            raise NotFound(
                f"@{word} is pinned to {', '.join(f'{t}@{n}' for t, n in meaning.pinned.items())}, not {name}"
            )
        return _numbered(repository, name, meaning.pinned[name])
    for stage in meaning.stages or ():
        _check_stage(repository, stage, word)
    return _latest(repository, name, word, meaning)


def _check_stage(repository: Repository, stage: str, word: str) -> None:
    try:
        Stages.of(repository.settings).find(stage)
    except NotFound as error:
        raise RepoError(f"{_WHERE}.{word}.complete: {error}") from None


def _numbered(repository: Repository, name: str, number: int) -> Revision:
    return History(repository).revision(Spec(name, number=number))


def _given_by(repository: Repository, name: str, version: str) -> Revision:
    """Return the latest revision that a version of Blast made or reproduced."""
    ran: dict[str, None] = {}
    for marker in History(repository).markers(name):
        ran[marker.app_version] = None
        if marker.app_version.removeprefix("v") == version.removeprefix("v"):
            number = marker.reproduces if marker.number is None else marker.number
            if number is not None:
                return _numbered(repository, name, number)
    raise NotFound(f"no revision of {name} was made or reproduced by {version}: there was {', '.join(reversed(ran))}")


def _latest(repository: Repository, name: str, word: str, meaning: Meaning) -> Revision:
    reasons = []
    for revision in History(repository).backwards(name):
        reason = why_not(repository, revision, meaning)
        if reason is None:
            return revision
        reasons.append(f"{revision}: {reason}")
    more = f"; and so on, back through {len(reasons)} revisions" if len(reasons) > 1 else ""
    raise NotFound(f"no revision of {name} is {word}: in {reasons[0]}{more}")
