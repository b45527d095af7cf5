import hashlib
from contextlib import suppress

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml
from hypothesis import given
from hypothesis import strategies as st

from blastgit.errors import DamagedData
from blastgit.store.pointer import Pointer, read_pointer

MD5 = "0123456789abcdef" * 2
NAMES = [
    "2MASS_H.fits", "12_3.fits", "a b.fits", "yes", "Yes", "NO", "on", "y", "null", "~", "true", "0x10.fits",
    "0x10", "0o7", "0b1", "1e5.fits", "1e5", "1.5", "12", "1_000", "007", "2026-05-27", "1:30", "=", "<<", ".5",
    ".inf", ".nan", "-1", "-", "-a", "- a", "?a", "? a", "a#b", "a #b", "#a", "&a", "*a", "!a", "%a", "@a",
    "`a", "a,b", "[a]", "{a}", "a'b", "'a'", '"a"', "a=b", "a+b", "+1", "_1", "é.fits", "Ω 1", "a…b", "x~1",
    "|a", ">a", "a" * 90, "word " * 20 + "end", "1e5d", "2e", "12e03", "1E5", "3e+4", "0.fits", "0", "00", "08",
    "1__2", "_", "1_", "e", "E5", "infinity", "nan", "a\u00a0b", "😀", "2026edt_global.h5", "2026ec.fe",
    "cafe.bad", "a" * 60, "a" * 61, "2" + "m" * 59, "2" + "m" * 60, "a" * 75, "t" * 200,
]  # fmt: skip


ADDED = [
    "2MASS_H.fits",
    "12_3.fits",
    "a b.fits",
    "yes",
    "0x10.fits",
    "1e5.fits",
    "2026edt_global.h5",
    "12",
    "é.fits",
    "-a",
]


def test_a_pointer_is_what_dvc_add_writes(run, tmp_path):
    run("git", "init", "-q", tmp_path)
    run("dvc", "init", "-q", cwd=tmp_path)
    (tmp_path / "files").mkdir()
    for name in ADDED:
        (tmp_path / "files" / name).write_text(name)
    run("dvc", "add", "-q", *[f"files/{name}" for name in ADDED], cwd=tmp_path)
    for name in ADDED:
        data = name.encode()
        ours = Pointer(hashlib.md5(data).hexdigest(), len(data), name)
        theirs = (tmp_path / "files" / f"{name}.dvc").read_bytes()
        assert ours.write() == theirs
        assert read_pointer(theirs, f"files/{name}.dvc") == ours


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_quoted_as_dvc_does(name):
    entry = {"md5": MD5, "size": 3, "hash": "md5", "path": name}
    text = Pointer(MD5, 3, name).write()
    assert text.decode() == dumps_yaml({"outs": [entry]})
    assert read_pointer(text, f"files/{name}.dvc") == Pointer(MD5, 3, name)


names = st.text(st.characters(blacklist_categories=["C", "Z"], blacklist_characters="/"), min_size=1, max_size=20)


@given(names | st.sampled_from(NAMES), st.integers(0, 2**50))
def test_a_pointer_is_read_as_it_is_written(name, size):
    pointer = Pointer(MD5, size, name)
    assert read_pointer(pointer.write(), f"a/{name}.dvc") == pointer
    assert loads_yaml(pointer.write().decode()) == {"outs": [{"md5": MD5, "size": size, "hash": "md5", "path": name}]}


def test_a_pointer_may_be_written_otherwise():
    text = f"# a comment\nouts:\n- path: x\n  hash: md5\n  size: 3\n  md5: {MD5}\nmeta: {{a: b}}\n"
    assert read_pointer(text.encode(), "a/x.dvc") == Pointer(MD5, 3, "x")


GOOD = Pointer(MD5, 3, "x").write().decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "outs: []\n",
        "- a\n",
        "[" * 50_000,
        "{" * 3000,
        "outs: &a [*a]\n",
        "!!python/object/apply:os.system [echo]\n",
        GOOD.replace("path: x", "path: y"),
        GOOD.replace("path: x", "path: ../x"),
        GOOD.replace("path: x", "path: /x"),
        GOOD.replace("path: x", "path: [x]"),
        GOOD.replace(MD5, MD5[:-1]),
        GOOD.replace(MD5, MD5.upper()),
        GOOD.replace(MD5, f"{MD5}.dir"),
        GOOD.replace("size: 3", "size: -3"),
        GOOD.replace("size: 3", "size: 3.5"),
        GOOD.replace("size: 3", "size: true"),
        GOOD.replace("  size: 3\n", ""),
        GOOD.replace("hash: md5", "hash: sha256"),
        GOOD + GOOD.removeprefix("outs:\n"),
        GOOD + "#" * 70_000,
    ],
)
def test_what_is_no_pointer_of_one_file_beside_it_is_called_damaged(text):
    with pytest.raises(DamagedData, match=r"the pointer a/x\.dvc"):
        read_pointer(text.encode(), "a/x.dvc")


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.text(max_size=20).map(lambda t: (GOOD + t).encode())
)
def test_no_bytes_make_the_reader_fail_otherwise(data):
    with suppress(DamagedData):
        assert read_pointer(data, "a/x.dvc").name == "x"
