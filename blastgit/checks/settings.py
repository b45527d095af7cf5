"""Check `blastgit.yaml`: every section can be read by the code that uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blastgit.annotations.flags import Flags
from blastgit.collections.policy import CollectionPolicy
from blastgit.datasets.storage import read_storage
from blastgit.datasets.types import DatasetTypes
from blastgit.releases.citation import Citation
from blastgit.repository.hosts import Hosts
from blastgit.repository.identity import stated_identity
from blastgit.repository.references import ReferenceTypes
from blastgit.repository.renames import Renames
from blastgit.repository.settings import SECTIONS, Settings
from blastgit.workflow.names import read_names
from blastgit.workflow.publish import Publish
from blastgit.workflow.stages import Stages
from blastgit.workflow.variants import Variants

READERS: dict[str, Callable[[Settings], Any]] = {
    "citation": Citation.of,
    "collections": CollectionPolicy.of,
    "dataset_types": DatasetTypes.of,
    "flags": Flags.of,
    "hosts": Hosts.of,
    "identity": stated_identity,
    "publish": Publish.of,
    "references": ReferenceTypes.of,
    "renames": Renames.of,
    "stages": Stages.of,
    "names": lambda settings: settings.read("names", read_names),
    "variants": Variants.of,
    "storage": lambda settings: settings.read("storage", read_storage),
}
"""The reader of each section."""


def check_settings(settings: Settings) -> None:
    """Read every section that the settings have.

    Raises:
        RepoError: One has a mistake; the error says where.
    """
    assert READERS.keys() == SECTIONS
    for key in settings.sections:
        READERS[key](settings)
