"""A transient in the project's original layout: the latest files where Blast keeps them, older ones apart.

    cutout_cdn/NAME/…  sed_output/NAME/…      the files of the revision asked for
    revisions/NAME/K/NAME.json                the document of every revision up to it
    revisions/NAME/K/cutout_cdn/…             the files of revision K that the next one changed or removed

A file of revision K is the first one found in `revisions/NAME/K`, `K+1` and so on, or else the present one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from blastgit.repository.commits import Revision


def layout(revisions: Sequence[Revision]) -> Iterator[tuple[str, Revision, str | None]]:
    """Yield each file of the tree: its path there, its revision, and its path in the revision (None: the document).

    Args:
        revisions: All revisions of a transient up to the one asked for, oldest first.
    """
    latest = revisions[-1]
    for path in sorted(latest.dr.files):
        root, _, rest = path.partition("/")
        yield f"{root}/{latest.transient}/{rest}", latest, path
    for revision in revisions:
        yield f"revisions/{revision.transient}/{revision.number}/{revision.document_name}", revision, None
    for old, new in pairwise(revisions):
        for path, digest in sorted(old.dr.files.items()):
            if new.dr.files.get(path) != digest:
                yield f"revisions/{old.transient}/{old.number}/{path}", old, path
