"""Compare two runs, versions of Blast, collections or dates, over all transients that both have."""

from blastgit.search.compare.compared import CompareOptions, Comparison, Difference, Statistics
from blastgit.search.compare.side import Side

__all__ = ["CompareOptions", "Comparison", "Difference", "Side", "Statistics"]
