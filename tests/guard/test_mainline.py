"""Changes of main: settings require an admin, collections a curator, and nothing else is allowed."""

from collections.abc import Callable
from typing import Any

import pytest

from blastgit import DataRepo

MAIN = "refs/heads/main"
SIMULATED = b"format: 1\nkind: simulated\n"
BOMB = b"a: &a [x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c, c, b", ".join([b"*%c" % (c - 1)] * 8)) for c in range(ord("b"), ord("k"))
)

STORE = b"[core]\nremote = store\n['remote \"store\"']\nurl = %s\n"
TOMB = (
    b"withdrawn:\n- {path: a/b.fits, md5: '" + b"0" * 32 + b"', sha256: '" + b"0" * 64
    + b"', size: 1, at: '2026-07-01T00:00:00Z', by: me, reason: why}\n"
)  # fmt: skip


def policy(*, admin: str, curator: str = "nobody", writer: str = "nobody", annotator: str = "nobody") -> bytes:
    roles = {"admin": admin, "curator": curator, "writer": writer, "annotator": annotator}
    lines = "".join(f"    {role}: [{who}]\n" for role, who in roles.items())
    return SIMULATED + f"policy:\n  roles:\n{lines}".encode()


def test_texts_collections_and_queries(clone: Any) -> None:
    clone.edit_main(
        {
            "README.md": b"# Ours\n",
            "CITATION.cff": b"cff-version: 1.2.0\ntitle: x\n",
            "collections/nearby/2026.yaml": b"type: TAGGED\n",
            "queries/bright.sql": b"select 1;\n",
        }
    )
    assert clone.check(MAIN) == ""
    clone.edit_main({"collections/nearby/2026.yaml": None})
    assert clone.check(MAIN) == ""


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("script.py", b"", "'script.py' has no place on main"),
        ("2026dgt.json", b"{}", "has no place on main"),
        ("collections/../x.yaml", b"a: 1\n", "'../x' is not a name of a collection"),
        ("collections/.git/x.yaml", b"a: 1\n", "'.git/x' is not a name of a collection"),
        ("readme.md", b"", "has no place on main"),
        ("queries/a/b.sql", b"", "has no place on main"),
        ("queries/x.sql", b"\xff", "the query x is not UTF-8 text"),
        ("queries/x.sql", b"DROP TABLE revisions\n", "the query x should be a SELECT"),
        ("queries/x.sql", b"-- author: me\nSELECT 1\n", "its keys are description, parameters"),
        ("queries/X-1.sql", b"SELECT 1\n", "'X-1' is not a name of a query"),
        ("CITATION.cff", b"- a\n", "should be a mapping"),
        ("CITATION.cff", b"a: !!python/object/apply:os.system [id]\n", "is not YAML"),
        ("CITATION.cff", BOMB, "has an alias (*a): write the value out"),
        ("CITATION.cff", b"[" * 100, "nested more than 32 levels deep"),
        ("CITATION.cff", b"[" * 100_000, "nest"),  # the parser of YAML may have a limit of its own
        ("CITATION.cff", b"a: " + b"x" * 2**21, "more than the 1,048,576 allowed"),
        ("collections/x.yaml", b"- a\n", "x is not a collection"),
        ("collections/x.yaml", b"type: TAGGED\nabout: " + b"[" * 100_000, "x is not a collection"),
        ("collections/x.yaml", b"type: TAGGED\nabout: a\n", "a value is not JSON text"),
        ("blastgit.yaml", None, "it would lack blastgit.yaml"),
        ("blastgit.yaml", SIMULATED.replace(b"1", b"2"), "this data repo has format 2"),
        ("blastgit.yaml", b"kind: simulated\n", "states no format version"),
        ("blastgit.yaml", b"format: 1\nkind: real\n", "real and simulated data never mix"),
        ("blastgit.yaml", SIMULATED + b"rules: {tolerance: -1}\n", "rules"),
        ("blastgit.yaml", SIMULATED + b"policy: {roles: {writer: [x]}}\n", "names no admin"),
        ("blastgit.yaml", SIMULATED + b"policy: {roles: {admin: [x], king: [x]}}\n", "unknown key 'king'"),
        (".dvc/config", None, "it would lack .dvc/config"),
        (".dvc/config", b"[core]\nremote = x\n['remote \"x\"']\nurl = /tmp\nkeyfile = /etc/shadow\n", "'keyfile'"),
        (".dvc/config", b"[core]\nremote = x\n['remote \"x\"']\nurl = ext::sh\n", ".dvc/config: "),
        (".gitattributes", b"* filter=evil\n", "not the one that blastgit ships"),
        (".dvc/config", STORE % b"ssh://-oProxyCommand=x/data", "could take for an option of its own"),
        (".dvc/config", STORE % b"ssh://-l@host/data", "could take for an option of its own"),
        (".dvc/config", STORE % b"s3://b\nendpointurl = https://me:secret@h", "has a password in a URL"),
        (".dvc/config", STORE % b"ssh://h/data\nuser = -oProxyCommand=x", "could take for an option of its own"),
        (".dvc/config", STORE % b"s3://bucket/a?b", "plain DVC cannot read a store 's3://bucket/a?b', with ? in it"),
        (".dvc/config", STORE % b"/data/{x}", "plain DVC cannot read a store '/data/{x}', with { and } in it"),
        (".dvc/config", STORE % b"file:///data/x", "plain DVC cannot read a store 'file:///data/x', as a file: URL"),
        (".dvc/config", STORE % b'/data\n[\'remote "other"\']\nurl = "https://h/#b"', "https://h/#b', with # in it"),
        (".dvc/config", STORE % b"/data\n['remote \"other\"']\nurl = relative/path", "is neither an absolute path"),
        ("README.md", b"\x00", "control character U+0000"),
        ("README.md", b"# Ours \x1b]0;x\x07\n", "control character U+001B"),
        ("CITATION.cff", b"title: a\x9b2J\n", "is not YAML"),
        ("withdrawn/2026dgt/7.yaml", TOMB, "there is no revision 2026dgt@7 here"),
        ("withdrawn/2026dgt/0.yaml", TOMB, "has no file 'a/b.fits' that could be withdrawn"),
        (
            "withdrawn/2026dgt/0.yaml",
            TOMB.replace(b"a/b.fits", b"cutout_cdn/DES/DES_z.fits"),
            "has a different content from",
        ),
        ("withdrawn/2026dgt/0.yaml", TOMB.replace(b"why", b'"\\e[2J"'), "is not plain text"),
        ("withdrawn/2026dgt/0.yaml", b"withdrawn: []\n", "it withdraws nothing"),
        ("withdrawn/attachment/00/" + "0" * 62 + ".yaml", TOMB, "is about 'a/b.fits', and its name says"),
    ],
)
def test_what_has_no_place_on_main(
    bench: Any, deny: Callable[..., str], path: str, data: bytes | None, said: str
) -> None:
    bench.git("config", "--file", bench.repo / "config", "receive.fsckObjects", "false")
    bench.edit_main({path: data})
    assert said in deny(MAIN)


def test_main_only_moves_forward(bench: Any, deny: Callable[..., str]) -> None:
    bench.git("--git-dir", bench.repo, "config", "receive.denyNonFastForwards", "false")
    other = bench.commit(bench.git("rev-parse", "main^{tree}"), [], "A new beginning")
    assert "refs/heads/main: it would not move forward" in deny(f"+{other}:{MAIN}")


def test_the_policy_before_the_push_decides(clone: Any, me: str) -> None:
    anybody = "alice"
    clone.edit_main({"blastgit.yaml": policy(admin="alice", curator="bob")})
    assert clone.check(MAIN) == ""  # there was no policy: whoever can write may make one
    start = clone.git("rev-parse", "main")

    clone.edit_main({"blastgit.yaml": policy(admin=f"{me}, mallory")})
    said = clone.check(MAIN, who="mallory")
    assert "blastgit.yaml: mallory does not have the role 'admin'" in said
    assert "ask an admin of this data repo (alice)" in said
    clone.git("update-ref", MAIN, start)
    config = clone.show("main:.dvc/config").replace(b"/dvc", b"/elsewhere")
    clone.edit_main({".dvc/config": config, "collections/x.yaml": b"type: TAGGED\n"})
    assert ".dvc/config: bob does not have the role 'admin'" in clone.check(MAIN, who="bob")
    assert clone.check(MAIN, who=anybody) == ""

    clone.edit_main({"collections/y.yaml": b"type: TAGGED\n"})
    assert "'curator' for y" in clone.check(MAIN, who="eve")
    assert clone.check(MAIN, who="bob") == ""


def test_roles_of_writers_annotators_and_curators(clone: Any, me: str) -> None:
    branch, tag = "refs/heads/2026dgt", "refs/tags/2026dgt/1"
    collections = DataRepo(clone.path).collections
    collections.create("nearby", "TAGGED", "Nearby")
    collections.add("nearby", ["2026dgt@1"], "Nearby")
    DataRepo(clone.path).releases.freeze("nearby", "v1")
    assert clone.check(branch, tag, MAIN) == ""
    clone.record(2)
    tag = "refs/tags/2026dgt/2"
    clone.edit_main({"blastgit.yaml": policy(admin="alice", writer="{who: robot, for: ['2026d*']}", annotator="bob")})
    assert clone.check(MAIN) == ""
    said = (
        b'{"actor":"human","comment":"x","id":"00000000-0000-5000-8000-000000000000",'
        b'"subject":"revision:2026dgt@1","time":"2026-06-01T00:00:00Z","user":"bob"}\n'
    )
    clone.edit_main({"revision/2026dgt/1.jsonl": said}, "annotations")
    assert f"{me} does not have the role 'writer' for 2026dgt" in clone.check(branch, tag)
    assert "'writer' for 2026abc" in clone.check("good:refs/workflow/2026abc", who="robot")
    assert "role 'annotator'" in clone.check("refs/heads/annotations", who="robot")
    assert "role 'curator' for nearby" in clone.check("refs/tags/release/nearby/v1", who="robot")
    assert clone.check(branch, tag, who="robot") == ""
    assert clone.check("refs/heads/annotations", who="bob") == ""
    assert clone.check("refs/tags/release/nearby/v1", who="alice") == ""


def test_a_repository_without_main_takes_main_first(clone: Any) -> None:
    from blastgit.repository.hooks import install_hooks

    bare = clone.path.parent / "bare.git"
    clone.git("init", "--quiet", "--bare", bare)
    install_hooks(bare)
    rest = ("refs/heads/2026dgt", "refs/tags/2026dgt/*")
    assert "has no main yet: push main first" in clone.push(*rest, url=f"file://{bare}")
    assert clone.push("refs/heads/*", "refs/tags/2026dgt/*", url=f"file://{bare}") == ""
    assert DataRepo(bare).verify().problems == []
