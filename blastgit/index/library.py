"""Import the libraries of the extra `index`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from blastgit.plumbing.extras import not_installed

if TYPE_CHECKING:
    import duckdb


def need(module: str) -> Any:
    """Import a library of the extra `index`.

    Raises:
        RepoError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise not_installed("the index needs", module, "index") from None


def silence(connection: duckdb.DuckDBPyConnection) -> None:
    """Switch DuckDB's progress bar off, if it is on.

    The setting is read first, since DuckDB refuses to change it in a Jupyter kernel without ipywidgets, even to switch
    the bar off.
    """
    found = connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()
    if found is not None and found[0]:
        connection.execute("SET enable_progress_bar = false")
