"""A verb of `DataRepo`: a function of an open data repo, called as a method."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from blastgit.api.session import Session

_P = ParamSpec("_P")
_R_co = TypeVar("_R_co", covariant=True)


class _HasSession(Protocol):
    @property
    def session(self) -> Session: ...


class Verb(Generic[_P, _R_co]):
    """Turns a function that takes a `Session` first into a method, keeping its signature and docstring.

    A new verb is one function in the module of its kind, and one line in `DataRepo`.
    """

    def __init__(self, function: Callable[Concatenate[Session, _P], _R_co]) -> None:
        """Wrap a function."""
        self._function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, owner: None, type_: type) -> Callable[Concatenate[Session, _P], _R_co]: ...
    @overload
    def __get__(self, owner: _HasSession, type_: type) -> Callable[_P, _R_co]: ...
    def __get__(
        self, owner: _HasSession | None, type_: type
    ) -> Callable[Concatenate[Session, _P], _R_co] | Callable[_P, _R_co]:
        """Return the method of a data repo; on the class itself, the function."""
        if owner is None:
            return self._function
        return wraps(self._function)(partial(self._ask, owner.session))

    def _ask(self, session: Session, /, *args: _P.args, **options: _P.kwargs) -> _R_co:
        with session.repository.question():  # within it, a remote repo fetches nothing twice
            return self._function(session, *args, **options)
