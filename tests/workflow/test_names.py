"""Aliases of revisions: their meaning, that the real name is shown, and that nothing is guessed."""

import json

import pytest

from blastgit import DataRepo
from blastgit.checks.settings import check_settings
from blastgit.cli import main
from blastgit.demo import break_off, change_image, reprocess
from blastgit.errors import InvalidName, NotFound, RepoError
from blastgit.naming.names import parse_spec
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.local import LocalRepository
from blastgit.repository.settings import read_settings
from blastgit.workflow.names import read_names


@pytest.fixture
def history(repo, sample, record):
    """2026dgt three times: complete, then without global SED, then without local photometry (a raised task)."""
    states = [
        sample,
        break_off(_again(sample, 1, "v1.12.1"), "Global host SED inference"),
        break_off(_again(sample, 2, "v1.13.0"), "Local aperture photometry", raises=True),
    ]
    assert [record(repo, state).revision for state in states] == [0, 1, 2]
    return repo


def _again(sample, seed, version):
    return reprocess(sample, app_version=version, export_time=f"2026-06-0{seed}T09:00:00+00:00", seed=seed)


def real(repo, spec):
    return DataRepo(repo).show(f"{spec}:metadata.app_version").revision


@pytest.mark.parametrize(
    ("spec", "number"),
    [
        ("2026dgt", 2),
        ("2026dgt@latest", 2),
        ("2026dgt@latest-complete", 0),
        ("2026dgt@latest-valid", 0),
        ("2026dgt@best-photometry", 1),
        ("2026dgt@best-sed", 0),
        ("2026dgt@v1.12.0", 0),
        ("2026dgt@v1.12.1", 1),
    ],
)
def test_a_name_stands_for_the_latest_revision_that_meets_it(history, spec, number):
    assert real(history, spec) == f"2026dgt@{number}"


def test_a_new_complete_revision_is_the_latest_complete_one(history, sample, record):
    assert record(history, change_image(_again(sample, 3, "v1.13.1"), seed=1)).revision == 3
    assert real(history, "2026dgt@latest-complete") == "2026dgt@3"


def test_a_version_that_reproduced_a_revision_gave_it(repo, sample, record):
    record(repo, sample)
    assert record(repo, _again(sample, 1, "v1.13.1")).status == "unchanged"
    assert real(repo, "2026dgt@v1.13.1") == "2026dgt@0"


def test_a_version_that_gave_nothing_is_not_found(history):
    with pytest.raises(NotFound, match=r"by v2\.0: there was v1\.12\.0, v1\.12\.1, v1\.13\.0"):
        real(history, "2026dgt@v2.0")


def test_nothing_is_guessed_when_no_revision_meets_a_name(repo, sample, record):
    record(repo, break_off(sample, "Host match"))
    with pytest.raises(NotFound, match="no revision of 2026dgt is latest-complete: in 2026dgt@0: Host match ended"):
        real(repo, "2026dgt@latest-complete")


@pytest.mark.parametrize(("word", "words"), [("latest-complet", "did you mean latest-complete"), ("zzz", "there are")])
def test_an_unknown_name_is_refused(history, word, words):
    with pytest.raises(InvalidName, match=words):
        real(history, f"2026dgt@{word}")


def test_an_unknown_transient_is_told_from_an_unknown_name(history):
    with pytest.raises(NotFound, match="there is no transient 2026xyz"):
        real(history, "2026xyz@latest-complete")


def test_get_and_diff_take_names_too(history, tmp_path):
    repo = DataRepo(history)
    got = repo.get("2026dgt@latest-complete", tmp_path / "got")
    assert (got.revision, got.asked) == ("2026dgt@0", "2026dgt@latest-complete")
    assert repo.diff("2026dgt@latest-complete", "2026dgt@latest").old.label == "2026dgt@0"


def test_the_command_line_tells_the_real_name(history, capsys):
    assert main(["-C", str(history), "show", "2026dgt@latest-complete:host.redshift"]) == 0
    output = capsys.readouterr()
    assert float(output.out) > 0
    assert output.err == "2026dgt@latest-complete is 2026dgt@0\n"
    assert main(["-C", str(history), "show", "2026dgt@best-sed:host.redshift", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["revision"], shown["asked"]) == ("2026dgt@0", "2026dgt@best-sed")


def test_names_are_read_through_a_url_as_well(history, tmp_path):
    assert real(history.as_uri(), "2026dgt@latest-complete") == "2026dgt@0"


def test_a_data_repo_has_names_of_its_own(history):
    _set(
        history,
        {"good-host": {"complete": ["Host information"]}, "paper": {"pinned": {"2026dgt": 1}}, "v12": None,
         "old": {"app_version": "v1.12.*"}},
    )  # fmt: skip
    assert [real(history, f"2026dgt@{word}") for word in ("good-host", "paper", "old")] == [
        "2026dgt@2", "2026dgt@1", "2026dgt@1",
    ]  # fmt: skip


def test_a_pinned_name_is_about_some_transients_only(history):
    _set(history, {"paper": {"pinned": {"2026dix": 1}}})
    with pytest.raises(NotFound, match="@paper is pinned to 2026dix@1, not 2026dgt"):
        real(history, "2026dgt@paper")


def test_a_name_about_a_stage_that_is_none_is_a_mistake_of_the_settings(history):
    _set(history, {"good-host": {"complete": ["Host informaton"]}})
    with pytest.raises(RepoError, match=r"names\.good-host\.complete: .*did you mean Host information"):
        real(history, "2026dgt@good-host")


def _set(repo, names):
    text = json.dumps({"format": 1, "kind": "simulated", "names": names}).encode()
    commit_to_branch(LocalRepository(repo), "main", lambda _: BranchEdit({"blastgit.yaml": text}, "Add names"))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (["best"], "should map names"),
        ({"Best": {"valid": True}}, r"names\.Best: a name has small letters"),
        ({"latest": {"valid": True}}, r"names\.latest: a name has"),
        ({"v1": {"valid": True}}, r"names\.v1: a name has"),
        ({"best": "complete"}, r"names\.best is 'complete'"),
        ({"best": {}}, r"names\.best is \{\}"),
        ({"best": {"complet": []}}, r"names\.best has an unknown key 'complet'; did you mean complete"),
        ({"best": {"complete": "Host match"}}, r"names\.best\.complete is 'Host match'"),
        ({"best": {"valid": "yes"}}, r"names\.best\.valid is 'yes'"),
        ({"best": {"app_version": 1.13}}, r"names\.best\.app_version is 1\.13"),
        ({"best": {"pinned": {"2026dgt": True}}}, r"names\.best\.pinned is"),
    ],
)
def test_a_mistake_is_told_with_its_place(section, words):
    with pytest.raises(RepoError, match=words):
        read_names(section)


def test_the_settings_check_names():
    with pytest.raises(RepoError, match=r"names\.best"):
        check_settings(read_settings(b"format: 1\nnames: {best: 1}\n"))


@pytest.mark.parametrize("text", ["2026dgt@Best", "2026dgt@-best", "2026dgt@best_one", "2026dgt@best one", "2026dgt@"])
def test_what_is_no_name_of_a_revision(text):
    with pytest.raises(InvalidName):
        parse_spec(text)


@pytest.mark.parametrize(
    "text", ["2026dgt@best-sed:host.redshift", "2026dgt@v1.12.0-rc1", "2026dgt@best:post-host-match"]
)
def test_a_name_can_be_written_as_it_was_read(text):
    assert str(parse_spec(text)) == text
    assert not parse_spec(text).is_latest
