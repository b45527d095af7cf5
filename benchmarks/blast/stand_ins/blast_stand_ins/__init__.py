"""Stand-ins for what Blast asks the internet for, and for what takes gigabytes: all else is Blast's own code.

A Django app that the benchmark lays beside Blast. The file that STAND_INS names says what they do: how bright an image
is, which survey does not answer, whether the sampler draws anew (`control`).
"""
