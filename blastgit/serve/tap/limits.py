"""What the service gives to strangers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """How much is allowed.

    Attributes:
        rows: Rows of a result if a query does not say.
        most_rows: The most it may ask for.
        seconds: How long a sync query may run, and an async one that does not say.
        most_seconds: The longest it may ask for.
        memory: Bytes that a query may use.
        result: Bytes of a result.
        results: Bytes of the results of all jobs that are kept.
        at_once: Sync queries that run at the same time, and as many async ones.
        queue: How many more sync queries may wait for those to end.
        patience: Seconds that they do.
        jobs: How many jobs are kept.
        retention: Seconds that a job is kept.
        body: Bytes of a request.
        query: Characters of a query.
        waiting: Seconds that a request may wait for a job to change.
        waiters: How many may do so at the same time.
        threads: How many requests are answered at the same time.
    """

    rows: int = 20_000
    most_rows: int = 2_000_000
    seconds: float = 60
    most_seconds: float = 600
    memory: int = 2_000_000_000
    result: int = 1_000_000_000
    results: int = 20_000_000_000
    at_once: int = 2
    queue: int = 8
    patience: float = 10
    jobs: int = 1000
    retention: float = 7 * 86400
    body: int = 1_000_000
    query: int = 50_000
    waiting: float = 60
    waiters: int = 8
    threads: int = 20
