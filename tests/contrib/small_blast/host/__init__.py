"""The one Django app."""
