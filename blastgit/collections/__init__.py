"""Named groups of datasets: RUN, TAGGED, CHAINED and CALIBRATION, which all read alike.

`room.py` has the verbs; `model.py` and `text.py` what a collection is and how its file on main is written;
`names.py` and `policy.py` what it may be called; `rules.py` and `access.py` what may be in it and who may change it,
for the library and for the hook alike; `resolve.py` what it gives.
"""
