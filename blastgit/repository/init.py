"""Making a data repo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from blastgit.naming.refs import MAIN
from blastgit.plumbing.batch import Batch, make_folders
from blastgit.plumbing.building import built
from blastgit.plumbing.opening import open_repository
from blastgit.plumbing.process import run_git
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.plumbing.refs import update_refs
from blastgit.repository.base import Repository, committer
from blastgit.repository.format import FILE
from blastgit.repository.hooks import install_server_hooks
from blastgit.repository.local import LocalRepository
from blastgit.repository.settings import default_text
from blastgit.repository.skeleton import dot_files, store_config
from blastgit.repository.unfinished import UNFINISHED
from blastgit.store.config import absolute

_README = """# A data repo of Blast transients

Each branch is a transient, each tag `NAME/N` its dataset revision N: the JSON document here, the files in a DVC store.

    git clone --branch NAME/N --single-branch URL && cd … && dvc pull

brings back exactly the files of that revision. `git log origin/NAME` tells why each revision was made,
`git diff NAME/0 NAME/1` what changed. With blastgit the same is `blastgit -C URL get NAME@N`.
"""


def init(
    path: Path,
    *,
    store: str | None = None,
    options: Mapping[str, str] | None = None,
    simulated: bool = False,
    is_whole: bool = True,
) -> Repository:
    """Make a data repo at `path` and open it.

    Args:
        path: Where to make the bare repository: a new or an empty folder.
        store: The URL of its store, any DVC remote; by default the folder `dvc` inside the repo.
        options: What DVC needs besides the URL to reach it (`endpointurl`, `region`, …); no secrets, since everybody
            can read them.
        simulated: Whether it will hold simulated data.
        is_whole: Whether it may be used at once; if not, `finished_at_the_end` must follow.

    Raises:
        RepoError: The folder is not empty or cannot be written, or an option must not be shared.
        UsageError: The store's URL cannot be written in a settings file.
    """
    path = path.absolute()
    config = store_config(str(path / "dvc") if store is None else absolute(store), options)
    with built(path, last="HEAD") as place:
        run_git(None, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(place))
        install_server_hooks(place, path)
        (place / "blastgit" / "locks").mkdir(parents=True)
        if not is_whole:
            (place / UNFINISHED).touch()
        if store is None:  # its layout lets local users who record by URL recognise it as the store
            make_folders(place / "dvc" / "files" / "md5")
            (place / "dvc" / "tmp").mkdir()  # so that it gets the same mode as all other folders
        make_folders(place / "objects")
        _first_commit(place, config, simulated=simulated)
    return LocalRepository(path)


def _first_commit(path: Path, config: bytes, *, simulated: bool) -> None:
    git = open_repository(path)
    files = {**dot_files(config), FILE: default_text(simulated=simulated), "README.md": _README.encode()}
    batch, who = Batch(git), committer(git)
    tree = batch.tree({name: batch.blob(data) for name, data in files.items()})
    commit = batch.commit((who, who), "A new data repo\n", tree, [])
    update_refs(path, [RefUpdate(MAIN, str(commit))], "blastgit init", objects=batch)
