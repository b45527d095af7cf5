"""The addresses: those of the app come before Blast's own."""

from api import views
from django.contrib import admin
from django.urls import include, path, re_path

urlpatterns = [
    path("", include("blastgit.contrib.django.urls")),
    path("admin/", admin.site.urls),
    path("api/transient/get/<str:transient_name>", views.get_transient_science_payload),
    re_path(r"^api/transient/export/(?P<transient_name>[a-zA-Z0-9_-]+)/(?P<all>all/|)$", views.export_transient_view),
]
