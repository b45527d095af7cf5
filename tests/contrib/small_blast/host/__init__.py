"""The only Django app."""
