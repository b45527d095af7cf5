"""Comments, quality flags and tags on data, by people and bots: append-only, on the branch `annotations`.

`annotation` is one line of the branch, `subjects` what it can be about, `flags` the vocabulary and which flag holds.
"""
