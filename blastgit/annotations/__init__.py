"""What people and bots say about data: comments, quality flags, tags. Append-only, on the branch `annotations`.

`event` is one line of it, `subjects` what a line can be about, `flags` the vocabulary and which flag holds; `room` is
what `repo.annotations` returns.
"""
