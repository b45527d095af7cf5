"""Login: by OpenID Connect, by the header of a trusted proxy, or by `--as` on loopback."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
import time
from collections import deque
from typing import Any

from flask import Flask, redirect, render_template, request, session
from werkzeug.wrappers import Response

from blastgit.annotations.annotation import check_user
from blastgit.errors import Busy, Denied, InvalidInput, NotFound
from blastgit.plumbing.extras import not_installed
from blastgit.serve.options import Login
from blastgit.serve.sessions import Sessions
from blastgit.serve.site import site

_MINUTE = 60.0
_LOGINS = 60  # how many logins may be started per minute, by all users together


class Rate:
    """Limits how often each user does something per minute."""

    def __init__(self, most: int) -> None:
        """Allow `most` times per minute."""
        self._most = most
        self._times: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def count(self, who: str) -> None:
        """Count one more time for a user.

        Raises:
            Busy: The user has reached the limit.
        """
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(who, deque())
            while times and times[0] < now - _MINUTE:
                times.popleft()
            if len(times) >= self._most:
                raise Busy(f"that is more than {self._most} in a minute: wait a moment, nothing was written")
            times.append(now)
            if len(self._times) > 10_000:
                self._times = {who: times}


def install(app: Flask) -> None:
    """Add login to an application, if the operator configured it."""
    app.session_interface = Sessions()
    login = app.extensions["blastgit"].options.login
    app.jinja_env.globals.update(user=current_user, csrf=csrf_token, can_write=lambda: login.is_open)
    app.before_request(_only_here)
    if login.issuer:
        _install_provider(app, login)
    if login.is_open:
        app.add_url_rule("/logout", "logout", log_out, methods=["POST"])


def current_user() -> str | None:
    """Return the user who makes the current request; None if nobody is logged in."""
    login = site().options.login
    if login.user:
        return login.user
    if login.proxy and request.environ.get("REMOTE_ADDR") == login.proxy:
        name = request.headers.get(login.header, "")
        return _checked(name) if name else None
    found = session.get("user") if login.issuer else None
    return str(found) if found else None


def _checked(name: str) -> str | None:
    try:
        return check_user(name)
    except InvalidInput:
        return None


def _only_here() -> None:
    """If everybody is one user, refuse host names other than this machine's: against DNS rebinding."""
    if not site().options.login.user:
        return
    host = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
    name = host.strip("[]")
    try:
        is_here = ipaddress.ip_address(name).is_loopback
    except ValueError:
        is_here = name == "localhost"
    if not is_here:
        raise Denied("this server answers to 127.0.0.1 and localhost only, because everybody is logged in here")


def csrf_token() -> str:
    """Return the CSRF token that forms of this session must contain."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def check_csrf() -> None:
    """Check that a form was made for this session.

    Raises:
        Denied: It was not.
    """
    given, known = request.form.get("csrf", ""), str(session.get("csrf", ""))
    if not known or not hmac.compare_digest(given.encode(), known.encode()):
        raise Denied("this form is out of date or from elsewhere: go back, load the page again, and send it once more")


def require_user() -> str:
    """Return the user who makes the current request, after checking that the form belongs to their session.

    Raises:
        Denied: Nobody is logged in, or the form belongs to another session.
    """
    who = current_user()
    if who is None:
        raise Denied("log in first: annotations need the name of their author")
    check_csrf()
    return who


def log_out() -> Response:
    """End the session."""
    check_csrf()
    session.clear()
    return redirect("/", 303)


def _install_provider(app: Flask, login: Login) -> None:
    """Register `/login` and the address that the provider redirects users to."""
    try:
        from authlib.integrations.flask_client import OAuth
    except ImportError as error:
        raise not_installed("logging in needs", error.name, "web") from None
    provider = OAuth(app).register(
        "provider", client_id=login.client_id, client_secret=login.client_secret or None,
        server_metadata_url=f"{str(login.issuer).rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256", "timeout": 10},
    )  # fmt: skip
    rate = Rate(_LOGINS)

    def begin() -> Any:
        rate.count("")
        session["next"] = _own_place(request.args.get("next", "/"))
        base = site().options.url or request.host_url.rstrip("/")
        try:
            return provider.authorize_redirect(f"{base}/login/back")
        except Exception as error:  # noqa: BLE001 (whatever the network and another's server may do)
            return _failed(app, f"the login provider cannot be reached ({type(error).__name__}): try again later")

    def come_back() -> Any:
        try:
            token = provider.authorize_access_token()
        except Exception as error:  # noqa: BLE001 (whatever another's server may say)
            return _failed(app, f"the login did not succeed ({getattr(error, 'error', type(error).__name__)})")
        claims = token.get("userinfo") or {}
        name = _checked(str(claims.get(login.claim) or ""))
        if name is None:
            return _failed(app, f"the login provider did not say who you are: its claim {login.claim!r} is missing")
        place = _own_place(str(session.get("next", "/")))
        session.clear()
        session["user"] = name
        return redirect(place, 303)

    app.add_url_rule("/login", "login", begin)
    app.add_url_rule("/login/back", "login.back", come_back)


def _failed(app: Flask, words: str) -> tuple[str, int]:
    app.logger.warning("login: %s", words)
    data = {"error": {"kind": "login", "status": 502, "message": f"{words[0].upper()}{words[1:]}."}}
    from http import HTTPStatus

    return render_template("error.html", data=data, status=HTTPStatus.BAD_GATEWAY), 502


def _own_place(place: str) -> str:
    """Return the requested address if it is on this server, otherwise another one of this server."""
    is_own = place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()
    return place if is_own else "/"


def own_place(place: str) -> str:
    """Return the requested address to go back to, which must be on this server.

    Raises:
        NotFound: The address is on another server.
    """
    found = _own_place(place)
    if found != place:
        raise NotFound("that address is not on this server")
    return found
