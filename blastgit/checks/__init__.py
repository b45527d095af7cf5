"""What must hold of everything in a data repo: one set of rules.

The hook asks them of what is pushed, and stops at the first that is broken; `verify` asks them of what is there, and
notes all. So what the hook takes in is sound, and nobody can bring what `verify` calls a fault for ever. A rule is a
generator of faults in sentences; it reads nothing by itself, and trusts no value that it is given.
"""
