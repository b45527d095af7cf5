"""Convert rows of a document to an astropy table with units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blastgit.readers.dataset import Dataset
from blastgit.revision.quantities import unit_of

if TYPE_CHECKING:
    from astropy.table import Table


def table_of(dataset: Dataset) -> Table:
    """Return the rows of a dataset, with computed columns."""
    from astropy.table import MaskedColumn, Table

    rows = dataset.check_rows()
    table = Table(meta={"rows": dataset.type.rows})
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        unit = unit_of(name)
        table[name] = MaskedColumn(_filled(values), mask=[value is None for value in values], unit=unit)
    for recipe in dataset.type.virtual:
        made = [recipe.value(row) for row in rows]
        column = MaskedColumn(_filled(made), mask=[value is None for value in made], unit=recipe.unit or None)
        column.description = f"computed: {recipe.text}" + (f" ({recipe.about})" if recipe.about else "")
        table[recipe.name] = column
    faults = [fault for recipe in dataset.type.virtual for row in rows if (fault := recipe.fault(row))]
    if faults:
        table.meta["faults"] = faults
    return table


def _filled(values: list[Any]) -> list[Any]:
    """Replace missing values by a value of the right type."""
    known = [value for value in values if value is not None]
    if not known:
        return [0.0] * len(values)
    if all(isinstance(value, bool) for value in known):
        return [value or False for value in values]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return [0 * known[0] if value is None else value for value in values]
    return ["" if value is None else value if isinstance(value, str) else str(value) for value in values]
