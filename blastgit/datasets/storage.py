"""Rules of storage: to which store the files of a dataset type go, or whether git itself keeps them.

They stand under `storage` in `blastgit.yaml` on main. Dataset types that no rule names go to the default store. A rule
holds for what is recorded from then on: the pointer of a file names the store in `outs[].remote`, so that plain `dvc
pull` reads from there; a file that git keeps has no pointer (`held.py`). A published tree never changes. `keep.py` does
as the rules say; `bring.py` copies what is published already to where they send it now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from blastgit.errors import RepoError
from blastgit.naming.keys import read_mapping
from blastgit.repository.entries import LIMIT

if TYPE_CHECKING:
    from blastgit.datasets.types import DatasetTypes
    from blastgit.repository.base import Repository
    from blastgit.repository.settings import Settings

T = TypeVar("T")

_WHERE = "blastgit.yaml on main: storage"


class Rule(NamedTuple):
    """Where the files of one dataset type go.

    Attributes:
        store: The name of the store; "" for the default one.
        git: Bytes up to which a file goes into git itself, and not into that store.
        keep: Whether they are kept at all.
    """

    store: str = ""
    git: int = 0
    keep: bool = True


_NO_RULE = Rule()


class Rules(NamedTuple):
    """Where dataset types go.

    Attributes:
        of: The rule of each dataset type that has one.
    """

    of: Mapping[str, Rule]


def read_storage(loaded: Any) -> Rules:
    """Read the setting `storage`.

    Raises:
        RepoError: It is not valid; the error tells the place.
    """
    words = read_mapping(loaded, _WHERE, "map dataset types to where they go")
    return Rules({str(name): _read_rule(str(name), rule) for name, rule in words.items()})


def _read_rule(name: str, rule: Any) -> Rule:
    if rule == {"keep": False}:
        return Rule(keep=False)
    if not isinstance(rule, dict) or not rule or not rule.keys() <= {"store", "git"}:
        raise RepoError(
            f"{_WHERE}.{name} should say `store`, the name of a remote of .dvc/config, or `git: true`, or both, or "
            "else `keep: false`"
        )
    store, git = rule.get("store", ""), rule.get("git", 0)
    if not isinstance(store, str) or ("store" in rule and not store):
        raise RepoError(f"{_WHERE}.{name}.store should be the name of a remote of .dvc/config")
    if "git" in rule and not (isinstance(git, int) and 0 < git <= LIMIT):  # `true` is 1 to Python, `false` is 0
        raise RepoError(f"{_WHERE}.{name}.git should be true, or the bytes up to which a file goes there: 1 to {LIMIT}")
    return Rule(store.lower(), LIMIT if git is True else git)


def check_storage(settings: Settings, config: bytes) -> Rules:
    """Return the rules, if all that they name is there.

    Args:
        settings: The settings on main.
        config: Main's `.dvc/config`.

    Raises:
        RepoError: A rule is about no dataset type of files, or names no remote.
    """
    from blastgit.datasets.types import DatasetTypes
    from blastgit.store.config import remote_names

    rules = settings.read("storage", read_storage)
    types = DatasetTypes.of(settings)
    for name, rule in rules.of.items():
        if name not in types or types.find(name).pattern is None:
            files = ", ".join(each.name for each in types if each.pattern is not None)
            raise RepoError(f"{_WHERE}: {name!r} is not a dataset type of files; there is {files}")
        names = remote_names(config)
        if rule.store and rule.store not in names:
            raise RepoError(f"{_WHERE}.{name}: .dvc/config has no remote {rule.store!r}; there is {', '.join(names)}")
    return rules


@dataclass(frozen=True)
class Placement:
    """What decides where each file goes.

    Attributes:
        rules: The rules.
        types: The dataset types; None where no rule asks for them.
        default: The name of the default store.
        fixed: The store that all files go to, whatever rules say of stores; "" for none.
    """

    rules: Rules
    types: DatasetTypes | None
    default: str
    fixed: str = ""

    @classmethod
    def of(cls, repository: Repository) -> Placement:
        """Return that of a data repo.

        Raises:
            RepoError: The rules are not valid.
        """
        settings = repository.settings
        rules = settings.read("storage", read_storage)
        if not rules.of:
            return cls(rules, None, "")
        from blastgit.datasets.types import DatasetTypes
        from blastgit.store.config import remote_names

        config = repository.config
        check_storage(settings, config)
        return cls(rules, DatasetTypes.of(settings), remote_names(config)[0])

    def __call__(self, path: str) -> str:
        """Return the name of the store that a file goes to; "" for the default one."""
        name = self.fixed or self._rule(path).store
        return "" if name == self.default else name

    def in_git(self, path: str, size: int) -> bool:
        """Whether a file of `size` bytes goes into git itself."""
        return size <= self._rule(path).git

    def keeps(self, path: str) -> bool:
        """Whether a file is kept at all."""
        return self._rule(path).keep

    def kept(self, files: Mapping[str, T]) -> dict[str, T]:
        """Return those of some files that are kept."""
        return {path: file for path, file in files.items() if self.keeps(path)}

    def _rule(self, path: str) -> Rule:
        found = None if self.types is None else self.types.of_path(path)
        return _NO_RULE if found is None else self.rules.of.get(found[0].name, _NO_RULE)
