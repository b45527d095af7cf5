"""Samples after a partial rerun of the workflow, or with a changed image of a survey."""

import copy
from datetime import datetime, timedelta

from blastgit.demo import Sample, change_image


def ran(sample: Sample, *stages: str, hours: int = 24) -> Sample:
    """Return a sample after some stages ran again, so many hours later, by what Blast notes of it."""
    export = copy.deepcopy(sample.export)
    for task in export["workflow_tasks"]:
        if task["task_name"] in stages:
            task["last_modified"] = _later(task["last_modified"], hours)
    export["metadata"]["export_time"] = _later(export["metadata"]["export_time"], hours + 1)
    return Sample(export, sample.files)


def new_image(sample: Sample, filter_name: str = "DES_g") -> Sample:
    """Return a sample with a survey's new image, and nothing that follows from it."""
    brighter = change_image(sample, filter_name, seed=5)
    path = f"cutout_cdn/{sample.name}/DES/{filter_name}.fits"
    return Sample(copy.deepcopy(sample.export), {**sample.files, path: brighter.files[path]})


def _later(text: str, hours: int) -> str:
    return (datetime.fromisoformat(text) + timedelta(hours=hours)).isoformat()
