"""Untrusted text cannot control a terminal or forge a line, and keeps its meaning in JSON."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from blastgit.plumbing.safe_text import SafeStream, escaped, hidden_in, lines_of, one_line

ANY = st.text(alphabet=st.characters() | st.sampled_from("\x1b\x07\x9b\x7f\r\n\t\u202e\u2066\u200f\u2028\u0085"))


def through(text: str) -> str:
    stream = io.StringIO()
    assert SafeStream(stream).write(text) in (len(text), len(stream.getvalue()))
    return stream.getvalue()


@given(ANY)
def test_nothing_that_steers_comes_out(text: str) -> None:
    assert not hidden_in(escaped(text), "\n\t")
    assert not hidden_in(through(text).replace("\x1b[1m", "").replace("\x1b[0m", ""), "\n\t")
    assert one_line(text).isprintable()
    assert "\n\n" not in lines_of(text)


@given(st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner), max_leaves=8))
def test_json_means_the_same_afterwards(value: object) -> None:
    assert json.loads(through(json.dumps(value, ensure_ascii=False, indent=2))) == value


def test_our_own_bold_stays_and_no_other_code() -> None:
    assert through("\x1b[1mnearby\x1b[0m \x1b[31mred\x1b]0;title\x07") == (
        "\x1b[1mnearby\x1b[0m \\u001b[31mred\\u001b]0;title\\u0007"
    )
    assert through("Müller, 観測, \N{TELESCOPE}\n") == "Müller, 観測, \N{TELESCOPE}\n"
