"""Invalid input is refused with a clear error, and the repository stays unchanged."""

import errno
import itertools
import json
import os
import shutil

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample, edit_flux, small
from blastgit.errors import (
    BlastgitError,
    InvalidExport,
    InvalidFiles,
    InvalidInput,
    InvalidName,
    NotFound,
    RepoError,
    StoreError,
)
from blastgit.naming.names import parse_spec
from blastgit.plumbing.process import run_git
from blastgit.repository.history import History
from blastgit.repository.local import LocalRepository
from blastgit.revision import document as json_document

IMAGE = "cutout_cdn/2026dgt/DES/DES_z.fits"


@pytest.fixture
def refuses(tree_of, tmp_path):
    """Try to record, and see that it is refused as it should be and that nothing was written."""

    def call(repo, error, match, *, name="2026dgt", export, data, **options):
        before = tree_of(repo)
        with pytest.raises(error, match=match) as caught:
            DataRepo(repo).record(name, export, data, **options)
        assert tree_of(repo) == before
        assert list((repo / "dvc/tmp").glob("*")) == []
        assert list((repo / "blastgit/locks").iterdir()) == []
        return caught.value

    return call


@pytest.fixture
def handed_in(sample, tmp_path):
    """The export and the folder that an operator has."""
    export, data = sample.write(tmp_path / "operator")
    return {"export": export, "data": data}


@pytest.fixture(params=["empty", "recorded"])
def any_repo(request, repo, sample, record):
    """A repo without the transient, and one that has it already."""
    if request.param == "recorded":
        record(repo, edit_flux(sample, "DES_g", 2.0))
    return repo


def fits_of(document):
    return next(rows for aperture in document["apertures"] if (rows := aperture["sedfittingresults"]))


def edited(sample, edit):
    export = json.loads(sample.text)
    edit(export)
    return json.dumps(export).encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "is not JSON"),
        (b"SIMPLE  =                    T", "is not JSON"),
        (b"[]", "should be a JSON object, and is an array"),
        (b"{}", "has no 'metadata': is this an export of Blast"),
        (b'{"metadata": 1}', "metadata should be a JSON object"),
        (b'{"metadata": {}, "metadata": {}}', "'metadata' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": 1e999}', "does not fit a double"),
    ],
)
def test_what_is_no_export(any_repo, refuses, handed_in, text, why):
    refuses(any_repo, InvalidExport, why, **{**handed_in, "export": text})


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda d: d.pop("cutouts"), "has no 'cutouts'"),
        (lambda d: d.update(host=[]), "host should be a JSON object"),
        (lambda d: d["filters"][0].update(pk="1"), r"filters\[0\]\.pk should be a whole number"),
        (lambda d: d["transient"]["fields"].update(host=5_000_000), "5000000, and the export has no row of host"),
        (lambda d: d["apertures"][0]["aperturephotometry"][0]["fields"].update(filter={}), "the key filter of a row"),
        (lambda d: d["host"]["fields"].update(name="\ud800"), "not Unicode text"),
        (lambda d: d["metadata"].update(export_time="soon"), "not a date-time"),
        (lambda d: d["cutouts"][4]["fields"].update(fits="/data/cutout_cdn/../../etc/passwd"), "which is not below"),
        (lambda d: d["cutouts"][4]["fields"].update(fits="/etc/passwd"), "which is not below"),
        (lambda d: d["transient"]["fields"].update(redshift="abc"), "redshift should be a number, and is 'abc'"),
        (lambda d: d["transient"]["fields"].update(ra_deg=True), "transient.ra_deg should be a number, and is True"),
        (lambda d: d["transient"]["fields"].update(aliases="x"), "transient.aliases should be a list, and is 'x'"),
        (lambda d: d["host"]["fields"].update(object_id=["1"]), "host.object_id should be a text or a number, and is"),
        (lambda d: fits_of(d)[0]["fields"].update(log_mass_50="9"), r"sed/\w+.log_mass_50 should be a number"),
    ],
)
def test_an_export_with_something_wrong_in_it(any_repo, refuses, handed_in, sample, edit, why):
    refuses(any_repo, InvalidExport, why, **{**handed_in, "export": edited(sample, edit)})


def test_too_large_an_export(repo, refuses, handed_in, monkeypatch):
    monkeypatch.setattr(json_document, "SIZE_LIMIT", 1000)
    error = refuses(repo, InvalidExport, "more than the 1,000", **handed_in)
    assert str(handed_in["export"]) in str(error)
    refuses(repo, InvalidExport, "more than the 1,000", **{**handed_in, "export": handed_in["export"].read_bytes()})


def test_a_file_of_200_megabytes_is_not_even_read(repo, refuses, handed_in, tmp_path):
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(200_000_000)
    refuses(repo, InvalidExport, "200,000,000 bytes", **{**handed_in, "export": large})


def test_an_export_that_is_not_there(repo, refuses, handed_in, tmp_path):
    refuses(repo, InvalidInput, "cannot be read: No such file", **{**handed_in, "export": tmp_path / "none"})
    refuses(repo, InvalidInput, "cannot be read: Is a directory", **{**handed_in, "export": tmp_path})
    refuses(repo, InvalidFiles, "there is no folder", **{**handed_in, "data": tmp_path / "none"})


def test_names(repo, refuses, handed_in, sample, record):
    refuses(repo, InvalidName, "not a transient name", name="../x", **handed_in)
    refuses(repo, InvalidName, "reserved", name="main", **handed_in)
    refuses(repo, InvalidName, "about '2026dgt', and should be recorded as '2026dgu'", name="2026dgu", **handed_in)
    bad = edited(sample, lambda d: d["transient"]["fields"].update(name="a b"))
    refuses(repo, InvalidName, "the export's transient", name="2026dgt", **{**handed_in, "export": bad})
    record(repo, small("2026DGT"))
    refuses(repo, InvalidName, "differs only in case from '2026DGT', which exists", **handed_in)
    refuses(repo, InvalidName, "only in case", dry_run=True, **handed_in)


def test_a_run_that_is_no_name(repo, refuses, handed_in):
    for run in ("", " ", "a\nMarker: revision"):
        refuses(repo, InvalidInput, "not a name of a collection", run=run, **handed_in)


def missing(data):
    (data / IMAGE).unlink()


def empty(data):
    (data / IMAGE).write_bytes(b"")


def pipe(data):
    (data / IMAGE).unlink()
    os.mkfifo(data / IMAGE)


def link_out(data):
    (data / IMAGE).unlink()
    (data / IMAGE).symlink_to("/etc/hostname")


def link_to_nothing(data):
    (data / IMAGE).unlink()
    (data / IMAGE).symlink_to("gone.fits")


def folder(data):
    (data / IMAGE).unlink()
    (data / IMAGE).mkdir()


def reserved(data):
    (data / f"{IMAGE}.dvc").write_text("outs: []")


def twin(data):
    (data / IMAGE.replace("DES_z", "des_Z")).write_text("x")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (missing, f"the export names {IMAGE}, which .* lacks"),
        (folder, f"the export names {IMAGE}, which .* lacks"),
        (empty, "is empty"),
        (pipe, "is not a regular file"),
        (link_out, "leads out"),
        (link_to_nothing, "cannot be read"),
        (reserved, "reserve"),
        (twin, "differ only in case"),
    ],
)
def test_files_with_something_wrong(any_repo, refuses, handed_in, spoil, why):
    spoil(handed_in["data"])
    refuses(any_repo, InvalidFiles, why, **handed_in)


def test_an_unreadable_file(any_repo, refuses, handed_in):
    (handed_in["data"] / IMAGE).chmod(0)
    if os.access(handed_in["data"] / IMAGE, os.R_OK):
        pytest.skip("this user reads everything")
    refuses(any_repo, InvalidFiles, "cannot be read: Permission denied", **handed_in)


def test_a_file_that_changes_while_it_is_read(any_repo, refuses, handed_in, monkeypatch):
    from blastgit.store import hashing

    honest, moments = os.read, itertools.count(1)

    def slow(descriptor, size):
        data = honest(descriptor, size)
        os.utime(handed_in["data"] / IMAGE, ns=(0, next(moments)))
        return data

    monkeypatch.setattr(hashing.os, "read", slow)
    refuses(any_repo, InvalidFiles, "changed while it was read", **handed_in)


@pytest.mark.parametrize(
    "name",
    [
        "cutout_cdn/2026dgt/DES/DES_z.fits",
        "sed_output/2026dgt/2026dgt_global.h5",
        "sed_output/2026dgt/2026dgt_local_chain.npz",
    ],
)
def test_a_truncated_file_is_recorded_as_bytes_and_said_so(repo, sample, record, run, name):
    short = Sample(sample.export, {**sample.files, name: sample.files[name][: len(sample.files[name]) // 2]})
    assert record(repo, short).status == "recorded"
    path = name.replace("/2026dgt/", "/", 1)
    assert f"{path} is recorded as plain bytes: " in run(
        "git", f"--git-dir={repo}", "log", "-1", "--format=%b", "2026dgt"
    )
    result = record(repo, sample)
    assert [(file.change, bool(file.note)) for file in result.files] == [("changed", True)]


def test_no_space_left(repo, refuses, handed_in, monkeypatch):
    from blastgit.store import hashing

    def full(source, target):
        target.write_bytes(b"the first bytes")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(hashing, "write_hashing", full)
    refuses(repo, StoreError, "no space left in the store", **handed_in)


def test_a_store_that_cannot_be_used(repo, refuses, handed_in):
    shutil.rmtree(repo / "dvc", ignore_errors=True)
    (repo / "dvc").write_text("a file")
    with pytest.raises(StoreError, match="cannot be used"):
        DataRepo(repo).record("2026dgt", **handed_in)
    assert History(LocalRepository(repo)).tip("2026dgt") is None


def test_a_repo_that_may_only_be_read(any_repo, refuses, handed_in, monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: not mode & os.W_OK and real(path, mode, **more))
    refuses(any_repo, RepoError, "cannot be written by this user", **handed_in)


def test_a_repo_of_a_newer_format(repo, handed_in, tree_of, run):
    text = run_git(repo, "show", "main:blastgit.yaml").replace(b"format: 1", b"format: 2")
    blob = run_git(repo, "hash-object", "-w", "--stdin", stdin=text).decode().strip()
    tree = run_git(repo, "mktree", stdin=f"100644 blob {blob}\tblastgit.yaml\n".encode()).decode().strip()
    run_git(repo, "update-ref", "refs/heads/main", run_git(repo, "commit-tree", "-m", "x", tree).decode().strip())
    before = tree_of(repo)
    with pytest.raises(RepoError, match="format 2, but this blastgit only reads up to 1: install a newer one"):
        DataRepo(repo).record("2026dgt", **handed_in)
    assert tree_of(repo) == before


def test_what_is_no_data_repo(tmp_path, handed_in, run):
    with pytest.raises(RepoError, match="there is no data repo"):
        DataRepo(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RepoError, match="is not a data repo"):
        DataRepo(tmp_path / "folder")
    run("git", "init", "-q", "--bare", tmp_path / "git")
    with pytest.raises(RepoError, match="without a branch main"):
        DataRepo(tmp_path / "git")


def test_an_unknown_revision(library):
    repo = DataRepo(library)
    with pytest.raises(NotFound, match="2026dgt has no revision 7: it has revisions 0 to 1"):
        repo.show("2026dgt@7")
    with pytest.raises(NotFound, match=r"no transient 2026dgu .*; did you mean 2026dgt"):
        repo.show("2026dgu")
    with pytest.raises(NotFound, match="had no revision yet then: revision 0 is of 2026-05-27 15:46 UTC"):
        repo.show("2026dgt@2020-01-01")
    with pytest.raises(InvalidName, match="there is no name @last; did you mean latest"):
        repo.show("2026dgt@last")
    assert parse_spec("2026dgt@1").number == 1


def test_every_refusal_has_a_word_and_a_code_for_programs():
    def below(error):
        return {error}.union(*(below(child) for child in error.__subclasses__()))

    for error in below(BlastgitError):
        assert error.kind
        assert 0 < error.exit_code < 64
