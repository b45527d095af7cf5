"""Load datasets as Python objects.

A reader is a function of one `Dataset`, registered in the entry point group `blastgit.readers`. Which files or rows
belong to a dataset type, and which reader loads them, is set in `types.yaml` and in `dataset_types` of `blastgit.yaml`.
"""

from blastgit.readers.arrays import Arrays
from blastgit.readers.dataset import Content, Dataset
from blastgit.readers.identity import Identity, identity_of

__all__ = ["Arrays", "Content", "Dataset", "Identity", "identity_of"]
