"""Dataset types: their files, their names, and the stores that keep them."""
