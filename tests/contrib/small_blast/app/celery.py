"""The Celery app."""

import os
from functools import partial

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
app = Celery("app")
app.config_from_object("django.conf:settings", namespace="CELERY")


@worker_init.connect
def try_again_soon(**_: object) -> None:
    """Have a worker try as often as ever, but without the seconds in between: the S3 server needs no rest."""
    from blastgit.store import bucket, dvc
    from blastgit.store.failures import Patience

    bucket.Patience = dvc.Patience = partial(Patience, (0.01, 0.02, 0.04))
