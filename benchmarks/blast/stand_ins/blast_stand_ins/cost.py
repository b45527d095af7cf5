"""What the task takes of a worker: run by Blast's own Python, in a process that has Blast loaded."""

import json
import resource
import sys
from pathlib import Path

import django


def _taken() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _memory() -> int:
    return 1024 * int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])


def main() -> None:
    """Record transients, each twice, into a fresh data repo; the first loads what is needed and is not counted."""
    django.setup()
    import host.workflow  # noqa: F401 (what a worker has loaded)

    from blastgit.contrib.blast import record_revision

    before, told = _memory(), []
    for name in sys.argv[1:]:
        for _ in range(2):
            began = _taken()
            told.append((record_revision(name)["status"], _taken() - began))
    first = [seconds for status, seconds in told[2:] if status == "recorded"]
    again = [seconds for status, seconds in told[2:] if status == "unchanged"]
    mean = [sum(each) / len(each) if each else None for each in (first, again)]
    print(json.dumps({"first": mean[0], "again": mean[1], "before": before, "memory": _memory() - before}))


if __name__ == "__main__":
    main()
