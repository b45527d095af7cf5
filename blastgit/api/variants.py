"""`repo.variants`: the variants of components, their defaults, and what each name stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blastgit.errors import NotFound
from blastgit.naming.names import parse_spec
from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.workflow.variant_default import Change
    from blastgit.workflow.variants import Component


@dataclass(frozen=True)
class Standing:
    """What one variant stands for.

    Attributes:
        name: The variant, `photometry@jointcal`.
        is_default: Whether it is the component's default.
        real: Its real name, `2026dgt@3:photometry`; None if no transient was named, or it does not have the variant.
        why_not: Why the transient does not have the variant.
    """

    name: str
    is_default: bool
    real: str | None = None
    why_not: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"name": self.name, "is_default": self.is_default, "real": self.real, "why_not": self.why_not}


class ComponentVariants(Asked):
    """The variants of components."""

    def __init__(self, session: Session) -> None:
        """Use the variants of an open data repo."""
        self._session = session
        self._repository = session.repository

    def components(self) -> Sequence[Component]:
        """Return the components declared on main, in that order."""
        from blastgit.workflow.variants import Variants

        return list(Variants.of(self._repository.settings).components.values())

    def list(self, spec: str | None = None) -> Sequence[Standing]:
        """Return every variant, and what it stands for in a transient or revision, if one is given.

        Raises:
            NotFound: No such transient or revision.
        """
        if spec is not None:
            self._session.resolve(parse_spec(spec))
        return [
            self._standing(component, variant, spec) for component in self.components() for variant in component.names
        ]

    def _standing(self, component: Component, variant: str, spec: str | None) -> Standing:
        name, is_default = f"{component.name}@{variant}", variant == component.default
        if spec is None:
            return Standing(name, is_default)
        try:
            found = self._session.locate(f"{spec}:{name}").state
        except NotFound as error:
            return Standing(name, is_default, None, str(error))
        return Standing(name, is_default, f"{found}:{', '.join(component.paths)}")

    def default(self, component: str) -> str:
        """Return the default variant of a component; "" if it has none.

        Raises:
            NotFound: No such component.
        """
        from blastgit.workflow.variants import Variants

        return Variants.of(self._repository.settings).component(component).default

    def set_default(self, component: str, variant: str, reason: str) -> str | None:
        """Make a variant the default of its component, and return the commit on main; None if it already was.

        Raises:
            NotFound: No such component or variant.
            Denied: The policy on main does not allow this user to change it.
        """
        from blastgit.workflow.variant_default import set_default

        return set_default(self._repository, component, variant, reason)

    def define(self, component: str, variant: str, meaning: Mapping[str, Any], reason: str) -> str:
        """Declare a variant, with its component if that is new, and return the commit on main.

        Args:
            component: The component, `photometry`.
            variant: The variant, `jointcal`.
            meaning: What it stands for, as in `blastgit.yaml`: `{"run": "runs/*/jointcal/*"}`.
            reason: Why, for the commit.

        Raises:
            InvalidInput: There is such a variant already.
            RepoError: A name or the meaning is not valid.
            Denied: The policy on main does not allow this user to change it.
        """
        from blastgit.workflow.variant_define import define

        return define(self._repository, component, variant, meaning, reason)

    def log(self) -> Sequence[Change]:
        """Return the changes to the section `variants` on main, newest first."""
        from blastgit.workflow.variant_default import changes

        return changes(self._repository)
