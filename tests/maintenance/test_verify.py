import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.errors import NotFound, UsageError
from blastgit.maintenance.verify import Report
from blastgit.maintenance.verify.memory import FILE, Memory
from blastgit.store.local import LocalStore

DES_Z = "cutout_cdn/DES/DES_z.fits"


def content_of(repo: Path, spec: str) -> Path:
    """Where the content of a file lies in the store."""
    facts = DataRepo(repo).show(spec).value
    return LocalStore(repo / "dvc").object_path(facts["md5"])


def spoil(path: Path) -> None:
    """Change a byte of a content, as a disk may."""
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    path.chmod(0o444)


def told(report: Report) -> list[tuple[str, str]]:
    return [(problem.kind, problem.where) for problem in report.problems]


def rewrite(repo: Path, run: Callable[..., str], change: Callable[[str], str]) -> None:
    """Put another commit in the place of the branch's tip and of the tag that names it."""
    text = change(run("git", "-C", repo, "cat-file", "commit", "2026dgt"))
    commit = run("git", "-C", repo, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=text).strip()
    run("git", "-C", repo, "update-ref", "refs/heads/2026dgt", commit)
    run("git", "-C", repo, "tag", "-f", "-a", "-m", "x", "2026dgt/1", commit)


def test_a_sound_repo(library):
    report = DataRepo(library).verify()
    assert (report.transients, report.revisions, report.problems) == (1, 2, [])
    assert report.contents == sum(1 for path in (library / "dvc/files").rglob("*") if path.is_file())
    assert DataRepo(library).verify("2026dgt").problems == []
    with pytest.raises(NotFound):
        DataRepo(library).verify("2026zzz")


def test_missing_and_damaged_contents(history):
    content_of(history, f"2026dgt@0:{DES_Z}").unlink()
    spoil(content_of(history, f"2026dgt@1:{DES_Z}"))
    report = DataRepo(history).verify()
    assert told(report) == [("missing", f"2026dgt@0:{DES_Z}"), ("damaged", f"2026dgt@1:{DES_Z}")]
    assert "md5, sha256" in report.problems[1].text
    fast = DataRepo(history).verify(fast=True)
    assert told(fast) == [("missing", f"2026dgt@0:{DES_Z}")]
    assert fast.skipped > 0
    assert fast.contents == 0
    other = content_of(history, f"2026dgt@0:{DES_Z.replace('_z', '_g')}")
    other.chmod(0o644)
    other.write_bytes(other.read_bytes()[:-1])
    cut = DataRepo(history).verify(fast=True).problems
    assert [problem.kind for problem in cut if "DES_g" in problem.where] == ["damaged"]
    assert "bytes, not" in "".join(problem.text for problem in cut)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda text: text.replace("App-Version: v1.13.1", "App-Version: v0"), "document", "its commit says v0"),
        (lambda text: text.replace("author Committer <committer@example.org>", "author  <>"), "commit", "no name"),
        (lambda text: text.replace("Marker: revision", "Marker: other"), "commit", "Marker: other"),
        (lambda text: text.replace("Revision: 1", "Revision: 2"), "refs", "numbered [0, 2]"),
        (lambda text: text.replace("Science-Digest: sha256:", "Science-Digest: "), "commit", "64 digits"),
        (lambda text: text.replace("author Committer <committer@example.org> ", "author A <a> 1"), "document", "date"),
    ],
)  # fmt: skip
def test_commits_that_do_not_fit(history, run, change, kind, words):
    before = run("git", "-C", history, "cat-file", "commit", "2026dgt")
    assert change(before) != before
    rewrite(history, run, change)
    problems = DataRepo(history).verify().problems
    assert [problem for problem in problems if problem.kind == kind and words in problem.text], problems


def test_a_reproduction_of_something_else(history, run):
    tree = run("git", "-C", history, "rev-parse", "2026dgt/0^{tree}").strip()
    message = run("git", "-C", history, "log", "-1", "--format=%B", "2026dgt~1")  # reproduces revision 0
    commit = run("git", "-C", history, "commit-tree", "-p", "2026dgt", tree, stdin=message).strip()
    run("git", "-C", history, "update-ref", "refs/heads/2026dgt", commit)
    (problem,) = DataRepo(history).verify().problems
    assert (problem.kind, problem.text) == ("commit", "it says that it reproduces revision 0, and follows 1")


def test_refs_that_have_no_place(history, run):
    run("git", "-C", history, "update-ref", "refs/heads/feature/x", "main")
    run("git", "-C", history, "update-ref", "refs/tags/2026gone/0", "2026dgt/0")
    run("git", "-C", history, "update-ref", "-d", "refs/tags/2026dgt/1")
    assert set(told(DataRepo(history).verify())) == {
        ("refs", "refs/heads/feature/x"), ("refs", "2026gone"), ("refs", "2026dgt@1"), ("ledger", "2026dgt@1"),
    }  # fmt: skip


def test_a_sample_is_chosen_by_its_seed(library):
    repo = DataRepo(library)
    everything = repo.verify().contents
    some = repo.verify(sample=40, seed=1)
    assert 0 < some.contents < everything
    assert some.contents + some.skipped == everything
    assert some.seed == 1
    assert repo.verify(sample=40, seed=1).to_json() == some.to_json()
    sizes = {repo.verify(sample=40, seed=seed).size for seed in range(4)}
    assert len(sizes) > 1
    assert repo.verify(sample=100).skipped == 0
    assert repo.verify(sample=40).seed is not None


@pytest.mark.parametrize(
    "wishes", [{"sample": 0}, {"sample": 101}, {"seed": 1}, {"fast": True, "sample": 5}, {"fast": True, "resume": True}]
)
def test_wishes_that_make_no_sense(library, wishes: dict[str, Any]):
    with pytest.raises(UsageError):
        DataRepo(library).verify(**wishes)


def interrupt_after(count: int) -> Callable[[str, int, int], None]:
    """Report progress to someone who presses Ctrl-C."""
    seen = []

    def progress(what: str, done: int, total: int) -> None:
        seen.append(what)
        if seen.count("verifying") == count:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_run_goes_on(history):
    memory = history / "blastgit" / FILE
    everything = DataRepo(history).verify().contents
    assert not memory.exists()
    with pytest.raises(KeyboardInterrupt):
        DataRepo(history, progress=interrupt_after(5)).verify()
    assert [set(json.loads(line)) for line in memory.read_text().splitlines()] == [{"md5", "sha256", "size", "at"}] * 5
    with pytest.raises(KeyboardInterrupt):
        DataRepo(history, progress=interrupt_after(4)).verify(resume=True)
    with memory.open("a") as file:
        file.write('{"md5": "cut o')
    report = DataRepo(history).verify(resume=True)
    assert (report.resumed, report.contents) == (9, everything - 9)
    assert not memory.exists(), "the next run reads all again"
    assert DataRepo(history).verify(resume=True).contents == everything


def test_a_damaged_content_is_not_remembered_as_sound(history):
    everything = DataRepo(history).verify().contents
    spoil(content_of(history, f"2026dgt@1:{DES_Z}"))
    with pytest.raises(KeyboardInterrupt):
        DataRepo(history, progress=interrupt_after(everything)).verify()
    assert len(Memory(history / "blastgit").recall()) == everything - 1
    assert told(DataRepo(history).verify(resume=True)) == [("damaged", f"2026dgt@1:{DES_Z}")]


def test_a_run_anew_forgets_what_was_found_before(history):
    with pytest.raises(KeyboardInterrupt):
        DataRepo(history, progress=interrupt_after(20)).verify()
    assert DataRepo(history).verify().resumed == 0


def test_the_command_line(history, capsys):
    assert main(["-C", str(history), "verify", "--sample", "50%", "--seed", "7"]) == 0
    assert "not in the sample of seed 7" in capsys.readouterr().out
    spoil(content_of(history, f"2026dgt@1:{DES_Z}"))
    assert main(["-C", str(history), "verify", "--json"]) == 9
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {
        "sound", "transients", "revisions", "contents", "bytes", "skipped", "resumed", "seed", "ledger", "withdrawn",
        "problems", "repaired", "references", "settings", "advice",
    }  # fmt: skip
    assert set(said["problems"][0]) == {"kind", "where", "text"}


def test_a_redraw_that_is_no_number(history, run):
    tree = run("git", "-C", history, "rev-parse", "2026dgt/1^{tree}").strip()
    message = run("git", "-C", history, "log", "-1", "--format=%B", "2026dgt~1")  # reproduces revision 0
    message = message.replace("Reproduces: 0", "Reproduces: 1\nRedrawn-Within: a bit")
    commit = run("git", "-C", history, "commit-tree", "-p", "2026dgt", tree, stdin=message).strip()
    run("git", "-C", history, "update-ref", "refs/heads/2026dgt", commit)
    (problem,) = DataRepo(history).verify().problems
    assert problem.text == "its trailer Redrawn-Within should be a number of published widths, and says 'a bit'"
