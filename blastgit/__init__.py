"""blastgit: every revision of every Blast transient dataset, kept for good in git and DVC.

from blastgit import DataRepo

repo = DataRepo("/data/blast")
repo.record("2026dgt", export=Path("export.json"), data=Path("/data"))
repo.get("2026dgt@0", "paper-data")
"""

from typing import TYPE_CHECKING, Any

from blastgit._version import __version__

if TYPE_CHECKING:
    from blastgit.api.reading import compare_exports
    from blastgit.api.repo import DataRepo
    from blastgit.errors import BlastgitError

__all__ = ["BlastgitError", "DataRepo", "__version__", "compare_exports"]

_MODULES = {
    "BlastgitError": "blastgit.errors",
    "DataRepo": "blastgit.api.repo",
    "compare_exports": "blastgit.api.reading",
}


def __getattr__(name: str) -> Any:  # late, so that `blastgit --version` and completion load neither git nor numpy
    if name not in _MODULES:
        raise AttributeError(f"module 'blastgit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
