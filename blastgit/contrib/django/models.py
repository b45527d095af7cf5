"""Blast's transients, as a list of their own in the admin. No table."""

from __future__ import annotations

from host.models import Transient


class RecordedTransient(Transient):  # type: ignore[misc,unused-ignore]
    """A transient, looked at for its revisions."""

    class Meta:
        """It has no table of its own."""

        proxy = True
        app_label = "blastgit"
        verbose_name = "transient's revisions"
        verbose_name_plural = "transients' revisions"
        default_permissions = ()
