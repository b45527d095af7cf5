"""Where results come from: the graph of one revision, what an input affects, orphaned runs, and usage of revisions."""
