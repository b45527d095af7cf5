"""Small files that a rule keeps in git itself, as seen by writers, readers, plain tools, the hook and an admin."""

import hashlib
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import Sample, change_image, refit
from blastgit.errors import DamagedData, Withdrawn
from blastgit.plumbing.process import run_git
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.history import History
from blastgit.repository.hooks import install_hooks
from blastgit.repository.local import LocalRepository

pytestmark = pytest.mark.slow

NAME = "2026dgt"
NOTE, BIG = f"sed_output/{NAME}_note.txt", f"sed_output/{NAME}_big.txt"
GLOBAL, LOCAL = f"sed_output/{NAME}_global_perc.npz", f"sed_output/{NAME}_local_perc.npz"
TYPES = "dataset_types:\n  note: {files: 'sed_output/{transient}_{kind}.txt', reader: text}\n"
RULES = "storage:\n  note: {git: true}\n  percentiles: {git: 3500}\n"
TEXT = b"first line\r\n\tsecond line \x00\xff without an end"
Run = Callable[..., str]


def settle(repo: Path, rules: str = RULES) -> None:
    """Put rules into `blastgit.yaml` on main, as an admin would in a clone."""
    repository = LocalRepository(repo)
    kept = repository.main_file("blastgit.yaml").decode().partition("\ndataset_types:")[0]
    commit_to_branch(
        repository, "main", lambda _: BranchEdit({"blastgit.yaml": f"{kept}\n{TYPES}{rules}".encode()}, "Rules"), 10
    )


def noted(sample: Sample, text: bytes = TEXT) -> Sample:
    """Add a note to the files of a transient."""
    return replace(sample, files={**sample.files, f"sed_output/{NAME}/{NAME}_note.txt": text})


def repaint(sample: Sample, seed: int) -> Sample:
    """Change one image and nothing else."""
    path = f"cutout_cdn/{NAME}/DES/DES_g.fits"
    return replace(sample, files={**sample.files, path: change_image(sample, "DES_g", seed=seed).files[path]})


def published(sample: Sample) -> dict[str, bytes]:
    return {path.replace(f"/{NAME}/", "/", 1): data for path, data in sample.files.items()}


def held(folder: Path) -> set[str]:
    return {path.parent.name + path.name for path in (folder / "files/md5").rglob("*") if path.is_file()}


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def in_git(repo: Path, number: int) -> set[str]:
    listed = run_git(repo, "ls-tree", "-r", "--name-only", f"{NAME}/{number}").decode().split()
    return {path for path in listed if path.startswith(("cutout", "sed")) and not path.endswith(".dvc")}


def files_below(folder: Path) -> dict[str, bytes]:
    found = (path for root in ("cutout_cdn", "sed_output") for path in (folder / root).rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def clone_of(repo: Path, tag: str, folder: Path, run: Run) -> Path:
    run("git", "-c", "core.autocrlf=true", "clone", "-q", "--branch", tag, "--single-branch", f"file://{repo}", folder)
    return folder


@pytest.fixture
def kept(repo: Path, sample: Sample, record: Any) -> Path:
    """A repo whose revision 0 has a note in git itself, and one of two small binary files."""
    settle(repo)
    record(repo, noted(sample))
    return repo


def test_plain_git_and_dvc_bring_exactly_the_files(kept: Path, sample: Sample, tmp_path: Path, run: Run) -> None:
    assert in_git(kept, 0) == {NOTE, GLOBAL}
    clone = clone_of(kept, f"{NAME}/0", tmp_path / "clone", run)
    before = {path: data for path, data in files_below(clone).items() if not path.endswith(".dvc")}
    assert before == {path: published(noted(sample))[path] for path in (NOTE, GLOBAL)}
    run("dvc", "pull", "-q", cwd=clone)
    after = {path: data for path, data in files_below(clone).items() if not path.endswith(".dvc")}
    assert after == published(noted(sample))
    assert run("git", "status", "--porcelain", cwd=clone) == ""
    assert "up to date" in run("dvc", "status", cwd=clone)
    assert run("dvc", "diff", cwd=clone) == ""
    run("dvc", "get", "-q", str(kept), NOTE, "--rev", f"{NAME}/0", "-o", "one.txt", cwd=clone)
    assert (clone / "one.txt").read_bytes() == TEXT


def test_no_store_holds_them_and_nothing_misses_them(kept: Path, sample: Sample, tmp_path: Path) -> None:
    files = published(noted(sample))
    assert held(kept / "dvc") == {md5(data) for path, data in files.items() if path not in (NOTE, GLOBAL)}
    assert DataRepo(kept).verify().problems == []
    assert DataRepo(kept).gc(delete=True).set_aside == []
    got = DataRepo(kept).get(f"{NAME}@0", tmp_path / "got")
    assert files_below(got.folder) == files
    assert DataRepo(kept).get(f"{NAME}@0", tmp_path / "got").written == []
    assert got.size == sum(map(len, files.values())) + (got.folder / f"{NAME}.json").stat().st_size
    trailers = History(LocalRepository(kept)).latest(NAME).trailers
    assert (trailers["Files"], trailers["Bytes"]) == (str(len(files)), str(sum(map(len, files.values()))))


def test_gc_takes_a_copy_that_nobody_needs(kept: Path, tmp_path: Path) -> None:
    stray = kept / "dvc/files/md5" / md5(TEXT)[:2] / md5(TEXT)[2:]
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(TEXT)
    os.utime(stray, (0, 0))
    assert DataRepo(kept).gc(delete=True).set_aside == [md5(TEXT)]
    DataRepo(kept).get(f"{NAME}@0", tmp_path / "got")


def test_the_document_and_other_readers_see_no_difference(kept: Path, sample: Sample, tmp_path: Path) -> None:
    repo = DataRepo(kept)
    sha256 = hashlib.sha256(TEXT).hexdigest()
    assert json.loads(run_git(kept, "show", f"{NAME}/0:{NAME}.json"))["files"][NOTE] == f"sha256:{sha256}"
    facts = repo.show(f"{NAME}@0:{NOTE}").value
    assert facts == {"size": len(TEXT), "md5": md5(TEXT), "sha256": sha256, "withdrawn": None, "in_git": True}
    assert "in_git" not in repo.show(f"{NAME}@0:{LOCAL}").value
    assert repo.dataset("note", NAME, kind="note", reader="bytes") == TEXT
    found = repo.dataset("percentiles", NAME, aperture="global", reader="bytes")
    assert found == published(sample)[GLOBAL]
    elsewhere = DataRepo(f"file://{kept}")
    assert files_below(elsewhere.get(NAME, tmp_path / "got").folder) == published(noted(sample))


def test_the_reader_that_the_format_shows(kept: Path, sample: Sample) -> None:
    page = Path(__file__).resolve().parents[2] / "docs/format.md"
    [text] = re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"__name__": "reader"}
    exec(text, names)
    assert names["read"](str(kept), NAME, 0)[1] == published(noted(sample))


def test_the_index_knows_their_size(kept: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    with DataRepo(kept).index.open() as index:
        rows = index.query("SELECT bytes, md5 FROM files WHERE path = ?", [NOTE]).rows
    assert rows == [(len(TEXT), md5(TEXT))]


def test_what_is_too_large_goes_to_a_store(repo: Path, sample: Sample, record: Any, tmp_path: Path) -> None:
    DataRepo(repo).stores.add("archive", str(tmp_path / "archive"))
    settle(repo, "storage:\n  note: {git: true, store: archive}\n")
    large = {f"sed_output/{NAME}/{NAME}_{word}.txt": b"x" * size for word, size in (("big", 2**20 + 1), ("fit", 2**20))}
    record(repo, replace(noted(sample), files={**noted(sample).files, **large}))
    assert in_git(repo, 0) == {NOTE, f"sed_output/{NAME}_fit.txt"}
    assert held(tmp_path / "archive") == {md5(b"x" * (2**20 + 1))}
    assert DataRepo(repo).verify().problems == []


def test_what_is_published_keeps_its_form(
    kept: Path, sample: Sample, record: Any, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    def move() -> str:
        assert main(["-C", str(kept), "store", "move"]) == 0
        return capsys.readouterr().out

    assert record(kept, noted(sample)).status == "unchanged"
    states = [noted(sample), repaint(noted(sample), 3)]
    assert "every content is where the storage rules send it" in move()
    settle(kept, "")
    assert record(kept, states[1]).revision == 1
    assert in_git(kept, 1) == {NOTE, GLOBAL}
    assert "2 contents in git itself (a published tree never changes)" in move()
    states.append(noted(states[1], b"another note"))
    assert [file.path for file in record(kept, states[2]).files] == [NOTE]
    assert in_git(kept, 2) == {GLOBAL}
    settle(kept)
    states.append(repaint(states[2], 4))
    assert record(kept, states[3]).revision == 3
    assert in_git(kept, 3) == {GLOBAL}
    assert "1 content in a store, though rules would now keep it in git" in move()
    states.append(noted(states[3]))
    assert [file.path for file in record(kept, states[4]).files] == [NOTE]
    assert in_git(kept, 4) == {GLOBAL, NOTE}
    for number, state in enumerate(states):
        got = DataRepo(kept).get(f"{NAME}@{number}", tmp_path / str(number))
        assert files_below(got.folder) == published(state)
    clone = clone_of(kept, f"{NAME}/2", tmp_path / "clone", run)
    run("dvc", "pull", "-q", cwd=clone)
    assert (clone / NOTE).read_bytes() == b"another note"
    for number in (2, 4):
        difference = DataRepo(kept).diff(f"{NAME}@{number - 1}", f"{NAME}@{number}")
        assert [file.change.path for file in difference.files] == [NOTE]
    assert DataRepo(kept).log(NAME)[0].files == [{"path": NOTE, "change": "changed"}]
    assert {str(each.revision) for each in DataRepo(kept).blame(NAME, NOTE)} == {f"{NAME}@4"}
    assert DataRepo(kept).verify().problems == []


def test_a_file_of_equal_content_keeps_its_bytes(repo: Path, sample: Sample, record: Any, tmp_path: Path) -> None:
    settle(repo, "storage:\n  cutout: {git: true}\n")
    record(repo, sample)
    name, path = f"cutout_cdn/{NAME}/DES/DES_g.fits", "cutout_cdn/DES/DES_g.fits"
    dated = b"DATE    = '2026-06-05'".ljust(80) + b"END".ljust(80)
    written_anew = {**sample.files, name: sample.files[name].replace(b"END".ljust(160), dated, 1)}
    assert written_anew != sample.files
    done = record(repo, change_image(replace(sample, files=written_anew), "DES_z", seed=1))
    assert {file.path: file.change for file in done.files}[path] == "content-equal"
    assert run_git(repo, "show", f"{NAME}/1:{path}") == sample.files[name]
    assert DataRepo(repo).pictures(DataRepo(repo).diff(f"{NAME}@0", f"{NAME}@1"), tmp_path / "page.html") >= 1
    assert DataRepo(repo).verify().problems == []


def forge(repo: Path, run: Run, *lines: str) -> None:
    """Give revision 0 another tree, by force."""
    environment = {"GIT_INDEX_FILE": str(repo / "by-hand")}
    run_git(repo, "read-tree", f"{NAME}/0", env=environment)
    run_git(repo, "update-index", "--add", "--index-info", stdin="".join(lines).encode(), env=environment)
    tree = run_git(repo, "write-tree", env=environment).decode().strip()
    text = run_git(repo, "log", "-1", "--format=%B", f"{NAME}/0")
    date = run_git(repo, "log", "-1", "--format=%aI", f"{NAME}/0").decode().strip()
    commit = run_git(repo, "commit-tree", tree, stdin=text, env={"GIT_AUTHOR_DATE": date}).decode().strip()
    run_git(repo, "update-ref", f"refs/heads/{NAME}", commit)
    run_git(repo, "tag", "--force", "--annotate", "--message=x", f"{NAME}/0", commit)


def blob(repo: Path, data: bytes) -> str:
    return run_git(repo, "hash-object", "-w", "--stdin", stdin=data).decode().strip()


def test_verify_and_get_find_other_bytes(kept: Path, tmp_path: Path, run: Run) -> None:
    forge(kept, run, f"100644 {blob(kept, b'forged')}\t{NOTE}\n")
    problems = {each.where: each for each in DataRepo(kept).verify(fast=True).problems}
    assert problems[f"{NAME}@0:{NOTE}"].kind == "damaged"
    assert "it is stored in git itself with the SHA-256" in problems[f"{NAME}@0:{NOTE}"].text
    with pytest.raises(DamagedData, match=NOTE):
        DataRepo(kept).get(f"{NAME}@0", tmp_path / "got")
    assert (tmp_path / "got" / GLOBAL).is_file()


def test_verify_finds_what_nobody_names_and_what_is_missing(kept: Path, run: Run) -> None:
    forge(kept, run, f"100644 {blob(kept, b'x')}\t{BIG}\n", f"0 {'0' * 40}\t{NOTE}\n")
    found = {problem.where: problem.text for problem in DataRepo(kept).verify(fast=True).problems}
    assert "its trailer Bytes says" in found.pop(f"{NAME}@0")
    assert found == {
        f"{NAME}@0:{BIG}": f"it stands there as it is, and {NAME}.json does not name such a file",
        f"{NAME}@0:{NOTE}": f"{NAME}.json names it, but it has no pointer",
    }


def test_a_file_stands_only_once(kept: Path, run: Run) -> None:
    pointer = run_git(kept, "show", f"{NAME}/0:{LOCAL}.dvc").replace(b"local_perc.npz", b"note.txt")
    forge(kept, run, f"100644 {blob(kept, pointer)}\t{NOTE}.dvc\n")
    problems = DataRepo(kept).verify(fast=True).problems
    assert any("is in the tree both as a file and as a pointer" in problem.text for problem in problems)


def test_an_object_that_is_gone(kept: Path) -> None:
    oid = run_git(kept, "rev-parse", f"{NAME}/0:{NOTE}").decode().strip()
    loose = kept / "objects" / oid[:2] / oid[2:]
    if not loose.exists():
        packs = list((kept / "objects/pack").glob("*.pack"))
        moved = [pack.rename(kept / pack.name) for pack in packs]
        for index in (kept / "objects/pack").glob("*.idx"):
            index.unlink()
        for pack in moved:
            run_git(kept, "unpack-objects", "-q", stdin=pack.read_bytes())
    loose.unlink()
    problems = DataRepo(kept).verify(fast=True).problems
    assert [problem.kind for problem in problems] == ["document"]
    assert oid in problems[0].text


def test_a_push_from_a_clone_is_checked_and_taken_in(
    repo: Path, sample: Sample, record: Any, tmp_path: Path, run: Run
) -> None:
    settle(repo)
    clone = tmp_path / "clone.git"
    run("git", "clone", "-q", "--mirror", repo, clone)
    record(clone, noted(sample))
    assert in_git(clone, 0) == {NOTE, GLOBAL}
    install_hooks(clone, client=True)
    run("git", "-C", clone, "push", "-q", f"file://{repo}", f"refs/heads/{NAME}", f"refs/tags/{NAME}/0")
    assert DataRepo(repo).verify().problems == []


def test_recording_to_a_repo_elsewhere(repo: Path, sample: Sample, tmp_path: Path) -> None:
    settle(repo)
    export, data = noted(sample).write(tmp_path / "in")
    assert DataRepo(f"file://{repo}").record(NAME, export, data).revision == 0
    assert in_git(repo, 0) == {NOTE, GLOBAL}
    assert DataRepo(repo).verify().problems == []


def test_what_is_handed_out(kept: Path, sample: Sample, record: Any, tmp_path: Path, run: Run) -> None:
    later = noted(refit(sample, seed=3), b"later")
    record(kept, later)
    repo = DataRepo(kept)
    repo.export(f"{NAME}@1", tmp_path / "tree", form="tree")
    assert (tmp_path / f"tree/sed_output/{NAME}/{NAME}_note.txt").read_bytes() == b"later"
    assert (tmp_path / f"tree/revisions/{NAME}/0/{NOTE}").read_bytes() == TEXT
    repo.export(f"{NAME}@1", tmp_path / "blast.tar.gz")
    with tarfile.open(tmp_path / "blast.tar.gz") as archive:
        [member] = [each for each in archive.getmembers() if each.name.endswith("note.txt")]
        assert archive.extractfile(member).read() == b"later"
    part = repo.subset(tmp_path / "part", [f"{NAME}@1"])
    assert part.files == len(published(later))
    subset = DataRepo(tmp_path / "part")
    assert subset.verify().problems == []
    assert md5(b"later") not in held(tmp_path / "part/dvc")
    assert files_below(subset.get(f"{NAME}@1", tmp_path / "got").folder) == published(later)
    assert subset.show(f"{NAME}@0:{NOTE}").value["withdrawn"] is None


def test_another_repo_takes_them_in(kept: Path, tmp_path: Path) -> None:
    other = DataRepo.init(tmp_path / "other", simulated=True)
    other.take_in(kept)
    assert in_git(tmp_path / "other", 0) == {NOTE, GLOBAL}
    assert other.verify().problems == []
    assert md5(TEXT) not in held(tmp_path / "other/dvc")


def test_bulk_import(repo: Path, sample: Sample, tmp_path: Path) -> None:
    settle(repo)
    export, data = noted(sample).write(tmp_path / "in")
    (tmp_path / "exports").mkdir()
    export.rename(tmp_path / "exports" / f"{NAME}.json")
    assert DataRepo(repo).import_all(data, exports=tmp_path / "exports").adopted == 1
    assert in_git(repo, 0) == {NOTE, GLOBAL}
    assert DataRepo(repo).verify().problems == []


def test_a_release_has_them_as_they_are(kept: Path, tmp_path: Path, run: Run) -> None:
    repo = DataRepo(kept)
    repo.collections.create("nearby", "TAGGED", "A sample")
    repo.collections.add("nearby", [f"{NAME}@0:{NOTE}", f"{NAME}@0:{LOCAL}"], "Chosen")
    repo.collections.create("whole", "TAGGED", "A sample")
    repo.collections.add("whole", [f"{NAME}@0"], "Chosen")
    for name in ("nearby", "whole"):
        repo.releases.freeze(name, "1")
        assert repo.releases.verify(f"release/{name}/1").is_sound
        repo.releases.get(f"release/{name}/1", tmp_path / name)
        clone = clone_of(kept, f"release/{name}/1", tmp_path / f"{name}-clone", run)
        run("dvc", "pull", "-q", cwd=clone)
        for folder in (tmp_path / name, clone):
            assert (folder / f"{NAME}@0" / NOTE).read_bytes() == TEXT
            subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "manifest.sha256"], cwd=folder, check=True)
    assert repo.verify().problems == []


def test_a_release_of_forged_bytes(kept: Path, run: Run) -> None:
    forge(kept, run, f"100644 {blob(kept, b'forged')}\t{NOTE}\n")
    repo = DataRepo(kept)
    repo.collections.create("whole", "TAGGED", "A sample")
    repo.collections.add("whole", [f"{NAME}@0"], "Chosen")
    repo.releases.freeze("whole", "1")
    assert "in git itself" in str(repo.releases.verify("release/whole/1").report.problems)


def test_what_is_withdrawn_stays_in_git_and_blastgit_says_so(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-C", str(kept), "withdraw", f"{NAME}@0:{NOTE}", "--reason", "A mistake"]) == 0
    said = capsys.readouterr().out
    assert "0 contents deleted from the store" in said
    assert f"{NOTE} is in git itself: blastgit no longer hands it out, but every clone still has it" in said
    with pytest.raises(Withdrawn):
        DataRepo(kept).get(f"{NAME}@0", tmp_path / "got")
    assert not (tmp_path / "got" / NOTE).exists()
    assert (tmp_path / "got" / GLOBAL).exists()
    report = DataRepo(kept).verify()
    assert report.problems == []
    assert list(report.withdrawn) == [f"{NAME}@0:{NOTE}"]


@pytest.mark.parametrize(
    ("during", "after", "expected"),
    [(RULES, RULES, {NOTE, GLOBAL}), (RULES, "", {GLOBAL}), ("", RULES, {NOTE, GLOBAL})],
)
def test_stages_while_rules_change(
    kept: Path, sample: Sample, tmp_path: Path, during: str, after: str, expected: set[str]
) -> None:
    changed = noted(sample, b"by a stage")
    _, data = changed.write(tmp_path / "in")
    settle(kept, during)
    run = DataRepo(kept).workflow(NAME, "one")
    run.begin("Cutout download")
    run.finish("Cutout download", data=data)
    assert DataRepo(kept).verify().problems == []
    settle(kept, after)
    assert run.end().status == "recorded"
    assert in_git(kept, 1) == expected
    assert DataRepo(kept).verify().problems == []
    assert files_below(DataRepo(kept).get(f"{NAME}@1", tmp_path / "got").folder) == published(changed)
    assert (md5(b"by a stage") in held(kept / "dvc")) == (during == "" or after == "")


def test_a_run_that_is_overtaken(kept: Path, sample: Sample, record: Any, tmp_path: Path) -> None:
    _, data = noted(sample, b"by a stage").write(tmp_path / "in")
    run = DataRepo(kept).workflow(NAME, "one")
    run.begin("Cutout download")
    run.finish("Cutout download", data=data, only=["*.txt"])
    assert record(kept, noted(change_image(sample, "DES_g", seed=5), b"by a stage")).revision == 1
    assert in_git(kept, 1) == {NOTE, GLOBAL}
    assert DataRepo(kept).verify().problems == []


def test_a_line_of_a_users_own(kept: Path, sample: Sample, tmp_path: Path) -> None:
    repo = DataRepo(kept)
    export, data = noted(sample, b"mine").write(tmp_path / "in")
    repo.personal.record(NAME, export, data)
    [line] = repo.personal.lines()
    assert repo.personal.promote(f"{line}@0").revision == 1
    assert in_git(kept, 1) == {NOTE, GLOBAL}
    assert repo.verify().problems == []
