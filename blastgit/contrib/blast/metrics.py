"""Metrics of recordings and sweeps for Prometheus.

All workers count in Django's cache, which they share. Prometheus gets the metrics in one of two ways: the Django app
serves them at `/blastgit/metrics`, and each sweep writes them to the file that the variable BLASTGIT_METRICS names, for
the textfile collector of the node exporter. When the cache is emptied, the counters start at 0, as after a restart.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blastgit.contrib.blast.standing import Standing

VARIABLE = "BLASTGIT_METRICS"
OUTCOMES = ("recorded", "unchanged", "draft", "gone", "failed")
BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 120, 600, 3000)
"""Upper limits in seconds; recordings that take longer are only counted in +Inf."""

_KEY = "blastgit:metrics:"


class Metrics:
    """Counts recordings, stores the results of sweeps, and returns the metrics as text."""

    def __init__(self) -> None:
        """Open the default cache."""
        from django.core.cache import cache

        self._cache: Any = cache

    def recorded(self, outcome: str, seconds: float) -> None:
        """Count a recording.

        Args:
            outcome: One of `OUTCOMES`.
            seconds: How long it took.
        """
        self._add(f"{outcome}:count", 1)
        self._add(f"{outcome}:milliseconds", round(1000 * seconds))
        for limit in BUCKETS:
            if seconds <= limit:
                self._add(f"{outcome}:{limit}", 1)

    def swept(self, left: Iterable[Standing], failing: int) -> None:
        """Store the results of a sweep.

        Args:
            left: The transients whose current state is not recorded.
            failing: How many recordings fail.
        """
        moments = [_moment(each.changed) for each in left]
        oldest = min((moment for moment in moments if moment is not None), default=0.0)
        found = {"sweep": time.time(), "left": len(moments), "failing": failing, "oldest": oldest}
        self._cache.set_many({f"{_KEY}{name}": value for name, value in found.items()}, None)

    def text(self) -> str:
        """Return the metrics in the text format of Prometheus."""
        names = [f"{outcome}:{what}" for outcome in OUTCOMES for what in ("count", "milliseconds", *BUCKETS)]
        keys = [f"{_KEY}{name}" for name in (*names, "sweep", "left", "failing", "oldest")]
        found = {key.removeprefix(_KEY): value for key, value in self._cache.get_many(keys).items()}
        lines = ["# HELP blastgit_recording_seconds How long recordings took, by outcome."]
        lines.append("# TYPE blastgit_recording_seconds histogram")
        for outcome in OUTCOMES:
            lines += _histogram(outcome, found)
        for name, key, words in _GAUGES:
            if key in found:
                lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge", f"{name} {found[key]}"]
        return "\n".join([*lines, ""])

    def _add(self, name: str, value: int) -> None:
        self._cache.add(f"{_KEY}{name}", 0, None)
        self._cache.incr(f"{_KEY}{name}", value)


_GAUGES = (
    ("blastgit_last_sweep_timestamp_seconds", "sweep", "When the last sweep looked at all transients."),
    ("blastgit_unrecorded_transients", "left", "Transients that do not stand as they were recorded, at that sweep."),
    ("blastgit_failing_transients", "failing", "Transients whose last recording failed, of these."),
    ("blastgit_oldest_unrecorded_timestamp_seconds", "oldest", "When the oldest unrecorded state arose; 0 if none."),
)


def _histogram(outcome: str, found: Mapping[str, Any]) -> list[str]:
    total, label = found.get(f"{outcome}:count", 0), f'outcome="{outcome}"'
    counts = [(str(limit), found.get(f"{outcome}:{limit}", 0)) for limit in BUCKETS]
    lines = [f'blastgit_recording_seconds_bucket{{{label},le="{limit}"}} {n}' for limit, n in counts]
    lines.append(f'blastgit_recording_seconds_bucket{{{label},le="+Inf"}} {total}')
    lines.append(f"blastgit_recording_seconds_sum{{{label}}} {found.get(f'{outcome}:milliseconds', 0) / 1000:g}")
    return [*lines, f"blastgit_recording_seconds_count{{{label}}} {total}"]


def write(text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Write the metrics atomically to the file that BLASTGIT_METRICS names; do nothing if it is not set.

    Raises:
        OSError: The file cannot be written.
    """
    named = environment.get(VARIABLE)
    if named:
        aside = Path(f"{named}.{os.getpid()}.new")
        aside.write_text(text, "utf-8")
        aside.replace(named)


def _moment(changed: str) -> float | None:
    try:
        moment = datetime.fromisoformat(changed)
    except ValueError:
        return None  # no task ever ran
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
