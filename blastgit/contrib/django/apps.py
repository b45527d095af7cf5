"""The Django app, which connects to Blast's models when Django starts."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BlastgitConfig(AppConfig):  # type: ignore[misc,unused-ignore]
    """The configuration of the app."""

    name = "blastgit.contrib.django"
    label = "blastgit"
    verbose_name = "Dataset revisions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to Blast's models, and schedule the sweep once the tables exist."""
        from blastgit.contrib.django.signals import connect

        connect()
        post_migrate.connect(_schedule, sender=self)


def _schedule(apps: Any, **_: Any) -> None:
    try:
        apps.get_model("django_celery_beat", "PeriodicTask")
    except LookupError:
        return  # it is not installed, or its tables do not exist yet: `migrate` ran for one app only
    from blastgit.contrib.blast.schedule import schedule_sweep

    schedule_sweep()
