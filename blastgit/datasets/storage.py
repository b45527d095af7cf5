"""Storage rules: which store the files of a dataset type go to, or whether git itself keeps them.

They are in the section `storage` of `blastgit.yaml` on main. Dataset types without a rule go to the default store. A
rule applies to what is recorded from then on: the pointer of a file names the store in `outs[].remote`, so that plain
`dvc pull` reads from there; a file kept in git has no pointer (`repository/entries.py`). A published tree never
changes. `recording/placement.py` applies the rules; `maintenance/restore_placement.py` copies published contents to
where the rules now send them.
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
    """Where the files of a dataset type go.

    Attributes:
        store: The name of the store; "" for the default one.
        git: The greatest size in bytes of files that go into git itself instead of the store.
        keep: Whether the files are kept at all.
    """

    store: str = ""
    git: int = 0
    keep: bool = True


_NO_RULE = Rule()


class Rules(NamedTuple):
    """The rules of all dataset types.

    Attributes:
        of: The rule of each dataset type that has one.
    """

    of: Mapping[str, Rule]


def read_storage(loaded: Any) -> Rules:
    """Read the setting `storage`.

    Raises:
        RepoError: It is not valid; the error gives its location.
    """
    words = read_mapping(loaded, _WHERE, "map dataset types to where they go")
    return Rules({str(name): _read_rule(str(name), rule) for name, rule in words.items()})


def _read_rule(name: str, rule: Any) -> Rule:
    if rule == {"keep": False}:
        return Rule(keep=False)
    if not isinstance(rule, dict) or not rule or not rule.keys() <= {"store", "git"}:
        raise RepoError(
            f"{_WHERE}.{name} should have `store`, the name of a remote in .dvc/config, or `git: true`, or both, or "
            "`keep: false` alone"
        )
    store, git = rule.get("store", ""), rule.get("git", 0)
    if not isinstance(store, str) or ("store" in rule and not store):
        raise RepoError(f"{_WHERE}.{name}.store should be the name of a remote in .dvc/config")
    if "git" in rule and not (isinstance(git, int) and 0 < git <= LIMIT):  # `true` is 1 to Python, `false` is 0
        raise RepoError(f"{_WHERE}.{name}.git should be true, or the greatest size of a file in bytes: 1 to {LIMIT}")
    return Rule(store.lower(), LIMIT if git is True else git)


def check_storage(settings: Settings, config: bytes) -> Rules:
    """Return the rules, if everything that they name exists.

    Args:
        settings: The settings on main.
        config: Main's `.dvc/config`.

    Raises:
        RepoError: A rule names something that is not a dataset type of files, or not a remote.
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
            raise RepoError(f"{_WHERE}.{name}: .dvc/config has no remote {rule.store!r}, only {', '.join(names)}")
    return rules


@dataclass(frozen=True)
class Placement:
    """Decides where each file goes.

    Attributes:
        rules: The rules.
        types: The dataset types; None if there are no rules.
        default: The name of the default store.
        fixed: A store for all files, overriding the rules; "" for none.
    """

    rules: Rules
    types: DatasetTypes | None
    default: str
    fixed: str = ""

    @classmethod
    def of(cls, repository: Repository) -> Placement:
        """Return the placement of a data repo.

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
        """Return the files that are kept, among those given."""
        return {path: file for path, file in files.items() if self.keeps(path)}

    def _rule(self, path: str) -> Rule:
        found = None if self.types is None else self.types.of_path(path)
        return _NO_RULE if found is None else self.rules.of.get(found[0].name, _NO_RULE)
