"""The output of a stage: rows and fields of an export, and files, merged over the previous state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pygit2

from blastgit.datasets.storage import Placement
from blastgit.errors import InvalidExport, InvalidInput, InvalidName, Withdrawn
from blastgit.plumbing.batch import Batch
from blastgit.recording.placement import keep
from blastgit.recording.sources import gather
from blastgit.repository.base import Repository
from blastgit.repository.casefold import refuse_case_collision
from blastgit.repository.commits import Snapshot
from blastgit.repository.drafts import Drafts
from blastgit.repository.entries import TreeEntry
from blastgit.repository.history import History
from blastgit.repository.simulated import check_simulated
from blastgit.repository.skeleton import dot_files
from blastgit.repository.tombstones import check_returning
from blastgit.revision.document import Json, as_list, as_object, parse, restore_nonfinite
from blastgit.revision.dr import write_dr
from blastgit.revision.export import Export, check_export
from blastgit.revision.part import lay_over, skeleton
from blastgit.store.intake import Intake
from blastgit.workflow.markers import DONE, Mark

Part = bytes | Path | Mapping[str, Json] | None
"""An export, or rows and fields of one, as JSON text, a file, or a parsed value."""

_NOTHING_NAMED: dict[str, Json] = {"cutouts": [], "apertures": []}
_TASK: dict[str, Json] = {"user_warning": False, "last_modified": None, "last_processing_time_seconds": None}
_WHAT = "what the stage brought"
_PROCESSED = {"type": "success", "message": "processed"}


@dataclass(frozen=True)
class Made:
    """What a stage made.

    Attributes:
        parts: Rows and fields of an export, or whole exports, to merge in this order.
        files: Its files, by path in the dataset.
        used: The revisions of references that it was done with, if it says.
    """

    parts: tuple[dict[str, Json], ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    used: tuple[str, ...] = ()

    @classmethod
    def read(cls, name: str, export: Part, data: Path | None, only: Sequence[str]) -> Made:
        """Collect what a stage made for a transient.

        Raises:
            InvalidInput: The part is not a JSON object, or there are no such files.
        """
        files = {} if data is None else gather(data, name, _NOTHING_NAMED)
        if only:
            files = {path: file for path, file in files.items() if _is_meant(path, only)}
            if not files:
                raise InvalidInput(f"{data} has no file of {name} that matches {' or '.join(only)}")
        return cls(() if export is None else (_read_part(export),), files)

    def and_then(self, more: Made) -> Made:
        """Return this with more output merged over it."""
        used = dict.fromkeys((*self.used, *more.used))
        return Made((*self.parts, *more.parts), {**self.files, **more.files}, tuple(used))


def _is_meant(path: str, only: Sequence[str]) -> bool:
    return any(fnmatchcase(path, each) or fnmatchcase(path.rpartition("/")[2], each) for each in only)


def _read_part(export: bytes | Path | Mapping[str, Json]) -> dict[str, Json]:
    part = as_object(parse(*_read(export)), _WHAT)
    metadata = as_object(part.get("metadata", {}), "metadata")
    if "nonfinite" in metadata:  # a published document
        restore_nonfinite(part, [each for each in as_list(metadata["nonfinite"], "nonfinite") if isinstance(each, str)])
    if metadata:
        part["metadata"] = {key: metadata[key] for key in metadata if key not in ("dataset_version", "nonfinite")}
    return {key: value for key, value in part.items() if key != "files"}


def _read(export: bytes | Path | Mapping[str, Json]) -> tuple[bytes, str]:
    """Return the text of a part, and its name for error messages."""
    if isinstance(export, bytes):
        return export, _WHAT
    try:
        if isinstance(export, Path):
            return export.read_bytes(), str(export)
        return json.dumps(export).encode(), _WHAT
    except OSError as error:
        raise InvalidInput(f"{export} cannot be read: {error.strerror}") from None
    except (TypeError, ValueError) as error:
        raise InvalidExport(f"{_WHAT} holds what JSON cannot: {error}") from None


@dataclass(frozen=True)
class NextState:
    """The state for a new marker.

    Attributes:
        batch: Its objects, which are not written yet.
        tree: Its tree.
        app_version: The version of Blast in its document.
        lines: The files that the stage made, for people.
    """

    batch: Batch
    tree: pygit2.Oid
    app_version: str
    lines: tuple[str, ...] = ()


def write_state(batch: Batch, name: str, config: bytes, held: Iterable[TreeEntry], document: bytes) -> pygit2.Oid:
    """Add the tree of a state to a batch: dot files, the entry of each file, and the document."""
    blobs = {path: batch.blob(data) for path, data in dot_files(config).items()}
    blobs.update(held)
    blobs[f"{name}.json"] = batch.blob(document)
    return batch.tree(blobs)


def first_state(repository: Repository, name: str, now: str) -> NextState:
    """Return the state that a run starts from: the open draft, the latest revision, or only a name.

    Raises:
        InvalidName: Another transient's name differs only in case.
    """
    history, batch = History(repository), Batch(repository.git)
    draft = Drafts(repository, name).open()
    if draft is not None:
        tree = write_state(batch, name, repository.config, draft.held.values(), draft.dr_bytes)
        return NextState(batch, tree, draft.app_version)
    latest = history.latest(name)
    if latest is None:
        refuse_case_collision(repository, name)
        document = write_dr(check_export(skeleton(name, now)), 0, {})
        return NextState(batch, write_state(batch, name, repository.config, (), document), "")
    document = write_dr(latest.dr.export, latest.number + 1, latest.dr.files)
    tree = write_state(batch, name, repository.config, latest.held.values(), document)
    return NextState(batch, tree, latest.app_version)


class Overlay:
    """Merges the output of a stage over the previous state."""

    def __init__(self, repository: Repository, mark: Mark, made: Made, intake: Intake) -> None:
        """Read the files of the stage, which may take a while."""
        self._repository = repository
        self._mark = mark
        self._made = made
        self._intake = intake
        self._sha256 = {path: f"sha256:{digest}" for path, digest in intake.hash_all().items()}

    def over(self, state: Snapshot, now: str) -> NextState:
        """Put contents into the store, and return the resulting state.

        Raises:
            InvalidExport: The resulting document is not an export.
            StoreError: The store fails.
            Withdrawn: A file has the bytes of one that was taken down.
        """
        before, name, batch = state.dr, state.name, Batch(self._repository.git)
        export = self._export(state, now)
        incoming = sorted(path for path, digest in self._sha256.items() if before.files.get(path) != digest)
        self._refuse_returning(name, incoming)
        kept = keep(self._intake, batch, Placement.of(self._repository), incoming)
        held = {**state.held, **{path: file.held for path, file in kept.items()}}
        document = write_dr(export, before.number, {**before.files, **self._sha256})
        lines = tuple(f"{'changed' if path in before.files else 'added  '}  {path}" for path in incoming)
        tree = write_state(batch, name, self._repository.config, held.values(), document)
        return NextState(batch, tree, export.app_version, lines)

    def _refuse_returning(self, name: str, incoming: list[str]) -> None:
        sha256 = {path: self._sha256[path].removeprefix("sha256:") for path in incoming}
        found = list(check_returning(self._repository, name, sha256).values())
        if found:
            raise Withdrawn(f"{found[0]}; the stage's output was refused: fix what makes this file")

    def _export(self, state: Snapshot, now: str) -> Export:
        what = f"the export after {self._mark.stage}"
        merged = lay_over(state.dr.export.document, {"metadata": {"export_time": now}})
        for part in self._made.parts:
            merged = lay_over(merged, part)
        export = check_export({**merged, "workflow_tasks": self._outcomes(merged)}, what)
        if export.name != state.name:
            raise InvalidName(f"{what} is about {export.name!r}, and should be about {state.name!r}")
        return check_simulated(export, self._repository)

    def _outcomes(self, merged: Mapping[str, Json]) -> list[Json]:
        """Return the rows of all tasks; Blast's own row of this stage may still say "processing"."""
        rows: dict[str, Json] = {}
        for row in merged["workflow_tasks"]:
            if not isinstance(row, dict) or not isinstance(row.get("task_name"), str):
                raise InvalidExport(f"a row of workflow_tasks names no task: {row!r:.80}")
            rows[row["task_name"]] = row
        stage = self._mark.stage
        own = {**_TASK, **rows.get(stage, {}), "task_name": stage}
        status = own.get("status")
        stated = status.get("message") if isinstance(status, dict) else None
        if not self._brings_row() or stated is None or stated in self._repository.rules.pending:
            failed = {"type": "error", "message": self._mark.reason}
            own["status"] = _PROCESSED if self._mark.outcome == DONE else failed
        return list({**rows, stage: own}.values())

    def _brings_row(self) -> bool:
        brought = (row for part in self._made.parts for row in part.get("workflow_tasks", ()))
        return any(row.get("task_name") == self._mark.stage for row in brought)
