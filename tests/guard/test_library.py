"""Everything that the library writes is accepted by the hook, and sound for `verify` on the other side."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import fail_stage, refit, small
from blastgit.plumbing.process import git_environment
from blastgit.repository.hooks import install_hooks
from tests.guard.conftest import Clone
from tests.settings import add_settings

pytestmark = pytest.mark.slow

SETTINGS = """publish: complete
variants: {photometry: {names: {first: {app_version: v1.*}, other: {app_version: v9.*}}}}
"""
NAME, ME = "2026dgt", pwd.getpwuid(os.geteuid()).pw_name


@cache
def written(folder: Path, seed: int) -> list[str]:
    """Write a state as Blast leaves it, and return the arguments that name it."""
    target = folder / f"in{seed}"
    target.mkdir()
    export, data = refit(small(NAME), seed=seed).write(target)
    return ["--export", str(export), "--data", str(data)]


def record(folder: Path, turn: int) -> Iterator[list[str]]:
    yield ["record", NAME, *written(folder, turn)]


def record_in_run(folder: Path, turn: int) -> Iterator[list[str]]:
    yield ["record", NAME, "--run", f"night{turn}", *written(folder, turn)]


def reproduce(folder: Path, turn: int) -> Iterator[list[str]]:
    yield ["record", NAME, *written(folder, turn)]
    words = written(folder, turn)
    text = Path(words[1]).read_bytes()
    version = text.partition(b'"app_version": "')[2].partition(b'"')[0]
    again = folder / f"again{turn}.json"
    again.write_bytes(text.replace(b'"app_version": "' + version, b'"app_version": "v9.9.%d' % turn))
    yield ["record", NAME, "--export", str(again), *words[2:]]


def own_line_and_promotion(folder: Path, turn: int) -> Iterator[list[str]]:
    yield ["record", NAME, "--as", f"u/{ME}", *written(folder, turn)]
    yield ["promote", f"u/{ME}/{NAME}"]


def annotate(_: Path, turn: int) -> Iterator[list[str]]:
    yield ["annotate", f"{NAME}@0", NAME, f"{NAME}@0:host.redshift", "--flag", "suspect", "-m", f"seen {turn}"]


def attach_and_measure(folder: Path, turn: int) -> Iterator[list[str]]:
    file = folder / f"note{turn}.txt"
    file.write_text(f"note {turn}\n")
    yield ["attach", f"{NAME}@0", str(file)]
    yield ["metric", f"{NAME}@0", f"astrometry.rms{turn}", "0.25", "arcsec"]


def collect_and_freeze(_: Path, turn: int) -> Iterator[list[str]]:
    yield ["collection", "create", f"nearby/v{turn}", "--type", "TAGGED", "-m", "The sample"]
    yield ["collection", "add", f"nearby/v{turn}", f"{NAME}@0", "-m", "Looks fine"]
    yield ["collection", "freeze", f"nearby/v{turn}", "v1"]


def withdraw(_: Path, turn: int) -> Iterator[list[str]]:
    path = ("cutout_cdn/DES/DES_g.fits", "cutout_cdn/DES/DES_z.fits")[turn % 2]
    yield ["withdraw", f"{NAME}@0:{path}", "--reason", f"A mistake {turn}"]


def stages(_: Path, turn: int) -> Iterator[list[str]]:
    yield ["stage", "begin", NAME, "host-match", "--owner", f"task {turn}"]
    yield ["stage", "fail", NAME, "host-match", "--owner", f"task {turn}", "--reason", "no luck"]


def run_that_ends(folder: Path, turn: int) -> Iterator[list[str]]:
    yield from stages(folder, turn)
    yield ["stage", "begin", NAME, "cutout-download", "--owner", f"task {turn}"]
    yield ["stage", "finish", NAME, "cutout-download", "--owner", f"task {turn}", *written(folder, turn)]
    yield ["stage", "begin", NAME, "host-match", "--owner", f"task {turn}"]
    yield ["stage", "end", NAME, "--owner", f"task {turn}"]


def reference(folder: Path, turn: int) -> Iterator[list[str]]:
    file = folder / f"weights{turn}.txt"
    file.write_text(f"{turn}\n")
    yield ["record", "r/model/sbi", "--file", str(file), "--set", f"turn={turn}"]


def draft(folder: Path, turn: int) -> Iterator[list[str]]:
    target = folder / f"failed{turn}"
    target.mkdir()
    export, data = fail_stage(refit(small(NAME), seed=turn), "Global host SED inference").write(target)
    yield ["record", NAME, "--export", str(export), "--data", str(data)]


def begin_run(_: Path, turn: int) -> Iterator[list[str]]:
    yield ["run", "start", "photometry", "v1", f"DM-{turn}", "-m", "To try"]
    yield ["attach", f"{NAME}@0", __file__]


def variant(_: Path, turn: int) -> Iterator[list[str]]:
    yield ["variant", "default", "photometry", ("first", "other")[turn % 2], "--reason", f"Better {turn}"]


VERBS = [record, record_in_run, reproduce, own_line_and_promotion, annotate, attach_and_measure, collect_and_freeze,
         withdraw, stages, run_that_ends, reference, draft, begin_run, variant]  # fmt: skip


@settings(deadline=None, max_examples=1)
@given(st.lists(st.sampled_from(VERBS), min_size=1, max_size=4))
@example(VERBS)
def test_a_mirror_made_by_pushes_is_sound(verbs: list) -> None:  # type: ignore[type-arg]
    folder = Path(tempfile.mkdtemp())
    try:
        library, mirror = folder / "library.git", folder / "mirror.git"
        DataRepo.init(library, simulated=True)
        add_settings(library, SETTINGS)
        assert main(["-C", str(library), *next(record(folder, 100))]) == 0
        # what is withdrawn is refused if it comes again, so nothing is recorded after that
        for turn, verb in enumerate(sorted(verbs, key=lambda verb: verb is withdraw)):
            for words in verb(folder, turn):
                code = main(["-C", str(library), *words])
                assert code == 0, f"{words} ended with {code}"
        before = DataRepo(library).verify().problems
        assert before == []
        subprocess.run(["git", "init", "--quiet", "--bare", mirror], check=True, env=git_environment())
        install_hooks(mirror)
        clone = Clone(mirror, library)
        assert clone.check("refs/heads/*", "refs/tags/*", "refs/drafts/*") == ""
        assert DataRepo(mirror).verify().problems == []
    finally:
        shutil.rmtree(folder)
