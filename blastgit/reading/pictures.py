"""Drawing the changed cutouts of a diff: as a self-contained HTML page, or a folder of PNG files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from blastgit.content.pictures import Entry, Pictures, page, render
from blastgit.errors import RepoError, UsageError
from blastgit.reading.diff import Diff, FileDifference, State
from blastgit.repository.base import Repository
from blastgit.repository.contents import published_file

_NO_FOLDERS = (".png", ".jpg", ".jpeg", ".pdf", ".svg", ".gif")


def draw(repository: Repository, difference: Diff, target: Path) -> int:
    """Draw every cutout that differs, and return their number.

    Args:
        repository: The data repo.
        difference: A diff of two revisions.
        target: An `.html` file, or a folder for PNG files.

    Raises:
        RepoError: The target cannot be written.
        UsageError: A side of the diff is not a revision, and so has no images; or the target is neither.
    """
    for state in (difference.old, difference.new):
        if state.revision is None:
            raise UsageError(f"{state.label} is an export without files: pictures need two revisions")
    if target.suffix.lower() in _NO_FOLDERS:
        raise UsageError(f"{target}: pictures go to one .html page, or to a folder as PNG files")
    images = [file for file in difference.files if file.change.is_image and file.change.change != "content-equal"]
    with TemporaryDirectory(prefix="blastgit-") as folder:
        entries = [_draw(repository, difference, file, Path(folder)) for file in images]
    try:
        if target.suffix.lower() in (".html", ".htm"):
            target.write_text(page(f"{difference.old.label} → {difference.new.label}", entries), "utf-8")
        else:
            _write_folder(entries, target)
    except OSError as error:
        raise RepoError(f"the pictures cannot be written to {target}: {error.strerror}") from None
    return len(entries)


def _draw(repository: Repository, difference: Diff, file: FileDifference, folder: Path) -> Entry:
    path = file.change.path
    before = None if file.change.change == "added" else _image(repository, difference.old, path, folder)
    after = None if file.change.change == "removed" else _image(repository, difference.new, path, folder)
    words = file.problem or (file.difference.summary() if file.difference else file.change.change)
    return Entry(path, words, render(before, after))


def _image(repository: Repository, state: State, path: str, folder: Path) -> Path:
    assert state.revision is not None
    return published_file(repository, state.revision, path, folder)


def _write_folder(entries: list[Entry], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        stem = entry.path.removesuffix(".fits").replace("/", "_")
        for side, png in _sides(entry.pictures).items():
            if png is not None:
                (folder / f"{stem}_{side}.png").write_bytes(png)


def _sides(pictures: Pictures) -> dict[str, bytes | None]:
    return {"before": pictures.before, "after": pictures.after, "difference": pictures.difference}
