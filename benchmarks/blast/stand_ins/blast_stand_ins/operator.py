"""An operator of Blast: run by Blast's own Python, it does what lines of JSON ask for, one after the other.

A line is `[verb, {arguments}]`; the answer is `["ok", result]` or `["failed", "Kind: words"]`.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import django


def _client() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username="admin"))
    return client


def request(method: str, path: str, data: dict[str, Any] | None = None, file: str | None = None) -> dict[str, Any]:
    """Ask for a page as the administrator who has logged in; a file goes along as `file`."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    sent: dict[str, Any] = dict(data or {})
    if file is not None:
        sent["file"] = SimpleUploadedFile(Path(file).name, Path(file).read_bytes())
    answer = getattr(_client(), method)(path, sent)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return {"status": answer.status_code, "body": base64.b64encode(body).decode()}


def workflow(name: str) -> None:
    """Start the workflow of a transient, which adds it if it is new."""
    from host.workflow import transient_workflow

    transient_workflow.delay(name)


def send(task: str, arguments: list[Any]) -> None:
    """Have a worker run a task."""
    from app.celery import app

    app.send_task(task, args=arguments)


def tasks(name: str) -> dict[str, str]:
    """Return how each task of a transient stands."""
    from host.models import TaskRegister

    rows = TaskRegister.objects.filter(transient__name=name)
    return dict(rows.values_list("task__name", "status__message"))


def edit(model: str, where: dict[str, Any], values: dict[str, Any]) -> int:
    """Change rows and save each, as Django's admin does; return how many."""
    from django.apps import apps

    rows = list(apps.get_model("host", model).objects.filter(**where))
    for row in rows:
        for field, value in values.items():
            setattr(row, field, value)
        row.save()
    return len(rows)


def add_filter(like: str, name: str) -> None:
    """Add a filter to the instance."""
    from host.models import Filter

    row = Filter.objects.get(name=like)
    row.pk, row.name = None, name
    row.save()


def ingest() -> None:
    """Run the ingestion of what the name server says."""
    from host.system_tasks import TNSDataIngestion

    TNSDataIngestion().run_process()


def export(name: str) -> dict[str, Any]:
    """Return the document that Blast would serve, without going over its pages."""
    from host.host_utils import export_transient_info

    return json.loads(json.dumps(export_transient_info(name)))


def set_schedule(seconds: int) -> list[str]:
    """Have beat do nothing but sweep, every so many seconds, as an operator would in the admin; return all it had."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    every = list(PeriodicTask.objects.values_list("name", flat=True))
    PeriodicTask.objects.exclude(task="blastgit.sweep").update(enabled=False)
    interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task="blastgit.sweep").update(interval=interval)
    return every


def empty_cache() -> None:
    """Lose what the ledger has noted."""
    from django.core.cache import cache

    cache.clear()


def write_curves(folder: str) -> int:
    """Write a transmission curve for each filter of the instance; return how many there are."""
    from host.models import Filter

    for row in Filter.objects.all():
        middle, width = row.wavelength_eff_angstrom, 0.1 * row.wavelength_eff_angstrom
        points = [
            (middle + step * width, max(0.0, 1 - abs(step) / 2)) for step in (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)
        ]
        lines = [f"{wavelength} {share}\n" for wavelength, share in points]
        Path(folder, f"{row.name}.txt").write_text("".join(lines))
    return Filter.objects.count()


def versions() -> dict[str, str]:
    """Return which Blast this is, and which blastgit it imports."""
    from django.conf import settings

    import blastgit

    return {"blast": settings.APP_VERSION, "blastgit": str(Path(blastgit.__file__).parent)}


VERBS = (
    request, workflow, send, tasks, edit, add_filter, ingest, export, set_schedule, empty_cache, write_curves, versions,
)  # fmt: skip


def main() -> None:
    """Answer until there are no more lines."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what Blast prints is no answer
    django.setup()
    verbs = {verb.__name__: verb for verb in VERBS}
    for line in sys.stdin:
        verb, arguments = json.loads(line)
        try:
            answer = ["ok", verbs[verb](**arguments)]
        except Exception as error:  # noqa: BLE001 (the one who asked decides what to make of it)
            answer = ["failed", f"{type(error).__name__}: {error}"]
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
