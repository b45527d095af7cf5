"""Roles: who may do what in a data repo, from `policy:` in `blastgit.yaml` on main; and the identity of a user."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from blastgit.errors import Denied, RepoError
from blastgit.naming.keys import read_keys
from blastgit.naming.names import transient_of, user_of

if TYPE_CHECKING:
    from blastgit.repository.settings import Settings

ROLES = {
    "admin": "changes settings, rules, policy and the store's address, and may do everything that the others may",
    "curator": "changes collections, queries and texts on main, and freezes collections",
    "writer": "records revisions and marks stages",
    "annotator": "adds comments and flags",
    "relay": "adds annotations made by others",
}
"""Every role and what it may do."""

ANONYMOUS = "anonymous"
"""The identity of a push through a web server without login."""

_VARIABLES = ("GL_USER", "GL_USERNAME", "GITEA_PUSHER_NAME", "GITLAB_USER_LOGIN", "REMOTE_USER", "SSH_USER")
"""Set by gitolite, GitLab, Gitea and Forgejo, GitLab jobs, web servers, and `environment=` of an SSH key."""

_WHERE = "blastgit.yaml on main: policy"


class Grant(NamedTuple):
    """One line of a role.

    Attributes:
        who: The name of a person or robot, or a pattern of names.
        until: When it ends (UTC), or None.
        subjects: Patterns of the transients or collections that it covers.
    """

    who: str
    until: datetime | None = None
    subjects: tuple[str, ...] = ("*",)

    def covers(self, identity: str, subject: str, now: datetime) -> bool:
        """Whether it covers a person and a subject at a time; an empty subject stands for any."""
        return (
            fnmatchcase(identity, self.who)
            and (self.until is None or now <= self.until)
            and (not subject or any(fnmatchcase(subject, pattern) for pattern in self.subjects))
        )


@dataclass(frozen=True)
class Policy:
    """Who has which role.

    Attributes:
        grants: The lines of each role; None if there is no policy, so that everybody may do everything.
    """

    grants: Mapping[str, tuple[Grant, ...]] | None = None

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything."""
        return self.grants is None

    def allows(self, role: str, identity: str, subject: str = "", now: datetime | None = None) -> bool:
        """Whether somebody has a role for `subject`."""
        if self.grants is None:
            return True
        moment = now or datetime.now(UTC)
        lines = (*self.grants.get(role, ()), *self.grants.get("admin", ()))
        return any(line.covers(identity, subject, moment) for line in lines)

    def check(self, role: str, identity: str, subject: str = "") -> None:
        """Require that somebody has a role.

        Raises:
            Denied: They do not; the error says who can help.
        """
        if self.allows(role, identity, subject):
            return
        now = datetime.now(UTC)
        admins = [line.who for line in (self.grants or {}).get("admin", ()) if line.until is None or line.until >= now]
        about = f" for {subject}" if subject else ""
        raise Denied(
            f"{identity} does not have the role {role!r}{about}, which {ROLES.get(role, 'does this')}: "
            f"ask an admin of this data repo ({', '.join(admins) or 'no admin is named: its owner'})"
        )


def require(settings: Settings, role: str, identity: str | None = None, subject: str = "") -> None:
    """Require a role in a data repo.

    Args:
        settings: The settings on main.
        role: One of `ROLES`.
        identity: Who; by default the current user.
        subject: The transient or collection concerned.

    Raises:
        Denied: They do not have the role.
    """
    if not settings.policy.is_open:
        settings.policy.check(role, identity or current_identity(), subject)


def require_line(settings: Settings, line: str, identity: str | None = None) -> None:
    """Require the right to record in a line: writers in official lines, users in their own.

    Raises:
        Denied: They may not.
    """
    owner = user_of(line)
    if owner is None:
        require(settings, "writer", identity, line)
        return
    who = identity or current_identity()
    if who != owner or who == ANONYMOUS:
        raise Denied(f"{line} belongs to {owner}, so {who} may not write there: use u/{who}/{transient_of(line)}")


def current_identity(environment: Mapping[str, str] | None = None) -> str:
    """Return the identity of the user: from the git server or web server, else the account on this machine."""
    values = os.environ if environment is None else environment
    for variable in _VARIABLES:
        name = values.get(variable, "")
        if name:
            return name if name.isprintable() and len(name) <= 200 else ANONYMOUS
    if values.get("GATEWAY_INTERFACE"):
        return ANONYMOUS
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid-{os.geteuid()}"


def read_policy(loaded: Any) -> Policy:
    """Read the value of `policy:`; None means no policy.

    Raises:
        RepoError: It is not valid.
    """
    if loaded is None:
        return Policy()
    given = read_keys(loaded, _WHERE, ["roles"], needed="roles")
    roles = read_keys(given["roles"], f"{_WHERE}.roles", ROLES)
    grants = {role: _read_role(role, lines) for role, lines in roles.items()}
    if not grants.get("admin"):
        raise RepoError(f"{_WHERE}.roles names no admin, so nobody could ever change it")
    return Policy(grants)


def _read_role(role: str, lines: Any) -> tuple[Grant, ...]:
    if not isinstance(lines, list):
        raise RepoError(f"{_WHERE}.roles.{role} should be a list of names")
    return tuple(_read_grant(f"{_WHERE}.roles.{role}[{i}]", line) for i, line in enumerate(lines))


def _read_grant(where: str, line: Any) -> Grant:
    fields = {"who": line} if isinstance(line, str) else line
    fields = read_keys(fields, where, ("who", "until", "for"), needed="who")
    who, patterns = fields["who"], fields.get("for", ["*"])
    if not isinstance(who, str) or not who:
        raise RepoError(f"{where}: {who!r} is not a name: put it in quotes")
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise RepoError(f"{where}.for should be a list of patterns of names")
    return Grant(who, _read_end(where, fields.get("until")), tuple(patterns))


def _read_end(where: str, value: Any) -> datetime | None:
    """Read an end: a day ends with its last second, and a time without a zone is UTC."""
    try:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC) + timedelta(days=1, microseconds=-1)
    except (OverflowError, ValueError):
        pass
    raise RepoError(f"{where}.until is {value!r}, not a date: write YYYY-MM-DD")
