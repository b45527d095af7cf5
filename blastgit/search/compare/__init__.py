"""Comparing two runs, versions of Blast, collections or dates, over all transients that both hold."""

from blastgit.search.compare.compared import Comparison, Difference, Options, Statistics
from blastgit.search.compare.side import Side

__all__ = ["Comparison", "Difference", "Options", "Side", "Statistics"]
