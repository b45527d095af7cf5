"""Releases: frozen collections that can be cited, each an annotated tag `release/COLLECTION/VERSION`."""
