"""What the hook accepts is sound for `verify`; what it denies, it denies with a message."""

import random
import shutil
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.reliability.hostile_pushes import Forged, forge
from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import fail_stage, small
from blastgit.plumbing.process import git_environment
from tests.guard.conftest import Clone, make_clone
from tests.settings import add_settings

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Line:
    """What is pushed together: a branch or another ref, and a tag of its commit.

    Attributes:
        ref: What names the good commit in the clone.
        tag: The tag; "" for none.
    """

    ref: str
    tag: str = ""


REVISION = Line("refs/heads/2026dgt", "refs/tags/2026dgt/1")
LINES = (
    REVISION,
    Line("refs/heads/r/model/sbi", "refs/tags/r/model/sbi/1"),
    Line("refs/heads/main"),
    Line("refs/heads/annotations"),
    Line("", "refs/tags/release/nearby/2"),
    Line("refs/workflow/2026new"),
    Line("refs/drafts/2026abc"),
)


def good_one(clone: Clone, line: Line) -> Forged:
    """Return the good commit of a line as the library wrote it."""
    good = _good(line)
    header, _, message = clone._run("cat-file", "commit", f"{good}^{{commit}}").stdout.partition(b"\n\n")
    lines = dict(each.split(b" ", 1) for each in header.split(b"\n"))
    tree = {path: (mode, clone._run("cat-file", "blob", oid).stdout) for path, (mode, oid) in clone.tree(good).items()}
    return Forged(tree, message, lines[b"author"], lines[b"committer"])


def _good(line: Line) -> str:
    return f"refs/good/{(line.ref or line.tag).removeprefix('refs/')}"


def _good_tag(line: Line) -> str:
    return f"refs/good-tags/{line.tag.removeprefix('refs/')}"


@cache
def blob(clone: Clone, data: bytes) -> str:
    return clone.blob(data)


def write(clone: Clone, line: Line, forged: Forged) -> str | None:
    """Write a forgery as it is, and return its commit; None if git itself cannot write such an object."""
    try:
        files = {path: (mode, blob(clone, data)) for path, (mode, data) in forged.tree.items()}
        tree = clone.write(files)
        good, first, *before = clone.git("rev-parse", f"{_good(line)}^{{commit}}", "main", f"{_good(line)}^@").split()
        others = {"none": [], "two": [*before, first], "main": [first], "self": [good]}
        parents = others.get(forged.parents, before)
        lines = [f"tree {tree}".encode(), *(f"parent {each}".encode() for each in parents)]
        header = b"\n".join([*lines, b"author " + forged.author, b"committer " + forged.committer])
        raw = header + b"\n" + forged.headers + b"\n" + forged.message
        commit = clone.git("hash-object", "-w", "-t", "commit", "--stdin", "--literally", stdin=raw)
        if line.tag:
            name = line.tag.removeprefix("refs/tags/")
            tagger = b"tagger A <a@b> 1780000000 +0000"
            text = f"object {commit}\ntype commit\ntag {name}\n".encode() + tagger + b"\n\n" + forged.tag + b"\n"
            tag = clone.git("hash-object", "-w", "-t", "tag", "--stdin", "--literally", stdin=text)
            clone.git("update-ref", line.tag, tag)
    except AssertionError:
        return None
    return commit


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repo, and a clone that is one step ahead of it on each line."""
    folder = tmp_path_factory.mktemp("hostile")
    clone = make_clone(folder)
    (folder / "w").write_text("weights\n")
    (folder / "q.sql").write_text("-- description: x\nSELECT transient FROM revisions\n")
    export, data = fail_stage(small("2026abc"), "Global host SED inference").write(folder)
    add_settings(clone.repo, "publish: complete")
    steps = (
        ["record", "r/model/sbi", "--file", str(folder / "w"), "--set", "a=1"],
        ["collection", "create", "nearby", "--type", "TAGGED", "-m", "x"],
        ["collection", "add", "nearby", "2026dgt@0", "-m", "x"],
        ["collection", "freeze", "nearby", "1", "-m", "x"],
        ["annotate", "2026dgt@0", "-m", "seen"],
    )
    ahead = (
        ["record", "r/model/sbi", "--set", "a=2"],
        ["collection", "freeze", "nearby", "2", "-m", "x"],
        ["annotate", "2026dgt@0", "--flag", "bad", "-m", "odd"],
        ["withdraw", "2026dgt@0:cutout_cdn/DES/DES_z.fits", "--reason", "private"],
        ["collection", "remove", "nearby", "2026dgt@0", "-m", "x"],
        ["query", "add", "q", str(folder / "q.sql"), "-m", "x"],
        ["record", "2026abc", "--export", str(export), "--data", str(data)],
        ["stage", "begin", "2026new", "host-match", "--owner", "a"],
    )
    for words in steps:
        assert main(["-C", str(clone.repo), *words]) == 0, words
    clone.git("fetch", "--quiet", clone.repo, "refs/heads/r/*:refs/heads/r/*", "refs/tags/r/*:refs/tags/r/*",
              "refs/tags/release/*:refs/tags/release/*", "+refs/heads/main:refs/heads/main",
              "refs/heads/annotations:refs/heads/annotations")  # fmt: skip
    for words in ahead:
        assert main(["-C", str(clone.path), *words]) == 0, words
    for line in LINES:
        clone.git("update-ref", _good(line), "good" if line is REVISION else line.ref or line.tag)
        if line.tag:
            clone.git("update-ref", _good_tag(line), line.tag)
    return clone


def put_back(repo: Path, before: str, after: str) -> None:
    """Have refs as they were, and a ledger that knows no others: else nothing more would be accepted."""
    shutil.rmtree(repo / "blastgit/ledger", ignore_errors=True)
    then, now = (dict(line.split() for line in text.splitlines()) for text in (before, after))
    lines = [f"update {ref} {oid}" for ref, oid in then.items()] + [f"delete {ref}" for ref in now.keys() - then.keys()]
    text = "".join(f"{line}\n" for line in lines).encode()
    subprocess.run(["git", "-C", repo, "update-ref", "--stdin"], input=text, check=True, env=git_environment())


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(LINES), st.integers(0, 2**64))
def test_what_the_hook_accepts_is_sound(target: Clone, line: Line, seed: int) -> None:
    clone, before = target, target.refs()
    commit = write(clone, line, forge(good_one(clone, line), random.Random(seed)))
    if commit is None:
        return
    pushed = [f"{commit}:{line.ref}"] if line.ref else []
    said = clone.check(*pushed, *([line.tag] if line.tag else []))
    if said:
        assert said.isprintable() or "\n" in said
        assert clone.refs() == before
        return
    try:
        problems = DataRepo(clone.repo).verify(fast=True).problems
        if line.ref == "refs/heads/main":  # an admin may name another store, and bring the contents afterwards
            problems = [each for each in problems if each.kind != "missing"]
        assert problems == []
    finally:
        put_back(clone.repo, before, clone.refs())


@pytest.mark.parametrize("line", [each for each in LINES if each.tag], ids=lambda line: line.tag)
def test_a_tag_whose_message_no_terminal_should_see(target: Clone, line: Line) -> None:
    clone, before = target, target.refs()
    commit = write(clone, line, replace(good_one(clone, line), tag=b"x\x1b[2J"))
    said = clone.check(*([f"{commit}:{line.ref}"] if line.ref else []), line.tag)
    assert "its message has the control character U+001B" in said
    assert clone.refs() == before


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.ref or line.tag)
def test_what_the_library_writes_is_accepted(target: Clone, line: Line) -> None:
    """Else the test above would prove nothing."""
    clone, before = target, target.refs()
    pushed = [f"{_good(line)}^{{commit}}:{line.ref}"] if line.ref else []
    if line.tag:
        clone.git("update-ref", line.tag, clone.git("rev-parse", _good_tag(line)))
    assert clone.check(*pushed, *([line.tag] if line.tag else [])) == ""
    put_back(clone.repo, before, clone.refs())
