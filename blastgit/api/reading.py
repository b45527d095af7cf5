"""Reading: verbs of `DataRepo` that show revisions or download their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import UsageError
from blastgit.naming.names import check_line

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.reading.blame import Blamed
    from blastgit.reading.diff import Diff, State
    from blastgit.reading.drafts import KeptDraft
    from blastgit.reading.get import GetResult
    from blastgit.reading.identify import Identity
    from blastgit.reading.listing import Listing
    from blastgit.reading.log import Entry
    from blastgit.reading.show import Shown


def list_transients(session: Session, /, pattern: str = "*") -> Listing:
    """Return the transients whose name matches a shell pattern (`u/*`: users' own lines), with the latest revision.

    Transients that git cannot read do not fail the call: they are reported in `damaged`.
    """
    from blastgit.reading.listing import list_transients

    return list_transients(session.repository, pattern)


def log(session: Session, /, name: str) -> Sequence[Entry]:
    """Return the revisions of a transient, newest first: when, why, what changed, and which runs reproduced it.

    Revisions under its former names follow, if the settings list any.

    Raises:
        NotFound: The transient does not exist.
    """
    from blastgit.reading.log import log

    names = session.names(check_line(name))
    return [entry for each in names for entry in log(session.repository, each)]


def drafts(session: Session, /, name: str) -> Sequence[KeptDraft]:
    """Return the drafts of a transient, newest first: states that were not published, and why.

    Drafts under its former names follow, if the settings list any.

    Raises:
        NotFound: No such transient.
    """
    from blastgit.reading.drafts import drafts

    names = session.names_with_drafts(check_line(name))
    return [each for one in names for each in drafts(session.repository, one)]


def show(session: Session, /, spec: str, *, even_invalid: bool = False, strict: bool = False) -> Shown:
    """Return a revision's document, or what is at `:PATH` in it: a value, rows, or information about a file.

    Args:
        spec: The revision, optionally with a path.
        even_invalid: Show also what a failed stage left behind.
        strict: Refuse data that are out of date.

    Raises:
        NotFound: The revision does not exist, or has nothing at that path.
        InvalidData: A stage that makes it or part of it failed.
    """
    from blastgit.reading.show import show

    found = session.locate(spec)
    path = found.path if found.within is None else found.within
    return show(session.repository, found.state, path, even_invalid=even_invalid, strict=strict)


def diff(session: Session, /, old: str, new: str) -> Diff:
    """Compare two states, each a revision (`2026dgt@0`) or the file of an export.

    Raises:
        NotFound: The revision does not exist.
        InvalidExport: A file is not an export.
    """
    from blastgit.reading.diff import diff

    return diff(session.repository, _state(session, old), _state(session, new), session.repository.rules)


def blame(session: Session, /, name: str, field: str | None = None) -> Sequence[Blamed]:
    """Return which revision last changed each value and file of a transient.

    Args:
        name: The transient; `NAME:FIELD` stands for both.
        field: A natural path, a file, the beginning of one, or a shell pattern; None for all.

    Raises:
        NotFound: The transient or field does not exist.
        UsageError: A field is given twice, or a revision is given.
    """
    from blastgit.reading.blame import blame

    line, colon, path = name.partition(":")
    if colon and field is not None:
        raise UsageError(f"{name!r} names a field already: leave out {field!r}")
    if "@" in line:
        raise UsageError(f"blame only looks at the latest revision: write {line.partition('@')[0]}")
    return blame(session.repository, session.names(check_line(line))[0], path or field)


def pictures(session: Session, /, difference: Diff, target: str | Path) -> int:
    """Draw the changed cutouts of a diff: before, after and difference, with the same stretch.

    Args:
        difference: The result of `diff` for two revisions.
        target: A self-contained `.html` file, or a folder for PNG files.

    Returns:
        The number of cutouts drawn.

    Raises:
        RepoError: The target cannot be written.
    """
    from blastgit.reading.pictures import draw

    return draw(session.repository, difference, Path(target))


def _state(session: Session, /, text: str) -> State:
    from blastgit.reading.diff import State
    from blastgit.revision.export import read_given

    file = Path(text)
    if file.is_file():
        return State(text, read_given(file))
    found = session.locate(text)
    revision = found.state
    return State(str(revision), revision.dr.export, revision, found.within)


def identify(session: Session, /, path: str | Path, *, of: str | None = None) -> Identity:
    """Return which revision a file or folder is, or the nearest revision and what differs.

    Equality is defined as for `record`: equal bytes, or else equal values and contents by the repo's rules.

    Args:
        path: An export or a revision's document (`.json`), Blast's archive, the folder of a dataset, or any file.
        of: The transient that a single file belongs to, if its name does not say.

    Raises:
        InvalidInput: It cannot be read.
        NotFound: There is no transient `of`.
    """
    from blastgit.api.identify import Identifying

    return Identifying(session).identify(Path(path), of)


def download(  # noqa: PLR0913 (options that most calls omit)
    session: Session,
    /,
    spec: str,
    dest: str | Path | None = None,
    *,
    only: str | None = None,
    force: bool = False,
    even_invalid: bool = False,
    strict: bool = False,
) -> GetResult:
    """Write the files of a revision into a folder and verify each; files that are already right stay.

    Args:
        spec: The revision, `2026dgt@0`, or one file of it, `2026dgt@0:cutout_cdn/DES/DES_z.fits`.
        dest: The folder; by default `NAME@N` in the current folder.
        only: A pattern that a file's path or name must match, or a folder of the dataset.
        force: Overwrite files that differ.
        even_invalid: Write also what a failed stage left behind.
        strict: Omit data that are out of date, and fail if there are any.

    Raises:
        NotFound: The revision does not exist, or no file matches.
        WouldOverwrite: A file in the way differs; nothing was written.
        InvalidData: A stage failed, or data are out of date and `strict` was given; the document and everything that
            does not depend on them were written.
        Withdrawn: A file was taken down.
        DamagedData: The store lacks a content, or holds other bytes.
    """
    from blastgit.reading.get import GetOptions, get
    from blastgit.workflow.patterns import Patterns

    found = session.locate(spec)
    within = None if found.within is None else Patterns(found.within)
    folder = None if dest is None else Path(dest)
    wanted = GetOptions(folder, only or found.path, force, even_invalid, strict, within)
    return get(session.repository, found.state, wanted, session.progress)


def compare_exports(old: Path, new: Path) -> Diff:
    """Compare the files of two exports by the default rules; needs no data repo.

    Raises:
        InvalidExport: A file is not an export.
    """
    from blastgit.reading.diff import State, diff
    from blastgit.revision.export import read_given
    from blastgit.revision.rules import default_rules

    return diff(None, State(str(old), read_given(old)), State(str(new), read_given(new)), default_rules())
