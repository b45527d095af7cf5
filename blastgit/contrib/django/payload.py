"""A revision as the flat table that Blast's API serves at `/api/transient/get/NAME`.

The keys are Blast's: the kind of row, then the field, such as `global_aperture_DES_g_flux`. As in Blast, all fields of
a row are null if the row is missing or ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]

_SCOPES = ("local", "global")
_LEFT_OUT = {
    "Transient": {"tns_id", "tns_prefix", "tasks_initialized", "photometric_class", "processing_status", "added_by"},
    "SEDFittingResult": {"log_tau_16", "log_tau_50", "log_tau_84", "posterior"},
}
_OF_HOST = (
    "name", "ra_deg", "dec_deg", "redshift", "milkyway_dust_reddening", "object_id", "catalog_name", "catalog_release",
    "aliases",
)  # fmt: skip


def flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a published document as Blast's flat payload."""
    apertures = document["apertures"]
    linked = _Linked(document)
    host = [document["host"]] if document["host"] else []
    told = linked.row("transient_", "Transient", [document["transient"]], extra=("aliases",))
    told |= {f"host_{field}": host[0]["fields"].get(field) if host else None for field in _OF_HOST}
    for scope in _SCOPES:
        own = [each for each in apertures if each["fields"]["type"] == scope]
        told |= linked.row(f"{scope}_aperture_", "Aperture", own)
    for scope in _SCOPES:
        rows = [row for each in apertures if each["fields"]["type"] == scope for row in each["aperturephotometry"]]
        for band in document["filters"]:
            own = [row for row in rows if row["fields"]["filter"] == band["pk"]]
            told |= linked.row(f"{scope}_aperture_{band['fields']['name']}_", "AperturePhotometry", own)
    for scope in _SCOPES:
        fits = [row for each in apertures if each["fields"]["type"] == scope for row in each["sedfittingresults"]]
        told |= linked.row(f"{scope}_aperture_host_", "SEDFittingResult", fits)
    return told


class _Linked:
    """The rows of a document, in which each reference is replaced by the row that it refers to."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._rows = {
            "transient": [document["transient"]], "host": [document["host"]] if document["host"] else [],
            "filter": document["filters"], "cutout": document["cutouts"], "aperture": document["apertures"],
            "logsfh": [row for each in document["apertures"] for row in each["starformationhistoryresult"]],
        }  # fmt: skip

    def row(self, prefix: str, model: str, found: list[Row], extra: tuple[str, ...] = ()) -> dict[str, Any]:
        fields = [*_fields_of(model), *extra]
        if len(found) != 1:
            return {prefix + field: None for field in fields}
        values = {"id": found[0]["pk"], **found[0]["fields"]}
        return {prefix + field: self._value(field, values.get(field)) for field in fields}

    def _value(self, field: str, value: Any) -> Any:
        if field not in self._rows:
            return value
        if isinstance(value, list):
            return [self._value(field, each) for each in value]
        return next(({"id": row["pk"], **row["fields"]} for row in self._rows[field] if row["pk"] == value), None)


def _fields_of(model: str) -> list[str]:
    from django.apps import apps

    meta = apps.get_model("host", model)._meta  # noqa: SLF001 (public API in spite of its name)
    names = [field.name for field in (*meta.concrete_fields, *meta.many_to_many)]
    return [name for name in names if name not in _LEFT_OUT.get(model, ())]
