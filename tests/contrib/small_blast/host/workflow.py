"""A workflow with the stages, the two ways to fail and the canvas of Blast; of its work, it only leaves traces."""

from celery import chain, group, shared_task
from django.utils import timezone

from blastgit.contrib.blast import record_revision
from host import sky
from host.models import Status, Task, TaskRegister, Transient

STAGES = [
    "Cutout download", "Generate thumbnail", "Transient MWEBV", "Host match", "Host information", "Host MWEBV",
    "Global aperture construction", "Global aperture photometry", "Validate global photometry",
    "Local aperture photometry", "Validate local photometry", "Crop transient images", "Generate thumbnail final",
    "Global host SED inference", "Generate thumbnail SED global", "Local host SED inference",
    "Generate thumbnail SED local",
]  # fmt: skip
STATUSES = {"not processed": "blank", "processing": "warning", "processed": "success", "failed": "error"}
WORK = {"Cutout download": sky.bring_files, "Host match": sky.bring_rows}


def set_up() -> None:
    """Fill the tables that a fresh Blast starts with."""
    for message, kind in STATUSES.items():
        Status.objects.get_or_create(message=message, type=kind)
    for name in STAGES:
        Task.objects.get_or_create(name=name)


def note(transient: Transient, stage: str, message: str) -> None:
    TaskRegister.objects.filter(transient=transient, task__name=stage).update(
        status=Status.objects.get(message=message), last_modified=timezone.now()
    )


def judge(transient: Transient) -> None:
    rows = list(TaskRegister.objects.filter(transient=transient).values_list("status__type", flat=True))
    over = [kind for kind in rows if kind in ("success", "error")]
    transient.progress = 100 if "error" in rows else round(100 * len(over) / len(rows))
    done = "blocked" if "error" in rows else "completed"
    transient.processing_status = done if transient.progress == 100 else "processing"
    Transient.objects.filter(pk=transient.pk).update(
        progress=transient.progress, processing_status=transient.processing_status
    )


@shared_task(name="Stage")
def stage(transient_name: str, name: str) -> None:
    """Run a stage: one that fails either says so and the chain goes on, or raises and the chain ends."""
    transient = Transient.objects.get(name=transient_name)
    failed = TaskRegister.objects.filter(transient=transient, status__type="error").exists()
    if failed:
        return  # no row meets the prerequisites
    note(transient, name, "processing")
    outcome = "processed"
    try:
        if sky.told(transient_name, "raises") == name:
            outcome = "failed"
            raise RuntimeError(f"{name} raised")
        WORK.get(name, str)(transient_name)
        if sky.told(transient_name, "fails") == name:
            outcome = "failed"
    finally:
        note(transient, name, outcome)
        judge(transient)


@shared_task(name="Get Final Progress")
def final_progress(transient_name: str) -> str:
    """Note how the workflow ended."""
    transient = Transient.objects.get(name=transient_name)
    judge(transient)
    return Transient.objects.get(name=transient_name).processing_status


def prepare(transient_name: str) -> None:
    """Set all stages back, as Blast does for a new transient and for one that is reprocessed."""
    transient, _ = Transient.objects.get_or_create(
        name=transient_name, defaults={"ra_deg": 0.0, "dec_deg": 0.0, "tns_id": 0, "tns_prefix": "SN"}
    )
    for name in STAGES:
        TaskRegister.objects.get_or_create(
            transient=transient, task=Task.objects.get(name=name),
            defaults={"status": Status.objects.get(message="not processed")},
        )  # fmt: skip
        note(transient, name, "not processed")


def start(transient_name: str):
    """Begin the workflow of a transient."""
    prepare(transient_name)
    return workflow(transient_name).apply_async()


def workflow(name: str):
    """Return the canvas, which has the shape of Blast's."""

    def run(*stages: str):
        return [stage.si(name, each) for each in stages]

    return chain(
        *run("Cutout download"),
        group(
            *run("Generate thumbnail"),
            chain(
                *run("Transient MWEBV", "Host match", "Host information"),
                group(
                    *run("Host MWEBV"),
                    chain(*run("Global aperture construction", "Global aperture photometry",
                               "Validate global photometry")),
                    chain(*run("Local aperture photometry", "Validate local photometry")),
                ),
                *run("Crop transient images"),
            ),
        ),
        group(
            *run("Generate thumbnail final"),
            chain(*run("Global host SED inference", "Generate thumbnail SED global")),
            chain(*run("Local host SED inference", "Generate thumbnail SED local")),
        ),
        record_revision.si(name),
        final_progress.si(name),
    )  # fmt: skip
