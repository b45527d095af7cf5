"""Invented transients that look like what Blast publishes, for the demo, the tests and the benchmarks.

Every function is pure and deterministic: the same arguments give the same bytes, and no sample is ever changed.
"""

from blastgit.demo.changes import (
    add_alias,
    break_off,
    change_image,
    edit_flux,
    fail_stage,
    flip_validation,
    inject_nonfinite,
    refit,
    reprocess,
    without_host,
)
from blastgit.demo.generate import DEFAULT_FILTERS, process, small
from blastgit.demo.sample import Sample

__all__ = [
    "DEFAULT_FILTERS",
    "Sample",
    "add_alias",
    "break_off",
    "change_image",
    "edit_flux",
    "fail_stage",
    "flip_validation",
    "inject_nonfinite",
    "process",
    "refit",
    "reprocess",
    "small",
    "without_host",
]
