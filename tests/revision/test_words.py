import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.revision.compare import same_value
from blastgit.revision.words import show_briefly, show_change

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=60)
    | st.sampled_from(["nothing", "True"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@st.composite
def close_pairs(draw: st.DrawFn) -> tuple[object, object]:
    """Values that are nearly the same, as a person sees them."""
    value = draw(VALUES)
    alike = [
        str(value),
        f"{value} ",
        f" {value}",
        f"{value}\u00a0",
        f"{value}\u200b",
        unicodedata.normalize("NFD", str(value)),
    ]
    if isinstance(value, float):
        alike.append(value * (1 + 3e-12))  # type: ignore[arg-type]
    if isinstance(value, str):
        alike += [value * 30 + "x", value * 30 + "y"]
    return value, draw(st.sampled_from(alike))


@given(st.tuples(VALUES, VALUES) | close_pairs())
def test_values_that_differ_never_look_alike(pair: tuple[object, object]) -> None:
    if same_value(*pair, 1e-12):
        return
    for old, new in (show_change(*pair), show_briefly(*pair, 40)):
        assert old != new
        assert old.strip() != new.strip()
        assert old.isprintable()
        assert new.isprintable()
        assert unicodedata.normalize("NFKC", old) != unicodedata.normalize("NFKC", new)
    assert max(map(len, show_briefly(*pair, 40))) <= 40


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (1234, "1234", ("1234", "'1234'")),
        ("SN Ia", "SN Ia ", ("'SN Ia'", "'SN Ia '")),
        ("SN Ia", "SN II", ("SN Ia", "SN II")),
        (0.1, 0.10000000001, ("0.1", "0.10000000001")),
        (0.1, 0.3, ("0.1", "0.3")),
        (None, "nothing", ("nothing", "'nothing'")),
        (True, "True", ("True", "'True'")),
        ("Å", "A\u030a", ("'\\xc5'", "'A\\u030a'")),
        ("a" * 60 + "b", "a" * 60 + "c", ("…aaaaaaaaaaaaab'", "…aaaaaaaaaaaaac'")),
        ("a\x1b[31m", "a", ("'a\\x1b[31m'", "a")),
    ],
)
def test_in_a_table(old: object, new: object, shown: tuple[str, str]) -> None:
    assert show_briefly(old, new, 40) == shown
