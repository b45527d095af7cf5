"""Blast's API, as far as `blastgit.contrib.django` uses it."""
