"""Malicious pushes, each made from a good one by a few changes of the commit, the tree or the document.

Each is a commit and a tag that claim to be revision 1. Some changes have no effect or are harmless: the hook must
either reject the push with a message, or the accepted data must be sound.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

Tree = dict[bytes, tuple[str, bytes]]
"""Mode and contents of each file, by its path."""


@dataclass(frozen=True)
class Forged:
    """A forged commit.

    Attributes:
        tree: Its files.
        message: Its message.
        author: Name, address and the rest of the line.
        committer: Likewise.
        headers: Additional lines of its header.
        parents: How many of the good commit's parents it has, or additionally the good commit itself.
        tag: The message and the tagger line of its tag.
    """

    tree: Tree
    message: bytes
    author: bytes
    committer: bytes
    headers: bytes = b""
    parents: str = "one"
    tag: bytes = b"x"


WORDS = [
    b"", b"0", b"-1", b"1", b"99999999999999999999", b"\x1b[2J", "\u202e".encode(), b"\xff", b"complete", b"failed: x",
    b"not run: ", b"u/eve/2026dgt@0", b"2026dgt@0", b"2026dgt", b"../x", b"-oProxyCommand=x", b"sha256:" + b"0" * 64,
    b"0" * 40, b"none", b"stage", b"reproduction", b"revision", b"NaN", b"1e999", b"[" * 200, b"{}", b"null",
    b"x" * 5000,
]  # fmt: skip
KEYS = [
    b"Revision", b"revision", b"Reproduces", b"App-Version", b"Rules", b"Science-Digest", b"Run", b"Line",
    b"Forked-From",
    b"Promoted-From", b"Collections-At", b"Formerly", b"Marker", b"Status", b"Files", b"Bytes", b"Recorded-By",
    b"Workflow",
    b"Stage", b"Outcome", b"Owner", b"Host", b"Began", b"Until", b"Attempts", b"Base", b"X", b"Signed-off-by",
]  # fmt: skip
MODES = ["100644", "100664", "100755", "120000", "160000", "100600", "040000"]
PATHS = [
    b"x.fits.dvc",
    b"a/b.fits.dvc",
    b"a/b.fits",
    b".git/x",
    b".gitmodules",
    b".dvc/config.local",
    b"dvc.yaml",
    b"A/B.fits.dvc",
]


def forge(good: Forged, draw: random.Random) -> Forged:
    """Return a forged commit: the good commit after one to three changes."""
    for _ in range(draw.randint(1, 3)):
        good = draw.choice(CHANGES)(good, draw)
    return good


def _trailer(good: Forged, draw: random.Random) -> Forged:
    lines = good.message.rstrip(b"\n").split(b"\n")
    first = lines.index(b"") if b"" in lines else 0
    at = draw.randrange(first, len(lines))
    new = draw.choice(KEYS) + b": " + draw.choice(WORDS)
    action = draw.randrange(4)
    if action == 0:
        lines.insert(at + 1, new)
    elif action == 1:
        lines[at] = new
    elif action == 2:
        lines[at] = lines[at].partition(b": ")[0] + b": " + draw.choice(WORDS)
    else:
        del lines[at]
    return replace(good, message=b"\n".join(lines) + b"\n")


def _message(good: Forged, draw: random.Random) -> Forged:
    at = draw.randrange(len(good.message))
    return replace(good, message=good.message[:at] + draw.choice([*WORDS, b"\n\n", b"\n---\n"]) + good.message[at:])


def _person(good: Forged, draw: random.Random) -> Forged:
    date = draw.choice([b"0 +0000", b"99999999999999 +0000", b"-5 +0000", b"1780000000 +9999", b"1780000000 -0000"])
    name = draw.choice([b"", b"A", b"\x1b[2J", "\u202eA".encode(), b"A\x00B"])
    line = name + b" <" + draw.choice([b"", b"a@b", b"a\x07@b", b"<"]) + b"> " + date
    return replace(good, author=line) if draw.random() < 0.5 else replace(good, committer=line)


def _header(good: Forged, draw: random.Random) -> Forged:
    return replace(
        good, headers=draw.choice([b"encoding EBCDIC\n", b"encoding utf-8\n", b"x \x1b\n", b"gpgsig x\n y\n"])
    )


def _parents(good: Forged, draw: random.Random) -> Forged:
    return replace(good, parents=draw.choice(["none", "two", "main", "self"]))


def _tag(good: Forged, draw: random.Random) -> Forged:
    return replace(good, tag=draw.choice(WORDS))


def _file(good: Forged, draw: random.Random) -> Forged:
    tree = dict(good.tree)
    path = draw.choice(sorted(tree))
    mode, data = tree[path]
    action = draw.randrange(5)
    if action == 0:
        tree[path] = draw.choice(MODES), data
    elif action == 1:
        del tree[path]
    elif action == 2:
        tree[draw.choice([*PATHS, path.upper(), path + b"x"])] = mode, data
    else:
        at = draw.randrange(len(data) + 1)
        tree[path] = mode, data[:at] + draw.choice(WORDS) + data[at + draw.randrange(4) :]
    return replace(good, tree=tree)


def _document(good: Forged, draw: random.Random) -> Forged:
    """Change a value of the document, and write it as the format asks."""
    tree = dict(good.tree)
    path = next((each for each in tree if each.endswith(b".json")), b"")
    try:
        value = json.loads(tree[path][1])
    except (KeyError, ValueError):
        return good
    at = value
    while isinstance(at, dict | list) and at:
        key = draw.choice(sorted(at)) if isinstance(at, dict) else draw.randrange(len(at))
        if not isinstance(at[key], dict | list) or draw.random() < 0.15:
            at[key] = draw.choice([None, "", 0, -1, 1.5, "x", "NaN", [], {}, True, 10**30, "\x1b[2J", "2026abc"])
            break
        at = at[key]
    tree[path] = "100644", (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
    return replace(good, tree=tree)


CHANGES: list[Callable[[Forged, random.Random], Forged]] = [
    _trailer, _trailer, _trailer, _message, _person, _header, _parents, _tag, _file, _file, _document, _document,
]  # fmt: skip
