"""A data repo that lies elsewhere: what a question needs is fetched into a temporary copy, what is recorded is pushed.

A transient's branch is fetched with its tip alone; the walk back along it fetches more when it comes to the end of
what is here. So whoever asks for the latest revision gets little, and whoever asks for all of them gets all.
"""

from __future__ import annotations

import math
import os
import random
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pygit2

from blastgit.errors import Denied, NotFound, RepoError, StoreError
from blastgit.naming.names import OWN_LINES
from blastgit.naming.refs import (
    BRANCHES,
    CHECKPOINT,
    MAIN,
    PERSONAL_BRANCHES,
    PERSONAL_TAGS,
    RUNS,
    TAGS,
    branch_ref,
    copied,
    run_ref,
    tag_ref,
)
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.connection import explain
from blastgit.plumbing.durable import sync_file_systems
from blastgit.plumbing.objects import find_ref
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.push import Outcome, PushFailed, push_refs
from blastgit.plumbing.refs import ZERO, RefMoved, RefUpdate
from blastgit.plumbing.scratch import Scratch
from blastgit.plumbing.user_settings import Keep
from blastgit.repository.base import Repository
from blastgit.repository.history import comes_right_after
from blastgit.repository.location import shown
from blastgit.store.config import VARIABLE, Remote

_TIPS = (copied(f"{BRANCHES}*"), f"^{PERSONAL_BRANCHES}*")
_OWN_TIPS = (copied(MAIN), copied(f"{PERSONAL_BRANCHES}*"))
_STEP = 4  # commits fetched by the first look beyond a tip; each further one fetches four times as many
_STAGES = 64  # commits; more than a workflow has stages, whose markers stand between two revisions
_ALL = 1_000_000  # commits; `--unshallow` would bring all of main as well
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds

# The user's own hooks are about the user's own clones, and a server that hangs is given up.
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
    """A data repo elsewhere, as far as it has been fetched.

    The server's hook has the last word on what is recorded: it knows the policy and who pushes, and it alone sees every
    name, so a new name that differs from another only in case is found there.

    Attributes:
        url: Where the data repo is.
    """

    is_here = False

    def __init__(self, url: str, sleep: Callable[[float], object] = time.sleep) -> None:
        """Fetch main, and only that.

        Args:
            url: Where the data repo is, as git takes it.
            sleep: What waits, before another try to push.

        Raises:
            RepoError: The repository cannot be reached, or is no data repo.
        """
        self.url = url
        self._sleep = sleep
        self._give_up = math.inf
        self._failures = 0
        self._seen: tuple[str, ...] | None = None
        self._steps: dict[str, int] = {}
        self._boundary: frozenset[str] = frozenset()
        scratch = Scratch()
        weakref.finalize(self, scratch.remove)
        self.path = scratch.path / "mirror.git"
        run_git(None, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(self.path))
        with (self.path / "config").open("a") as file:
            file.write(_CONFIG)
        self._fetch([copied(MAIN)], "--depth=1")
        super().__init__(self.path)

    @property
    def location(self) -> str:
        """The URL, without a password."""
        return shown(self.url)

    def need(self, name: str | None, number: int | None = None, *, whole: bool = False) -> None:
        """Fetch what a question is about, as it is now; what the repo lacks is found out later, by who looks for it."""
        self._seen = {None: _TIPS, OWN_LINES: _OWN_TIPS}.get(name)
        self._steps.clear()
        if self._seen is not None:
            self._fetch(self._seen, "--depth=1")
        elif name is None:
            return
        elif number is None or not self._fetch_with_main(tag_ref(name, number), name):
            self._fetch_with_main(branch_ref(name), name)
        if whole:
            parts = ["*"] if name is None else [name] if name == OWN_LINES else [name, f"{name}/*"]
            specs = [copied(f"{BRANCHES}{parts[0]}"), copied(f"{TAGS}{parts[-1]}")]
            if name is None:
                specs += [f"^{PERSONAL_BRANCHES}*", f"^{PERSONAL_TAGS}*"]
            with suppress(NotFound):
                self._fetch(specs, f"--deepen={_ALL}")

    def need_run(self, name: str) -> None:
        """Fetch all markers of a transient's run in progress, if `need` saw that there is one."""
        if run_ref(name) in self.git.references:
            self._look(run_ref(name))

    def need_runs(self) -> None:
        """Fetch the last marker of every run in progress."""
        self._fetch([copied(MAIN), copied(f"{RUNS}*")], "--depth=1", "--prune")  # git fails if it finds nothing at all

    def need_tags(self, pattern: str) -> None:
        """Fetch the tags whose name matches a pattern, with a star at its end, each without what led to it."""
        self._fetch([copied(MAIN), copied(f"{TAGS}{pattern}")], "--depth=1")  # with a star, none is no failure

    def need_checkpoints(self) -> None:
        """Fetch the checkpoints of the ledger, all of them, if there are any."""
        self._fetch([copied(MAIN), copied(f"{CHECKPOINT}*")], f"--depth={_ALL}")  # with a star, none is no failure

    def branches(self) -> list[str]:
        """Return the refs of all branches that the repo there has, without fetching any."""
        try:
            listed = run_git(
                self.path, "ls-remote", "--quiet", "--heads", "--", self.url, keep=Keep.to_reach(self.url)
            ).decode("utf-8", "replace")
        except GitError as error:
            raise explain(self.location, "cannot be read", error.stderr) from None
        return [line.partition("\t")[2] for line in listed.splitlines()]

    def commit_before(self, name: str, commit: pygit2.Commit) -> pygit2.Commit | None:
        """Return the commit before one on a transient's branch, fetching it if need be."""
        if str(commit.id) in self._boundary:
            specs = self._seen or (branch_ref(name),)
            step = self._steps.get(specs[0], _STEP)
            self._steps[specs[0]] = 4 * step
            self._fetch(specs, f"--deepen={step}")
            commit = self.git[commit.id].peel(pygit2.Commit)
        return super().commit_before(name, commit)

    def remote(self) -> Remote:
        """Return where the store is.

        Raises:
            StoreError: It is a folder of another machine.
        """
        remote = super().remote()
        if remote.folder is not None and not os.environ.get(VARIABLE) and not _may_be_store(remote.folder):
            raise StoreError(
                f"{self.location} keeps its contents in the folder {remote.folder}, and there is no such store on this "
                f"machine: set {VARIABLE} to a URL by which it can be reached, or ask an admin to move the store to one"
            )
        return remote

    def prepare_to_write(self) -> None:
        """Make the folders that a writer needs in the copy, and see that the store can be named."""
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
        """Push: all of the refs move, or none.

        Raises:
            RefMoved: Somebody else was first. What is there now has been fetched: decide anew.
            Denied: A hook of the data repo declined it.
            RepoError: The data repo cannot be reached, or does not take pushes.
        """
        del message, locks  # the other side keeps its own log, and its own locks
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
        """Look at what there is after a push that failed, and raise what that means; return if it went through."""
        branch = next((update for update in updates if update.ref.startswith(BRANCHES)), updates[0])
        self._wait()
        try:
            moving = [update.ref for update in updates if not update.ref.startswith(TAGS)] or [branch.ref]
            there = {ref: self._look(ref) for ref in moving}
        except RepoError:
            raise explain(self.location, "cannot be reached any more", failure.said) from None
        now = there[branch.ref]
        if failure.outcome is Outcome.UNKNOWN and (now or ZERO) == branch.new:
            return  # it was taken in, and only the answer was lost
        if now != branch.old:
            raise RefMoved(f"{branch.ref} of {self.location} was moved by somebody else")
        if failure.outcome is Outcome.MOVED:
            self._roll_forward(branch, [update.ref for update in updates if update.ref.startswith(TAGS)])
            raise RefMoved(f"{branch.ref} of {self.location} is being moved by somebody else")
        if failure.outcome is Outcome.DECLINED:
            raise Denied(f"{self.location} did not take this in: {failure.said}")
        raise explain(self.location, "did not take this in", failure.said)

    def _look(self, ref: str) -> str | None:
        """Fetch a ref, of a run with all that leads to it, and return the object id that it has."""
        try:
            self._fetch([copied(ref)], f"--depth={_ALL if ref.startswith(RUNS) else 1}")
        except NotFound:
            if ref.startswith(RUNS) and ref in self.git.references:
                self.git.references.delete(ref)
            return None
        return str(self.git.references[ref].target)

    def _roll_forward(self, branch: RefUpdate, tags: Sequence[str]) -> None:
        """Lead the branch to its latest revision, if a tag without it is all that a writer there left when it died."""
        for tag in tags:
            try:
                self._fetch([copied(tag)], f"--depth={_STAGES}")
                commit = self.git.references[tag].peel(pygit2.Commit)
                if comes_right_after(self.git, commit, branch.old):
                    push_refs(self.path, self.url, [RefUpdate(branch.ref, str(commit.id), branch.old)])
            except (NotFound, PushFailed):
                continue  # then it was another reason, or somebody else was at it too
            self._look(branch.ref)

    def _wait(self) -> None:
        """Wait before the next try, longer each time, and by chance, so that those who met once do not meet again."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2**self._failures)
        self._failures += 1
        wait = random.uniform(0, longest)  # noqa: S311 (nobody has to be kept from guessing it)
        self._sleep(max(0.0, min(wait, self._give_up - time.monotonic())))

    def _fetch_with_main(self, ref: str, name: str) -> bool:
        """Fetch a ref, main as it is now, and the end of the transient's run; return whether there is such a ref."""
        always = copied(MAIN), copied(f"{run_ref(name)}*")  # with a star, git does not mind if there is no run
        try:
            self._fetch([*always, copied(ref)], "--depth=1", "--prune")
        except NotFound:
            self._fetch(always, "--depth=1", "--prune")
            return False
        return True

    def _fetch(self, specs: Sequence[str], *options: str) -> None:
        words = ["--quiet", "--no-tags", "--no-write-fetch-head", *options, "--", self.url, *specs]
        try:
            run_git(self.path, "fetch", *words, keep=Keep.to_reach(self.url))
        except GitError as error:
            if f"couldn't find remote ref {MAIN}" in error.stderr:
                raise RepoError(f"{self.location} has no branch main: is it a data repo of blastgit?") from None
            if "couldn't find remote ref" in error.stderr:
                raise NotFound(f"{self.location} has no {error.stderr.rpartition('/')[2]}") from None
            raise explain(self.location, "cannot be read", error.stderr) from None
        self._reopen()

    def _reopen(self) -> None:
        """Look at the copy afresh: libgit2 remembers where history ended."""
        before = find_ref(self.git, MAIN) if hasattr(self, "git") else None
        self.git = pygit2.Repository(str(self.path))
        if before is None or before.target != self.git.references[MAIN].target:
            self.__dict__.pop("store", None)  # main may name another one now
        shallow = self.path / "shallow"
        self._boundary = frozenset(shallow.read_text().split()) if shallow.exists() else frozenset()


def _may_be_store(folder: Path) -> bool:
    """Whether a folder that a repo elsewhere names is a store, or empty; no other is read, or written to."""
    try:
        return (folder / "files" / "md5").is_dir() or {path.name for path in folder.iterdir()} <= {"files", "tmp"}
    except OSError:
        return False
