"""Comparing two runs, versions of Blast, collections or dates, over all transients that both hold."""

from blastgit.compare.compared import Comparison, Difference, Options, Statistics
from blastgit.compare.side import Side

__all__ = ["Comparison", "Difference", "Options", "Side", "Statistics"]
