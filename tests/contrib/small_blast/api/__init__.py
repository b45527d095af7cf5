"""Blast's API, as far as `blastgit.contrib.django` meets it."""
