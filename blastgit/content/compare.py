"""Entry points: pick the format, and fall back to bytes when a file cannot be compared by content."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from blastgit.content.model import Difference, Format, How, Remarking, Tolerance, Verdict
from blastgit.content.raw import Raw
from blastgit.content.registry import format_of

if TYPE_CHECKING:
    from pathlib import Path


def probe(name: str, path: Path) -> str | None:
    """Check the structure of a file without reading its data.

    Args:
        name: dataset path; its suffix picks the format.
        path: the file.

    Returns:
        None if it looks sound, otherwise a sentence fragment such as ``truncated FITS: 2880 of 5760 bytes``.

    Raises:
        OSError: the file cannot be read at all.
    """
    return format_of(name).probe(path)


def same(name: str, old: Path, new: Path, tolerance: Tolerance) -> Verdict:
    """Whether two versions of a file agree; stops at the first difference.

    Args:
        name: dataset path; its suffix picks the format.
        old: first version, under whatever file name.
        new: second version.
        tolerance: what counts as equal.

    Raises:
        OSError: a file cannot be read at all.
    """
    form = format_of(name)
    if isinstance(form, Raw):
        return Verdict(form.same(old, new, tolerance), "bytes")
    note = _unsound(form, old, new)
    if note is None:
        try:
            return Verdict(form.same(old, new, tolerance), "content", _remark(form, old, new))
        except _unreadable() as error:
            note = _blame(form, old, new, tolerance, error)
    return Verdict(Raw().same(old, new, tolerance), "bytes", note)


def describe(name: str, old: Path, new: Path, tolerance: Tolerance) -> Difference:
    """All differences between two versions of a file.

    Arguments and errors are those of `same`. The median change is that of the first million changes.
    """
    form = format_of(name)
    note = _unsound(form, old, new)
    if note is None:
        try:
            return replace(form.describe(old, new, tolerance), note=_remark(form, old, new))
        except _unreadable() as error:
            note = _blame(form, old, new, tolerance, error)
    return replace(Raw().describe(old, new, tolerance), note=note)


def _unreadable() -> tuple[type[Exception], ...]:
    """What readers raise for files that are malformed in one of many ways.

    Evaluated only once something was raised, since the modules below take longer to import than most comparisons.
    """
    import struct
    import zlib
    from zipfile import BadZipFile

    return (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        ArithmeticError,
        SyntaxError,
        RuntimeError,  # h5py's, and NotImplementedError and RecursionError
        MemoryError,
        EOFError,
        BadZipFile,
        struct.error,
        zlib.error,
    )


def _unsound(form: Format, old: Path, new: Path) -> str | None:
    return _note(form.probe(old), form.probe(new), "bytes")


def _remark(form: Format, old: Path, new: Path) -> str | None:
    """A note on files that are sloppy in form but were compared by content."""
    return _note(form.remark(old), form.remark(new), "content") if isinstance(form, Remarking) else None


def _blame(form: Format, old: Path, new: Path, tolerance: Tolerance, error: Exception) -> str:
    """Say which version cannot be compared, and why: the one that cannot be compared even with itself."""
    faults = [_fault(form, path, tolerance) for path in (old, new)]
    return _note(faults[0], faults[1], "bytes") or f"{_reason(error)}; compared as bytes"


def _fault(form: Format, path: Path, tolerance: Tolerance) -> str | None:
    try:
        form.same(path, path, tolerance)
    except _unreadable() as error:
        return _reason(error)
    return None


def _reason(error: Exception) -> str:
    # A KeyError shows its message in quotes.
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__


def _note(old: str | None, new: str | None, how: How) -> str | None:
    if old is None and new is None:
        return None
    if old == new:
        said = f"both versions: {old}"
    else:
        said = ", ".join(f"{which} version: {what}" for which, what in (("old", old), ("new", new)) if what)
    return f"{said}; compared {'as bytes' if how == 'bytes' else 'by content'}"
