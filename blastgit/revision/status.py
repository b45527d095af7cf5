"""How the workflow that made an export ended, in a few words."""

from __future__ import annotations

from collections.abc import Iterable

from blastgit.revision.export import Export
from blastgit.revision.rules import Rules


def status_of(export: Export, rules: Rules, unfinished: Iterable[str] = ()) -> str:
    """Return "complete", or which stages failed, or which did not run.

    Args:
        export: The export.
        rules: The rules, which know how Blast says that a stage is yet to come.
        unfinished: Stages that had begun and did not end.
    """
    failed, missing = list[str](), list(unfinished)
    for task in export.document["workflow_tasks"]:
        if task["status"].get("type") == "error":
            failed.append(task["task_name"])
        elif task["status"].get("message") in rules.pending and task["task_name"] not in rules.ignored_stages:
            missing.append(task["task_name"])
    if failed:
        return f"failed: {', '.join(sorted(failed))}"
    return f"not run: {', '.join(sorted(set(missing)))}" if missing else "complete"
