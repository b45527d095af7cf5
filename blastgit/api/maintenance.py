"""Looking after a data repo: `verify`, `gc`, `withdraw`, `maintain` and `move_store` as methods of `DataRepo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.api.base import BaseRepo
from blastgit.naming.names import check_line, parse_spec
from blastgit.repository.identity import repo_identity

if TYPE_CHECKING:
    from datetime import timedelta

    from blastgit.maintenance.gc import Report as Collected
    from blastgit.maintenance.locks import LockState
    from blastgit.maintenance.restore_placement import Due
    from blastgit.maintenance.verify import Report
    from blastgit.maintenance.withdraw import Withdrawal
    from blastgit.plumbing.signing import Sign
    from blastgit.repository.ledger.checkpoint import Checkpoint
    from blastgit.repository.packing import Maintained
    from blastgit.store.registry import Reliance


class Care(BaseRepo):
    """What admins and curators do with a data repo as a whole."""

    def verify(  # noqa: PLR0913 (each is one way to do less, or more)
        self,
        name: str | None = None,
        *,
        fast: bool = False,
        sample: float | None = None,
        seed: int | None = None,
        resume: bool = False,
        repair: bool = False,
        sources: Sequence[str] = (),
        since: str | Path | None = None,
        signed: bool = False,
        signers: str | Path | None = None,
    ) -> Report:
        """Check refs, the ledger, numbering, commits, documents, pointers and contents, of one transient or of all.

        Args:
            name: The transient; None for all.
            fast: Do not read contents, only see that they are there.
            sample: Read this many per cent of the contents.
            seed: Which ones: the same seed chooses the same again.
            resume: Go on where an interrupted call stopped.
            repair: Put back refs that have vanished, and bring contents that are missing or damaged from `sources`, or
                from the store's quarantine.
            sources: Stores to repair from, each the folder or URL of a DVC remote, or the folder of a DVC cache.
            since: A checkpoint that somebody kept, by its commit or the file of its note: all of it must be here still.
            signed: Demand that it bears a good signature.
            signers: Who may sign it with which SSH key; by default as git's settings say.

        Raises:
            NotFound: There is no such transient.
            UsageError: `sample` is no percentage, or two wishes contradict each other.
            Denied: Somebody who is no admin wants to repair.
        """
        from blastgit.maintenance.verify import Since, VerifyOptions, verify

        if name is not None:
            check_line(name)
        kept = None if since is None else Since(str(since), signed, None if signers is None else Path(signers))
        restored = []
        if repair:
            from blastgit.maintenance.repair import put_back_refs

            restored = put_back_refs(self._local(), name)
        report = verify(self._repository, name, VerifyOptions(fast, sample, seed, resume, kept), self._progress)
        report.repaired += restored
        if repair:
            from blastgit.maintenance.repair import repair as mend

            mend(self._local(), report, sources, self._progress)
        return report

    def gc(
        self,
        *,
        delete: bool = False,
        restore: bool = False,
        grace: timedelta | None = None,
        also: Sequence[Path] = (),
    ) -> Collected:
        """Find the contents that no ref of any kind reaches, and move them to the store's quarantine if asked to.

        Args:
            delete: Do it, and delete for good what has been in the quarantine for longer than `grace`.
            restore: Bring back all that is in the quarantine, and do nothing else.
            grace: How long contents are left alone after a writer last relied on them; 14 days by default.
            also: Other data repos that use the same store.

        Raises:
            Denied: Somebody who is no admin wants it done.
            DamagedData: Git lacks something, so that it cannot be known what is needed.
            StoreError: The store fails, or cannot move contents.
        """
        from blastgit.maintenance.gc import GRACE, GcOptions, gc

        options = GcOptions(GRACE if grace is None else grace, delete, restore, also)
        return gc(self._local(), options, self._progress)

    def withdraw(self, spec: str, reason: str, *, now: bool = False, dry_run: bool = False) -> Withdrawal:
        """Take down the files of a revision, or those at `:PATH` of it; tag, document and a tombstone stay.

        Contents that nothing else needs go into the store's quarantine, from which `gc` deletes them in time. Where
        this repo does not own its store nothing is deleted, and the result says where the bytes are and what to do.

        Args:
            spec: The revision by its number, `2026dgt@1` or `2026dgt@1:cutout_cdn/DES/DES_z.fits`; or an attachment by
                the id that `blastgit attach` lists, `attachment:ID`.
            reason: Why, in one line that everybody will read.
            now: Delete contents for good at once.
            dry_run: Say what would be done, and do nothing.

        Raises:
            NotFound: There is no such revision, file or attachment.
            InvalidInput: The attachment is so small that it lies in git, which forgets nothing.
            Denied: Whoever asks is no admin.
        """
        from blastgit.maintenance.withdraw import WithdrawOptions, withdraw

        kind, _, name = spec.partition(":")
        if kind == "attachment":
            from blastgit.maintenance.withdraw_attachment import withdraw_attachment

            return withdraw_attachment(self._local(), name, reason, WithdrawOptions(now, dry_run))
        return withdraw(self._local(), parse_spec(spec), reason, WithdrawOptions(now, dry_run))

    def maintain(self, *, only_if_due: bool = False) -> Maintained:
        """Pack refs and objects, beside writers; with `only_if_due`, not unless there is much to pack.

        Raises:
            Busy: Another process is at it.
        """
        from blastgit.repository.packing import maintain

        return maintain(self._local(), only_if_due=only_if_due, progress=self._progress)

    def checkpoint(self, sign: Sign | None = None) -> Checkpoint:
        """Make a checkpoint of the ledger: a commit of all that was published by now, which can be signed and kept.

        Args:
            sign: How to sign it; None for not.

        Raises:
            RepoError: It cannot be written or signed.
        """
        from blastgit.plumbing.git_locks import OF_LEDGER
        from blastgit.plumbing.locks import BRIEFLY, Journal, hold
        from blastgit.repository.ledger.checkpoint import LEDGER_LOCK, make_checkpoint

        repository = self._local()
        repository.prepare_to_edit()
        with hold(repository.lock_path(LEDGER_LOCK), BRIEFLY) as lock:
            lock.announce(Journal.own(locks=OF_LEDGER))
            origin = f"urn:uuid:{repo_identity(repository)}"
            return make_checkpoint(repository.git, repository.path, origin, repository.committer(), sign)

    def locks(self) -> list[LockState]:
        """Return what is locked, by whom and since when."""
        from blastgit.maintenance.locks import list_locks

        return list_locks(self._local())

    def free_lock(self, file: str) -> None:
        """Remove a lock that is in the way, on the caller's word that its owner is dead.

        Args:
            file: Its path in the repository, as `locks` and errors name it.

        Raises:
            NotFound: There is no such lock.
            Busy: A process of this machine has it.
        """
        from blastgit.maintenance.locks import free_lock

        free_lock(self._local(), file)

    def store_users(self) -> list[Reliance]:
        """Return which repos rely on the stores of this one, as far as the stores know; see `repository/ownership.py`.

        Raises:
            StoreError: A store fails.
        """
        from blastgit.store.registry import reliances

        return [each for part in self._repository.store.parts for each in reliances(part)]

    def own_store(self) -> list[str]:
        """Make this repo an owner of its stores, which may delete from them, and return their URLs.

        Raises:
            Denied: This user is no admin.
            StoreError: A store takes no note of it.
        """
        from blastgit.repository.ownership import own

        return own(self._local())

    def forget_store_user(self, name: str) -> Reliance:
        """Have the stores of this repo forget another repo that is no more, by the id that `store_users` gives.

        Raises:
            Denied: This user is no admin.
            NotFound: No store knows it.
            RepoError: This repo does not own the store.
        """
        from blastgit.repository.ownership import forget

        return forget(self._local(), name)

    def move_store(self, url: str, options: Mapping[str, str] | None = None, *, check: bool = True) -> None:
        """Make main name another store, to which the contents have been copied; old tags stay as they are.

        Args:
            url: Where the contents are now.
            options: What DVC needs beside the URL; none of the old ones is kept.
            check: Whether to refuse a store that lacks contents of any tag which the present one has.

        Raises:
            Denied: This user is no admin.
            StoreError: The new store lacks contents, or one of the two fails.
        """
        from blastgit.maintenance.move_store import move_store

        move_store(self._local(), url, options, check=check)

    def add_store(self, name: str, url: str, options: Mapping[str, str] | None = None) -> None:
        """Make main name one more store, which rules of storage may send kinds of files to.

        Args:
            name: What it is to be called.
            url: Where it is; it need not exist yet.
            options: What DVC needs beside the URL.

        Raises:
            Denied: This user is no admin.
            InvalidInput: It cannot be called so, or there is one of that name.
        """
        from blastgit.maintenance.move_store import add_store

        add_store(self._local(), name, url, options)

    def bring_contents(self, *, dry_run: bool = False) -> Due:
        """Copy published contents to where the rules of storage send them now; or just say which, with `dry_run`.

        Raises:
            Denied: This user is no admin.
            DamagedData: A content is not what was published.
            StoreError: A store fails; what was copied stays, and the next call goes on.
        """
        from blastgit.maintenance.restore_placement import bring, due

        return due(self._local()) if dry_run else bring(self._local(), self._progress)
