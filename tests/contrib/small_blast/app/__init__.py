"""The project of a small Blast: as much of it as its workflow needs, and nothing of its science."""

from app.celery import app

__all__ = ["app"]
