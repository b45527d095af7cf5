"""Makes each public method of an object one query of a data repo.

Within a query, a remote repo fetches nothing twice; the next query sees what others have pushed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

from blastgit.repository.base import Repository

_CONTAINER = ("__contains__", "__getitem__", "__iter__", "__len__")


class Asked:
    """An object whose public methods and properties are each one query of a data repo."""

    _repository: Repository

    def __init_subclass__(cls, **options: Any) -> None:
        """Wrap each public method and property of a subclass in a query."""
        super().__init_subclass__(**options)
        for name, value in list(vars(cls).items()):
            if name.startswith("_") and name not in _CONTAINER:
                continue
            if isinstance(value, FunctionType):
                setattr(cls, name, _one_question(value))
            elif isinstance(value, property) and isinstance(value.fget, FunctionType):
                setattr(cls, name, value.getter(_one_question(value.fget)))


def _one_question(method: FunctionType) -> Callable[..., Any]:
    @wraps(method)
    def ask(self: Asked, /, *args: Any, **options: Any) -> Any:
        with self._repository.question():
            return method(self, *args, **options)

    return ask
