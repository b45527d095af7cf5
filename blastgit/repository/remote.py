"""A remote data repo: what a query needs is fetched into a temporary copy, what is recorded is pushed.

Each query fetches what it needs, up to date, and nothing twice, without the verbs having to request it. Only the tip of
a transient's branch is fetched at first; walking back along the branch fetches more when it reaches the end of what is
here. Reading the latest revision thus fetches little, and reading all of them fetches everything.
"""

from __future__ import annotations

import math
import os
import random
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pygit2

from blastgit.errors import Denied, NotFound, RepoError, StoreError
from blastgit.naming.refs import (
    ANNOTATIONS,
    BRANCHES,
    CHECKPOINT,
    DRAFTS,
    MAIN,
    PERSONAL_BRANCHES,
    RELEASES,
    RUNS,
    TAGS,
    branch_ref,
    copied,
    draft_ref,
    run_ref,
)
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.connection import explain
from blastgit.plumbing.durable import sync_file_systems
from blastgit.plumbing.objects import ZERO, find_ref
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.push import Outcome, PushFailed, push_refs
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.scratch import Scratch
from blastgit.plumbing.user_settings import Keep
from blastgit.repository.base import Repository
from blastgit.repository.fetched import Fetched, Pattern
from blastgit.repository.history import comes_right_after
from blastgit.repository.location import shown
from blastgit.store.config import VARIABLE, Remote

_ALL_BRANCHES = Pattern(BRANCHES, is_open=True, but=PERSONAL_BRANCHES)
_ALL_TAGS = Pattern(TAGS, is_open=True)
_WHOLE = (RUNS, DRAFTS)
"""The prefixes of refs that are fetched with their whole history."""
_SINGLY = 8  # refs; up to this number are fetched one by one, otherwise all
_STEP = 4  # commits in the first fetch beyond a tip; each further fetch has four times as many
_STAGES = 64  # commits; more than the stages of a workflow, whose markers are between two revisions
_ALL = 1_000_000  # commits; `--unshallow` would fetch all of main as well
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds

# Ignore the user's own hooks, which are for the user's own clones, and give up on a server that hangs.
_CONFIG = """
[core]
    hooksPath = /dev/null
[fetch]
    fsckObjects = true
[gc]
    auto = 0
[maintenance]
    auto = 0
[protocol "ext"]
    allow = never
[http]
    lowSpeedLimit = 1
    lowSpeedTime = 300
"""


class RemoteRepository(Repository):
    """A remote data repo, as far as it has been fetched.

    The server's hook has the last word on what is recorded: it knows the policy and who pushes, and only it sees every
    name, so that it can refuse a new name that differs from another only in case.

    Attributes:
        url: Where the data repo is.
    """

    is_here = False

    def __init__(self, url: str, sleep: Callable[[float], object] = time.sleep) -> None:
        """Fetch main only.

        Args:
            url: The URL of the data repo, for git.
            sleep: Called to wait before another attempt to push.

        Raises:
            RepoError: The repository cannot be reached, or is not a data repo.
        """
        self.url = url
        self._sleep = sleep
        self._give_up = math.inf
        self._failures = 0
        self._fetched = Fetched()
        self._depth = 0
        self._along: tuple[Pattern, ...] = ()
        self._boundary: frozenset[str] = frozenset()
        scratch = Scratch()
        weakref.finalize(self, scratch.remove)
        self.path = scratch.path / "mirror.git"
        run_git(None, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(self.path))
        with (self.path / "config").open("a") as file:
            file.write(_CONFIG)
        self._bring(Pattern(MAIN))
        super().__init__(self.path)

    @property
    def location(self) -> str:
        """The URL, without a password."""
        return shown(self.url)

    @contextmanager
    def question(self) -> Iterator[None]:
        """Enter a query, within which each ref is fetched only once; nested queries belong to the outer one."""
        if not self._depth:
            self.refresh()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def refresh(self) -> None:
        """Forget which refs are up to date."""
        self._fetched = Fetched()

    def expect(self, start: str) -> None:
        """Fetch the refs that begin with `start` together with the next ref that is needed."""
        self._along = (*self._along, Pattern(start, is_open=True))

    def reference(self, ref: str) -> pygit2.Reference | None:
        """Return a ref as it is now. A transient's ref is fetched with the refs of its run and drafts."""
        if ref.startswith(_WHOLE):
            self._bring_run(ref)
        elif ref.startswith((BRANCHES, TAGS)):
            along, self._along = self._along, ()
            self._bring(*along, *_beside(ref), Pattern(ref))
        elif ref == CHECKPOINT:
            self._bring_whole(ref)
        return super().reference(ref)

    def references(self, start: str, but: str = "") -> list[str]:
        """Return the names of the refs that begin with `start`, after fetching the tip of each."""
        # listing transients needs their drafts next
        drafts = [Pattern(DRAFTS, is_open=True)] if start == BRANCHES else []
        self._bring(Pattern(MAIN), *drafts, Pattern(start, is_open=True, but=but))
        return super().references(start, but)

    def object_ids(self, start: str, but: str = "") -> dict[str, str]:
        """Return the object id of each ref that begins with `start`, after fetching the tip of each."""
        self._bring(Pattern(MAIN), Pattern(start, is_open=True, but=but))
        return super().object_ids(start, but)

    def look_up(self, refs: Iterable[str]) -> dict[str, pygit2.Reference]:
        """Return the given branches or tags that exist, fetching them together."""
        wanted = list(refs)
        missing = sorted({ref for ref in wanted if not self._fetched.has(Pattern(ref))})
        if len(missing) > _SINGLY:
            self._bring(Pattern(MAIN), *{_ALL_TAGS if ref.startswith(TAGS) else _ALL_BRANCHES for ref in missing})
        elif missing:  # with a wildcard, a missing ref is not an error
            self._bring(Pattern(MAIN), *(Pattern(ref, is_open=True) for ref in missing))
        return super().look_up(wanted)

    def commits(self, name: str, start: pygit2.Commit | None = None) -> Iterator[pygit2.Commit]:
        """Yield all commits of a branch, after fetching them in one go with the line's tags.

        If the names of all branches were requested before, all commits of all branches are fetched.
        """
        self._bring_whole(branch_ref(name))
        yield from super().commits(name, start)

    def branches(self) -> list[str]:
        """Return the refs of all branches of the remote repo, without fetching any."""
        try:
            listed = run_git(
                self.path, "ls-remote", "--quiet", "--heads", "--", self.url, keep=Keep.to_reach(self.url)
            ).decode("utf-8", "replace")
        except GitError as error:
            raise explain(self.location, "cannot be read", error.said) from None
        return [line.partition("\t")[2] for line in listed.splitlines()]

    def commit_before(self, name: str, commit: pygit2.Commit) -> pygit2.Commit | None:
        """Return the previous commit on a transient's branch, fetching it if needed."""
        if str(commit.id) in self._boundary:
            group = self._fetched.group(branch_ref(name))
            step = self._fetched.steps.get(group, _STEP)
            self._fetched.steps[group] = 4 * step
            self._fetch(group.specs, f"--deepen={step}")
            commit = self.git[commit.id].peel(pygit2.Commit)
        return super().commit_before(name, commit)

    def remote(self) -> Remote:
        """Return the location of the store.

        Raises:
            StoreError: It is a folder on another machine.
        """
        remote = super().remote()
        if remote.folder is not None and not os.environ.get(VARIABLE) and not _may_be_store(remote.folder):
            raise StoreError(
                f"{self.location} keeps its contents in the folder {remote.folder}, which is not a store on this "
                f"machine: set {VARIABLE} to a URL at which it can be reached, or ask an admin to move it to a URL"
            )
        return remote

    def prepare_to_write(self) -> None:
        """Make the folders that a writer needs in the copy, and check that the store can be used."""
        _ = self.store
        super().prepare_to_write()

    def update_refs(
        self,
        updates: list[RefUpdate],
        message: str,
        *locks: int,
        objects: Batch | None = None,
        synced: Iterable[Path] = (),
    ) -> None:
        """Push refs, all or none.

        Raises:
            RefMoved: Somebody else was first. The new state has been fetched: decide again.
            Denied: A hook of the data repo rejected the push.
            RepoError: The data repo cannot be reached, or does not accept pushes.
        """
        del message, locks  # the remote repo has its own log and locks
        if objects is not None:
            objects.write()
        sync_file_systems(synced)
        try:
            push_refs(self.path, self.url, updates)
        except PushFailed as failure:
            self._find_out(failure, updates)
        self._failures = 0
        for update in updates:
            if update.new != ZERO:
                self.git.references.create(update.ref, update.new, force=True)
            elif update.ref in self.git.references:
                self.git.references.delete(update.ref)

    def _find_out(self, failure: PushFailed, updates: Sequence[RefUpdate]) -> None:
        """Fetch the refs after a failed push, and raise the appropriate error; return if the push did succeed."""
        branch = next((update for update in updates if update.ref.startswith(BRANCHES)), updates[0])
        self._wait()
        try:
            moving = [update.ref for update in updates if not update.ref.startswith(TAGS)] or [branch.ref]
            there = {ref: self._look(ref) for ref in moving}
        except RepoError:
            raise explain(self.location, "cannot be reached any more", failure.said) from None
        now = there[branch.ref]
        if failure.outcome is Outcome.UNKNOWN and (now or ZERO) == branch.new:
            return  # the push succeeded, and only the answer was lost
        if now != branch.old:
            raise RefMoved(f"{branch.ref} of {self.location} was moved by somebody else")
        if failure.outcome is Outcome.MOVED:
            self._roll_forward(branch, [update.ref for update in updates if update.ref.startswith(TAGS)])
            raise RefMoved(f"{branch.ref} of {self.location} is being moved by somebody else")
        if failure.outcome is Outcome.DECLINED:
            raise Denied(f"{self.location} rejected this: {failure.said}")
        raise explain(self.location, "rejected this", failure.said)

    def _look(self, ref: str) -> str | None:
        """Fetch a ref, for a run with its whole history, and return its object id, or None."""
        try:
            self._fetch([copied(ref)], f"--depth={_ALL if ref.startswith(_WHOLE) else 1}")
        except NotFound:
            if ref.startswith(_WHOLE) and ref in self.git.references:
                self.git.references.delete(ref)
            return None
        return str(self.git.references[ref].target)

    def _roll_forward(self, branch: RefUpdate, tags: Sequence[str]) -> None:
        """Move the branch to its latest revision, if a writer there died after it had moved only the tag."""
        for tag in tags:
            try:
                self._fetch([copied(tag)], f"--depth={_STAGES}")
                commit = self.git.references[tag].peel(pygit2.Commit)
                if comes_right_after(self.git, commit, branch.old):
                    push_refs(self.path, self.url, [RefUpdate(branch.ref, str(commit.id), branch.old)])
            except (NotFound, PushFailed):
                continue  # the push failed for another reason, or somebody else has done this
            self._look(branch.ref)

    def _wait(self) -> None:
        """Wait before the next attempt, longer each time, and for a random time to avoid repeated collisions."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2**self._failures)
        self._failures += 1
        wait = random.uniform(0, longest)  # noqa: S311 (not a secret)
        self._sleep(max(0.0, min(wait, self._give_up - time.monotonic())))

    def _bring(self, *wanted: Pattern) -> None:
        """Fetch the last of some refs, unless it is up to date; the others are fetched along with it.

        Only the last one may not exist.
        """
        missing = [each for each in wanted if not self._fetched.has(each)]
        if not missing or missing[-1] != wanted[-1]:
            return  # the others are not fetched for their own sake
        prune = () if any(each.but for each in missing) else ("--prune",)
        try:
            self._fetch([spec for each in missing for spec in each.specs], "--depth=1", *prune)
        except NotFound:
            *beside, last = missing
            self._delete(last)
            self._fetched.tips.add(last)
            self._bring(*beside)
            return
        self._fetched.tips.update(missing)

    def _bring_run(self, ref: str) -> None:
        """Fetch all markers of a transient's run in progress, or all its drafts, if there are any."""
        if not self._fetched.has(Pattern(ref)):
            branch = branch_ref(ref.removeprefix(RUNS).removeprefix(DRAFTS))
            self._bring(*_beside(branch), Pattern(branch))
        if ref in self.git.references:
            self._bring_whole(ref)

    def _bring_whole(self, ref: str) -> None:
        """Fetch the whole history of a ref and of the refs fetched together with it; for a line, also its tags."""
        if self._fetched.is_whole(ref):
            return
        if not self._fetched.has(Pattern(ref)):
            self._bring(*_beside(ref), Pattern(ref))
        if ref in self.git.references:
            group = self._fetched.group(ref)
            parts = [group, *_tags_of(group)]
            self._fetch([spec for each in parts for spec in each.specs], f"--deepen={_ALL}")
            self._fetched.tips.update(parts)
            self._fetched.whole.add(group)

    def _delete(self, gone: Pattern) -> None:
        """Delete refs that no longer exist."""
        for ref in [ref for ref in self.git.references if gone.has(ref)]:
            self.git.references.delete(ref)

    def _fetch(self, specs: Sequence[str], *options: str) -> None:
        words = ["--quiet", "--no-tags", "--no-write-fetch-head", *options, "--", self.url, *specs]
        try:
            run_git(self.path, "fetch", *words, keep=Keep.to_reach(self.url))
        except GitError as error:
            if f"couldn't find remote ref {MAIN}" in error.stderr:
                raise RepoError(f"{self.location} has no branch main: is it a data repo of blastgit?") from None
            if "couldn't find remote ref" in error.stderr:
                raise NotFound(f"{self.location} has no {error.stderr.rpartition('/')[2]}") from None
            if not error.stderr and not error.was_killed:  # git's behaviour if no ref matches the patterns
                raise NotFound(f"{self.location} has no {' '.join(specs)}") from None
            raise explain(self.location, "cannot be read", error.said) from None
        self._reopen()

    def _reopen(self) -> None:
        """Reopen the copy, since libgit2 caches where a shallow history ends."""
        before = find_ref(self.git, MAIN) if hasattr(self, "git") else None
        self.git = pygit2.Repository(str(self.path))
        if before is None or before.target != self.git.references[MAIN].target:
            self.__dict__.pop("store", None)  # main may name another store now
        shallow = self.path / "shallow"
        self._boundary = frozenset(shallow.read_text().split()) if shallow.exists() else frozenset()


def _beside(ref: str) -> list[Pattern]:
    """Return the refs to fetch along with a ref, since they are needed together."""
    if ref in (MAIN, ANNOTATIONS, CHECKPOINT) or ref.startswith((RELEASES, *_WHOLE)):
        return [Pattern(MAIN)]
    name = ref.removeprefix(BRANCHES) if ref.startswith(BRANCHES) else ref.removeprefix(TAGS).rpartition("/")[0]
    # with a wildcard, git accepts that a ref does not exist
    return [Pattern(MAIN), Pattern(run_ref(name), is_open=True), Pattern(draft_ref(name), is_open=True)]


def _tags_of(branches: Pattern) -> list[Pattern]:
    """Return the tags of some branches."""
    if not branches.start.startswith(BRANCHES) or branches.start in (MAIN, ANNOTATIONS):
        return []
    start = f"{TAGS}{branches.start.removeprefix(BRANCHES)}"
    but = f"{TAGS}{branches.but.removeprefix(BRANCHES)}" if branches.but else ""
    return [Pattern(start if branches.is_open else f"{start}/", is_open=True, but=but)]


def _may_be_store(folder: Path) -> bool:
    """Whether a local folder named by a remote repo is a store or empty; any other folder is left alone."""
    try:
        return (folder / "files" / "md5").is_dir() or {path.name for path in folder.iterdir()} <= {"files", "tmp"}
    except OSError:
        return False
