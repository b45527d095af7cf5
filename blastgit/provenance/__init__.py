"""The way from a result back to its inputs.

`used` is the graph inside one revision: which product was made of which, and whether it really was.
"""
