"""The error for missing libraries of an extra, with the command to install it."""

from __future__ import annotations

from blastgit.errors import RepoError


def how_to_install(extra: str) -> str:
    """Return the command that adds an extra to the installed blastgit.

    pip keeps an installed blastgit and only adds what is missing, so this works for a wheel, git or an index.
    """
    return f"pip install 'blastgit[{extra}]'"


def not_installed(what: str, library: str | None, extra: str, instead: str = "") -> RepoError:
    """Return the error to raise if a library of an extra cannot be imported.

    Args:
        what: What needs it, with the verb: "the index needs".
        library: The library.
        extra: The extra with the library.
        instead: An alternative, to append to the message.
    """
    return RepoError(f"{what} {library}, which is not installed: {how_to_install(extra)}{instead}")
