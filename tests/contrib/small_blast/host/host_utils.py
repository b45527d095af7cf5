"""A replacement of Blast's module: the export, rewritten from the description of the document."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core import serializers

from host.models import (
    Alias,
    Aperture,
    AperturePhotometry,
    Cutout,
    Filter,
    SEDFittingResult,
    StarFormationHistoryResult,
    Survey,
    TaskRegister,
    Transient,
)

CHILDREN = {
    "sedfittingresults": SEDFittingResult,
    "aperturephotometry": AperturePhotometry,
    "starformationhistoryresult": StarFormationHistoryResult,
}


def rows(found) -> list[dict]:
    return json.loads(serializers.serialize("json", found))


def export_transient_info(transient_name: str = "") -> dict:
    """Return all that the database has of a transient; nothing if it has none of that name."""
    try:
        transient = Transient.objects.get(name=transient_name)
    except Transient.DoesNotExist:
        return {}
    (own,) = rows([transient])
    own["fields"].pop("added_by")
    own["fields"]["aliases"] = list(Alias.objects.filter(transient=transient).values_list("alias", flat=True))
    return {
        "metadata": {"app_version": app_version(), "export_time": datetime.now(UTC).isoformat()},
        "transient": own,
        "host": host_of(transient),
        "apertures": [
            {
                **aperture,
                **{key: rows(table.objects.filter(aperture=aperture["pk"])) for key, table in CHILDREN.items()},
            }
            for aperture in rows(Aperture.objects.filter(transient=transient))
        ],
        "cutouts": rows(Cutout.objects.filter(transient=transient)),
        "filters": rows(Filter.objects.all()),
        "surveys": rows(Survey.objects.all()),
        "workflow_tasks": [task_row(row) for row in TaskRegister.objects.filter(transient=transient)],
    }


def app_version() -> str:
    """Return the version; a test may say that it is another."""
    told = Path(os.environ["SKY"], "app_version")
    return told.read_text() if told.exists() else f"v{settings.APP_VERSION}"


def host_of(transient) -> dict | None:
    if transient.host is None:
        return None
    (row,) = rows([transient.host])
    row["fields"]["aliases"] = list(Alias.objects.filter(host=transient.host).values_list("alias", flat=True))
    return row


def task_row(row) -> dict:
    return {
        "task_name": row.task.name,
        "status": {"type": row.status.type, "message": row.status.message},
        "user_warning": row.user_warning,
        "last_modified": row.last_modified and row.last_modified.isoformat(),
        "last_processing_time_seconds": row.last_processing_time_seconds,
    }
