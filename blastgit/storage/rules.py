"""Rules of storage: to which store the files of a dataset type go, by `storage` in `blastgit.yaml` on main.

Dataset types that no rule names go to the default store. A rule holds for what is recorded from then on: the pointer of
a file names the store in `outs[].remote`, so that plain `dvc pull` reads from there, and a published pointer never
changes. `bring.py` copies what is published already to where the rules send it now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from blastgit.errors import RepoError
from blastgit.store.config import remote_names

if TYPE_CHECKING:
    from blastgit.handle import Handle
    from blastgit.readers.types import DatasetTypes
    from blastgit.settings import Settings

T = TypeVar("T")

_WHERE = "blastgit.yaml on main: storage"


@dataclass(frozen=True)
class Rules:
    """Where dataset types go.

    Attributes:
        stores: The name of the store, by dataset type; None for those that are not kept.
    """

    stores: Mapping[str, str | None]


def read_storage(loaded: Any) -> Rules:
    """Read the setting `storage`.

    Raises:
        RepoError: It makes no sense; the error tells the place.
    """
    words = {} if loaded is None else loaded
    if not isinstance(words, dict):
        raise RepoError(f"{_WHERE} should be a mapping, of dataset types to where they go")
    return Rules({str(name): _read_rule(str(name), rule) for name, rule in words.items()})


def _read_rule(name: str, rule: Any) -> str | None:
    if rule == {"keep": False}:
        return None
    if not isinstance(rule, dict) or rule.keys() != {"store"} or not isinstance(rule["store"], str):
        raise RepoError(
            f"{_WHERE}.{name} should say one thing: `store`, the name of a remote of .dvc/config, or `keep: false`"
        )
    return rule["store"].lower()


def check_storage(settings: Settings, config: bytes) -> Rules:
    """Return the rules, if all that they name is there.

    Args:
        settings: The settings on main.
        config: Main's `.dvc/config`.

    Raises:
        RepoError: A rule is about no dataset type of files, or names no remote.
    """
    rules: Rules = settings.section("storage")
    types: DatasetTypes = settings.section("dataset_types")
    for name, store in rules.stores.items():
        if name not in types or types.find(name).pattern is None:
            files = ", ".join(each.name for each in types if each.pattern is not None)
            raise RepoError(f"{_WHERE}: {name!r} is no dataset type of files; there is {files}")
        names = remote_names(config)
        if store is not None and store not in names:
            raise RepoError(f"{_WHERE}.{name}: .dvc/config has no remote {store!r}; there is {', '.join(names)}")
    return rules


@dataclass(frozen=True)
class Placement:
    """What decides where each file goes.

    Attributes:
        rules: The rules.
        types: The dataset types; None where no rule asks for them.
        default: The name of the default store.
    """

    rules: Rules
    types: DatasetTypes | None
    default: str

    @classmethod
    def of(cls, handle: Handle) -> Placement:
        """Return that of a data repo.

        Raises:
            RepoError: The rules make no sense.
        """
        settings = handle.settings
        rules: Rules = settings.section("storage")
        if not rules.stores:
            return cls(rules, None, "")
        config = handle.config
        check_storage(settings, config)
        return cls(rules, settings.section("dataset_types"), remote_names(config)[0])

    def __call__(self, path: str) -> str:
        """Return the name of the store that a file goes to; "" for the default one."""
        name = self._rule(path)
        return "" if name is None or name == self.default else name

    def keeps(self, path: str) -> bool:
        """Whether a file is kept at all."""
        return self._rule(path) is not None

    def kept(self, files: Mapping[str, T]) -> dict[str, T]:
        """Return those of some files that are kept."""
        return {path: file for path, file in files.items() if self.keeps(path)}

    def _rule(self, path: str) -> str | None:
        found = None if self.types is None else self.types.of_path(path)
        return "" if found is None else self.rules.stores.get(found[0].name, "")
