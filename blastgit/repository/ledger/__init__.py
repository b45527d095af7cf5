"""What was published, in a book that only grows: no number is given twice, and refs that vanish are found.

`book.py` has the lines, `lost.py` puts back what refs have lost, `checkpoint.py` makes all of it a commit that travels
and can be signed, `compare.py` says where a repository is not what it published.
"""
