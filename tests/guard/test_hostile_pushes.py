"""What the hook accepts, `verify` calls sound; what it denies, it denies in a sentence."""

import random
import subprocess
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.reliability.hostile_pushes import Forged, forge
from blastgit import DataRepo
from blastgit.plumbing.process import git_environment
from tests.guard.conftest import Clone, make_clone

pytestmark = pytest.mark.slow

BRANCH, TAG = "refs/heads/2026dgt", "refs/tags/2026dgt/1"


def good_one(clone: Clone) -> Forged:
    raw = clone._run("cat-file", "commit", "good").stdout
    header, _, message = raw.partition(b"\n\n")
    lines = dict(line.split(b" ", 1) for line in header.split(b"\n"))
    tree = {
        path: (mode, clone._run("cat-file", "blob", oid).stdout) for path, (mode, oid) in clone.tree("good").items()
    }
    return Forged(tree, message, lines[b"author"], lines[b"committer"])


@cache
def blob(clone: Clone, data: bytes) -> str:
    return clone.blob(data)


def write(clone: Clone, forged: Forged) -> str | None:
    """Write a forgery as it is, and return its commit; None if git itself cannot write such an object."""
    try:
        files = {path: (mode, blob(clone, data)) for path, (mode, data) in forged.tree.items()}
        tree = clone.write(files)
        good, parent, main = clone.git("rev-parse", "good", "good^", "main").split()
        others = {"none": [], "two": [parent, main], "main": [main], "self": [good]}
        parents = others.get(forged.parents, [parent])
        lines = [f"tree {tree}".encode(), *(f"parent {each}".encode() for each in parents)]
        header = b"\n".join([*lines, b"author " + forged.author, b"committer " + forged.committer])
        raw = header + b"\n" + forged.headers + b"\n" + forged.message
        commit = clone.git("hash-object", "-w", "-t", "commit", "--stdin", "--literally", stdin=raw)
        tagger = b"tagger A <a@b> 1780000000 +0000"
        text = f"object {commit}\ntype commit\ntag 2026dgt/1\n".encode() + tagger + b"\n\n" + forged.tag + b"\n"
        tag = clone.git("hash-object", "-w", "-t", "tag", "--stdin", "--literally", stdin=text)
    except AssertionError:
        return None
    clone.git("update-ref", TAG, tag)
    return commit


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return make_clone(tmp_path_factory.mktemp("hostile"))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**64))
def test_what_the_hook_accepts_is_sound(target: Clone, seed: int) -> None:
    clone, before = target, target.refs()
    forged = forge(good_one(clone), random.Random(seed))
    commit = write(clone, forged)
    if commit is None:
        return
    said = clone.check(f"{commit}:{BRANCH}", TAG)
    if said:
        assert said.isprintable() or "\n" in said
        assert clone.refs() == before
        return
    try:
        assert DataRepo(clone.repo).verify(fast=True).problems == []
    finally:
        updates = "".join(f"update {ref} {oid}\n" for ref, oid in (line.split() for line in before.splitlines()))
        subprocess.run(
            ["git", "-C", clone.repo, "update-ref", "--stdin"], input=f"{updates}delete {TAG}\n".encode(),
            check=True, env=git_environment(),
        )  # fmt: skip
