"""The ledger: an append-only list of published tags, so that no number is reused and vanished refs are noticed.

`book.py` reads and writes the lines, `lost.py` restores lost refs, `checkpoint.py` makes the ledger a commit that can
be fetched and signed, `compare.py` finds where a repository differs from what it published.
"""
