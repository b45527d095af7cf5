"""Recording a reference by hand: a trained model, a catalogue, the transmission curve of a filter."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from blastgit.datasets.storage import Placement
from blastgit.errors import InvalidFiles, InvalidInput
from blastgit.naming.paths import check_new_paths
from blastgit.progress import Progress, silent
from blastgit.recording.options import RecordOptions
from blastgit.recording.record import record_from
from blastgit.recording.result import Recorded
from blastgit.recording.run_end import StoredIntake
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.repository.references import ReferenceTypes
from blastgit.revision.document import Json
from blastgit.revision.leftovers import is_leftover
from blastgit.revision.reference import fields_of, make_reference
from blastgit.store.intake import Intake

FOLDER = "files"
"""The folder of a reference's files in its tree: DVC's patterns do not cover files at the root."""


@dataclass(frozen=True)
class Given:
    """The new parts of a reference; the rest stays as in its latest revision.

    Attributes:
        fields: All its fields, by name; None to keep the present ones.
        changed: Fields to replace; null removes a field.
        files: All its files, by path in the dataset; None to keep the present ones.
        app_version: The version of the program that made it; None to keep the present one.
        time: The time of this state; None for now.
    """

    fields: Mapping[str, Json] | None = None
    changed: Mapping[str, Json] = field(default_factory=dict)
    files: Mapping[str, Path] | None = None
    app_version: str | None = None
    time: datetime | None = None


def record_reference(
    repository: Repository, line: str, given: Given, options: RecordOptions, progress: Progress = silent
) -> Recorded:
    """Record the state of a reference: a new revision if its values or contents differ from the latest.

    Args:
        repository: The data repo.
        line: The reference, `r/model/sbi-global`.
        given: Its new parts.
        options: How to record; without options for users' own lines.
        progress: Called with bytes hashed and copied.

    Raises:
        InvalidInput: The type does not exist, nothing was given, or it cannot be recorded; the repo is unchanged.
        Denied: The policy on main does not allow this user to record it.
        Busy: Another writer of the same reference did not finish in time.
        StoreError: The store fails; nothing was recorded.
        RepoError: The repo cannot be written.
    """
    latest = History(repository).latest(line)
    type_ = ReferenceTypes.of(repository.settings).check(line)
    if given.fields is None and not given.changed and not given.files:
        raise InvalidInput(f"nothing was given for {line}: give files, values, or both")
    if latest is None and type_.reviewed:
        repository.require("curator", line)
    version = given.app_version
    if version is None:
        version = "" if latest is None else latest.app_version
    export = make_reference(line, _fields(given, latest), given.time or datetime.now(UTC), version)
    return record_from(repository, export, _intake(repository, given, latest, progress), options)


def _fields(given: Given, latest: Revision | None) -> dict[str, Json]:
    fields = given.fields
    if fields is None:
        fields = {} if latest is None else fields_of(latest.dr.export)
    merged = {**fields, **given.changed}
    return {name: value for name, value in merged.items() if value is not None}


def _intake(repository: Repository, given: Given, latest: Revision | None, progress: Progress) -> Intake:
    if given.files is None and latest is not None:
        return StoredIntake(repository, latest, progress)
    return Intake(repository.store, Placement.of(repository).kept(given.files or {}), progress)


def gather_files(files: Iterable[Path], folder: Path | None = None) -> dict[str, Path]:
    """Return the files of a reference by their path in the dataset, `files/NAME`.

    Args:
        files: Single files, each by its own name.
        folder: A folder; all its files are taken, by their path in it.

    Raises:
        InvalidFiles: A file is missing, is a link that leads out of the folder, has an invalid name, or two have the
            same name.
    """
    found: dict[str, Path] = {}
    for file in files:
        if not file.is_file():
            raise InvalidFiles(f"there is no file {file}")
        _add(found, file.name, file)
    if folder is not None:
        if not folder.is_dir():
            raise InvalidFiles(f"there is no folder {folder}")
        for file in _files_in(folder):
            _add(found, file.relative_to(folder).as_posix(), file)
    check_new_paths(list(found))
    return dict(sorted(found.items()))


def _add(found: dict[str, Path], name: str, file: Path) -> None:
    path = f"{FOLDER}/{name}"
    if path in found:
        raise InvalidFiles(f"{found[path]} and {file} would both become {path}: one of them needs another name")
    found[path] = file


def _files_in(folder: Path) -> Iterable[Path]:
    inside = os.path.realpath(folder) + os.sep
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            if not os.path.realpath(file).startswith(inside):
                raise InvalidFiles(f"{file} is a link that leads out of {folder}")
            if not is_leftover(file.relative_to(folder).as_posix()):
                yield file
