"""Virtual columns: computed by a formula of other columns, which is never run as Python code."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from blastgit.errors import RepoError

_WORDS = ("recipe", "unit", "about", "same_as", "within")
_LIMIT = 500  # characters of a formula
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: math.pow,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sqrt": math.sqrt, "log10": math.log10, "log": math.log, "exp": math.exp, "abs": abs,
    "sin": math.sin, "cos": math.cos, "radians": math.radians, "degrees": math.degrees,
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How a column is computed.

    Attributes:
        name: The column.
        text: The formula.
        unit: Its unit, or "".
        about: Its description, in a line.
        same_as: A stored column with the same value, or "".
        within: The allowed relative difference of the two.
    """

    name: str
    text: str
    unit: str = ""
    about: str = ""
    same_as: str = ""
    within: float = 1e-9
    _tree: ast.expr = field(default_factory=lambda: ast.Constant(0), repr=False, compare=False)

    def value(self, row: Mapping[str, Any]) -> float | None:
        """Return its value in a row; None if a column is missing, or the formula has no value (a division by 0)."""
        try:
            return _evaluate(self._tree, row)
        except (ValueError, ZeroDivisionError, OverflowError, _Missing):
            return None

    def fault(self, row: Mapping[str, Any]) -> str | None:
        """Return how the stored column differs from the recipe in a row, in words; None if it does not."""
        if not self.same_as:
            return None
        made, stored = self.value(row), row.get(self.same_as)
        if made is None or not isinstance(stored, int | float) or math.isclose(made, stored, rel_tol=self.within):
            return None
        return f"{self.same_as} is {stored!r}, but by the recipe {self.text} it should be {made!r}"


class _Missing(Exception):
    """A row has no number in a column."""


def read_recipe(name: str, words: Any, where: str) -> Recipe:
    """Read how a column is computed.

    Raises:
        RepoError: It is not valid; the error gives its location.
    """
    if not isinstance(words, dict) or "recipe" not in words or set(words) - set(_WORDS) or not name.isidentifier():
        raise RepoError(f"{where} should have a recipe, and may have {', '.join(_WORDS[1:])}")
    texts = {word: words.get(word, "") for word in _WORDS if word != "within"}
    if not all(isinstance(text, str) and len(text) <= _LIMIT for text in texts.values()):
        raise RepoError(f"{where}: recipe, unit, about and same_as are texts of at most {_LIMIT} characters")
    within = words.get("within", 1e-9)
    if isinstance(within, bool) or not isinstance(within, int | float) or not 0 <= within < 1:
        raise RepoError(f"{where}.within is {within!r}, which is not a relative difference: write it like 1.0e-9")
    try:
        tree = ast.parse(texts["recipe"], mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RepoError(f"{where}.recipe is {texts['recipe']!r}, which is not a formula: {error}") from None
    return Recipe(name, texts["recipe"], texts["unit"], texts["about"], texts["same_as"], float(within), tree)


def _check(node: ast.expr) -> None:
    """Check that a node is arithmetic of columns and numbers.

    Raises:
        ValueError: It is something else.
    """
    match node:
        case ast.Name() | ast.Constant(value=int() | float()):
            return
        case ast.BinOp() if type(node.op) in _OPERATORS:
            _check(node.left)
            _check(node.right)
        case ast.UnaryOp(op=ast.USub()):
            _check(node.operand)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            _check(argument)
        case _:
            raise ValueError(f"it may have columns, numbers, + - * / ** and {', '.join(_FUNCTIONS)}")


def _evaluate(node: ast.expr, row: Mapping[str, Any]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            found = row.get(name)
            if isinstance(found, bool) or not isinstance(found, int | float):
                raise _Missing
            return found
        case ast.BinOp():
            return _OPERATORS[type(node.op)](_evaluate(node.left, row), _evaluate(node.right, row))
        case ast.UnaryOp():
            return -_evaluate(node.operand, row)
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name](_evaluate(node.args[0], row))
        case _:
            raise ValueError
