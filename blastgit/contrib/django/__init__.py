"""The history of transients in Blast's own pages: a Django app (`docs/blast.md`).

    INSTALLED_APPS += ["blastgit.contrib.django"]
    urlpatterns = [path("", include("blastgit.contrib.django.urls")), *urlpatterns]

It reads the data repo, and has no database tables of its own.
"""
