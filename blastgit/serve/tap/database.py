"""Prepares a connection to the index before it is locked: the schemas that queries name, and ObsCore.

Each schema is a database in memory with that name, so that names like `ivoa.ObsCore` need no translation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blastgit.index.open_index import NAME
from blastgit.index.tables import Column
from blastgit.serve.tap.tables import Datatype, Served, served, spelled
from blastgit.store.media_types import BY_ENDING, OTHER

AUTHORITY = "x-blastgit"
"""The naming authority of identifiers; the prefix x- means that it is not registered."""


_SUBJECT = (
    "NOT starts_with(split_part(subject, ':', 2), 'u/') AND"
    " (NOT starts_with(subject, 'file:') OR split_part(subject, ':', 3) IN (SELECT sha256 FROM {main}.files))"
)
_PUBLIC = {
    **dict.fromkeys(("annotations", "flags", "metrics", "attachments"), _SUBJECT),
    "members": "NOT is_personal AND NOT starts_with(collection, 'u/')",
    "collections": "NOT starts_with(collection, 'u/')",
}
"""The condition for public rows: the personal lines of users are not public."""


def preparations(base: str, query: str) -> Sequence[str]:
    """Return the statements that create the schemas.

    Args:
        base: The URL of the service, with which the addresses of files begin.
        query: The query that is to be answered; `tap_schema` is created only if the query names it, because filling it
            takes a tenth of a second.
    """
    all_ = served()
    return [*_tables(all_, base), *(_described(all_) if "tap_schema" in query.lower() else ())]


def _tables(all_: Served, base: str) -> Iterator[str]:
    for schema in all_.schemas:
        yield f"ATTACH ':memory:' AS {schema}"
    for table in all_.of("blastgit"):
        where = _PUBLIC.get(table.name, "true").format(main=f"{NAME}.main")
        yield f"CREATE VIEW blastgit.{table.name} AS SELECT * FROM {NAME}.main.{table.name} WHERE {where}"  # noqa: S608
    yield f"CREATE VIEW ivoa.obscore AS {_obscore(base)}"


def _described(all_: Served) -> Iterator[str]:
    rows = _rows(all_)
    for table in all_.of("tap_schema"):
        columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table.columns)
        yield f"CREATE TABLE tap_schema.{table.name} ({columns})"
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows[table.name])
        yield f"INSERT INTO tap_schema.{table.name} VALUES {values}"  # noqa: S608 (values of ours, quoted)


def _rows(all_: Served) -> dict[str, Sequence[Sequence[object]]]:
    """Return the rows of TAP_SCHEMA."""
    schemas = [[name, None, about, at] for at, (name, about) in enumerate(all_.schemas.items())]
    tables = [
        [table.schema, table.full_name, "view" if table.is_view else "table", table.utype or None, table.about, at]
        for at, table in enumerate(all_.tables)
    ]
    columns = [
        [table.full_name, *_facts(column), int(table.schema != "blastgit"), at]
        for table in all_.tables
        for at, column in enumerate(table.columns)
    ]
    keys = [[key.name, key.source, key.target, None, None] for key in all_.keys]
    pairs = [[key.name, *pair] for key in all_.keys for pair in key.pairs]
    return {"schemas": schemas, "tables": tables, "columns": columns, "keys": keys, "key_columns": pairs}


def _facts(column: Column) -> list[object]:
    """Return the fields of a column in TAP_SCHEMA, from its name to whether it is in the standard."""
    type_ = Datatype.of(column)
    facts = (type_.name, type_.arraysize, type_.xtype, "", column.about, column.utype, column.unit, column.ucd)
    return [spelled(column.name), *(fact or None for fact in facts), 0, 1]


def _obscore(base: str) -> str:
    """Return the view of all files that can be downloaded."""
    kinds = "CASE files.kind WHEN 'cutout' THEN 'image' WHEN 'sed_model' THEN 'sed' ELSE 'measurements' END"
    endings = " ".join(f"WHEN files.path LIKE '%{ending}' THEN '{type_}'" for ending, type_ in BY_ENDING.items())
    path = "replace(url_encode(files.path), '%2F', '/')"
    is_image = "files.kind = 'cutout'"
    columns = {
        "dataproduct_type": kinds,
        "calib_level": f"CASE WHEN {is_image} THEN 3 ELSE 4 END",
        "obs_collection": "coalesce(revisions.run, 'Blast')",
        "obs_id": "revisions.dataset",
        "obs_publisher_did": f"'ivo://{AUTHORITY}/' || files.transient || '/' || files.revision || '?' || {path}",
        "access_url": f"{_literal(f'{base}/files/')} || revisions.dataset || '/' || {path}",
        "access_format": f"CASE {endings} ELSE '{OTHER}' END",
        "access_estsize": "CAST(ceil(files.bytes / 1000) AS BIGINT)",
        "target_name": "files.transient",
        "s_ra": "revisions.ra_deg",
        "s_dec": "revisions.dec_deg",
        "s_resolution": f"CASE WHEN {is_image} THEN filters.image_fwhm_arcsec END",
        "em_min": f"CASE WHEN {is_image} THEN filters.wavelength_min_angstrom * 1e-10 END",
        "em_max": f"CASE WHEN {is_image} THEN filters.wavelength_max_angstrom * 1e-10 END",
        "em_xel": f"CAST(CASE WHEN {is_image} THEN 1 END AS BIGINT)",
        "o_ucd": f"CASE WHEN {is_image} THEN 'phot.flux.density' END",
        "pol_xel": "CAST(0 AS BIGINT)",
        "facility_name": "files.survey",
    }
    (table,) = served().of("ivoa")
    chosen = ", ".join(
        f"{columns.get(column.name, f'CAST(NULL AS {column.sql_type})')} AS {column.name}" for column in table.columns
    )
    return (
        f"SELECT {chosen} FROM {NAME}.main.files"  # noqa: S608 (names of ours)
        f" JOIN {NAME}.main.revisions USING (transient, revision)"
        f" LEFT JOIN {NAME}.main.filters ON filters.filter = files.filter"
        " WHERE NOT files.is_withdrawn AND files.kind <> 'thumbnail'"
    )


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'{}'".format(str(value).replace("'", "''"))
