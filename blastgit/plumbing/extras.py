"""The error for somebody who lacks the libraries of an extra: the one place that says how it is installed."""

from __future__ import annotations

from blastgit.errors import RepoError


def how_to_install(extra: str) -> str:
    """Return the command that adds an extra to the blastgit that is installed.

    pip keeps a blastgit that is there already, from wherever it came, and brings just what it lacks: so this works
    whether it was installed from a wheel, from git or from an index.
    """
    return f"pip install 'blastgit[{extra}]'"


def not_installed(what: str, library: str | None, extra: str, instead: str = "") -> RepoError:
    """Return the error to raise where a library of an extra cannot be imported.

    Args:
        what: What needs it, with the verb: "the index needs".
        library: The library.
        extra: The extra that brings it.
        instead: What else one could do.
    """
    return RepoError(f"{what} {library}, which is not installed: {how_to_install(extra)}{instead}")
