"""Notes edits of Blast's rows when they happen, so that the next sweep has the transient recorded.

It listens to the tables that the sweep's digest does not cover. Writes that bypass Django's models (`QuerySet.update`,
`bulk_create`, SQL) send no signal.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

_TABLES = ("Cutout", "Aperture", "AperturePhotometry", "SEDFittingResult", "StarFormationHistoryResult")

_log = logging.getLogger("blastgit.blast")


def connect() -> None:
    """Listen to Blast's models."""
    for table in _TABLES:
        _listen(_row_edited, apps.get_model("host", table))
    _listen(_filter_edited, apps.get_model("host", "Filter"))
    through = apps.get_model("host", "SEDFittingResult").logsfh.through
    m2m_changed.connect(_links_edited, sender=through, dispatch_uid="blastgit")


def _listen(receiver: Any, model: Any) -> None:
    post_save.connect(receiver, sender=model, dispatch_uid="blastgit")
    post_delete.connect(receiver, sender=model, dispatch_uid="blastgit")


def _row_edited(instance: Any, **_: Any) -> None:
    if instance.transient_id is not None:
        names = apps.get_model("host", "Transient").objects.filter(pk=instance.transient_id)
        _note(names.values_list("name", flat=True))


def _links_edited(instance: Any, action: str, **_: Any) -> None:
    if action.startswith("post_"):
        _row_edited(instance)


def _filter_edited(instance: Any, **_: Any) -> None:
    from django.db.models import Q

    transients = apps.get_model("host", "Transient").objects
    used = Q(cutout__filter=instance.pk) | Q(aperturephotometry__filter=instance.pk)
    _note(transients.filter(used).values_list("name", flat=True).distinct())


def _note(names: Iterable[str]) -> None:
    """Note an edit once it is committed, so that readers of the note see the edit."""
    transaction.on_commit(partial(_edited, list(names)), robust=True)


def _edited(names: list[str]) -> None:
    from blastgit.contrib.blast.ledger import Ledger

    try:
        Ledger().edited(names)
    except Exception:  # noqa: BLE001 (whatever the cache is made of; an edit does not depend on it)
        _log.exception("that %s was edited cannot be noted in Django's cache", ", ".join(names[:20]))
