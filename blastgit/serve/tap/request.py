"""A request to the TAP service: its parameters, and the URL of the service as the client sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from blastgit.errors import UsageError

_MOST_PARAMETERS = 200
_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"


class Parameters:
    """The parameters of a request; their names ignore case, and each may occur several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Store pairs of a name and a value."""
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.upper(), []).append(value)

    def all(self, name: str) -> list[str]:
        """Return all values of a name."""
        return self._values.get(name, [])

    def one(self, name: str) -> str | None:
        """Return the value of a name, or None.

        Raises:
            UsageError: The name has several different values.
        """
        values = set(self.all(name))
        if len(values) > 1:
            raise UsageError(f"{name} is given {len(self.all(name))} times, with different values")
        return next(iter(values), None)

    def updated(self, other: Parameters) -> Parameters:
        """Return these parameters, with those of `other` replacing the ones of the same name."""
        merged = Parameters()
        merged._values = {**self._values, **other._values}
        return merged

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, value) for name, values in self._values.items() for value in values)


class NotAllowed(UsageError):
    """The method is not allowed for this address."""


class Request(HttpRequest):
    """A request of a client. A part of a body that is itself multipart is not decoded."""

    max_form_parts = _MOST_PARAMETERS

    def __init__(self, environ: dict[str, Any], url: str | None = None) -> None:
        """Read a WSGI request; `url` is the public URL of the service, if it differs from that of the request."""
        super().__init__(environ)
        self._url = url

    @cached_property
    def base(self) -> str:
        """The URL of the service as the client knows it, without a slash at the end.

        Raises:
            UsageError: The header Host is not a valid host name.
        """
        if self._url:
            return self._url.rstrip("/")
        try:
            host = self.host
        except HTTPException:  # some versions of Werkzeug raise, others return nothing
            host = ""
        if not host:
            raise UsageError("the header Host is not the name of a host")
        return f"{self.scheme}://{host}{self.root_path}".rstrip("/")

    @cached_property
    def parameters(self) -> Parameters:
        """The parameters, from the address and the body.

        Raises:
            UsageError: The body cannot be parsed, or is too large.
        """
        if self.method == "POST" and self.content_length and self.mimetype not in (_FORM, _PARTS):
            raise UsageError(f"a body of type {self.mimetype[:80]!r}: send parameters as {_FORM} or {_PARTS}")
        try:
            pairs = [*self.args.items(multi=True), *self.form.items(multi=True)]
        except RequestEntityTooLarge:
            raise UsageError(f"more than {_MOST_PARAMETERS} parameters, or one that is too long") from None
        except ValueError:
            raise UsageError(f"the body is not {self.mimetype}, as its header says") from None
        if len(pairs) > _MOST_PARAMETERS:
            raise UsageError(f"more than {_MOST_PARAMETERS} parameters")
        return Parameters(pairs)

    def make_form_data_parser(self) -> FormDataParser:
        """Return a parser that raises an error for an invalid body; Werkzeug's own treats it as empty."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser


def see_other(url: str) -> Response:
    """Return a redirect (303 See Other)."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": url})
