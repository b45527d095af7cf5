"""Variants of components: `2026dgt:photometry@jointcal` stands for `2026dgt@3:photometry`.

A component (photometry, the WCS, the fits) may be made in several ways: single frame, recalibrated, by another code.
The section `variants` of `blastgit.yaml` names each way, and the default. The real name is always that of the revision,
and is shown in output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from blastgit.errors import InvalidName, NotFound, RepoError
from blastgit.naming.keys import read_keys, read_mapping
from blastgit.naming.names import Spec
from blastgit.naming.nearest import did_you_mean
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.repository.settings import Settings
from blastgit.workflow.located import Located
from blastgit.workflow.meaning import Meaning, read_meaning, why_not
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.resolve import resolve_revision
from blastgit.workflow.stages import Stages

DEFAULT = "default"
"""The name of the default variant, `photometry@default`."""

_WHERE = "blastgit.yaml on main: variants"
_COMPONENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_VARIANT = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SPOKEN = re.compile(r"(?P<component>[^@./]+)@(?P<variant>[^@./]+)(?P<rest>[./].*)?")
_WORDS = ("paths", "default", "names")


@dataclass(frozen=True)
class Component:
    """A part of a revision that is made in several ways.

    Attributes:
        name: Its name, `photometry` or `WCS`.
        paths: The beginnings of its natural paths and files.
        names: The meaning of each of its variants.
        default: The default variant; "" for none.
    """

    name: str
    paths: tuple[str, ...]
    names: Mapping[str, Meaning] = field(default_factory=dict)
    default: str = ""

    @property
    def patterns(self) -> Patterns:
        """Patterns of its paths."""
        return Patterns(self.paths)

    def meaning(self, variant: str) -> tuple[str, Meaning]:
        """Return the name of a variant, with `default` resolved, and its meaning.

        Raises:
            NotFound: The variant does not exist.
        """
        name = self.default if variant == DEFAULT else variant
        if not name:
            raise NotFound(
                f"{self.name} has no default variant: `blastgit variant default {self.name} VARIANT` sets one"
            )
        if name not in self.names:
            hint = did_you_mean(name, self.names, f"there are {', '.join(self.names) or 'none'}", count=2)
            raise NotFound(f"{self.name} has no variant {name!r}{hint}")
        return name, self.names[name]


@dataclass(frozen=True)
class Variants:
    """The section `variants`.

    Attributes:
        components: Each component by its name.
    """

    components: Mapping[str, Component]

    @classmethod
    def of(cls, settings: Settings) -> Variants:
        """Read the section `variants` of the settings.

        Raises:
            RepoError: The section has a mistake.
        """
        return settings.read("variants", read_variants)

    def component(self, name: str) -> Component:
        """Return a component.

        Raises:
            NotFound: The component does not exist.
        """
        if name not in self.components:
            known = ", ".join(self.components) or "none; `variants:` in blastgit.yaml on main declares them"
            hint = did_you_mean(name, self.components, f"there are {known}", count=1)
            raise NotFound(f"there is no component {name!r}{hint}")
        return self.components[name]


def read_variants(section: Any) -> Variants:
    """Read the section.

    Args:
        section: The value of `variants` in `blastgit.yaml`, or None.

    Raises:
        RepoError: It is not valid; the error says where.
    """
    components = read_mapping(section, _WHERE, "map components to their variants")
    return Variants({name: _component(name, spec) for name, spec in components.items()})


def _component(name: Any, spec: Any) -> Component:
    where = f"{_WHERE}.{name}"
    if not isinstance(name, str) or not _COMPONENT.fullmatch(name):
        raise RepoError(f"{where}: a component has letters, digits, - and _, and begins with a letter")
    spec = read_keys(spec, where, _WORDS)
    paths, names, default = spec.get("paths", [name]), spec.get("names", {}), spec.get("default", "")
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) and path for path in paths):
        raise RepoError(f"{where}.paths is {paths!r:.60}, but should be a list of beginnings of paths")
    if not isinstance(names, dict) or not all(isinstance(each, str) and _VARIANT.fullmatch(each) for each in names):
        raise RepoError(f"{where}.names should map names of variants (lower-case letters, digits, -) to their meaning")
    if DEFAULT in names:
        raise RepoError(f"{where}.names.{DEFAULT} is reserved for the default variant: give this one another name")
    if default and (not isinstance(default, str) or default not in names):
        known = ", ".join(names) or "it has none"
        raise RepoError(f"{where}.default is {default!r:.60}, but should be one of its names: {known}")
    meanings = {each: read_meaning(meaning, f"{where}.names.{each}") for each, meaning in names.items()}
    return Component(name, tuple(paths), meanings, default)


def spoken_variant(repository: Repository, path: str) -> str | None:
    """Return a path that names a variant: `photometry@jointcal`, or `WCS`, which becomes `WCS@default`; else None.

    The name of a component alone stands for its default variant unless a table of the document has that name.
    """
    components = Variants.of(repository.settings).components
    if path in components and path not in repository.rules.tables:
        return f"{path}@{DEFAULT}"
    spoken = _SPOKEN.fullmatch(path)
    is_one = spoken is not None and (spoken["component"] in components or not spoken["rest"])
    return path if is_one else None


def locate(repository: Repository, spec: Spec) -> Located:
    """Resolve `NAME[@REV]:COMPONENT@VARIANT[/PATH]` to the revision that has the variant.

    Given a revision, this is that one if it has the variant, or else the latest that has it and was made from the same
    files; without a revision, the latest that has it.

    Raises:
        NotFound: The component or variant does not exist, or no revision has it; the error says why.
        InvalidName: The spec names a stage, whose state is not a revision.
    """
    spoken = _SPOKEN.fullmatch(spec.path or "")
    assert spoken is not None
    component = Variants.of(repository.settings).component(spoken["component"])
    name, meaning = component.meaning(spoken["variant"])
    if spec.stage is not None:
        raise InvalidName(f"{spec.path} is a variant of revisions, and post-{spec.stage} is not one: leave it out")
    found = _find(repository, replace(spec, path=None), component, (name, meaning))
    found.asked = f"{spec.name}{_number(spec)}:{component.name}@{spoken['variant']}"
    rest = spoken["rest"]
    if rest is None:
        return Located(found, None, component.paths)
    if len(component.paths) > 1:
        parts = ", ".join(component.paths)
        raise InvalidName(f"{component.name} has the parts {parts}: write {found}:PATH for one of them")
    return Located(found, f"{component.paths[0]}{rest}")


def _number(spec: Spec) -> str:
    word = spec.alias if spec.number is None else str(spec.number)
    return "" if word is None else f"@{word}"


def _find(repository: Repository, spec: Spec, component: Component, wanted: tuple[str, Meaning]) -> Revision:
    name, meaning = wanted
    is_any = spec.number is None and spec.alias is None and spec.until is None
    base = None if is_any else resolve_revision(repository, spec)
    reasons = []
    for revision in _candidates(repository, spec.name, base):
        reason = why_not(repository, revision, meaning)
        if reason is not None:
            reasons.append(f"{revision}: {reason}")
            continue
        if base is not None and revision.number != base.number:
            reason = _other_files(repository, component, base, revision)
        if reason is None:
            return revision
        reasons.insert(0, f"{revision}: {reason}")  # more informative, since it has the variant
    what = f"{spec.name}{_number(spec)}"
    if not reasons:
        raise History(repository).unknown(spec.name)
    more = f"; and so on, through {len(reasons)} revisions" if len(reasons) > 1 else ""
    raise NotFound(f"{what} has no {component.name}@{name}: in {reasons[0]}{more}")


def _candidates(repository: Repository, name: str, base: Revision | None) -> Iterator[Revision]:
    if base is not None:
        yield base
    for revision in History(repository).backwards(name):
        if base is None or revision.number != base.number:
            yield revision


def _other_files(repository: Repository, component: Component, base: Revision, other: Revision) -> str | None:
    """Return how another revision differs in an input file of a component, in words; None if it does not."""
    own = component.patterns
    makers = [stage for stage in Stages.of(repository.settings) if stage.makes.meet(component.paths)]
    read = [path for path in {**base.held, **other.held} if any(stage.reads.match(path) for stage in makers)]
    path = next(
        (path for path in read if not own.match(path) and base.dr.files.get(path) != other.dr.files.get(path)), None
    )
    return None if path is None else f"{path} is not that of {base}"
