"""What is known of a revision beside its data: files that were attached to it, and metrics.

Both are lines of the branch `annotations` (`annotations/attachment.py`, `annotations/metric.py`). They make no
revision, have an author, can be superseded and commented on, and travel as remarks do.
"""
