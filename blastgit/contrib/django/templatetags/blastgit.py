"""`{% load blastgit %} {% history_tab transient.name %}`: the entry in a transient's menu."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html

register = template.Library()


@register.simple_tag  # type: ignore[untyped-decorator,unused-ignore]
def history_tab(name: str) -> str:
    """Return the entry *History* for a Bootstrap navigation bar."""
    address = reverse("blastgit:history", args=[name])
    entry = '<li class="nav-item"><a class="nav-link" href="{}"><i class="bi bi-clock-history"></i> History</a></li>'
    return str(format_html(entry, address))
