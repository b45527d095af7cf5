"""Import with Celery workers on many machines: each batch is a task, and may safely run twice.

Start workers where the data repo and the source have the same paths:

    BLASTGIT_BROKER=redis://… celery -A blastgit.exchange.workers worker

and the import with `--celery redis://…`. If a worker dies, the broker gives its batch to another.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import TimeoutError as TookTooLong
from kombu.exceptions import OperationalError

from blastgit.errors import BlastgitError, Busy, StoreError
from blastgit.exchange.bulk import BulkOptions, Outcome, adopt
from blastgit.exchange.sources import Found
from blastgit.repository.local import LocalRepository
from blastgit.store.bucket_url import Place

VARIABLE = "BLASTGIT_BROKER"
_TASK = "blastgit.adopt_batch"
_WAITING = 64  # batches in progress at once
_LOST_AFTER = 600  # seconds after which the broker gives a batch to another worker
_LONGEST = 3600.0  # seconds to wait for a batch, which normally takes a few


def make_app(broker: str) -> Celery:
    """Return the Celery application of a broker, which also stores the results."""
    made = Celery("blastgit.exchange", broker=broker, backend=broker)
    made.conf.update(
        task_serializer="json", result_serializer="json", accept_content=["json"], task_acks_late=True,
        task_reject_on_worker_lost=True, worker_prefetch_multiplier=1, result_expires=86400,
        broker_transport_options={"visibility_timeout": _LOST_AFTER}, broker_connection_retry_on_startup=True,
        redis_socket_connect_timeout=5,
    )  # fmt: skip
    made.task(name=_TASK)(adopt_batch)
    return made


def adopt_batch(repo: str, found: list[dict[str, Any]], how: dict[str, Any]) -> dict[str, Any]:
    """Adopt one batch, and return the outcomes, or the error that stopped it."""
    try:
        outcomes = adopt(LocalRepository(Path(repo)), [_found(each) for each in found], BulkOptions(**how))
    except BlastgitError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001 (raised at the sender, it would look like an error of the broker)
        return {"error": f"{type(error).__name__}: {error}"}
    return {"outcomes": [asdict(outcome) for outcome in outcomes]}


app = make_app(os.environ.get(VARIABLE, "memory://"))
"""The application for `celery -A blastgit.exchange.workers`."""


def adopt_by_workers(
    broker: str, repo: Path, batches: Iterable[list[Found]], how: BulkOptions
) -> Iterator[list[Outcome]]:
    """Give batches to workers, a limited number at a time, and yield their outcomes.

    Raises:
        Busy: The broker cannot be reached, or no worker answers.
        StoreError: A worker could not write; what was adopted before stays.
    """
    sender = make_app(broker)
    waiting: deque[Any] = deque()
    connection = sender.connection_for_write()
    lost = (OperationalError, OSError, RuntimeError, *connection.connection_errors)  # whichever is raised first
    try:
        with connection:
            connection.ensure_connection(max_retries=1, timeout=5)
        for batch in batches:
            waiting.append(
                sender.send_task(_TASK, (str(repo.absolute()), [_sent(each) for each in batch], asdict(how)))
            )
            if len(waiting) >= _WAITING:
                yield _outcomes(waiting[0])
                waiting.popleft()
        while waiting:
            yield _outcomes(waiting[0])
            waiting.popleft()
    except lost as error:
        cause = error.__cause__ or error  # Celery's own message tells people to restart it
        raise Busy(
            f"the broker cannot be reached any more ({cause}): repeat the call, what is done stays done"
        ) from None
    finally:
        for result in waiting:
            result.backend = None  # else each would contact the broker, which may be gone


def _outcomes(result: Any) -> list[Outcome]:
    try:
        answer = result.get(timeout=_LONGEST)
    except TookTooLong:
        raise Busy(f"no worker answered for {_LONGEST:g} s: are there any? Repeat the call then") from None
    if "error" in answer:
        raise StoreError(f"a worker could not go on: {answer['error']}")
    return [Outcome(**each) for each in answer["outcomes"]]


def _sent(found: Found) -> dict[str, Any]:
    place = str(found.place.absolute()) if isinstance(found.place, Path) else asdict(found.place)
    return {"name": found.name, "place": place, "export": found.export and str(found.export.absolute())}


def _found(sent: dict[str, Any]) -> Found:
    place = Path(sent["place"]) if isinstance(sent["place"], str) else Place(**sent["place"])
    return Found(sent["name"], place, sent["export"] and Path(sent["export"]))
