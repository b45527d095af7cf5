"""The state of each transient in Blast's database: when its tasks last changed, and a digest of exported values.

All states are read in a few queries, row by row, without creating model objects, so memory use is constant. The digest
covers the significant fields (`revision/rules.yaml`) and the aliases of the transient and of its host, because they can
change without a task of the transient running. The other tables change with a task; manual edits of them are noticed
by `blastgit.contrib.django`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blastgit.revision.rules import default_rules

Fields = Iterable[tuple[str, Any]]

_ENDED = ("completed", "blocked")
_CHUNK = 2000  # rows that are fetched at once
_EMPTY: tuple[Any, ...] = (None, "", [])


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a transient in Blast's database.

    Attributes:
        name: The transient.
        changed: When a task last changed, by the clock of the worker; only compared for equality. "" if none ran.
        digest: A digest of other exported values.
        has_ended: Whether the workflow has ended, according to Blast's own last task.
        edits: How many edits of its rows were noticed, as far as the cache has them.
    """

    name: str
    changed: str
    digest: str
    has_ended: bool = True
    edits: int = 0

    @property
    def state(self) -> str:
        """All compared values in one text."""
        return f"{self.changed}/{self.digest}/{self.edits}"


def standings(names: Collection[str] | None = None) -> Iterator[Standing]:
    """Yield the state of each transient, or only of some.

    A restarted workflow keeps the final status of the previous one until its first task is done; so a workflow with a
    running task, or without a finished one, has not ended.
    """
    from host.models import Transient

    transients = Transient.objects.order_by("pk")
    chosen = transients if names is None else transients.filter(name__in=names)
    shown, of_host = _columns("transient"), _columns("host")
    columns = ["pk", "host_id", "name", "processing_status", *shown, *(f"host__{field}" for field in of_host)]
    by_transient, by_host = _aliases(names)
    progress = _Progress(names)
    for row in chosen.values_list(*columns).iterator(chunk_size=_CHUNK):
        key, host, label, verdict = row[:4]
        fields = [*zip(shown, row[4:], strict=False), ("aliases", by_transient.get(key))]
        host_fields = [] if host is None else [*zip(of_host, row[4 + len(shown) :], strict=True)]
        changed, is_over = progress.of(key)
        digest = _digest(fields, [*host_fields, ("aliases", by_host.get(host))])
        yield Standing(label, changed, digest, is_over and verdict in _ENDED)


def standing_of(document: Mapping[str, Any]) -> Standing:
    """Return the state of a transient when a document was exported."""
    transient = document["transient"]["fields"]
    host = (document.get("host") or {}).get("fields", {})
    return Standing(
        str(transient["name"]),
        last_change(document),
        _digest(_counted("transient", transient), _counted("host", host)),
    )


def last_change(document: Mapping[str, Any]) -> str:
    """Return what `Standing.changed` was when a document was exported."""
    noted = [task.get("last_modified") for task in document.get("workflow_tasks", [])]
    times = [datetime.fromisoformat(time) for time in noted if time]
    return max(times).isoformat() if times else ""


class _Progress:
    """The progress of the workflow of each transient, which must be queried in the order of the primary keys."""

    def __init__(self, names: Collection[str] | None) -> None:
        from django.db.models import Count, Max, Q
        from host.models import Status, TaskRegister

        statuses = dict(Status.objects.values_list("pk", "message"))
        working = [key for key, message in statuses.items() if message == "processing"]
        waiting = [key for key, message in statuses.items() if message == "not processed"]
        tasks = TaskRegister.objects.all()
        if names is not None:
            tasks = tasks.filter(transient__name__in=names)
        # compares ids of the few statuses: joining them to each row would double the time
        grouped = tasks.order_by("transient_id").values_list("transient_id").annotate(
            changed=Max("last_modified"),
            working=Count("pk", filter=Q(status_id__in=working)),
            done=Count("pk", filter=~Q(status_id__in=waiting)),
        )  # fmt: skip
        self._rows = grouped.iterator(chunk_size=_CHUNK)
        self._next: tuple[Any, ...] | None = next(self._rows, None)

    def of(self, key: int) -> tuple[str, bool]:
        """Return when a task of a transient last changed, and whether some are done and none is running."""
        while self._next is not None and self._next[0] < key:
            self._next = next(self._rows, None)
        if self._next is None or self._next[0] != key:
            return "", False
        _, changed, working, done = self._next
        return "" if changed is None else changed.isoformat(), bool(done) and not working


def _aliases(names: Collection[str] | None) -> tuple[Mapping[int, list[str]], Mapping[int, list[str]]]:
    from django.db.models import Q

    try:
        from host.models import Alias
    except ImportError:  # before v1.12.0
        return {}, {}
    found = Alias.objects.all()
    if names is not None:
        found = found.filter(Q(transient__name__in=names) | Q(host__transient__name__in=names)).distinct()
    of_transient: dict[int, list[str]] = defaultdict(list)
    of_host: dict[int, list[str]] = defaultdict(list)
    for transient, host, alias in found.values_list("transient_id", "host_id", "alias").iterator(chunk_size=_CHUNK):
        (of_host if transient is None else of_transient)[host if transient is None else transient].append(alias)
    return of_transient, of_host


def _columns(table: str) -> list[str]:
    """Return the columns of a table that are exported and significant, and do not refer to another row."""
    from django.apps import apps

    fields = apps.get_model("host", table)._meta.concrete_fields  # noqa: SLF001 (public API in spite of its name)
    return [f.name for f in fields if not f.is_relation and not f.primary_key and _counts(table, f.name)]


def _counted(table: str, fields: Mapping[str, Any]) -> Fields:
    return [(field, value) for field, value in fields.items() if _counts(table, field)]


def _counts(table: str, field: str) -> bool:
    rules = default_rules().tables[table]
    return field not in rules.volatile and field not in rules.references


def _digest(transient: Fields, host: Fields) -> str:
    said = [{field: _word(value) for field, value in part if value not in _EMPTY} for part in (transient, host)]
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()


def _word(value: Any) -> Any:
    """Return a value as it is written in a published document."""
    from django.core.serializers.json import DjangoJSONEncoder

    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if isinstance(value, list):
        return sorted(value)
    return DjangoJSONEncoder().default(value)
