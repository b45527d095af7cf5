"""The story of `make demo`: one transient is processed three times, and its first revision is retrieved.

Every command that is shown is really run, as a separate process of the same Python.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.demo.changes import change_image, reprocess
from blastgit.demo.generate import process
from blastgit.errors import BlastgitError, DamagedData, WouldOverwrite
from blastgit.naming.paths import dataset_path
from blastgit.plumbing.process import git_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastgit.demo.sample import Sample

_NAME = "2026dgt"
_MARK = ".made-by-blastgit-demo"
_MODULES = ("blastgit", "dvc")  # the commands that are run as `python -m …`
_WIDTH = 100


def prepare(folder: Path) -> None:
    """Make an empty folder for the story, replacing that of an earlier run.

    Raises:
        WouldOverwrite: Something else is there.
    """
    if os.path.lexists(folder):
        if folder.is_symlink() or not (folder / _MARK).is_file():
            raise WouldOverwrite(f"{folder} was not made by the demo: move it away, or name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("`make demo` removes this folder and makes it again.\n", "utf-8")


def tell(folder: Path, *, pixels: int = 300) -> None:
    """Run the story in `folder`, printing the commands and their output.

    Args:
        folder: Where its files go; see `prepare`.
        pixels: The side length of the images; 300 gives files as large as Blast's.

    Raises:
        WouldOverwrite: Something else is in that folder.
        DamagedData: The retrieved data differs from what was recorded.
        BlastgitError: A command failed.
    """
    prepare(folder)
    first = process(_NAME, pixels=pixels)
    teller = _Teller(folder)
    _process(teller, first)
    again = _reprocess(teller, first)
    _change(teller, again)
    _bring_back(teller, {dataset_path(path): _sha256(content) for path, content in first.files.items()})
    _compare(teller)


def tell_how_to_look(folder: Path) -> None:
    """Print the command that shows the demo's data repo in a browser."""
    command = Path(sys.executable).with_name("blastgit")
    program = os.path.relpath(command) if command.exists() else f"{os.path.relpath(sys.executable)} -m blastgit"
    print("Look at it in a browser, as you, who may write remarks:\n", flush=True)
    print(f"    {program} -C {folder}/data.git serve --as you\n", flush=True)


def _process(teller: _Teller, first: Sample) -> None:
    teller.chapter("Blast processes 2026dgt for the first time")
    teller.say(
        f"Blast leaves an export, which is one JSON document, and {len(first.files)} files: images of the host galaxy "
        f"in 13 filters, the fits of its spectral energy distribution (SED), thumbnails. Here they are invented, "
        f"{_megabytes(sum(map(len, first.files.values())))} in all, and lie in run1/."
    )
    teller.write(first, "run1")
    teller.say(
        "An operator makes a data repo, once. It is a bare git repository with a store of file contents beside it."
    )
    teller.run("blastgit init data.git --simulated")
    teller.say("One call at the end of the workflow records the state: this is revision 0.")
    teller.run(f"blastgit -C data.git record {_NAME} --export run1/export.json --data run1/data")


def _reprocess(teller: _Teller, first: Sample) -> Sample:
    teller.chapter("Three weeks later: a newer Blast, the same images")
    again = reprocess(first, app_version="v1.13.1", export_time="2026-06-20T09:12:44.120001+00:00", seed=1)
    teller.write(again, "run2")
    teller.say(
        "The new export differs in many of its bytes: new primary keys, another order of rows, new timestamps, floats "
        "that wobble in their last bit, and so one HDF5 file too. No value differs, so there is no new revision; the "
        "branch notes that v1.13.1 gave the same values."
    )
    teller.run(f"blastgit -C data.git record {_NAME} --export run2/export.json --data run2/data")
    return again


def _change(teller: _Teller, again: Sample) -> None:
    teller.chapter("A survey publishes a slightly different image")
    later = reprocess(again, app_version="v1.13.1", export_time="2026-07-02T11:30:05.702113+00:00", seed=2)
    changed = change_image(later, "DES_z", seed=3)
    teller.write(changed, "run3")
    teller.say(
        "The DES_z image came back 3 % brighter. Its photometry follows, and with it a new fit of the SED. This is "
        "revision 1, and it says why."
    )
    before = teller.stored()
    teller.run(f"blastgit -C data.git record {_NAME} --export run3/export.json --data run3/data")
    added, whole = teller.stored() - before, sum(map(len, changed.files.values()))
    teller.say(
        f"Only the files that changed were stored again: {_megabytes(added)} for revision 1, where a full copy takes "
        f"{_megabytes(whole)}."
    )
    teller.run("blastgit -C data.git list")


def _bring_back(teller: _Teller, recorded: Mapping[str, str]) -> None:
    teller.chapter("A referee wants the data of the paper, which was written with revision 0")
    teller.say("It takes nothing but git and DVC; blastgit need not be installed.")
    teller.run(f"git clone --quiet --branch {_NAME}/0 --single-branch data.git paper")
    teller.run("dvc pull", inside="paper", lines=3)
    clone = teller.folder / "paper"
    found = {path: _sha256((clone / path).read_bytes()) for path in _files_of(clone)}
    if found != recorded:
        raise DamagedData(f"{clone} does not hold the files that were recorded: please report this")
    teller.say(
        f"{len(found)} of {len(recorded)} files are there, and the SHA-256 of each is that of the file which Blast "
        "wrote in run1/: byte for byte the originals. With blastgit the same is one command, which checks every file "
        "while it writes it."
    )
    teller.run(f"blastgit -C data.git get {_NAME}@0 paper2")


def _compare(teller: _Teller) -> None:
    teller.chapter("What happened, and what changed?")
    teller.say("Git knows the history, with the reason for every revision.")
    teller.run(f"git -C data.git log --format='%h %as%d %s' {_NAME}")
    teller.say("From which revision to which, which files and values, and by how much?")
    teller.run(f"blastgit -C data.git diff {_NAME}@0 {_NAME}@1", lines=18)
    teller.say(f"All of this lies in {teller.folder}/ now. Every verb has --help, and those that read have --json.")


def _files_of(clone: Path) -> list[str]:
    """Return the files to which the pointers of a clone refer."""
    return [str(path.relative_to(clone)).removesuffix(".dvc") for path in clone.glob("*/**/*.dvc") if path.is_file()]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


@dataclass(frozen=True)
class _Teller:
    """Prints the story and runs its commands."""

    folder: Path

    def chapter(self, title: str) -> None:
        print(f"\n{self._bold(title)}\n{'-' * len(title)}\n", flush=True)

    def say(self, text: str) -> None:
        print(f"{textwrap.fill(text, _WIDTH)}\n", flush=True)

    def write(self, sample: Sample, name: str) -> None:
        (self.folder / name).mkdir()
        sample.write(self.folder / name)

    def stored(self) -> int:
        """The total size of the store in bytes."""
        return sum(path.stat().st_size for path in (self.folder / "data.git/dvc/files").rglob("*") if path.is_file())

    def run(self, command: str, *, inside: str = ".", lines: int = 12) -> None:
        """Show a command and run it; show the first lines and the last of its output."""
        shown = command if inside == "." else f"cd {inside} && {command}"
        print(self._bold(f"$ {shown}"), flush=True)
        words = shlex.split(command)
        if words[0] in _MODULES:
            words = [sys.executable, "-m", *words]
        done = subprocess.run(
            words, cwd=self.folder / inside, env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BlastgitError(f"`{shown}` failed in {self.folder}:\n{done.stderr.strip() or done.stdout.strip()}")
        _print_trimmed(done.stdout.splitlines(), lines)

    def _environment(self) -> dict[str, str]:
        """Return an environment in which the story is the same everywhere, and changes nothing outside its folder."""
        aside = str(self.folder.absolute() / ".dvc-settings")
        hermetic = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "DVC_NO_ANALYTICS": "1"}
        folders = ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR")
        return git_environment(hermetic | dict.fromkeys(folders, aside))

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def _print_trimmed(output: list[str], lines: int) -> None:
    shown = (
        output
        if len(output) <= lines + 1
        else [*output[: lines - 1], f"… {len(output) - lines} lines more", output[-1]]
    )
    for line in shown:
        print(line)
    print(flush=True)
