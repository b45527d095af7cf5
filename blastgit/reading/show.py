"""Showing a revision: its document, a row or value of it, or one of its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from blastgit.errors import NotFound
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.tombstones import Stones, Withdrawals
from blastgit.revision.compare import jsonable
from blastgit.revision.document import Json
from blastgit.workflow.judged import Invalid, OutOfDate, ValidityReport


@dataclass(frozen=True)
class Shown:
    """A revision, or something in it, to show.

    Attributes:
        revision: The revision, `2026dgt@1`.
        path: The path inside it, or None.
        kind: "document", "field", "rows" or "file".
        value: The JSON value.
        invalid: The invalid values and files in it, each with the reason; only with `even_invalid`.
        out_of_date: The values and files that are out of date, each with the reason.
        asked: The convenient name that was given for it, or None.
    """

    revision: str
    path: str | None
    kind: str
    value: Any
    invalid: Invalid = field(default_factory=Invalid)
    out_of_date: OutOfDate = field(default_factory=OutOfDate)
    asked: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "revision": self.revision, "path": self.path, "kind": self.kind, "value": self.value,
            "invalid": self.invalid, "out_of_date": self.out_of_date, "asked": self.asked,
        }  # fmt: skip


def show(
    repository: Repository,
    revision: Snapshot,
    path: str | tuple[str, ...] | None,
    *,
    even_invalid: bool = False,
    strict: bool = False,
) -> Shown:
    """Return the document of a revision, or what is at `path` in it.

    Args:
        repository: The data repo.
        revision: The revision.
        path: A file (`cutout_cdn/DES/DES_z.fits`), a natural path (`host.redshift`, `photometry/…/SDSS_r.flux`), the
            beginning of one (`host`, `sed/global`), or keys of the document (`metadata.app_version`); None for the
            whole document; several beginnings for everything at any of them.
        even_invalid: Show it even if the stage that makes it failed.
        strict: Refuse it if it is out of date.

    Raises:
        NotFound: There is nothing at that path; the error names the nearest. Or the run had not made it at that marker.
        InvalidData: The stage that makes it failed, or it is out of date and `strict` was given; for the whole
            document, if this holds for any value.
    """
    judged = ValidityReport(repository, revision)
    if path is None:
        _refuse_unmade(judged, judged.unmade, str(revision), even_invalid=even_invalid)
        invalid = judged.allow(judged.invalid_values, str(revision), even_invalid=even_invalid)
        late = judged.out_of_date(judged.outdated, str(revision), strict=strict)
        return Shown(str(revision), None, "document", revision.dr.document(), invalid, late, revision.asked)
    if isinstance(path, tuple):
        if len(path) > 1:
            return _show_all(repository, judged, path, even_invalid=even_invalid, strict=strict)
        [path] = path
    path = path.rstrip("/")
    kind, value, shown = _find(repository, judged, path)
    if not even_invalid:
        made = [each for each in shown if each not in judged.unmade]
        _refuse_unmade(judged, () if made else shown, f"{revision}:{path}", even_invalid=False)
        shown, value = made, {each: value[each] for each in made} if kind == "rows" else value
    invalid = judged.allow(shown, f"{revision}:{path}", even_invalid=even_invalid)
    late = judged.out_of_date(shown, f"{revision}:{path}", strict=strict)
    return Shown(str(revision), path, kind, value, invalid, late, revision.asked)


def _show_all(
    repository: Repository, judged: ValidityReport, paths: tuple[str, ...], *, even_invalid: bool, strict: bool
) -> Shown:
    """Return everything at some paths, of which some may not exist."""
    revision = judged.revision
    rows: dict[str, Any] = {}
    for path in paths:
        try:
            found = show(repository, revision, path, even_invalid=even_invalid, strict=strict)
        except NotFound:
            continue
        rows.update(found.value if found.kind == "rows" else {path: found.value})
    if not rows:
        raise NotFound(f"{revision} has none of {', '.join(paths)}")
    what = f"{revision}:{', '.join(paths)}"
    invalid = judged.allow(rows, what, even_invalid=even_invalid)
    late = judged.out_of_date(rows, what, strict=strict)
    return Shown(str(revision), ", ".join(paths), "rows", rows, invalid, late, revision.asked)


def _refuse_unmade(judged: ValidityReport, paths: Iterable[str], what: str, *, even_invalid: bool) -> None:
    """Refuse what a run had not made yet at a marker: what is there is from an earlier run."""
    found = [path for path in paths if path in judged.unmade]
    if found and not even_invalid:
        values = f"{len(found)} values and files, such as {found[0]}," if len(found) > 1 else found[0]
        was = "were" if len(found) > 1 else "was"
        raise NotFound(
            f"{what}: {values} {was} not made yet: {judged.unmade[found[0]]}; --even-invalid shows what an "
            "earlier run left"
        )


def _find(repository: Repository, judged: ValidityReport, path: str) -> tuple[str, Any, Iterable[str]]:
    """Return what is at a path: its kind, its value, and the paths of the values and files in it."""
    revision, values = judged.revision, judged.values
    gone = Withdrawals(repository).concerning(revision)
    if path in revision.pointers:
        return "file", _file_facts(judged, path, gone), [path]
    if path in values:
        return "field", jsonable(values[path]), [path]
    below = {key: jsonable(value) for key, value in values.items() if key.startswith((f"{path}.", f"{path}/"))}
    if below:
        return "rows", below, below
    files = {name: _file_facts(judged, name, gone) for name in revision.pointers if name.startswith(f"{path}/")}
    if files:
        return "rows", files, files
    found = _in_document(revision.dr.document(), path.split("."))
    if found is not None:
        natural = path.replace(".fields", "", 1)  # the document has host.fields.redshift
        return "field", found, [natural, *(key for key in values if key.startswith(f"{natural}."))]
    raise NotFound(f"{revision} has no {path!r} (empty values count as absent){_why_not(judged, path)}")


def _why_not(judged: ValidityReport, path: str) -> str:
    problem = judged.validity.problem(path)
    if problem is not None:
        return f": {problem.because}"
    return did_you_mean(path, with_beginnings([*judged.values, *judged.revision.pointers]))


def _in_document(value: Json, keys: list[str]) -> Json:
    """Follow keys into the document, including fields that the rules ignore; None if there is no such value."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _file_facts(judged: ValidityReport, path: str, gone: Stones) -> dict[str, Any]:
    revision = judged.revision
    pointer = revision.pointers[path]
    withdrawn = str(gone[path]) if path in gone else None
    facts = {"size": pointer.size, "md5": pointer.md5, "sha256": revision.sha256(path), "withdrawn": withdrawn}
    if revision.held[path].in_git:
        facts["in_git"] = True
    remark = judged.validity.remark(path)
    return facts if remark is None else {**facts, "remark": remark}
