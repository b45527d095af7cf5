"""Explains git's errors with a remote repository, and what people can do about them."""

from __future__ import annotations

from blastgit.errors import BlastgitError, Denied, RepoError
from blastgit.plumbing.safe_text import lines_of

_NOT_ALLOWED = (
    "error: 403", "service not enabled", "access denied", "Permission denied", "DENIED by", "not authorized",
    "does not appear to allow",
)  # fmt: skip
_ADVICE = (
    (("could not read Username", "could not read Password", "Authentication failed", "error: 401"),
     "it asks who you are: give git credentials (`git help credentials`), or use an ssh URL"),
    (("Could not resolve host", "Name or service not known", "name resolution", "unable to look up"),
     "its host name is unknown: correct the URL, or check the network"),
    (("Host key verification failed",),
     "ssh does not know this host yet: connect to it once by hand, and compare its key"),
    (("not found", "does not appear to be a git repository", "not exported", "no such repository", "error: 404"),
     "there is no repository of that name: correct the URL"),
    (("dumb http transport",),
     "it is served as plain files: its owner should serve it with `git http-backend`"),
    (("certificate", "SSL"),
     "its certificate is not trusted here: check this machine's certificates"),
    (("onnect", "hung up", "timed out", "RPC failed", "reset by peer", "early EOF", "too slow"),
     "as far as can be seen, nothing was changed: check whether the server is up, then try again"),
)  # fmt: skip


def explain(where: str, what: str, said: str) -> BlastgitError:
    """Return the error to raise: what failed, the message of git or the server, and what to do next.

    Args:
        where: The repository.
        what: What failed, as a verb: "cannot be read".
        said: The message.
    """
    words = lines_of(said)
    if any(sign in words for sign in _NOT_ALLOWED):
        return Denied(f"{where} {what}: this user may not do that; ask its owner for access ({words})")
    for signs, advice in _ADVICE:
        if any(sign in words for sign in signs):
            return RepoError(f"{where} {what}: {advice} ({words})")
    return RepoError(f"{where} {what}: {words or 'git gave no reason'}")


def remote_words(stderr: str) -> str:
    """Return the server's own messages from git's stderr."""
    return lines_of("\n".join(line.removeprefix("remote: ") for line in stderr.splitlines() if line[:8] == "remote: "))
