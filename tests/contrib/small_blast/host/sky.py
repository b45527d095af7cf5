"""The results of a run: an invented sample that the test puts into the folder SKY, and the failures."""

import json
import os
from pathlib import Path

import boto3
from django.db import transaction

from host.models import (
    Alias,
    Aperture,
    AperturePhotometry,
    Cutout,
    Filter,
    Host,
    SEDFittingResult,
    StarFormationHistoryResult,
    Survey,
    Transient,
)


def told(name: str, key: str) -> str | None:
    """Return the stage at which something shall happen, if the test wants that."""
    return json.loads(Path(os.environ["SKY"], name, "trouble.json").read_text()).get(key)


def bring_files(name: str) -> None:
    """Bring the files to where Blast keeps them: at its base path, followed by a row's own path."""
    client = boto3.client(
        "s3", endpoint_url=os.environ["UPLOAD_URL"], region_name=os.environ["S3_REGION_NAME"],
        aws_access_key_id=os.environ["AWS_S3_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_S3_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    folder = Path(os.environ["SKY"], name, "data")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = f"{os.environ['S3_BASE_PATH'].strip('/')}/data/{file.relative_to(folder)}"
        client.put_object(Bucket=os.environ["S3_BUCKET"], Key=key, Body=file.read_bytes())


def fields_of(row: dict, **changed) -> dict:
    skipped = ("aliases", "logsfh", "software_version")
    return {**{key: value for key, value in row["fields"].items() if key not in skipped}, **changed}


@transaction.atomic
def bring_rows(name: str) -> None:
    """Lay the sample's rows into the database, with primary keys of its own."""
    export = json.loads(Path(os.environ["SKY"], name, "export.json").read_text())
    transient = Transient.objects.get(name=name)
    host = export["host"] and Host.objects.update_or_create(
        name=export["host"]["fields"]["name"], defaults=fields_of(export["host"])
    )[0]  # fmt: skip
    kept = {"progress", "processing_status", "tasks_initialized", "host", "name"}
    for key, value in fields_of(export["transient"]).items():
        if key not in kept:
            setattr(transient, key, value)
    transient.host = host
    transient.save()
    for table in (Aperture, Cutout):
        table.objects.filter(transient=transient).delete()
    surveys = {row["pk"]: Survey.objects.get_or_create(**row["fields"])[0] for row in export["surveys"]}
    filters = {
        row["pk"]: Filter.objects.update_or_create(
            name=row["fields"]["name"], defaults=fields_of(row, survey=surveys[row["fields"]["survey"]])
        )[0]
        for row in export["filters"]
    }
    cutouts = {
        row["pk"]: Cutout.objects.create(**fields_of(row, filter=filters[row["fields"]["filter"]], transient=transient))
        for row in export["cutouts"]
    }
    for row in export["apertures"]:
        cutout = cutouts.get(row["fields"]["cutout"])
        bring_aperture(row, Aperture.objects.create(**fields_of(row, cutout=cutout, transient=transient)), filters)


def bring_aperture(row: dict, aperture, filters: dict) -> None:
    own = {"aperture": aperture, "transient": aperture.transient}
    for child in row["aperturephotometry"]:
        AperturePhotometry.objects.create(**fields_of(child, filter=filters[child["fields"]["filter"]], **own))
    bins = [
        StarFormationHistoryResult.objects.create(**fields_of(child, **own))
        for child in row["starformationhistoryresult"]
    ]
    for child in row["sedfittingresults"]:
        SEDFittingResult.objects.create(**fields_of(child, **own)).logsfh.set(bins)


def add_alias(name: str, alias: str) -> None:
    """Give a transient another name, as Blast's API does: no task runs."""
    Alias.objects.create(alias=alias, transient=Transient.objects.get(name=name))
