"""A state of a transient as seen by its workflow: values, files, times of tasks; read lazily."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from blastgit.repository.commits import Snapshot
from blastgit.revision.compare import compare
from blastgit.revision.document import Json
from blastgit.revision.dr import read_tasks
from blastgit.revision.normalise import NaturalForm, normalise
from blastgit.revision.rules import Rules
from blastgit.workflow.inputs import Uses, read_uses
from blastgit.workflow.validity import moment


@dataclass(frozen=True)
class Contents:
    """The contents of a state.

    Attributes:
        document: Its export.
        files: The checksum of each file, by path.
        form: The natural form of the export.
    """

    document: Mapping[str, Json]
    files: Mapping[str, str]
    form: NaturalForm


class View:
    """A revision, a marker, or a state being recorded.

    Attributes:
        label: Its name, `2026dgt@1`.
        state: Its commit; None while it is being recorded.
    """

    def __init__(
        self, label: str, rules: Rules, contents: Callable[[], Contents], state: Snapshot | None = None
    ) -> None:
        """Wrap a state; `contents` is called when it must be read."""
        self.label = label
        self.state = state
        self._rules = rules
        self._read = contents

    @classmethod
    def of(cls, state: Snapshot, rules: Rules) -> View:
        """Wrap the state at a commit."""

        def read() -> Contents:
            return Contents(state.dr.export.document, state.dr.files, normalise(state.dr.export, rules))

        return cls(str(state), rules, read, state)

    @cached_property
    def _contents(self) -> Contents:
        return self._read()

    @property
    def form(self) -> NaturalForm:
        """The natural form of the export."""
        return self._contents.form

    @property
    def files(self) -> Mapping[str, str]:
        """The checksum of each file, by path."""
        return self._contents.files

    @cached_property
    def all(self) -> dict[str, Json]:
        """Every value by natural path, and the checksum of every file by its path."""
        return {**self.form.values, **self.files}

    @cached_property
    def ran(self) -> dict[str, datetime | None]:
        """When each task last ended; this reads only the tasks of the document."""
        state = self.state
        tasks = self._contents.document["workflow_tasks"] if state is None else read_tasks(state.dr_bytes, self.label)
        return {row["task_name"]: moment(row.get("last_modified")) for row in tasks}

    @cached_property
    def uses(self) -> Uses:
        """What was made from what, by this document alone."""
        return read_uses(self.form, self.files)

    @cached_property
    def filters(self) -> dict[str, str]:
        """The filter of each row of a cutout or a global aperture, by its natural path."""
        images = {row.path: str(row.values.get("filter")) for row in self.form.tables["cutouts"]}
        found = dict(images)
        for row in self.form.tables["apertures"]:
            image = images.get(f"cutouts/{row.values.get('cutout')}")
            if image is not None:
                found[row.path] = image
        return found

    def differing(self, other: View) -> list[str]:
        """Return the paths of the files and values that differ in another state, by the rules."""
        files = [path for path in sorted({*self.files, *other.files}) if self.files.get(path) != other.files.get(path)]
        return [*files, *(change.path for change in compare(self.form, other.form, self._rules))]
