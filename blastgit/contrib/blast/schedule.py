"""Schedules the sweep with Celery beat, where `django_celery_beat` keeps the schedule in the database."""

from __future__ import annotations

NAME = "Dataset revisions"
_SECONDS = 300


def schedule_sweep(seconds: int = _SECONDS) -> bool:
    """Schedule the sweep, unless it is scheduled already: changes by an operator are kept, also if it is disabled.

    (`CELERY_BEAT_SCHEDULE` in Blast's settings would be written into the database at each start of beat.)

    Args:
        seconds: The interval between sweeps.

    Returns:
        Whether the sweep was newly scheduled.
    """
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    interval = IntervalSchedule.objects.filter(every=seconds, period=IntervalSchedule.SECONDS).first()
    if interval is None:
        interval = IntervalSchedule.objects.create(every=seconds, period=IntervalSchedule.SECONDS)
    _, is_new = PeriodicTask.objects.get_or_create(name=NAME, defaults={"task": "blastgit.sweep", "interval": interval})
    return bool(is_new)
