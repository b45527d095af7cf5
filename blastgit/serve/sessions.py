"""Sessions kept by the server: a browser only holds an unguessable identifier."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin

COOKIE = "blastgit"
_SECONDS = 8 * 3600
_MOST = 10_000


class Session(dict[str, Any], SessionMixin):
    """The session of one browser."""

    def __init__(self, name: str, held: dict[str, Any] | None = None) -> None:
        """Start a session, or continue one."""
        super().__init__(held or {})
        self.name = name
        self.before = dict(self)

    @property
    def is_changed(self) -> bool:
        """Whether a value was set or removed."""
        return dict(self) != self.before


class Sessions(SessionInterface):
    """All sessions, in memory: a restart of the server ends them."""

    def __init__(self) -> None:
        """Start without any sessions."""
        self._held: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def open_session(self, app: Flask, request: Request) -> Session:  # noqa: ARG002 (Flask's own)
        """Return the session of a request."""
        name = request.cookies.get(COOKIE, "")
        with self._lock:
            until, held = self._held.get(name, (0.0, {}))
        if until > time.monotonic():
            return Session(name, dict(held))
        return Session("")

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002 (Flask's own)
        """Save a changed session; login and logout give it a new identifier, which prevents session fixation."""
        assert isinstance(session, Session)
        if not session.is_changed:
            return
        name = session.name
        is_other = session.get("user") != session.before.get("user")
        with self._lock:
            if is_other or not name:
                self._held.pop(name, None)
                name = secrets.token_urlsafe(32)
            if session:
                self._forget()
                self._held[name] = (time.monotonic() + _SECONDS, dict(session))
        if not session:
            response.delete_cookie(COOKIE, httponly=True, samesite="Lax")
        elif name != session.name:
            from flask import request

            response.set_cookie(COOKIE, name, httponly=True, samesite="Lax", secure=request.is_secure)
        response.headers["Cache-Control"] = "private, no-store"

    def _forget(self) -> None:
        """Remove expired sessions, and the oldest ones if there are too many."""
        now = time.monotonic()
        over = [name for name, (until, _) in self._held.items() if until <= now]
        if len(self._held) - len(over) >= _MOST:
            over.append(min(self._held, key=lambda each: self._held[each][0]))
        for name in over:
            self._held.pop(name, None)
