"""An export says the same however its JSON is spelt, something else where a value is another, or is refused."""

import json
import unicodedata
from pathlib import Path

import pytest

from blastgit.demo import small
from blastgit.errors import InvalidInput
from blastgit.revision.compare import compare
from blastgit.revision.export import read_given
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules

NAME = 'A\U0001f600é "q" /x'
LARGE = 2**53 + 1


@pytest.fixture(scope="module")
def document() -> dict:
    export = json.loads(small("2026dgt").text)
    export["transient"]["fields"] |= {"display_name": NAME, "redshift": 0.5, "new": LARGE, "zero": 0.0}
    return export


def judge(folder: Path, document: dict, text: str | bytes) -> str:
    """Whether another text is equal to a document, different, or refused."""
    rules = default_rules()
    (folder / "old.json").write_text(json.dumps(document))
    (folder / "new.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        old, new = (normalise(read_given(folder / f"{which}.json"), rules) for which in ("old", "new"))
    except InvalidInput:
        return "refused"
    return "different" if compare(old, new, rules) else "equal"


@pytest.mark.parametrize(
    ("field", "spelt", "verdict"),
    [
        *(("redshift", each, "equal") for each in ("5e-1", "0.50", "5E-1", "50e-2", "0.5000000000000000000001")),
        *(("redshift", each, "different") for each in ("0.51", "-0.5", "5", "NaN", "Infinity", "-Infinity", "null")),
        *(("redshift", each, "refused") for each in ("1e999", "00.5", ".5", "+0.5", "0x5", "1e-400", "0.5, ", "'a'")),
        *(("redshift", f'0.5, "redshift": {each}', "refused") for each in ("0.5", "0.6")),
        ("new", f"{LARGE}", "equal"),
        *(("new", each, "different") for each in (f"{LARGE}.0", f"{LARGE}e0")),  # as fractions they lose the last digit
        *(("new", each, "different") for each in (f"{LARGE - 1}", f"{LARGE - 1}.0", f"{LARGE + 1}", f'"{LARGE}"')),
        *(("zero", each, "equal") for each in ("-0.0", "-0", "0", "0e9")),
        *(("zero", each, "different") for each in ("5e-324", "false", '"0.0"', "null")),
        ("zero", '0.0, "more": null', "equal"),
        ("zero", '0.0, "more": []', "equal"),
        ("zero", '0.0, "more": 1', "different"),
        ("zero", f'0.0, "more": {"[" * 5000}{"]" * 5000}', "refused"),
        ("display_name", json.dumps(NAME, ensure_ascii=False), "equal"),
        ("display_name", json.dumps(NAME).replace("/", "\\/"), "equal"),
        ("display_name", json.dumps(NAME).replace("\\ud83d\\ude00", "\\uD83D\\uDE00"), "equal"),
        ("display_name", json.dumps(unicodedata.normalize("NFD", NAME)), "different"),
        ("display_name", json.dumps(f"{NAME} "), "different"),
        ("display_name", json.dumps(f"{NAME}\0"), "different"),
        ("display_name", '"A\\ud83d"', "refused"),
        ("display_name", '"A\nB"', "refused"),
    ],
)  # fmt: skip
def test_a_value(tmp_path: Path, document: dict, field: str, spelt: str, verdict: str) -> None:
    text = json.dumps(document)
    before = f'"{field}": {json.dumps(document["transient"]["fields"][field])}'
    at = text.index('"transient"')
    assert text.index(before, at)
    assert judge(tmp_path, document, text[:at] + text[at:].replace(before, f'"{field}": {spelt}', 1)) == verdict


@pytest.mark.parametrize(
    ("spell", "verdict"),
    [
        (lambda text: json.dumps(json.loads(text), indent=3), "equal"),
        (lambda text: json.dumps(json.loads(text), sort_keys=True), "equal"),
        (lambda text: json.dumps(json.loads(text), ensure_ascii=False), "equal"),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), "equal"),
        (lambda text: f"\r\n {text} \n\t", "equal"),
        (lambda text: f"{text}x", "refused"),
        (lambda text: f"{text}// remark", "refused"),
        (lambda text: text.encode("utf-16"), "refused"),
        (lambda text: text[:-1], "refused"),
        (lambda _: "[]", "refused"),
        (lambda _: "", "refused"),
    ],
    ids=["indent", "keys", "letters", "BOM", "blanks", "more", "remark", "UTF-16", "cut", "array", "nothing"],
)
def test_a_whole_text(tmp_path: Path, document: dict, spell, verdict: str) -> None:
    assert judge(tmp_path, document, spell(json.dumps(document))) == verdict
