"""A `/data` tree of a few transients, for the tests of imports."""

import json
from pathlib import Path

from blastgit.demo import Sample, small


def variant(name: str) -> Sample:
    """A transient of that name."""
    sample = small("2026dgt")
    return Sample(
        json.loads(sample.text.replace("2026dgt", name)),
        {path.replace("2026dgt", name): data for path, data in sample.files.items()},
    )


def write_tree(folder: Path, names: list[str]) -> Path:
    """A `/data` tree with its exports, as `blastgit import` finds them."""
    for name in names:
        export, _ = variant(name).write(folder / "new" / name)
        (folder / "exports").mkdir(exist_ok=True)
        export.rename(folder / "exports" / f"{name}.json")
        for root in ("cutout_cdn", "sed_output"):
            (folder / root).mkdir(exist_ok=True)
            (folder / "new" / name / "data" / root / name).rename(folder / root / name)
    return folder
