"""Find revisions in the index by criteria that can be combined."""

from blastgit.search.find.criteria import Criteria
from blastgit.search.find.found import Found

__all__ = ["Criteria", "Found"]
