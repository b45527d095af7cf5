"""Whether two versions of a data file are equal by content, and how they differ.

Formats are picked by the suffix of the dataset path: FITS, numpy archives and HDF5 are built in, others
come from plug-ins under the entry point group ``blastgit.content``, and everything else is compared as bytes.
"""

from blastgit.content.compare import describe, probe, same
from blastgit.content.drawn import only_drawn
from blastgit.content.model import (
    Bytes,
    CardChange,
    Difference,
    Format,
    Layout,
    Numbers,
    Part,
    Tolerance,
    Verdict,
)

__all__ = [
    "Bytes",
    "CardChange",
    "Difference",
    "Format",
    "Layout",
    "Numbers",
    "Part",
    "Tolerance",
    "Verdict",
    "describe",
    "only_drawn",
    "probe",
    "same",
]
