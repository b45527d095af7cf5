"""Refs and trailers are spelt only in `blastgit/naming`."""

import ast
import re
from pathlib import Path

import blastgit
from blastgit.naming.trailers import Trailer

PACKAGE = Path(blastgit.__file__).parent
# below `naming`: the raw lines of `git ls-remote` and `packed-refs`
EXEMPT = {PACKAGE / "naming/refs.py", PACKAGE / "naming/trailers.py", PACKAGE / "plumbing/folded.py"}
MODULES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py")) if path not in EXEMPT}
KEYS = {str(key) for key in Trailer}


def spelt_refs(tree: ast.Module) -> list[str]:
    """The names of refs in a module, but for its docstrings and its messages for people."""
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = [str(value) for value in constants if isinstance(value, str | bytes) and " " not in str(value)]
    return [text for text in texts if re.search("refs/(heads|tags|workflow)/", text)]


def spelt_keys(tree: ast.Module) -> list[str]:
    """The keys that a module looks up in trailers by their text."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found += node.args[:1] if "trailers" in ast.unparse(node.func.value) else []
        elif isinstance(node, ast.Subscript) and "trailers" in ast.unparse(node.value):
            found.append(node.slice)
    return [node.value for node in found if isinstance(node, ast.Constant) and node.value in KEYS]


def test_no_module_spells_a_ref():
    assert {path: refs for path, tree in MODULES.items() if (refs := spelt_refs(tree))} == {}


def test_no_module_spells_the_key_of_a_trailer():
    assert {path: keys for path, tree in MODULES.items() if (keys := spelt_keys(tree))} == {}
