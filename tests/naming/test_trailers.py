from hypothesis import given, settings
from hypothesis import strategies as st

from blastgit.naming.trailers import read_body, read_trailers, write_message
from blastgit.plumbing.safe_text import one_line

TRAILERS = {"Revision": "1", "App-Version": "v1.13.1", "Run": None, "Status": "failed: Host match, Host information"}


def test_a_message():
    message = write_message("2026dgt revision 1: why", ["changed x", "host.redshift: 1 -> 2"], TRAILERS)
    assert message == (
        "2026dgt revision 1: why\n\nchanged x\nhost.redshift: 1 -> 2\n\n"
        "Revision: 1\nApp-Version: v1.13.1\nStatus: failed: Host match, Host information\n"
    )
    assert read_trailers(message) == {key: value for key, value in TRAILERS.items() if value}
    assert read_body(message) == ("2026dgt revision 1: why", ["changed x", "host.redshift: 1 -> 2"])


def test_a_message_without_body():
    message = write_message("subject", [], {"Revision": "0"})
    assert (read_trailers(message), read_body(message)) == ({"Revision": "0"}, ("subject", []))


def test_what_is_no_trailer_is_none():
    assert read_trailers("subject: with a colon\n") == {}
    assert read_trailers("subject\n\nA: b\nand more\n") == {}
    assert read_trailers("") == {}


@given(st.text(), st.lists(st.text(min_size=1)), st.dictionaries(st.sampled_from(["A", "B-c"]), st.text(), min_size=1))
def test_no_text_can_pretend_to_be_a_trailer(subject, body, trailers):
    wanted = {key: one_line(value) for key, value in trailers.items() if value}
    if wanted:
        message = write_message(f"s {subject}", body, trailers)
        assert read_trailers(message) == wanted
        assert read_body(message)[0] == one_line(f"s {subject}")


@settings(max_examples=15)
@given(st.lists(st.text(min_size=1)), st.text("aé: -#\n\x00\u2028", min_size=1).map(lambda text: f"x{text}x"))
def test_git_reads_the_same_trailers(run, body, value):
    message = write_message("subject", body, {"Revision": "1", "Run": value})
    printed = run("git", "interpret-trailers", "--parse", "--no-divider", stdin=message)
    assert printed == f"Revision: 1\nRun: {one_line(value)}\n"


@given(st.text())
def test_one_line(text):
    assert one_line(text).isprintable()
    assert len(one_line(text)) == len(text)
