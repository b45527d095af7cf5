"""The self-description of the service: capabilities, availability, tables, examples, and a page for people."""

from __future__ import annotations

from collections.abc import Iterator

from blastgit._version import __version__
from blastgit.index.tables import Column
from blastgit.search.tabular.votable import quoted, safe
from blastgit.serve.tap.asked import LANGUAGES
from blastgit.serve.tap.forms import FORMS
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.tables import Datatype, Key, ServedTable, served, spelled

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_RESOURCE = 'xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1" xmlns:vr="http://www.ivoa.net/xml/VOResource/v1.0"'
_FEATURES = {
    "string": ("LOWER", "UPPER", "ILIKE"),
    "sets": ("UNION", "EXCEPT", "INTERSECT"),
    "common-table": ("WITH",),
    "type": ("CAST",),
    "unit": ("IN_UNIT",),
    "offset": ("OFFSET",),
}
"""The optional features of ADQL 2.1 that are supported, by the names of their groups in TAPRegExt."""
_EXAMPLES = {
    "Transients in a circle": """\
SELECT transient, ra_deg, dec_deg, best_redshift FROM blastgit.transients
WHERE 1 = CONTAINS(POINT('ICRS', ra_deg, dec_deg), CIRCLE('ICRS', 244.67, 12.3, 1))""",
    "Photometry of the latest revisions": """\
SELECT TOP 100 transient, photometry.filter, aperture, flux, flux_error
FROM blastgit.photometry JOIN blastgit.transients USING (transient, revision) WHERE flux > 5 * flux_error""",
    "Images of one transient": """\
SELECT obs_id, access_url, em_min, em_max FROM ivoa.ObsCore
WHERE target_name = '2026dgt' AND dataproduct_type = 'image'""",
}


def availability() -> bytes:
    """Return the VOSI availability: the service is available."""
    said = "<vosi:available>true</vosi:available>"
    return (
        f'{_HEAD}<vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">{said}'
        "</vosi:availability>\n"
    ).encode()


def capabilities(base: str, limits: ServiceLimits) -> bytes:
    """Return the VOSI capabilities, with those of TAPRegExt."""
    spaces = f'xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0" {_XSI} {_RESOURCE}'
    parts = [
        f'<vosi:capabilities {spaces} xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0">',
        '<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">',
        _interface(f"{base}/tap", "base", 'role="std" version="1.1"'),
        '<dataModel ivo-id="ivo://ivoa.net/std/ObsCore#core-1.1">ObsCore-1.1</dataModel>',
        _language(),
        *(_form(form.ivoid, form.mime, form.name) for form in FORMS),
        _limit("retentionPeriod", limits.retention, limits.retention),
        _limit("executionDuration", limits.most_seconds, limits.most_seconds),
        _limit("outputLimit", limits.rows, limits.most_rows, ' unit="row"'),
        "</capability>",
    ]
    for name in ("capabilities", "availability", "tables"):
        standard = f"ivo://ivoa.net/std/VOSI#{'tables-1.1' if name == 'tables' else name}"
        parts.append(_capability(standard, _interface(f"{base}/tap/{name}", "full", 'role="std"')))
    page_ = _interface(f"{base}/tap/examples", "full", 'role="std"', kind="vr:WebBrowser")
    parts.append(_capability("ivo://ivoa.net/std/DALI#examples", page_))
    return f"{_HEAD}{chr(10).join(parts)}\n</vosi:capabilities>\n".encode()


def _capability(standard: str, interface: str) -> str:
    return f'<capability standardID="{standard}">{interface}</capability>'


def _interface(url: str, use: str, facts: str, kind: str = "vs:ParamHTTP") -> str:
    return f'<interface xsi:type="{kind}" {facts}><accessURL use="{use}">{safe(url)}</accessURL></interface>'


def _language() -> str:
    from blastgit.search.adql.shapes import GEOMETRY

    versions = "".join(
        f'<version ivo-id="ivo://ivoa.net/std/ADQL#v{name[5:]}">{name[5:]}</version>' for name in LANGUAGES
    )
    groups = {"adqlgeo": tuple(GEOMETRY), **{f"adql-{name}": forms for name, forms in _FEATURES.items()}}
    features = "".join(
        f'<languageFeatures type="ivo://ivoa.net/std/TAPRegExt#features-{name}">'
        f"{''.join(f'<feature><form>{form}</form></feature>' for form in forms)}</languageFeatures>"
        for name, forms in groups.items()
    )
    return f"<language><name>ADQL</name>{versions}<description>ADQL</description>{features}</language>"


def _form(ivoid: str, mime: str, alias: str) -> str:
    named = f" ivo-id={quoted(ivoid)}" if ivoid else ""
    return f"<outputFormat{named}><mime>{safe(mime)}</mime><alias>{alias}</alias></outputFormat>"


def _limit(name: str, usual: float, most: float, unit: str = "") -> str:
    return f"<{name}><default{unit}>{int(usual)}</default><hard{unit}>{int(most)}</hard></{name}>"


def tableset(*, detailed: bool = True) -> bytes:
    """Return the tables: VODataService's tableset."""
    all_ = served()
    parts = [f'<vosi:tableset xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" {_XSI} {_RESOURCE}>']
    for name, about in all_.schemas.items():
        parts += [f"<schema><name>{name}</name><description>{safe(about)}</description>"]
        for table in all_.of(name):
            parts += _table(table, [key for key in all_.keys if key.source == table.full_name], detailed=detailed)
        parts.append("</schema>")
    return f"{_HEAD}{chr(10).join(parts)}\n</vosi:tableset>\n".encode()


def one_table(name: str) -> bytes | None:
    """Return one table, or None if there is none of that name."""
    all_ = served()
    for table in all_.tables:
        if table.full_name.lower() == name.lower():
            keys = [key for key in all_.keys if key.source == table.full_name]
            opening, *rest = _table(table, keys, detailed=True)
            names = f'xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" {_XSI} {_RESOURCE}'
            opening = opening.replace("<table ", f"<vosi:table {names} ")
            return f"{_HEAD}{chr(10).join([opening, *rest[:-1]])}\n</vosi:table>\n".encode()
    return None


def _table(table: ServedTable, keys: list[Key], *, detailed: bool) -> Iterator[str]:
    yield f'<table type="{"view" if table.is_view else "base_table"}"><name>{table.full_name}</name>'
    yield f"<description>{safe(table.about)}</description>"
    if table.utype:
        yield f"<utype>{safe(table.utype)}</utype>"
    if detailed:
        yield from (_column(column, is_std=table.schema != "blastgit") for column in table.columns)
        yield from map(_key, keys)
    yield "</table>"


def _column(column: Column, *, is_std: bool) -> str:
    facts = "".join(
        f"<{name}>{safe(value)}</{name}>"
        for name, value in (
            ("name", spelled(column.name)), ("description", column.about), ("unit", column.unit), ("ucd", column.ucd),
            ("utype", column.utype),
        )
        if value
    )  # fmt: skip
    type_ = Datatype.of(column)
    shape = f' arraysize="{type_.arraysize}"' if type_.arraysize else ""
    meaning = f" extendedType={quoted(type_.xtype)}" if type_.xtype else ""
    standard = ' std="true"' if is_std else ""
    said = f'<dataType xsi:type="vs:VOTableType"{shape}{meaning}>{type_.name}</dataType>'
    return f"<column{standard}>{facts}{said}</column>"


def _key(key: Key) -> str:
    pairs = "".join(
        f"<fkColumn><fromColumn>{source}</fromColumn><targetColumn>{target}</targetColumn></fkColumn>"
        for source, target in key.pairs
    )
    return f"<foreignKey><targetTable>{key.target}</targetTable>{pairs}</foreignKey>"


def examples() -> bytes:
    """Return example queries, as DALI examples."""
    said = "".join(
        f'<div id="example{at}" resource="#example{at}" typeof="example"><h2 property="name">{safe(name)}</h2>'
        f'<pre property="query">{safe(query)}</pre></div>\n'
        for at, (name, query) in enumerate(_EXAMPLES.items(), 1)
    )
    return (
        f'{_HEAD}<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" vocab="http://www.ivoa.net/rdf/examples#">'
        f"<head><title>Examples</title></head><body>\n{said}</body></html>\n"
    ).encode()


def page(base: str) -> bytes:
    """Return a page that describes the service for people."""
    url = safe(f"{base}/tap")
    links = "".join(
        f"<li><a href={quoted(f'{base}/tap/{name}')}>{name}</a></li>"
        for name in ("capabilities", "availability", "tables", "examples")
    )
    tables = "".join(f"<li><code>{table.full_name}</code>: {safe(table.about)}</li>" for table in served().tables)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>blastgit TAP</title></head><body>'
        f"<h1>Blast's datasets, by TAP</h1><p>Give <code>{url}</code> to TOPCAT, pyvo, or another TAP client.</p>"
        f"<ul>{links}</ul><h2>Tables</h2><ul>{tables}</ul><p>blastgit {__version__}</p></body></html>\n"
    ).encode()
