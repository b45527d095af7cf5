"""The ledger of published data: no number is reused, and lost refs are detected and restored."""

import hashlib
import os
import pwd
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import refit, small
from blastgit.errors import DamagedData, Denied, InvalidInput
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.signing import Sign
from blastgit.repository.ledger.book import FIRST, Book

Run = Callable[..., str]


def chain(repo: Path, name: str = "2026dgt") -> list[str]:
    return [str(entry) for entry in Book(repo).chain(name)]


def problems(repo: Path, **options: object) -> list[tuple[str, str]]:
    report = DataRepo(repo).verify(fast=True, **options)  # type: ignore[arg-type]
    return [(problem.kind, problem.where) for problem in report.problems]


@pytest.fixture
def forgotten(history: Path, run: Run) -> Callable[..., None]:
    """Take refs out of `history` as a damaged packed-refs does: without a word in any log."""

    def call(*gone: str) -> None:
        run("git", "-C", history, "pack-refs", "--all")
        packed = history / "packed-refs"
        lines = packed.read_text().splitlines(keepends=True)
        kept = [line for at, line in enumerate(lines) if not _is_about(lines, at, gone)]
        packed.write_text("".join(kept))

    return call


def _is_about(lines: list[str], at: int, gone: tuple[str, ...]) -> bool:
    line = lines[at - 1] if lines[at].startswith("^") else lines[at]
    return line.strip().endswith(gone)


def test_each_revision_is_entered_and_chained(history: Path, run: Run) -> None:
    first, second = Book(history).chain("2026dgt")
    assert (first.before, first.ref, first.object) == (
        FIRST, "refs/tags/2026dgt/0", run("git", "-C", history, "rev-parse", "2026dgt/0").strip()
    )  # fmt: skip
    assert second.before == hashlib.sha256(first.line).hexdigest()
    report = DataRepo(history).verify(fast=True)
    assert report.ledger == {"entries": 2, "unentered": 0, "checkpoint": None, "since": None, "signature": None}


def test_refs_that_vanish_are_found_and_their_number_is_not_given_again(history, states, record, forgotten, run):
    before = run("git", "-C", history, "for-each-ref", "refs/tags", "refs/heads/2026dgt")
    forgotten("refs/heads/2026dgt", "refs/tags/2026dgt/0", "refs/tags/2026dgt/1")
    assert problems(history) == [("ledger", "2026dgt@0"), ("ledger", "2026dgt@1")]
    assert ("ledger", "2026dgt@1") in problems(history, name="2026dgt")
    assert record(history, refit(states[2], seed=9)).tag == "2026dgt/2"
    run("git", "-C", history, "update-ref", "refs/heads/2026dgt", "2026dgt/1^{commit}")
    run("git", "-C", history, "update-ref", "-d", "refs/tags/2026dgt/2")
    assert run("git", "-C", history, "for-each-ref", "refs/tags", "refs/heads/2026dgt") == before, "the very same ones"


def test_a_branch_that_was_set_back_goes_forward_again(history, states, record, run):
    run("git", "-C", history, "update-ref", "-d", "refs/tags/2026dgt/1")
    run("git", "-C", history, "update-ref", "refs/heads/2026dgt", "2026dgt/0^{commit}")
    assert problems(history) == [("ledger", "2026dgt@1")]
    assert record(history, states[2]).revision == 1, "it is there already"
    assert record(history, refit(states[2], seed=9)).revision == 2
    assert problems(history) == []


def test_repair_puts_back_what_is_gone(history, states, forgotten, capsys):
    forgotten("refs/tags/2026dgt/0", "refs/heads/2026dgt")
    assert main(["-C", str(history), "verify", "--fast"]) == 9
    assert "2026dgt@0: it was published, but its tag is gone" in capsys.readouterr().out
    assert main(["-C", str(history), "verify", "--fast", "--repair"]) == 0
    assert "repaired  refs/tags/2026dgt/0: from the ledger" in capsys.readouterr().out


def test_what_git_has_lost_is_refused_and_others_go_on(history, states, record, forgotten, loose):
    lost = loose(history, "2026dgt/1")
    forgotten("refs/heads/2026dgt", "refs/tags/2026dgt/1")
    lost.unlink()
    with pytest.raises(DamagedData, match=r"2026dgt@1 was published as the tag object \w+, but git has lost it"):
        record(history, refit(states[2], seed=9))
    assert record(history, small("2026dix")).revision == 0
    assert main(["-C", str(history), "verify", "--fast"]) == 9


def test_a_tag_that_names_something_else(history, states, record, run):
    other = run("git", "-C", history, "mktag", stdin=run("git", "-C", history, "cat-file", "tag", "2026dgt/1") + "x\n")
    run("git", "-C", history, "update-ref", "refs/tags/2026dgt/1", other.strip())
    assert problems(history) == [("ledger", "2026dgt@1")]
    with pytest.raises(DamagedData, match=r"2026dgt@1 was published as"):
        record(history, refit(states[2], seed=9))


def test_a_branch_that_went_another_way(history, states, record, run):
    run("git", "-C", history, "update-ref", "-d", "refs/tags/2026dgt/1")
    other = run("git", "-C", history, "commit-tree", "2026dgt/0^{tree}", "-p", "2026dgt/0^{commit}", "-m", "x").strip()
    run("git", "-C", history, "update-ref", "refs/heads/2026dgt", other)
    with pytest.raises(DamagedData, match="has diverged since"):
        record(history, refit(states[2], seed=9))


def test_a_repo_from_before_gets_one(history, states, record):
    shutil.rmtree(history / "blastgit/ledger")
    assert DataRepo(history).verify(fast=True).ledger["unentered"] == 2
    assert record(history, refit(states[2], seed=9)).revision == 2
    assert chain(history) == ["2026dgt@0", "2026dgt@1", "2026dgt@2"]
    shutil.rmtree(history / "blastgit/ledger")
    DataRepo(history).maintain()
    assert chain(history) == ["2026dgt@0", "2026dgt@1", "2026dgt@2"]


def test_a_line_that_a_power_cut_broke_off(history, states, record):
    (shard,) = (history / "blastgit/ledger").iterdir()
    shard.write_bytes(shard.read_bytes()[:-10])
    assert problems(history) == []
    assert record(history, refit(states[2], seed=9)).revision == 2
    assert chain(history) == ["2026dgt@0", "2026dgt@1", "2026dgt@2"]
    assert problems(history) == []


def test_a_line_that_was_altered(history):
    (shard,) = (history / "blastgit/ledger").iterdir()
    data = shard.read_bytes()
    shard.write_bytes(data.replace(data[65 + 20 : 65 + 60], b"0" * 40))
    assert ("ledger", "ledger of 2026dgt") in problems(history)


def test_releases_own_lines_and_promotions_are_entered(history, states, tmp_path, run):
    repo, me = DataRepo(history), pwd.getpwuid(os.geteuid()).pw_name
    export, data = refit(states[2], seed=9).write(tmp_path / "own")
    repo.personal.record("2026dgt", export, data)
    assert repo.personal.promote(f"u/{me}/2026dgt@0").tag == "2026dgt/2"
    repo.collections.create("best", "TAGGED", "The sample")
    repo.collections.add("best", ["2026dgt@1"], "As submitted")
    repo.releases.freeze("best", "1")
    assert [chain(history, name) for name in ("2026dgt", f"u/{me}/2026dgt", "release/best")] == [
        ["2026dgt@0", "2026dgt@1", "2026dgt@2"], [f"u/{me}/2026dgt@0"], ["release/best/1"],
    ]  # fmt: skip
    published = run("git", "-C", history, "rev-parse", "release/best/1", f"u/{me}/2026dgt/0")
    run("git", "-C", history, "update-ref", "-d", "refs/tags/release/best/1")
    run("git", "-C", history, "update-ref", "-d", f"refs/tags/u/{me}/2026dgt/0")
    assert problems(history) == [
        ("ledger", "release/best/1"),
        ("ledger", f"u/{me}/2026dgt@0"),
        ("refs", f"u/{me}/2026dgt@0"),
    ]
    with pytest.raises(InvalidInput, match="release/best/1 exists by now"):
        repo.releases.freeze("best", "1")
    assert DataRepo(history).verify(fast=True, repair=True).problems == []
    assert run("git", "-C", history, "rev-parse", "release/best/1", f"u/{me}/2026dgt/0") == published


def test_import_enters_all(history: Path, tmp_path: Path, run: Run) -> None:
    DataRepo.init(tmp_path / "other", simulated=True)
    DataRepo(tmp_path / "other").take_in(history)
    assert Book(tmp_path / "other").chain("2026dgt") == Book(history).chain("2026dgt"), "the same, line by line"


def test_a_subset_has_one(history: Path, tmp_path: Path) -> None:
    DataRepo(history).subset(tmp_path / "part", ["2026dgt@1"])
    assert chain(tmp_path / "part") == ["2026dgt@0", "2026dgt@1"]


def test_many_writers_at_once(repo: Path, tmp_path: Path) -> None:
    names = [f"2026q{letter}" for letter in "abcd"]
    states = {name: [small(name), refit(small(name), seed=1)] for name in names}

    def write(name: str) -> None:
        for number, state in enumerate(states[name]):
            export, data = state.write(tmp_path / f"{name}-{number}")
            DataRepo(repo).record(name, export, data)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, names))
    assert [chain(repo, name) for name in names] == [[f"{name}@0", f"{name}@1"] for name in names]
    assert problems(repo) == []


def test_a_shared_file_is_appended_to_by_many(repo: Path) -> None:
    names = [f"n{number}" for number in range(2000)]

    def add(name: str) -> None:
        for number in range(3):
            Book(repo).add({f"refs/tags/{name}/{number}": f"{number:040}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, names))
    assert all(len(Book(repo).chain(name)) == 3 for name in names)
    assert sum(1 for _ in Book(repo).entries()) == 6000


def test_a_checkpoint_is_kept_and_compared_with(history, states, record, run, tmp_path, capsys):
    assert main(["-C", str(history), "checkpoint"]) == 0
    note = tmp_path / "note"
    note.write_text(capsys.readouterr().out)
    commit = run("git", "-C", history, "rev-parse", "refs/ledger/checkpoint").strip()
    assert note.read_text().splitlines()[1::2] == ["2", commit]
    assert DataRepo(history).checkpoint().commit == commit, "nothing is new"
    record(history, refit(states[2], seed=9))
    assert DataRepo(history).checkpoint().entries == 3
    for given in (note, commit):
        report = DataRepo(history).verify(fast=True, since=given)
        assert (report.problems, report.ledger["since"]) == ([], commit)
    note.write_text(note.read_text().replace("sha256:", "sha256:0", 1))
    assert problems(history, since=note) == [("ledger", "checkpoint")]
    assert problems(history, since="0" * 40) == [("ledger", "checkpoint")]
    with pytest.raises(InvalidInput, match="is not a checkpoint"):
        DataRepo(history).verify(fast=True, since=tmp_path / "nothing")


def test_what_was_rewritten_after_a_checkpoint(history, run):
    kept = DataRepo(history).checkpoint().commit
    shutil.rmtree(history / "blastgit/ledger")
    other = run("git", "-C", history, "mktag", stdin=run("git", "-C", history, "cat-file", "tag", "2026dgt/1") + "x\n")
    run("git", "-C", history, "update-ref", "refs/tags/2026dgt/1", other.strip())
    run("git", "-C", history, "update-ref", "-d", "refs/ledger/checkpoint")
    first = run("git", "-C", history, "rev-list", "--max-parents=0", "main").strip()
    again = run("git", "-C", history, "commit-tree", "main^{tree}", "-m", "again").strip()
    DataRepo(history).maintain()  # which enters what is there now
    assert problems(history) == []
    run("git", "-C", history, "update-ref", "refs/heads/main", again)
    found = problems(history, since=kept)
    assert ("ledger", "2026dgt@1") in found
    assert ("ledger", "refs/heads/main") in found
    assert first != again


def test_a_copy_takes_the_checkpoint_along(history, states, record, run, tmp_path, monkeypatch):
    DataRepo(history).checkpoint()
    run("git", "clone", "--quiet", "--mirror", history, tmp_path / "copy")
    monkeypatch.setenv("BLASTGIT_STORE", str(history / "dvc"))
    assert DataRepo(tmp_path / "copy").verify(fast=True).ledger["entries"] == 2
    url = f"file://localhost{history}"
    assert DataRepo(url).verify(fast=True).ledger["entries"] == 2
    run("git", "-C", tmp_path / "copy", "update-ref", "-d", "refs/tags/2026dgt/1")
    assert ("ledger", "2026dgt@1") in problems(tmp_path / "copy")
    DataRepo(tmp_path / "copy").maintain()
    assert DataRepo(tmp_path / "copy").verify(repair=True, fast=True).problems == []
    assert Book(tmp_path / "copy").chain("2026dgt") == Book(history).chain("2026dgt")


def test_a_mirror_that_lost_a_race_names_the_command_that_has_it_follow(
    history, states, record, run, tmp_path, monkeypatch
):
    mirror = tmp_path / "a mirror"
    run("git", "clone", "--quiet", "--mirror", history, mirror)
    monkeypatch.setenv("BLASTGIT_STORE", str(history / "dvc"))
    assert record(mirror, refit(states[2], seed=7)).revision == 2
    assert record(history, refit(states[2], seed=8)).revision == 2
    run("git", "-C", mirror, "fetch", "--quiet", "--force")
    with pytest.raises(DamagedData, match=f"a mirror of {history}") as caught:
        record(mirror, refit(states[2], seed=9))
    command = re.search(r"`(rm -r [^`]*)`", str(caught.value))[1]
    run(*shlex.split(command))
    assert record(mirror, refit(states[2], seed=9)).revision == 3
    assert problems(mirror) == []


def test_a_signed_checkpoint(history: Path, ssh_key: Path, tmp_path: Path, run: Run, states, record) -> None:
    made = DataRepo(history).checkpoint(Sign())
    signers = tmp_path / "signers"
    report = DataRepo(history).verify(fast=True, since=made.commit, signed=True, signers=signers)
    assert report.problems == []
    assert "jane@example.org" in report.ledger["signature"]["text"]
    run("git", "-C", history, "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", made.commit)
    assert problems(history, since=made.commit, signed=True) == [("signature", f"checkpoint {made.commit:.10}")]
    record(history, refit(states[2], seed=9))
    plain = DataRepo(history).checkpoint()
    assert problems(history, since=plain.commit, signed=True, signers=signers)


def test_only_the_repo_itself_makes_checkpoints(history: Path, tmp_path: Path, run: Run) -> None:
    run("git", "clone", "--quiet", "--mirror", history, tmp_path / "copy")
    with pytest.raises(GitError, match="only `blastgit checkpoint` here can make it"):
        run_git(tmp_path / "copy", "push", f"file://{history}", "main:refs/ledger/checkpoint")


def test_a_push_is_entered_and_may_not_take_a_published_number(history, states, record, tmp_path, run, forgotten):
    """A clone that lags behind the lost refs pushes its own revision 1."""
    shutil.copytree(history, tmp_path / "away")
    run("git", "-C", tmp_path / "away", "update-ref", "-d", "refs/tags/2026dgt/1")
    run("git", "-C", tmp_path / "away", "update-ref", "refs/heads/2026dgt", "2026dgt/0^{commit}")
    shutil.rmtree(tmp_path / "away/blastgit/ledger")
    assert record(tmp_path / "away", refit(states[2], seed=9)).revision == 1
    forgotten("refs/tags/2026dgt/1")
    run("git", "-C", history, "update-ref", "refs/heads/2026dgt", "2026dgt/0^{commit}")
    refs = ("2026dgt", "2026dgt/1")
    with pytest.raises(GitError, match=r"moved meanwhile|was published"):
        run_git(tmp_path / "away", "push", "--atomic", f"file://{history}", *refs)
    assert record(history, refit(states[2], seed=7)).revision == 2, "the next writer puts back revision 1"
    assert problems(history) == []


def test_a_pushed_revision_is_entered(history, states, record, tmp_path, run):
    shutil.copytree(history, tmp_path / "away")
    record(tmp_path / "away", refit(states[2], seed=9))
    subprocess.run(["cp", "-r", f"{tmp_path}/away/dvc/.", f"{history}/dvc"], check=True)
    run_git(tmp_path / "away", "push", "--quiet", "--atomic", f"file://{history}", "2026dgt", "2026dgt/2")
    DataRepo(history).maintain()  # waits for nobody: it enters what the hook has not entered yet
    assert chain(history)[-1] == "2026dgt@2"


def test_the_hook_lets_no_other_object_take_the_place_of_a_published_one(history: Path) -> None:
    from blastgit.guard.published import check_pushed, note_pushed

    book = Book(history)
    entry = book.chain("2026dgt")[1]
    check_pushed(book, entry.ref, entry.object)
    check_pushed(book, "refs/tags/2026dgt/2", "1" * 40)
    with pytest.raises(Denied, match="is never given to anything else"):
        check_pushed(book, entry.ref, "1" * 40)
    shutil.rmtree(book.folder)
    note_pushed(history, {entry.ref: entry.object, "refs/tags/2026dgt/7": "1" * 40, "refs/heads/2026dgt": "2" * 40})
    assert chain(history) == ["2026dgt@1"], "what git did not move is not entered"
