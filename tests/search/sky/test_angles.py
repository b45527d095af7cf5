"""Angles as people write them, and invalid ones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.errors import InvalidInput
from blastgit.search.sky.angles import check_dec, check_ra, check_radius, read_dec, read_ra, read_radius


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("150.1", 150.1), (150.1, 150.1), ("10:00:24", 150.1), ("10h00m24s", 150.1), ("10 00 24.0", 150.1),
        ("150d06m", 150.1), ("150d06m00s", 150.1), ("0", 0), ("360", 360), ("1.5e2", 150),
        ("23:59:59.99", 359.99995833),
    ],
)  # fmt: skip
def test_a_right_ascension(text, degrees):
    assert read_ra(text) == pytest.approx(degrees, abs=1e-8)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("-2.2", -2.2), ("-02:12:00", -2.2), ("-0:30:00", -0.5), ("-0d30m", -0.5), ("+90", 90), ("−2 12 00", -2.2)],  # noqa: RUF001
)
def test_a_declination(text, degrees):
    assert read_dec(text) == pytest.approx(degrees)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("0.1", 0.1),
        ("0.1deg", 0.1),
        ("6arcmin", 0.1),
        ("360 arcsec", 0.1),
        ("6'", 0.1),
        ('360"', 0.1),
        ("0", 0),
        (180, 180),
    ],
)
def test_a_radius(text, degrees):
    assert read_radius(text) == pytest.approx(degrees)


NO_ANGLE = ["", "x", "nan", "inf", "-inf", "1e999", "1 2 3 4", "10:60:00", "10:00:60", "١٢", "1" * 5000, "--1", "1_0"]


@pytest.mark.parametrize("text", NO_ANGLE)
def test_what_is_no_angle(text):
    for read in (read_ra, read_dec, read_radius):
        with pytest.raises(InvalidInput):
            read(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [(read_ra, "400"), (read_ra, "-1"), (read_ra, "25:00:00"),
     (read_dec, "90.1"), (read_dec, "-91"), (read_dec, "1h00m"),
     (read_radius, "-1"), (read_radius, "181"), (read_radius, "3 parsec"), (check_ra, math.nan), (check_dec, math.nan),
     (check_radius, math.nan), (check_ra, math.inf), (check_radius, -1e-9)],
)  # fmt: skip
def test_an_angle_that_is_nowhere(read, text):
    with pytest.raises(InvalidInput):
        read(text)


@given(st.text(max_size=30))
def test_any_text_is_an_angle_or_refused(text):
    for read in (read_ra, read_dec, read_radius):
        try:
            assert -90 <= read(text) <= 360
        except InvalidInput:
            continue
