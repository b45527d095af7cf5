"""Check what is pushed to a data repo: who may change what, and what a change must look like.

Run by the git hooks. The library checks its own changes (`policy.require`), since libgit2 runs no hooks.
"""
