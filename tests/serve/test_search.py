"""The search box: what it parses as a position or as a name, and the results of both."""

import json

import pytest

from blastgit.errors import InvalidInput
from blastgit.serve.asked import read_asked


@pytest.mark.parametrize(
    ("text", "ra", "dec", "radius"),
    [
        ("150.1 -2.2 30arcsec", 150.1, -2.2, 30 / 3600),
        ("150.1, -2.2", 150.1, -2.2, 1 / 60),
        ("10:00:24.5 -02:12:00 5arcmin", 150.102083, -2.2, 5 / 60),
        ("10 00 24.5 -02 12 00 0.1deg", 150.102083, -2.2, 0.1),
        ("10h00m24.5s -2d12m00s 1'", 150.102083, -2.2, 1 / 60),
        ("150.1 \N{MINUS SIGN}2.2 1deg", 150.1, -2.2, 1),
    ],
)
def test_a_position(text, ra, dec, radius):
    cone = read_asked(text, {}).cone
    assert cone is not None
    assert (cone.ra, cone.dec, cone.radius) == pytest.approx((ra, dec, radius), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "word"),
    [("SN 2026dgt", "2026dgt"), ("at2026dgt", "2026dgt"), ("2026", "2026"), ("SNLS-03D1", "SNLS-03D1"), ("  ", "")],
)
def test_a_name(text, word):
    asked = read_asked(text, {})
    assert (asked.cone, asked.word) == (None, word)


def test_a_position_that_is_none():
    with pytest.raises(InvalidInput, match="from -90 to 90"):
        read_asked("150 95 1deg", {})


def names(app, query):
    return {row["transient"] for row in json.loads(app.get(f"/index.json?{query}").data)["results"]}


def test_what_comes_of_it(app):
    every = {"2026dgt", "2026bad", "2026not", "2026xss"}
    assert names(app, "") == every
    assert names(app, "q=BAD") == {"2026bad"}
    assert names(app, "q=nothing") == set()
    assert names(app, "status=incomplete") == {"2026bad", "2026not"}
    assert names(app, "flag=good") == {"2026dgt"}
    assert names(app, "changed=photometry") == {"2026dgt"}
    assert names(app, "z=none") == {"2026not"}
    row = next(row for row in json.loads(app.get("/index.json").data)["results"] if row["transient"] == "2026dgt")
    near = f"q={row['ra_deg']}+{row['dec_deg']}+10arcsec"
    assert names(app, near) == {"2026dgt"}


def test_hostile_questions_are_questions(app):
    for query in ("q='+OR+1=1--", "class=';DROP+TABLE+revisions", "z=x..y", "sort=transient;--", "q=%25%25", "flag=%00",
                  "q=" + "x" * 5000, "page=0001", "version=%F0%9F%92%A9"):  # fmt: skip
        assert app.get(f"/?{query}").status_code in (200, 400), query


def test_downloads(app):
    table = app.get("/find.csv?status=incomplete").text
    assert table.splitlines()[0].startswith("transient,revision,dataset,ra_deg")
    assert len(table.splitlines()) == 3
    assert "<VOTABLE" in app.get("/find.votable").text
    assert app.get("/find.fits").data.startswith(b"SIMPLE")
    assert app.get("/find.exe").status_code == 404
