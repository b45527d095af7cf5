"""Withdraw an attachment: its content leaves the store, and main records it. Attachments in git itself stay."""

from __future__ import annotations

from blastgit.annotations.attached import Attached
from blastgit.annotations.branch import Branch
from blastgit.annotations.query import Query
from blastgit.errors import InvalidInput, NotFound
from blastgit.maintenance.reachable import ReachableContents
from blastgit.maintenance.removal import remove
from blastgit.maintenance.withdraw import Withdrawal, WithdrawOptions, check_reason, signed_stone
from blastgit.plumbing.locks import hold
from blastgit.repository.base import Repository
from blastgit.repository.edit import BranchEdit, commit_to_held_branch
from blastgit.repository.recovery import clean_up_dead_writer
from blastgit.repository.tombstones import Tombstone, Withdrawals, attachment_file, write_attachment_tombstone
from blastgit.store.pointer import SUFFIX, read_pointer


def withdraw_attachment(
    repository: Repository, name: str, reason: str, options: WithdrawOptions | None = None
) -> Withdrawal:
    """Withdraw an attached file, wherever else it is attached.

    Args:
        repository: The data repo.
        name: The id of an annotation that attached it.
        reason: Why, in a sentence that everybody will read.
        options: How.

    Raises:
        InvalidInput: The reason is not valid, or the file is in git itself.
        NotFound: The annotation does not exist, or has no attachment.
        Denied: The user is not an admin.
        StoreError: Main records it, but the store fails: repeat the call, or leave the content to `gc`.
    """
    check_reason(reason)
    repository.require("admin", "attachments")
    attached = _find(repository, name)
    stone = _stone(repository, attached, reason)
    repository.prepare_to_edit()
    wanted = options or WithdrawOptions()
    with hold(repository.lock_path("main"), wanted.timeout) as main:
        clean_up_dead_writer(repository, main)
        commit, is_new = str(repository.main.id), Withdrawals(repository).attachment(stone.sha256) is None
        if is_new and not wanted.dry_run:
            files = {attachment_file(stone.sha256): write_attachment_tombstone(stone)}
            words = f"Withdraw {attached.attachment.name}, attached to {attached.subject}: {reason}"
            commit = commit_to_held_branch(repository, "main", main, lambda _: BranchEdit(files, words)) or commit
        roots = ReachableContents(repository, {("", 0): {stone.path: stone}})
        done = remove(repository, {stone.md5}, roots, now=wanted.now, dry_run=wanted.dry_run)
    paths = [attached.attachment.name]
    kept = paths if stone.md5 in done.needed else []
    return Withdrawal(
        attached.subject, reason, commit, paths if is_new else [], done.removed, done.set_aside, kept, [], done.staying,
        wanted.dry_run, roots.damaged,
    )  # fmt: skip


def _find(repository: Repository, name: str) -> Attached:
    for note in Query(repository).all():
        attachment = note.event.remark.attachment
        if note.event.id == name and attachment is not None:
            return Attached(note, attachment)
    raise NotFound(f"no annotation {name} attached anything in {repository.location}: `blastgit attach` lists them all")


def _stone(repository: Repository, attached: Attached, reason: str) -> Tombstone:
    attachment = attached.attachment
    data = Branch(repository).attachment(attachment.path)
    if not attachment.stored:
        raise InvalidInput(
            f"{attachment.name} lies in git itself, which forgets nothing: say that it does not belong here (`blastgit "
            f"annotate --retract {attached.id} -m WHY`). What must go by law is for whoever runs the repository"
        )
    if data is None:
        raise NotFound(f"the branch annotations lacks the pointer to {attachment.name}: run `blastgit sync`")
    path = attachment.path.removesuffix(SUFFIX)
    return signed_stone(repository, path, read_pointer(data, attachment.path), attachment.sha256, reason)
