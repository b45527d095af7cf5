"""Reading a dataset as the object that it is: dataset types, and the readers that make objects of bytes and rows.

A reader is a function of one `Dataset`, registered by the entry point group `blastgit.readers`; which files or rows a
dataset type is made of, and which reader reads them, is data: `types.yaml`, and `dataset_types` of `blastgit.yaml`.
"""

from blastgit.readers.arrays import Arrays
from blastgit.readers.dataset import Content, Dataset
from blastgit.readers.identity import Identity, identity_of

__all__ = ["Arrays", "Content", "Dataset", "Identity", "identity_of"]
