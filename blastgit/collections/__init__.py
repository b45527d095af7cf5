"""Named groups of datasets: RUN, TAGGED, CHAINED and CALIBRATION, all queried in the same way.

`model.py` defines collections, and `text.py` their files on main; `names.py` and `policy.py` which names they may have;
`rules.py` and `access.py` what they may contain and who may change them, for both the library and the hook;
`resolve.py` finds the datasets of a collection.
"""
