"""Shared by the pages and the TAP service: listening, sending files, and responses to errors."""
