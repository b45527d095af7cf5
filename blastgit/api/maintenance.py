"""Maintaining a data repo: verbs of `DataRepo` for admins and curators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.naming.names import check_line, parse_spec

if TYPE_CHECKING:
    from datetime import timedelta

    from blastgit.api.session import Session
    from blastgit.maintenance.gc import Report as Collected
    from blastgit.maintenance.locks import LockState
    from blastgit.maintenance.verify import Report
    from blastgit.maintenance.withdraw import Withdrawal
    from blastgit.plumbing.signing import Sign
    from blastgit.repository.ledger.checkpoint import Checkpoint
    from blastgit.repository.packing import Maintained


def verify(  # noqa: PLR0913 (options that most calls omit)
    session: Session,
    /,
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
        fast: Only check that contents exist, without reading them.
        sample: Read this percentage of the contents.
        seed: Which contents to sample: the same seed selects the same ones.
        resume: Continue where an interrupted call stopped.
        repair: Restore refs that have vanished, and contents that are missing or damaged, from `sources` or from the
            store's quarantine.
        sources: Stores to repair from, each the folder or URL of a DVC remote, or the folder of a DVC cache.
        since: A checkpoint kept elsewhere, by its commit or the file of its note: all of it must still be here.
        signed: Require a good signature on the checkpoint.
        signers: An allowed-signers file for SSH keys; by default the one in git's settings.

    Raises:
        NotFound: The transient does not exist.
        UsageError: `sample` is not a percentage, or two options contradict each other.
        Denied: Only admins may repair.
    """
    from blastgit.maintenance.verify import Since, VerifyOptions, verify
    from blastgit.maintenance.verify.last import note

    if name is not None:
        check_line(name)
    kept = None if since is None else Since(str(since), signed, None if signers is None else Path(signers))
    restored = []
    if repair:
        from blastgit.maintenance.repair import put_back_refs

        restored = put_back_refs(session.local(), name)
    report = verify(session.repository, name, VerifyOptions(fast, sample, seed, resume, kept), session.progress)
    report.repaired += restored
    if repair:
        from blastgit.maintenance.repair import repair as mend

        mend(session.local(), report, sources, session.progress)
    if name is None and session.repository.is_here:
        note(session.repository.work_folder, report)
    return report


def gc(
    session: Session,
    /,
    *,
    delete: bool = False,
    restore: bool = False,
    grace: timedelta | None = None,
    also: Sequence[Path] = (),
) -> Collected:
    """Find the contents that no ref of any kind reaches, and move them to the store's quarantine if asked to.

    Args:
        delete: Move them, and delete permanently what has been in the quarantine for longer than `grace`.
        restore: Bring back everything in the quarantine, and do nothing else.
        grace: How long contents are kept after a writer last relied on them; 14 days by default.
        also: Other data repos that use the same store.

    Raises:
        Denied: Only admins may delete or restore.
        DamagedData: Git lacks something, so it is unknown which contents are needed.
        StoreError: The store fails, or cannot move contents.
    """
    from blastgit.maintenance.gc import GRACE, GcOptions, gc

    options = GcOptions(GRACE if grace is None else grace, delete, restore, also)
    return gc(session.local(), options, session.progress)


def withdraw(session: Session, /, spec: str, reason: str, *, now: bool = False, dry_run: bool = False) -> Withdrawal:
    """Take down the files of a revision, or those at `:PATH`; tag and document stay, with a tombstone.

    Contents that nothing else needs go into the store's quarantine, from which `gc` deletes them later. If this repo
    does not own its store, nothing is deleted, and the result says where the bytes are and what to do.

    Args:
        spec: The revision by its number, `2026dgt@1` or `2026dgt@1:cutout_cdn/DES/DES_z.fits`; a draft by its own,
            `2026dgt@1:draft-1`; or an attachment by the id that `blastgit attach` lists, `attachment:ID`.
        reason: Why, in one line that everybody can read.
        now: Delete contents permanently at once.
        dry_run: Report what would be done, but do nothing.

    Raises:
        NotFound: The revision, file or attachment does not exist.
        InvalidInput: The attachment is small and therefore lies in git, which keeps everything.
        Denied: The caller is not an admin.
    """
    from blastgit.maintenance.withdraw import WithdrawOptions, withdraw

    kind, _, name = spec.partition(":")
    if kind == "attachment":
        from blastgit.maintenance.withdraw_attachment import withdraw_attachment

        return withdraw_attachment(session.local(), name, reason, WithdrawOptions(now, dry_run))
    return withdraw(session.local(), parse_spec(spec), reason, WithdrawOptions(now, dry_run))


def maintain(session: Session, /, *, only_if_due: bool = False) -> Maintained:
    """Pack refs and objects while others may write; with `only_if_due`, only if there is much to pack.

    Raises:
        Busy: Another process is packing.
    """
    from blastgit.repository.packing import maintain

    return maintain(session.local(), only_if_due=only_if_due, progress=session.progress)


def checkpoint(session: Session, /, sign: Sign | None = None) -> Checkpoint:
    """Make a checkpoint of the ledger: a commit of everything published so far, which can be signed and kept.

    Args:
        sign: How to sign it; None to leave it unsigned.

    Raises:
        RepoError: It cannot be written or signed.
    """
    from blastgit.plumbing.git_locks import OF_LEDGER
    from blastgit.plumbing.locks import BRIEFLY, Journal, hold
    from blastgit.repository.identity import repo_identity
    from blastgit.repository.ledger.checkpoint import LEDGER_LOCK, make_checkpoint

    repository = session.local()
    repository.prepare_to_edit()
    with hold(repository.lock_path(LEDGER_LOCK), BRIEFLY) as lock:
        lock.announce(Journal.own(locks=OF_LEDGER))
        origin = f"urn:uuid:{repo_identity(repository)}"
        return make_checkpoint(repository.git, repository.path, origin, repository.committer(), sign)


def locks(session: Session, /) -> list[LockState]:
    """Return the locks that are held, by whom and since when."""
    from blastgit.maintenance.locks import list_locks

    return list_locks(session.local())


def free_lock(session: Session, /, file: str) -> None:
    """Remove a lock whose owner, the caller asserts, is dead.

    Args:
        file: Its path in the repository, as `locks` and errors give it.

    Raises:
        NotFound: The lock does not exist.
        Busy: A process on this machine holds it.
    """
    from blastgit.maintenance.locks import free_lock

    free_lock(session.local(), file)
