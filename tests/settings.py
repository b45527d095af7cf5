"""Settings that a test adds to a data repo."""

from pathlib import Path

from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.format import FILE
from blastgit.repository.local import LocalRepository


def add_settings(repo: Path, text: str) -> None:
    """Put text at the end of `blastgit.yaml` on main, as the owner of the repo would."""
    repository = LocalRepository(repo)
    data = repository.main_file(FILE) + f"\n{text}\n".encode()
    commit_to_branch(repository, "main", lambda _: BranchEdit({FILE: data}, "By hand"))
