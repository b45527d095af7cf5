"""The addresses; include them before Blast's own, because two of them replace addresses of Blast."""

from __future__ import annotations

import os

from django.urls import path, re_path

from blastgit.contrib.django import api, views

app_name = "blastgit"

_given = os.environ.get("BASE_PATH", "").strip("/")
_base = f"{_given}/" if _given else ""  # as in Blast's own
_name = r"(?P<transient_name>[a-zA-Z0-9_-]+)"

urlpatterns = [
    path(f"{_base}transients/<slug:transient_name>/history/", views.history, name="history"),
    path(f"{_base}blastgit/metrics", views.metrics, name="metrics"),
    path(f"api/{_base}transient/<slug:transient_name>/revisions/", api.list_revisions, name="revisions"),
    path(f"api/{_base}transient/get/<str:transient_name>", api.get, name="get"),
    re_path(rf"^api/{_base}transient/export/{_name}/(?P<all>all/|)$", api.export, name="export"),
]
