"""A proxy model of Blast's transients for the list in the admin, without a table."""

from __future__ import annotations

from host.models import Transient


class RecordedTransient(Transient):  # type: ignore[misc,unused-ignore]
    """A transient, in the list of recordings."""

    class Meta:
        """A proxy model has no table of its own."""

        proxy = True
        app_label = "blastgit"
        verbose_name = "transient's revisions"
        verbose_name_plural = "transients' revisions"
        default_permissions = ()
