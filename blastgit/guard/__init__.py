"""Who may change what in a data repo, and what a change must look like.

The git hooks run it for whoever pushes (`receive`, `push`), the library for itself (`policy.require`): libgit2 runs no
hooks.
"""
