"""Create the proxy model of the list in the admin. It has no table, so no other table changes."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):  # type: ignore[misc,unused-ignore]
    """The first migration."""

    initial = True
    dependencies = [("host", "__first__")]  # noqa: RUF012 (Django's way to say it)
    operations = [  # noqa: RUF012
        migrations.CreateModel(
            name="RecordedTransient",
            fields=[],
            options={
                "verbose_name": "transient's revisions",
                "verbose_name_plural": "transients' revisions",
                "default_permissions": (),
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("host.transient",),
        ),
    ]
