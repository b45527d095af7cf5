"""The list in Django's admin: each transient's latest revision, and whether its current state is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages

from blastgit.contrib.django.models import RecordedTransient


@dataclass(frozen=True)
class Recording:
    """What is known about the recordings of a transient.

    Attributes:
        revision: The latest revision; None if there is none, or the data repo cannot be read.
        status: "recorded", "draft" (recorded without a revision number), "due" or "failing".
        attempt: When a recording was last attempted.
        error: Why that attempt failed.
        since: When recordings began to fail.
    """

    revision: int | None
    status: str
    attempt: str | None = None
    error: str | None = None
    since: str | None = None


def recordings(names: Sequence[str]) -> dict[str, Recording]:
    """Return what is known about the recordings of transients."""
    from blastgit.contrib.blast.ledger import Ledger
    from blastgit.contrib.blast.standing import standings

    ledger, (numbers, drafts) = Ledger(), _in_repo(names)
    recorded, failures, attempts = ledger.recorded(names), ledger.failures(names), ledger.attempts(names)
    told = {}
    for each in ledger.with_edits(list(standings(names))):
        failure = failures.get(each.name)
        status = "recorded" if recorded.get(each.name) == each.state else "failing" if failure else "due"
        error, since = (failure.error, failure.since) if failure and status == "failing" else (None, None)
        status = "draft" if status == "recorded" and each.name in drafts else status
        told[each.name] = Recording(numbers.get(each.name), status, attempts.get(each.name), error, since)
    return told


def _in_repo(names: Sequence[str]) -> tuple[dict[str, int], set[str]]:
    """Return the latest revision of each transient, and which of them have a draft after it."""
    from blastgit.api.repo import DataRepo
    from blastgit.contrib.django.history import open_draft
    from blastgit.contrib.django.options import options
    from blastgit.errors import BlastgitError, NotFound

    numbers: dict[str, int] = {}
    drafts: set[str] = set()
    with suppress(BlastgitError):  # the list is still useful: it shows what fails, and why
        repo = DataRepo(options().repo)
        for name in names:
            if open_draft(repo, name):
                drafts.add(name)
            with suppress(NotFound):
                numbers[name] = repo.log(name)[0].revision.number
    return numbers, drafts


@admin.register(RecordedTransient)
class RecordedTransientAdmin(admin.ModelAdmin):  # type: ignore[misc,unused-ignore]
    """The list of transients, which is read-only."""

    list_display = ("name", "revision", "status", "last_attempt", "failing_since", "reason")
    list_display_links = None
    search_fields = ("name",)
    ordering = ("-pk",)
    list_per_page = 50
    actions = ("record_now",)

    def get_changelist_instance(self, request: Any) -> Any:
        """Return a page of the list, and load what is known about the recordings of its transients."""
        page = super().get_changelist_instance(request)
        known = recordings([each.name for each in page.result_list])
        for each in page.result_list:
            each.recording = known.get(each.name, Recording(None, "due"))
        return page

    def revision(self, transient: Any) -> int | None:
        """Return the latest revision."""
        number: int | None = transient.recording.revision
        return number

    def status(self, transient: Any) -> str:
        """Return whether the current state is recorded."""
        return str(transient.recording.status)

    def last_attempt(self, transient: Any) -> str | None:
        """Return when a recording was last attempted."""
        moment: str | None = transient.recording.attempt
        return moment

    def failing_since(self, transient: Any) -> str | None:
        """Return when recordings began to fail."""
        moment: str | None = transient.recording.since
        return moment

    def reason(self, transient: Any) -> str | None:
        """Return why the last recording failed."""
        error: str | None = transient.recording.error
        return error

    @admin.action(description="Record now", permissions=["record"])  # type: ignore[untyped-decorator,unused-ignore]
    def record_now(self, request: Any, chosen: Any) -> None:
        """Request recordings, which workers make."""
        from blastgit.contrib.blast import record_revision

        names = list(chosen.values_list("name", flat=True))
        for name in names:
            record_revision.apply_async(kwargs={"transient_name": name})
        self.message_user(request, f"asked for {len(names)} recordings", messages.SUCCESS)

    def has_record_permission(self, request: Any) -> bool:
        """Whether a user may request recordings: those who may retrigger workflows."""
        return bool(request.user.has_perm("host.retrigger_transient"))

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:  # noqa: ARG002 (Django's signature)
        """Whether a user may see the list: those who may see transients, or request recordings."""
        return bool(request.user.has_perm("host.view_transient")) or self.has_record_permission(request)

    def has_module_permission(self, request: Any) -> bool:
        """Whether the admin's front page shows the list."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: Any) -> bool:  # noqa: ARG002
        """Nothing can be added."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:  # noqa: ARG002
        """Nothing can be changed."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:  # noqa: ARG002
        """Nothing can be deleted."""
        return False
