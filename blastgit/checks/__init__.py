"""The rules for everything in a data repo, shared by the hook and `verify`.

The hook applies them to what is pushed, and stops at the first fault; `verify` applies them to what is there, and
reports all faults. So nobody can push what `verify` would report for ever. A rule is a generator of faults as
sentences; it reads nothing by itself, and trusts no value that it is given.
"""
