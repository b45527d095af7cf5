"""Finding revisions along several axes at once: the index asked by criteria that can be combined."""

from blastgit.search.find.criteria import Criteria
from blastgit.search.find.found import Found

__all__ = ["Criteria", "Found"]
