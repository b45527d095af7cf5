"""The last task of Blast's workflow, and a periodic sweep for what that task could not record (`docs/blast.md`).

    chain(…, record_revision.si(transient_name), final_progress.si(transient_name))

It runs inside Blast, and gets all that it needs from it: `host.host_utils.export_transient_info`, the environment
variables of its bucket, the rows of its workflow. Blast only needs to know these two tasks of blastgit.
"""

from blastgit.contrib.blast.tasks import record_revision, sweep

__all__ = ["record_revision", "sweep"]
