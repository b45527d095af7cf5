"""The inputs of each product of a revision, from its document, and whether an input was actually used.

Products are named as everywhere: files by their path (`cutout_cdn/DES/DES_z.fits`), rows by their natural path
(`photometry/2026dgt_DES_z_global/DES_z`, `sed/global`). The order is image → cutout → aperture → photometry → SED
result → files. A photometry row that was not validated is in the document, but was not used in the fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from blastgit.naming.paths import dataset_path
from blastgit.revision.document import Json
from blastgit.revision.normalise import NaturalForm, Row

_SED_FILES = ("posterior", "chains_file", "percentiles_file", "model_file")


@dataclass(frozen=True, slots=True)
class Use:
    """One step from a product to a source.

    Attributes:
        product: What was made.
        source: What it was made from.
        really: Whether the source was actually used, or only considered.
    """

    product: str
    source: str
    really: bool = True


@dataclass(frozen=True)
class Uses:
    """All steps inside one revision."""

    steps: tuple[Use, ...]

    @cached_property
    def _sources(self) -> dict[str, list[str]]:
        sources: dict[str, list[str]] = {}
        for step in self.steps:
            if step.really:
                sources.setdefault(step.product, []).append(step.source)
        return sources

    def sources(self, product: str) -> list[str]:
        """Return the sources that a product was made from directly."""
        return self._sources.get(product, [])

    @cached_property
    def results(self) -> list[str]:
        """The final products: SED results and their files, or the photometry if there are none."""
        products = dict.fromkeys(step.product for step in self.steps if "@" not in step.product.partition(":")[0])
        return [each for each in products if each.startswith(("sed/", "sed_output/", "sfh/"))] or [
            each for each in products if each.startswith("photometry/")
        ]

    def inputs(self, products: Iterable[str]) -> dict[str, int]:
        """Return the direct and indirect sources of products, each with the number of steps to it."""
        known = dict.fromkeys(products, 0)
        level = list(known)
        distance = 0
        while level:
            distance += 1
            level = [source for product in level for source in self._sources.get(product, ()) if source not in known]
            known |= dict.fromkeys(level, distance)
        return {product: steps for product, steps in known.items() if steps}


def read_uses(form: NaturalForm, files: Collection[str]) -> Uses:
    """Return the steps inside a revision.

    Args:
        form: The natural form of its export.
        files: The paths of its files.
    """
    tables = form.tables
    cutouts = {row.values.get("filter"): row.path for row in tables["cutouts"]}
    apertures = {row.values.get("name"): row for row in tables["apertures"]}
    steps = [*_images(tables["cutouts"]), *_apertures(tables["apertures"], bool(tables["host"]))]
    for row in tables["photometry"]:
        aperture = apertures.get(row.key[0])
        steps += [Use(row.path, aperture.path)] if aperture else []
        steps += [Use(row.path, cutouts[row.key[1]])] if row.key[1] in cutouts else []
    for row in tables["sed"]:
        steps += _fit(row, tables["photometry"], apertures)
        steps += [Use(path, row.path) for path in _named(row, _SED_FILES)]
        steps += [Use(each.path, row.path) for each in tables["sfh"] if each.key[0] == row.key[0]]
    return Uses((*steps, *_pictures(files)))


def _images(cutouts: Iterable[Row]) -> Iterator[Use]:
    for row in cutouts:
        for path in _named(row, ("fits",)):
            yield Use(row.path, path)


def _apertures(apertures: Iterable[Row], has_host: bool) -> Iterator[Use]:
    for row in apertures:
        if "cutout" in row.values:
            yield Use(row.path, f"cutouts/{row.values['cutout']}")
        yield Use(row.path, "host" if has_host and row.values.get("type") == "global" else "transient")


def _fit(sed: Row, photometry: Iterable[Row], apertures: dict[Json, Row]) -> Iterator[Use]:
    """Yield what an SED result was fitted to: the validated photometry of its scope, or all if none was validated."""
    rows = [
        row for row in photometry if row.key[0] in apertures and apertures[row.key[0]].values.get("type") == sed.key[0]
    ]
    is_checked = any("is_validated" in row.values for row in rows)
    for row in rows:
        yield Use(sed.path, row.path, not is_checked or row.values.get("is_validated") == "true")


def _named(row: Row, fields: Iterable[str]) -> list[str]:
    paths = (row.values.get(field) for field in fields)
    return [dataset_path(path.removeprefix("/data/")) for path in paths if isinstance(path, str)]


def _pictures(files: Collection[str]) -> Iterator[Use]:
    """Yield thumbnails, which Blast draws from the file of the same name."""
    known = set(files)
    for path in sorted(known):
        if path.endswith(".jpg"):
            for suffix in (".fits", ".h5"):
                source = str(PurePosixPath(path).with_suffix(suffix))
                if source in known:
                    yield Use(path, source)
