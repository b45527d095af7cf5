"""The limits that the service sets for clients."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """The limits of the service.

    Attributes:
        rows: The most rows of a result, if a query does not set its own limit.
        most_rows: The highest limit of rows that a query may set.
        seconds: How long a sync query may run, and an async one that does not set its own limit.
        most_seconds: The longest time that an async query may set.
        memory: Bytes that a query may use.
        result: Bytes that a result may have.
        results: Bytes that the results of all kept jobs may have.
        at_once: How many sync queries may run at the same time; as many async ones may run beside them.
        queue: How many more sync queries may wait.
        patience: Seconds for which they wait.
        jobs: How many jobs are kept.
        retention: Seconds for which a job is kept.
        body: Bytes that a request may have.
        query: Characters that a query may have.
        waiting: Seconds for which a request may wait for a job to change.
        waiters: How many requests may wait for a job at the same time.
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
