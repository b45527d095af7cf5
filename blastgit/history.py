"""Reading revisions from git: which there are, which one a name means, and what each holds."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property

import pygit2

from blastgit.errors import DamagedData, NotFound
from blastgit.handle import Handle
from blastgit.names import Spec, branch_ref, fold, is_personal, slug, tag_name, tag_ref, transient_of
from blastgit.plumbing.messages import read_trailers
from blastgit.plumbing.objects import commit_of, undamaged
from blastgit.plumbing.trees import blob_data, flatten, read_blob
from blastgit.revision.dr import DatasetRevision, read_dr
from blastgit.store.pointer import SUFFIX, Pointer, read_pointer


class Marker:
    """One commit on a transient's branch: a revision, a reproduction of one, or a stage that ended."""

    def __init__(self, commit: pygit2.Commit) -> None:
        """Wrap a commit."""
        self.commit = commit

    @cached_property
    def trailers(self) -> dict[str, str]:
        """What programs read in the message."""
        return read_trailers(self.commit.message)

    @property
    def id(self) -> str:
        """The commit's id."""
        return str(self.commit.id)

    @property
    def number(self) -> int | None:
        """The revision that this commit is, or None for a marker of another kind."""
        text = self.trailers.get("Revision", "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @property
    def reproduces(self) -> int | None:
        """The revision whose values this marker found again, or None."""
        text = self.trailers.get("Reproduces", "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @property
    def line(self) -> str | None:
        """The line of a user's own that this commit belongs to, `u/alice/2026dgt`; None if it is official."""
        return self.trailers.get("Line")

    @property
    def stage(self) -> str | None:
        """The stage of the workflow that this marker is about, or None."""
        return self.trailers.get("Stage") if self.trailers.get("Marker") == "stage" else None

    @property
    def outcome(self) -> str:
        """How that stage stands: begun, done, failed or unfinished."""
        return self.trailers.get("Outcome", "")

    @property
    def time(self) -> datetime:
        """When Blast wrote the export (the author date); of a stage, when it ended."""
        return _moment(self.commit.author)

    @property
    def recorded(self) -> datetime:
        """When it was recorded (the committer date)."""
        return _moment(self.commit.committer)

    @property
    def app_version(self) -> str:
        """The version of Blast."""
        return self.trailers.get("App-Version", "")


def _moment(signature: pygit2.Signature) -> datetime:
    zone = timezone(timedelta(minutes=signature.offset))
    return datetime.fromtimestamp(signature.time, zone).astimezone(UTC)


class Snapshot(Marker):
    """What the data of a transient were at one commit: a document, and a pointer for each file.

    Attributes:
        name: The transient, or the user's own line of it, `u/alice/2026dgt`.
        commit: The commit.
        asked: The convenient name that it was asked for by, `2026dgt@latest-complete`, or None.
    """

    asked: str | None = None

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit) -> None:
        """Wrap a commit of a transient's branch or run."""
        super().__init__(commit)
        self._git = git
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} at {self.id:.10}"

    @property
    def transient(self) -> str:
        """The transient."""
        return transient_of(self.name)

    @property
    def document_name(self) -> str:
        """The file that holds the document."""
        return f"{self.transient}.json"

    @cached_property
    def dr(self) -> DatasetRevision:
        """The document, read back.

        Raises:
            DamagedData: It is missing or is none.
        """
        return read_dr(self.dr_bytes, f"{self.document_name} of {self}")

    @cached_property
    def dr_bytes(self) -> bytes:
        """The document's bytes as published.

        Raises:
            DamagedData: It is missing.
        """
        with undamaged(str(self)):
            data = read_blob(self.commit.tree, self.document_name)
        if data is None:
            raise DamagedData(f"{self} has no {self.document_name}: run `blastgit verify {self.name}`")
        return data

    @cached_property
    def pointer_ids(self) -> dict[str, pygit2.Oid]:
        """The pointer's blob of each file, by path in the dataset.

        Raises:
            DamagedData: Git cannot read a tree.
        """
        with undamaged(str(self)):
            return {
                path.removesuffix(SUFFIX): blob
                for path, blob in flatten(self.commit.tree)
                if path.endswith(SUFFIX) and not path.startswith(".dvc/")
            }

    @cached_property
    def pointers(self) -> dict[str, Pointer]:
        """The pointer of each file, by path in the dataset.

        Raises:
            DamagedData: One is none.
        """
        return {path: self.pointer(path) for path in self.pointer_ids}

    def pointer(self, path: str) -> Pointer:
        """Return the pointer of one file.

        Raises:
            DamagedData: It is none.
        """
        return read_pointer(blob_data(self._git, self.pointer_ids[path]), path + SUFFIX)

    def sha256(self, path: str) -> str:
        """Return the SHA-256 of a file, as 64 hex digits.

        Raises:
            DamagedData: The document does not name the file.
        """
        try:
            return self.dr.files[path].removeprefix("sha256:")
        except KeyError:
            raise DamagedData(f"{self}: {path} has a pointer, and the document does not name it") from None


class Revision(Snapshot):
    """One dataset revision: the commit that a tag names."""

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit, number: int) -> None:
        """Wrap the commit of revision `number`."""
        super().__init__(git, name, commit)
        self._number = number

    @property
    def number(self) -> int:
        """The revision number."""
        return self._number

    @property
    def tag(self) -> str:
        """The tag's short name, `2026dgt/1`."""
        return tag_name(self.name, self.number)

    def __str__(self) -> str:
        return f"{self.name}@{self.number}"

    @property
    def reason(self) -> str:
        """Why it was made, in a sentence."""
        return self.commit.message.partition("\n")[0].partition(": ")[2]


class StageState(Snapshot):
    """What there was when a stage of the workflow had ended: a marker on the way to a revision.

    Attributes:
        towards: The number of the revision that its run ended as, or is to end as.
    """

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit, towards: int) -> None:
        """Wrap the marker of a stage before revision `towards`."""
        super().__init__(git, name, commit)
        self.towards = towards

    @property
    def slug(self) -> str:
        """The stage as a word, `host-match`."""
        return slug(self.stage or "")

    def __str__(self) -> str:
        return f"{self.name}@{self.towards}:post-{self.slug}"


class History:
    """The revisions of a data repo."""

    def __init__(self, handle: Handle) -> None:
        """Look into an opened data repo."""
        self._handle = handle

    @property
    def _git(self) -> pygit2.Repository:
        return self._handle.git  # another one after each fetch

    def tip(self, name: str) -> pygit2.Commit | None:
        """Return the tip of a transient's branch, or None if there is no such branch."""
        reference = self._git.references.get(branch_ref(name))
        return None if reference is None else commit_of(reference)

    def markers(self, name: str) -> Iterator[Marker]:
        """Yield the commits of a line, newest first; of a user's own, down to where it forks."""
        for marker in self.way_back(name):
            if is_personal(name) and marker.line != name:
                return
            yield marker

    def way_back(self, name: str) -> Iterator[Marker]:
        """Yield the commits of a branch, newest first, on beyond the revision that a user's own line forks from."""
        commit = self.tip(name)
        while commit is not None:
            yield Marker(commit)
            commit = self._handle.commit_before(name, commit)

    def latest(self, name: str) -> Revision | None:
        """Return the latest revision of a transient, or None if it has none yet."""
        return next(self.backwards(name), None)

    def backwards(self, name: str) -> Iterator[Revision]:
        """Yield the revisions of a transient, newest first."""
        for marker in self.markers(name):
            if marker.number is not None:
                yield Revision(self._git, name, marker.commit, marker.number)

    def tagged(self, name: str, number: int) -> Revision | None:
        """Return a revision by its tag, or None if there is no such tag."""
        reference = self._git.references.get(tag_ref(name, number))
        return None if reference is None else Revision(self._git, name, commit_of(reference), number)

    def revisions(self, name: str) -> list[Revision]:
        """Return all revisions of a transient, oldest first.

        Raises:
            NotFound: There is no such transient.
        """
        found = list(self.backwards(name))
        if not found:
            raise self._unknown(name)
        return found[::-1]

    def stages(self, revision: Revision) -> list[StageState]:
        """Return the markers of the run that ended as a revision, in the order in which the stages ended."""
        found = []
        commit = self._handle.commit_before(revision.name, revision.commit)
        while commit is not None and Marker(commit).stage is not None:
            found.append(StageState(self._git, revision.name, commit, revision.number))
            commit = self._handle.commit_before(revision.name, commit)
        return found[::-1]

    def resolve(self, spec: Spec) -> Snapshot:
        """Return the state that a person named: a revision, or the marker of a stage before it.

        Raises:
            NotFound: There is none; the error lists the nearest names.
        """
        if spec.stage is None:
            return self.revision(spec)
        run = self._run_towards(spec)
        if run is None:
            revision = self.revision(spec)
            return _pick(self.stages(revision), spec.stage, f"the run that became {revision}")
        return _pick(run, spec.stage, f"the run in progress of {spec.name}")

    def _run_towards(self, spec: Spec) -> list[StageState] | None:
        """Return the markers of the run in progress, if a spec is about the revision that it is to become."""
        from blastgit.workflow.markers import Run

        if spec.number is None or self.tagged(spec.name, spec.number) is not None:
            return None
        self._handle.need_run(spec.name)
        run = Run.of(self._handle, spec.name)
        if run is None or run.towards != spec.number:
            return None
        return [StageState(self._git, spec.name, marker.commit, spec.number) for marker in run.endings]

    def revision(self, spec: Spec) -> Revision:
        """Return the revision that a person named.

        Raises:
            NotFound: There is none; the error lists the nearest names.
        """
        if spec.alias is not None:
            return self._called(spec.name, spec.alias)
        found: Revision | None
        if spec.number is not None:
            found = self.tagged(spec.name, spec.number)
            if found is None:
                numbers = [revision.number for revision in self.revisions(spec.name)]
                raise NotFound(f"{spec.name} has no revision {spec.number}: it has {_range(numbers)}")
            return found
        if spec.until is not None:
            revisions = self.revisions(spec.name)
            found = max((r for r in revisions if r.time <= spec.until), key=lambda r: r.number, default=None)
            if found is None:
                raise NotFound(
                    f"{spec.name} had no revision yet then: revision 0 is of {revisions[0].time:%Y-%m-%d %H:%M} UTC"
                )
            return found
        found = self.latest(spec.name)
        if found is None:
            raise self._unknown(spec.name)
        return found

    def _called(self, name: str, alias: str) -> Revision:
        from blastgit.workflow.names import named

        found = named(self._handle, name, alias)
        found.asked = f"{name}@{alias}"
        return found

    def transients(self) -> list[str]:
        """Return the names of all transients, sorted. Reads every ref: not for a hot path."""
        prefix = b"refs/heads/"
        refs = self._git.raw_listall_references()
        names = (ref[len(prefix) :].decode("utf-8", "replace") for ref in refs if ref.startswith(prefix))
        return sorted(name for name in names if "/" not in name and name not in ("main", "annotations"))

    def _unknown(self, name: str) -> NotFound:
        if is_personal(name):
            return NotFound(
                f"there is no {name} in {self._handle.location}: `blastgit list 'u/*'` shows users' own lines, and "
                "`blastgit record NAME --as u/USER` begins one"
            )
        folded = {fold(other): other for other in self.transients()}
        near = [folded[each] for each in difflib.get_close_matches(fold(name), folded, n=3)]
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `blastgit list` shows those there are"
        return NotFound(f"there is no transient {name} in {self._handle.location}{hint}")


def comes_right_after(git: pygit2.Repository, commit: pygit2.Commit, tip: str | None) -> bool:
    """Whether a revision follows the commit `tip`, or begins a branch if that is None, but for markers of stages."""
    line = Marker(commit).line
    while commit.parent_ids:
        before = commit.parent_ids[0]
        if str(before) == tip:
            return True
        if before not in git:
            return False
        commit = git[before].peel(pygit2.Commit)
        if Marker(commit).line != line:
            return tip is None  # here a user's own line forks
        if Marker(commit).stage is None:
            return False
    return tip is None


def _pick(states: list[StageState], wanted: str, run: str) -> StageState:
    """Return the last marker of a stage."""
    found = [state for state in states if state.slug == wanted]
    if found:
        return found[-1]
    slugs = [state.slug for state in states]
    near = difflib.get_close_matches(wanted, slugs, n=2)
    there = f"did you mean post-{' or post-'.join(near)}?" if near else f"it has {', '.join(slugs) or 'no markers'}"
    raise NotFound(f"{run} has no marker post-{wanted}: {there}")


def _range(numbers: list[int]) -> str:
    return f"revision {numbers[0]}" if len(numbers) == 1 else f"revisions {numbers[0]} to {numbers[-1]}"
