"""The libraries that only the index needs: they come with the extra `index`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from blastgit.errors import RepoError


def need(module: str) -> Any:
    """Return a library of the extra `index`.

    Raises:
        RepoError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise RepoError(f"the index needs {module}, which is not installed: pip install 'blastgit[index]'") from None
