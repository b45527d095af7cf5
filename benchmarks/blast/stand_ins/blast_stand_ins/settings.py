"""Blast's own settings, with the stand-ins as an app, and without what is not installed here."""

import importlib.util

from app.settings import *  # noqa: F403 (Django's way to extend settings)
from app.settings import INSTALLED_APPS as _APPS

_NOT_INSTALLED = [app for app in ("django_cron",) if importlib.util.find_spec(app) is None]
INSTALLED_APPS = [app for app in _APPS if app not in _NOT_INSTALLED] + ["blast_stand_ins.apps.StandIns"]
CSRF_COOKIE_SECURE = False
