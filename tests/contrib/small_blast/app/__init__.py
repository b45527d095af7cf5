"""The project of a small Blast: as much as its workflow needs, without the science."""

from app.celery import app

__all__ = ["app"]
