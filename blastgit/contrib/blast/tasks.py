"""The two Celery tasks. They never raise: failures are logged, noted and returned, and the sweep tries again.

Modules whose import could fail are imported inside the tasks, so that Blast's workers start in any case.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from celery import shared_task

from blastgit.contrib.blast.metrics import write
from blastgit.errors import BlastgitError

if TYPE_CHECKING:
    from blastgit.contrib.blast.ledger import Failure, Ledger
    from blastgit.contrib.blast.metrics import Metrics
    from blastgit.contrib.blast.standing import Standing

T = TypeVar("T")

_log = logging.getLogger("blastgit.blast")


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    if text and not text.isdecimal():
        _log.error("%s is %r, which is not a whole number: %d is used", variable, text, default)
    return int(text) if text.isdecimal() else default


_LIMIT = _number("BLASTGIT_TIME_LIMIT", 120)  # seconds, for a recording that a workflow waits for
_LONG_LIMIT = 3000  # for other recordings; less than the hour after which Redis redelivers a message
_GRACE = 300  # seconds between the soft time limit and the hard one
_LOCK_TIMEOUT = 30.0
_SHOWN = 20  # the most names in one line of the log
_MOST_DEATHS = 2  # a recording that repeatedly kills its worker would keep the workflow from ending


@shared_task(  # type: ignore[untyped-decorator,unused-ignore]
    name="blastgit.record_revision", bind=True, acks_late=True, reject_on_worker_lost=True,
    soft_time_limit=_LIMIT, time_limit=_LIMIT + _GRACE,
)  # fmt: skip
def record_revision(self: Any, transient_name: str = "") -> dict[str, Any]:
    """Record the current state of a transient in the data repo that the variable BLASTGIT_REPO names.

    Returns the result: `status` is "recorded", "unchanged", "draft" if the state got no revision number (`draft` is its
    name, `because` the reason), "gone" if Blast has no such transient, or "failed". It never raises, so the chain
    continues. Recording a state twice changes nothing.
    """
    began = time.monotonic()
    try:
        _check_deaths(self.request)
        told = _record(transient_name)
    except Exception as error:  # noqa: BLE001 (no failure may reach the workflow)
        told = _failure(transient_name, error)
    _measure(lambda metrics: metrics.recorded(told["status"], time.monotonic() - began))
    return told


def _check_deaths(request: Any) -> None:
    if not (request.delivery_info or {}).get("redelivered"):
        return
    deaths = _note(lambda ledger: ledger.deaths(request.id)) or 0
    if deaths > _MOST_DEATHS:
        raise BlastgitError(f"{deaths} workers died while they recorded it: have they enough memory?")


def _record(name: str) -> dict[str, Any]:
    from blastgit.api.repo import DataRepo
    from blastgit.contrib.blast.instance import BucketOfState, doubt_about, export_of, place_of, repo_location
    from blastgit.contrib.blast.standing import last_change
    from blastgit.revision.export import read_export

    standing = _standing(name)  # before the export, so that later changes are noticed
    data = export_of(name)
    if data is None or standing is None:
        _log.warning("Blast has no transient %r: nothing to record", name)
        return {"status": "gone", "transient": name}
    export = read_export(data)
    doubt = doubt_about(export.app_version)
    if doubt:
        _log.warning("%s: %s", name, doubt)
    bucket = BucketOfState(place_of(os.environ), name, last_change(export.document))
    repo, run = DataRepo(repo_location(os.environ)), os.environ.get("BLASTGIT_RUN") or None
    recorded = repo.record(name, data, bucket, run=run, timeout=_LOCK_TIMEOUT)
    _log.info("%s is %s (%s): %s", name, recorded.status, recorded.tag or recorded.draft, recorded.reason)
    _note(lambda ledger: ledger.done(standing))
    told = {key: recorded.to_json()[key] for key in ("status", "transient", "revision", "tag", "reason")}
    told |= {"draft": recorded.draft, "because": recorded.because} if recorded.draft else {}
    return {**told, "doubt": doubt} if doubt else told


def _standing(name: str) -> Standing | None:
    from blastgit.contrib.blast.standing import standings

    found = list(standings([name])) if name else []
    noted = _note(lambda ledger: ledger.with_edits(found)) or found
    return noted[0] if noted else None


def _failure(name: str, error: Exception) -> dict[str, Any]:
    kind, said = _put(error)
    tries = _note(lambda ledger: ledger.failed(name, said)) or 1
    is_news = _note(lambda ledger: name in ledger.news({name: said})) is not False
    level = logging.ERROR if is_news else logging.INFO
    trace = kind == "unexpected"
    _log.log(level, "%s was not recorded (try %d); the sweep will try again: %s", name, tries, said, exc_info=trace)
    return {"status": "failed", "transient": name, "kind": kind, "error": said, "tries": tries}


def _put(error: Exception) -> tuple[str, str]:
    """Return the kind of a failure, and its message."""
    from blastgit.store.failures import is_interruption

    if is_interruption(error):
        return "busy", "it took longer than a workflow is to wait (BLASTGIT_TIME_LIMIT)"
    if isinstance(error, BlastgitError):
        return error.kind, str(error)
    return "unexpected", f"{type(error).__name__}: {error}"


@shared_task(name="blastgit.sweep", soft_time_limit=_LONG_LIMIT)  # type: ignore[untyped-decorator,unused-ignore]
def sweep() -> dict[str, Any]:
    """Request recordings of transients that have changed since they were last recorded.

    This finds what a chain could not record because a task raised, a worker died, the broker lost a message, or the
    data repo was unreachable. Transients whose workflow is in progress are skipped until they stop changing.

    Returns the names whose recording was requested, and those whose recording failed, with the reason.
    """
    from blastgit.contrib.blast.ledger import Ledger

    try:
        return _sweep(Ledger())
    except Exception as error:  # noqa: BLE001 (database, cache or broker failed: the next sweep catches up)
        _log.exception("this sweep broke off; the next one goes on")
        return {"status": "failed", "error": f"{type(error).__name__}: {error}"}


def _sweep(ledger: Ledger) -> dict[str, Any]:
    left = _restored(ledger, *_unrecorded(ledger))
    left.sort(key=lambda standing: standing.changed, reverse=True)
    failures = ledger.failures([standing.name for standing in left])
    asked = []
    for standing in islice(_due(ledger, left, failures), _number("BLASTGIT_SWEEP_LIMIT", 200)):
        try:
            record_revision.apply_async(
                # by keyword: Blast mistakes a task with the name among its positional arguments for the workflow
                kwargs={"transient_name": standing.name}, soft_time_limit=_LONG_LIMIT, time_limit=_LONG_LIMIT + _GRACE,
            )  # fmt: skip
        except Exception:
            ledger.withdraw(standing)
            raise
        asked.append(standing.name)
    failing = {name: failure.error for name, failure in failures.items()}
    _report(ledger, failing)
    _measure(lambda metrics: metrics.swept(left, len(failing)))
    _measure(lambda metrics: write(metrics.text()))
    return {"status": "done", "asked": asked, "failing": failing}


def _unrecorded(ledger: Ledger) -> tuple[list[Standing], set[str]]:
    """Return the transients whose state is not noted as recorded, and the names that have no note in the ledger."""
    from blastgit.contrib.blast.standing import standings

    left: list[Standing] = []
    unknown: set[str] = set()
    every = standings()
    while some := list(islice(every, 1000)):
        recorded = ledger.recorded([standing.name for standing in some])
        unknown.update(standing.name for standing in some if standing.name not in recorded)
        left += (each for each in ledger.with_edits(some) if recorded.get(each.name) != each.state)
    return left, unknown


def _restored(ledger: Ledger, left: list[Standing], unknown: set[str]) -> list[Standing]:
    """Restore notes of the ledger from the data repo, and return the transients that are not recorded there either."""
    from blastgit.contrib.blast.instance import repo_location
    from blastgit.contrib.blast.published import published_standings

    try:
        published = {each.name: each for each in published_standings(repo_location(os.environ), unknown)}
    except BlastgitError as error:  # a recording reports it, if one is due
        _log.info("what is published cannot be seen from here: %s", error)
        return left
    ledger.restore(published.values())
    return [each for each in left if each.name not in published or published[each.name].state != each.state]


def _report(ledger: Ledger, failing: dict[str, str]) -> None:
    news = ledger.news(failing)
    by_reason: dict[str, list[str]] = {}
    for name in sorted(news):
        by_reason.setdefault(failing[name], []).append(name)
    for reason, names in by_reason.items():
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        _log.error("%d transients are not recorded (%s): %s", len(names), shown, reason)


def _due(ledger: Ledger, left: list[Standing], failures: Mapping[str, Failure]) -> Iterator[Standing]:
    quiet, stalled = _number("BLASTGIT_QUIET", 600), _number("BLASTGIT_STALLED", 7200)
    still = ledger.still(left, lambda standing: quiet if standing.has_ended else stalled)
    ready = [standing for standing in left if standing.name in still]
    every = iter(ready)
    while some := list(islice(every, 1000)):
        asked = ledger.asked(some)
        for standing in some:
            tries = failures[standing.name].count if standing.name in failures else 0
            if standing.name not in asked and ledger.may_ask(standing, tries):
                yield standing


def _measure(work: Callable[[Metrics], None]) -> None:
    """Update the metrics, if possible; a recording does not depend on it."""
    from blastgit.contrib.blast.metrics import Metrics

    try:
        work(Metrics())
    except Exception:  # noqa: BLE001 (the cache, or the file of the metrics)
        _log.exception("what is measured cannot be noted")


def _note(work: Callable[[Ledger], T]) -> T | None:
    """Use the ledger, if the cache can be reached; a recording does not depend on it."""
    from blastgit.contrib.blast.ledger import Ledger

    try:
        return work(Ledger())
    except Exception:  # noqa: BLE001 (the cache can have any backend)
        _log.exception("Django's cache cannot be used; the sweep will look at this transient again")
        return None
