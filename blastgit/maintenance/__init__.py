"""The care of a data repo: verify, repair, gc, withdraw, subset, moving a store."""
