"""Opening the stores named on main: a folder, or any DVC remote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from blastgit.store.base import Store
from blastgit.store.config import Remote


def open_stores(default: Remote, others: Mapping[str, Remote], work_folder: Path) -> Store:
    """Open the default store, combined with others if there are any."""
    opened = open_store(default, work_folder)
    if not others:
        return opened
    from blastgit.store.multi_store import MultiStore

    return MultiStore(opened, {name: open_store(remote, work_folder) for name, remote in others.items()})


def open_store(remote: Remote, work_folder: Path) -> Store:
    """Open the store of a remote; DVC's libraries are only imported if it is not a folder."""
    if remote.folder is not None:
        from blastgit.store.local import LocalStore

        return LocalStore(remote.folder)
    from blastgit.store.dvc import DvcStore

    return DvcStore(remote, work_folder / "tmp")
