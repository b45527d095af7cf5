"""The options of the app, from the project's settings.

BLASTGIT = {"REPO": "/repo", "WEB": "https://data.example.org", "BASE_TEMPLATE": "host/base.html"}
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from blastgit.contrib.blast.instance import repo_location


@dataclass(frozen=True)
class Options:
    """The app's options.

    Attributes:
        repo: The data repo: `REPO`, or by default the environment variable BLASTGIT_REPO.
        web: The URL of `blastgit serve`, without a slash at the end; "" if there is none.
        site: The URL with which permalinks begin, without a slash at the end; "" for links within the site.
        base_template: The template that pages extend; it must have a block `body`.
    """

    repo: str
    web: str
    site: str
    base_template: str


def options() -> Options:
    """Return the options.

    Raises:
        UsageError: No data repo is configured.
        RepoError: The data repo is a folder that does not exist.
    """
    from django.conf import settings

    given = getattr(settings, "BLASTGIT", {})
    repo = given.get("REPO") or os.environ.get("BLASTGIT_REPO", "")
    return Options(
        repo_location({"BLASTGIT_REPO": repo}),
        str(given.get("WEB", "")).rstrip("/"),
        str(given.get("SITE", "")).rstrip("/"),
        str(given.get("BASE_TEMPLATE", "host/base.html")),
    )
