import dataclasses
import json

import pytest

from blastgit import DataRepo, __version__
from blastgit.demo import Sample, add_alias, change_image, edit_flux, refit, reprocess
from blastgit.naming.names import Spec
from blastgit.plumbing.process import run_git
from blastgit.recording import decide
from blastgit.repository.format import FILE
from blastgit.repository.history import History
from blastgit.repository.local import LocalRepository

LATER = {"app_version": "v1.13.1", "export_time": "2026-06-11T08:00:00.000001+00:00", "seed": 1}


def revision(repo, number):
    return History(LocalRepository(repo)).revision(Spec("2026dgt", number=number))


def commits(repo):
    return run_git(repo, "rev-list", "refs/heads/2026dgt").decode().split()


def tags(repo):
    return run_git(repo, "tag", "--list").decode().split()


def trailers(run, repo, commit):
    message = run("git", f"--git-dir={repo}", "show", "-s", "--format=%B", commit)
    lines = run("git", "interpret-trailers", "--parse", stdin=message).splitlines()
    return dict(line.split(": ", 1) for line in lines)


def at(sample, time, version="v1.13.1"):
    """The same state, exported again."""
    export = {**sample.export, "metadata": {"app_version": version, "export_time": time}}
    return dataclasses.replace(sample, export=export)


def test_the_first_revision(repo, sample, record):
    result = record(repo, sample, run="run-1")
    assert (result.status, result.revision, result.tag) == ("recorded", 0, "2026dgt/0")
    assert result.reason == "first revision, 15 files, by v1.12.0"
    assert result.commit == run_git(repo, "rev-parse", "2026dgt/0^{commit}", "refs/heads/2026dgt").decode().split()[0]
    assert len(result.files) == 15
    json.dumps(result.to_json(), allow_nan=False)


def test_a_run_that_changes_nothing_is_noted_and_makes_no_revision(repo, sample, record, run):
    record(repo, sample)
    again = record(repo, reprocess(sample, **LATER, all_keys=True), run="run-2")
    assert (again.status, again.revision, again.tag) == ("unchanged", 0, "2026dgt/0")
    assert [file.change for file in again.files] == ["content-equal"]
    assert commits(repo) == [again.marker, revision(repo, 0).id]
    assert tags(repo) == ["2026dgt/0"]
    noted = trailers(run, repo, again.marker)
    assert (noted["Reproduces"], noted["App-Version"], noted["Marker"]) == ("0", "v1.13.1", "reproduction")
    assert (noted["Run"], "Revision" in noted) == ("run-2", False)
    assert run_git(repo, "rev-parse", f"{again.marker}^{{tree}}") == run_git(repo, "rev-parse", "2026dgt/0^{tree}")


def test_one_marker_for_each_revision_app_version_and_rules(repo, sample, record, change_settings):
    def again(seed, version):
        return record(repo, reprocess(sample, **{**LATER, "seed": seed, "app_version": version})).marker

    record(repo, sample)
    assert [again(1, "v1.13.1") is None, again(2, "v1.13.1") is None, again(3, "v1.13.2") is None] == [
        False,
        True,
        False,
    ]
    assert again(4, "v1.13.1") is None
    change_settings(repo, b"rules: {tolerance: 1.0e-11}\n")
    assert again(5, "v1.13.1") is not None
    assert record(repo, edit_flux(sample, "DES_z", 1.1)).revision == 1
    assert record(repo, reprocess(edit_flux(sample, "DES_z", 1.1), **LATER)).marker is not None


@pytest.fixture
def change_settings(run):
    """Put lines at the end of a data repo's settings."""

    def call(repo, lines):
        text = run_git(repo, "show", f"main:{FILE}") + lines
        blob = run_git(repo, "hash-object", "-w", "--stdin", stdin=text).decode().strip()
        listing = run_git(repo, "ls-tree", "main").decode().splitlines()
        listing = [f"100644 blob {blob}\t{FILE}" if line.endswith(f"\t{FILE}") else line for line in listing]
        tree = run_git(repo, "mktree", stdin="\n".join([*listing, ""]).encode()).decode().strip()
        commit = run_git(repo, "commit-tree", "-p", "main", "-m", "settings", tree).decode().strip()
        run_git(repo, "update-ref", "refs/heads/main", commit)

    return call


def test_a_retry_of_the_very_same_export_leaves_no_mark(repo, sample, record, tree_of):
    record(repo, sample)
    before = tree_of(repo)
    again = record(repo, sample)
    assert (again.status, again.revision, again.marker) == ("unchanged", 0, None)
    assert tree_of(repo) == before
    changed = edit_flux(sample, "DES_z", 1.1)
    record(repo, changed)
    before = tree_of(repo)
    assert record(repo, changed).marker is None
    assert tree_of(repo) == before


def test_a_change_makes_a_revision_and_stores_only_what_changed(repo, sample, record):
    record(repo, sample)
    stored = {path for path in (repo / "dvc/files").rglob("*") if path.is_file()}
    result = record(repo, change_image(reprocess(sample, **LATER), "DES_z", seed=1))
    assert (result.status, result.revision) == ("recorded", 1)
    assert result.reason.startswith("DES_z image changed; flux changed in DES_z by +3 %")
    old, new = revision(repo, 0), revision(repo, 1)
    changed = {path for path in new.pointers if new.pointers[path] != old.pointers[path]}
    assert changed == {file.path for file in result.files if file.change == "changed"}
    assert len({path for path in (repo / "dvc/files").rglob("*") if path.is_file()} - stored) == len(changed)


def test_a_state_that_comes_back_is_a_revision_of_its_own(repo, sample, record):
    record(repo, sample)
    record(repo, change_image(sample, "DES_z", seed=1))
    back = record(repo, at(sample, "2026-06-12T08:00:00+00:00"))
    assert (back.revision, back.status) == (2, "recorded")
    assert back.reason.startswith("DES_z image is again that of revision 0; ")
    assert revision(repo, 2).dr.files == revision(repo, 0).dr.files


def test_a_thumbnail_never_causes_a_revision_but_goes_with_one(repo, sample, record):
    record(repo, sample)
    path, stored = "cutout_cdn/2026dgt/DES/DES_z.jpg", "cutout_cdn/DES/DES_z.jpg"
    other = Sample(sample.export, {**sample.files, path: b"another picture"})
    result = record(repo, at(other, LATER["export_time"]))
    assert (result.status, [file.path for file in result.files]) == ("unchanged", [stored])
    gone = Sample(sample.export, {key: value for key, value in sample.files.items() if key != path})
    assert record(repo, at(gone, LATER["export_time"])).status == "unchanged"
    assert record(repo, edit_flux(other, "DES_z", 1.1)).revision == 1
    assert revision(repo, 1).dr.files[stored] != revision(repo, 0).dr.files[stored]


def test_labels_make_a_revision_that_says_so(repo, sample, record):
    record(repo, sample)
    assert record(repo, add_alias(sample, "SN X")).reason == "only labels changed: transient.aliases"


def test_a_file_that_no_row_names_is_recorded(repo, sample, record):
    more = Sample(sample.export, {**sample.files, "cutout_cdn/2026dgt/notes.txt": b"seen"})
    record(repo, more)
    assert "cutout_cdn/notes.txt" in revision(repo, 0).dr.files


def test_a_transient_may_have_no_file_at_all(repo, sample, record):
    document = json.loads(sample.text)
    for row in document["cutouts"]:
        row["fields"]["fits"] = ""
    document["apertures"] = []
    assert record(repo, Sample(document, {})).reason == "first revision, 0 files, by v1.12.0"
    assert record(repo, sample).revision == 1


def test_a_dry_run_decides_and_writes_nothing(repo, sample, record, tree_of):
    before = tree_of(repo)
    first = record(repo, sample, dry_run=True)
    assert (first.status, first.revision, first.commit) == ("recorded", 0, None)
    assert tree_of(repo) == before
    real = record(repo, sample)
    assert dataclasses.replace(real, commit=None) == first
    before = tree_of(repo)
    assert record(repo, reprocess(sample, **LATER), dry_run=True).status == "unchanged"
    assert record(repo, refit(sample, seed=3), dry_run=True).revision == 1
    assert tree_of(repo) == before


def test_the_trailers_are_those_of_the_contract(repo, sample, record, run):
    first = record(repo, sample, run="2026-05/night-3")
    found = trailers(run, repo, first.commit)
    rules = LocalRepository(repo).rules.digest
    assert found["Science-Digest"].startswith("sha256:")
    assert {key: value for key, value in found.items() if key != "Science-Digest"} == {
        "Revision": "0", "App-Version": "v1.12.0", "Rules": rules, "Run": "2026-05/night-3",
        "Collections-At": str(LocalRepository(repo).main.id), "Marker": "revision",
        "Status": "complete", "Out-Of-Date": "none", "Files": "15", "Bytes": str(sum(map(len, sample.files.values()))),
        "Recorded-By": f"blastgit {__version__}",
    }  # fmt: skip
    assert revision(repo, 0).trailers == found


def test_dates_and_names_of_a_commit(repo, sample, record, run):
    record(repo, sample)
    shown = run("git", f"--git-dir={repo}", "show", "-s", "--format=%aI %cI %cn %ce %s", "2026dgt/0^{commit}").strip()
    assert shown == (
        "2026-05-27T15:46:03+00:00 2026-07-01T12:00:00+00:00 Committer committer@example.org "
        "2026dgt revision 0: first revision, 15 files, by v1.12.0"
    )
    tag = run("git", f"--git-dir={repo}", "cat-file", "tag", "2026dgt/0")
    assert tag.endswith("\n\nfirst revision, 15 files, by v1.12.0\n")
    assert "\ntag 2026dgt/0\ntagger Committer <committer@example.org> 1782907200 +0000\n" in tag


@pytest.mark.parametrize("date", ["1782907200 +0200", "@1782907200 +0000", "Wed, 1 Jul 2026 12:00:00 +0000"])
def test_the_date_may_be_written_as_git_allows(repo, sample, record, monkeypatch, run, date):
    monkeypatch.setenv("GIT_COMMITTER_DATE", date)
    record(repo, sample)
    assert run("git", f"--git-dir={repo}", "show", "-s", "--format=%ct", "2026dgt/0^{commit}").strip() == "1782907200"


def test_git_finds_nothing_wrong(repo, sample, record, run):
    strange = json.loads(sample.text)
    row = next(row["fields"] for row in strange["filters"] if row["fields"]["name"] == "DES_z")
    row["name"] = "a\nRevision: 7\n\nb"
    record(repo, Sample(strange, sample.files))
    row["image_fwhm_arcsec"] = 77.0
    record(repo, Sample(strange, sample.files))
    record(repo, reprocess(Sample(strange, sample.files), **LATER))
    assert run("git", f"--git-dir={repo}", "fsck", "--strict", "--no-dangling") == ""
    assert run("git", f"--git-dir={repo}", "tag", "-l", "--format=%(body)", "2026dgt/1").strip() == ""
    assert History(LocalRepository(repo)).latest("2026dgt").number == 1


def test_nothing_is_left_in_the_work_folders(repo, sample, record):
    record(repo, sample)
    record(repo, refit(sample, seed=1))
    assert [
        path for folder in ("blastgit/locks", "blastgit/tmp", "dvc/tmp") for path in (repo / folder).glob("*")
    ] == []


def test_long_paths_are_recorded(repo, sample, record):
    name = f"cutout_cdn/2026dgt/{'a' * 150}/{'b' * 150}.txt"
    record(repo, Sample(sample.export, {**sample.files, name: b"x"}))
    assert f"cutout_cdn/{'a' * 150}/{'b' * 150}.txt" in revision(repo, 0).pointers


def test_a_content_that_the_store_lost_is_stored_again_with_the_next_revision(repo, sample, record):
    record(repo, sample)
    pointers = revision(repo, 0).pointers
    lost = next(path for path in pointers if path.endswith("_local_chain.npz"))
    (repo / f"dvc/files/md5/{pointers[lost].md5[:2]}/{pointers[lost].md5[2:]}").unlink()
    assert record(repo, add_alias(sample, "SN 1")).revision == 1
    assert DataRepo(repo).verify().problems == []


def test_a_field_that_a_newer_blast_added_may_hold_anything(repo, sample, record):
    export = json.loads(sample.text)
    export["transient"]["fields"]["news"] = {"deep": [1, "x"]}
    assert record(repo, Sample(export, sample.files)).status == "recorded"


def test_a_wrong_value_that_was_published_keeps_nobody_from_recording(repo, sample, record, monkeypatch):
    wrong = json.loads(sample.text)
    wrong["transient"]["fields"]["redshift"] = "0.1"
    with monkeypatch.context() as patch:
        patch.setattr(decide, "check_form", lambda *_: None)  # as before such values were refused
        record(repo, Sample(wrong, sample.files))
    assert record(repo, Sample(wrong, sample.files)).status == "unchanged"
    assert record(repo, sample).revision == 1
