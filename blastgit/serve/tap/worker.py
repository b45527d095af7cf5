"""`python -m blastgit.serve.tap.worker`: the process that answers one query, and ends.

It reads a task from stdin, writes the result to a file, and reports on stdout how it went. A query that uses too much
memory or time only affects this process, not the service.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

_SPARE = 4_000_000_000  # bytes of address space that a process needs in addition to the memory of a query


def main() -> int:
    """Answer the query that is read from stdin."""
    import duckdb  # noqa: F401 (what takes time is loaded before there is a task)

    _load()
    line = sys.stdin.readline()
    if line:
        sys.stdout.write(json.dumps(_answer(json.loads(line))))
        sys.stdout.flush()
    os._exit(0)  # DuckDB's threads may still be busy with the interrupted query


def _load() -> None:
    for name in ("search.adql.afterwards", "index.open_index", "serve.tap.database", "serve.tap.forms"):
        import_module(f"blastgit.{name}")
    _translate("SELECT transient FROM blastgit.transients")  # the parser loads a lot when it is first used


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    from blastgit.errors import BlastgitError, InvalidQuery, OverLimit

    _confine(task)
    try:
        return {"is_cut": _run(task)}
    except BlastgitError as error:
        return {"kind": error.kind, "message": str(error)}
    except RecursionError:
        return {"kind": InvalidQuery.kind, "message": "the query is nested too deeply"}
    except MemoryError:
        return {"kind": OverLimit.kind, "message": "the query needs more memory than it may use"}
    except struct.error:
        return {"kind": InvalidQuery.kind, "message": "a number of the result does not fit into 64 bits"}
    except OSError as error:
        large = f"the result is larger than the {task['bytes'] / 1e9:g} GB allowed: ask for fewer rows or columns"
        full = f"the result cannot be written: {error.strerror}"
        return {"kind": OverLimit.kind, "message": large if error.errno == 27 else full}


def _confine(task: dict[str, Any]) -> None:
    """Limit the memory of this process: some of DuckDB's functions make gigabytes of text despite its own limit."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    statm = Path("/proc/self/statm")
    if statm.exists():
        addresses = int(statm.read_text("ascii").split()[0]) * resource.getpagesize() + task["memory"] + _SPARE
        _lower(resource.RLIMIT_AS, addresses)
    _lower(resource.RLIMIT_FSIZE, task["bytes"])
    _lower(resource.RLIMIT_CPU, int(task["seconds"] * (os.cpu_count() or 1)) + 60)  # in case nobody stops it
    _lower(resource.RLIMIT_CORE, 0)


def _lower(which: int, limit: int) -> None:
    _, hard = resource.getrlimit(which)
    wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(which, (wanted, wanted))


def _run(task: dict[str, Any]) -> bool:
    from blastgit.index.open_index import Limits, OpenIndex
    from blastgit.search.adql import describe
    from blastgit.search.adql.afterwards import in_terms_of
    from blastgit.serve.tap.database import preparations
    from blastgit.serve.tap.forms import Cut, form_of
    from blastgit.serve.tap.tables import served

    sql = _translate(task["query"])
    limits = Limits(task["seconds"], task["memory"], task["rows"])
    prepare: Sequence[str] = [*preparations(task["base"], task["query"]), "SET threads = 2"]
    with (
        in_terms_of(task["query"]),
        OpenIndex(Path(task["index"]), limits, prepare=prepare) as index,
        Path(task["target"]).open("w", encoding="utf-8", errors="replace", newline="") as file,
        index.streaming(sql) as (columns, rows),
    ):
        cut = Cut(rows, task["rows"])
        described = describe(task["query"], columns, served().columns)
        file.writelines(form_of(task["form"]).write(described, cut))
        return cut.is_cut


def _translate(query: str) -> str:
    from blastgit.search.adql import translate
    from blastgit.search.adql.sources import SCHEMA
    from blastgit.serve.tap.tables import served

    beside = [table.full_name for table in served().tables if table.schema != SCHEMA]
    return translate(query, beside, views=SCHEMA)  # they exclude what is not public


if __name__ == "__main__":
    sys.exit(main())
