"""The last task of Blast's workflow, and a sweep for what that could not record (`docs/blast.md`).

    chain(…, record_revision.si(transient_name), final_progress.si(transient_name))

It runs inside Blast, and asks it for all that it needs: `host.host_utils.export_transient_info`, the variables of its
bucket, the rows of its workflow. Blast has to know nothing of blastgit but these two tasks.
"""

from blastgit.contrib.blast.tasks import record_revision, sweep

__all__ = ["record_revision", "sweep"]
