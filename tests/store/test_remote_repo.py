"""A data repo with contents in S3: recorded with blastgit, read with plain git and DVC, moved, and with faults."""

import hashlib
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.demo import change_image, small
from blastgit.errors import RepoError, StoreError
from blastgit.maintenance.move_store import contents_of_tags, move_store
from blastgit.naming.names import parse_spec
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.history import History
from blastgit.repository.init import init
from blastgit.repository.local import LocalRepository
from blastgit.store.dvc import DvcStore
from blastgit.store.failures import Patience
from blastgit.store.remote import RemoteFolder

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def impatient(monkeypatch, waits):
    """Wait for nothing."""
    monkeypatch.setattr("blastgit.store.dvc.Patience", lambda: Patience((0.5,), waits))


@pytest.fixture
def s3_repo(tmp_path, bucket, proxy) -> Path:
    init(tmp_path / "repo", store=bucket.url, options={"endpointurl": proxy.url}, simulated=True)
    return tmp_path / "repo"


def files_below(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that is data."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and len(path.relative_to(folder).parts) > 1 and path.suffix != ".dvc"
        and not path.relative_to(folder).parts[0].startswith(".")
    }  # fmt: skip


def published(repo: Path, spec: str) -> dict[str, str]:
    revision = History(LocalRepository(repo)).revision(parse_spec(spec))
    return {path: value.removeprefix("sha256:") for path, value in revision.dr.files.items()}


@pytest.fixture
def changed(sample):
    return change_image(sample, "DES_z", seed=1)


def clone(run, repo: Path, tag: str, folder: Path) -> Path:
    run("git", "clone", "--quiet", "--branch", tag, "--single-branch", repo, folder)
    return folder


def test_a_recorded_revision_comes_back_by_plain_git_and_dvc(s3_repo, record, sample, changed, run, tmp_path, proxy):
    record(s3_repo, sample)
    record(s3_repo, changed)
    for number in (0, 1):
        folder = clone(run, s3_repo, f"{sample.name}/{number}", tmp_path / str(number))
        run("dvc", "pull", cwd=folder)
        assert files_below(folder) == published(s3_repo, f"{sample.name}@{number}")
        assert run("git", "status", "--porcelain", cwd=folder) == ""
    assert files_below(tmp_path / "0") != files_below(tmp_path / "1")


def test_blastgit_gets_it_back_too(s3_repo, record, sample, tmp_path):
    record(s3_repo, sample)
    DataRepo(s3_repo).get(f"{sample.name}@0", tmp_path / "out")
    assert files_below(tmp_path / "out") == published(s3_repo, f"{sample.name}@0")
    assert DataRepo(s3_repo).verify().problems == []


def test_reprocessing_without_change_asks_the_store_nothing(s3_repo, record, sample, proxy):
    record(s3_repo, sample)
    proxy.requests.clear()
    assert record(s3_repo, sample).status == "unchanged"
    assert proxy.requests == []


def test_recording_costs_two_questions_and_one_put_for_each_content(s3_repo, record, sample, changed, proxy):
    files = len(record(s3_repo, sample).files)
    assert proxy.counts["LIST"] == 6, "two, and once four for the note that this repo relies on the store"
    assert proxy.counts["PUT"] <= files + 1
    proxy.requests.clear()
    again = len(record(s3_repo, changed).files)
    assert proxy.counts["LIST"] <= 4, "one before and one after, and those for what did not change"
    assert proxy.counts["PUT"] <= again, "what did not change was brought again"
    assert proxy.counts["GET"] <= again, "more was fetched than had to be compared"


@pytest.mark.parametrize("after", [0, 3])
def test_a_store_that_fails_half_way_leaves_nothing_recorded(s3_repo, record, sample, proxy, tree_of, after):
    before = tree_of(s3_repo)
    puts = []
    proxy.trouble = lambda request: 500 if request.kind == "PUT" and (puts.append(1) or len(puts) > after) else None
    with pytest.raises(StoreError):
        record(s3_repo, sample)
    assert tree_of(s3_repo) == before
    proxy.trouble = lambda request: None
    assert record(s3_repo, sample).revision == 0
    assert DataRepo(s3_repo).verify().problems == []


def test_a_server_that_is_killed_during_a_recording(own_server, record, sample, tree_of, tmp_path, monkeypatch):
    server, bucket = own_server
    repo = tmp_path / "repo"
    init(repo, store=bucket.url, options={"endpointurl": server.url}, simulated=True)
    before = tree_of(repo)
    create, done = RemoteFolder.create, []

    def create_and_kill(*args):
        answer = create(*args)
        done.append(1)
        if len(done) == 2:
            server.stop()
        return answer

    monkeypatch.setattr(RemoteFolder, "create", create_and_kill)
    with pytest.raises(StoreError, match=r"cannot be reached|broke off"):
        record(repo, sample)
    assert len(done) >= 2
    assert tree_of(repo) == before
    monkeypatch.setattr(RemoteFolder, "create", create)
    server.start()
    bucket.client.create_bucket(Bucket=bucket.name)  # this server forgets
    assert record(repo, sample).status == "recorded"
    assert DataRepo(repo).verify().problems == []


def test_a_store_that_is_down_makes_no_revision_of_an_equal_file(s3_repo, record, sample, changed, proxy, tree_of):
    record(s3_repo, sample)
    before = tree_of(s3_repo)
    proxy.trouble = lambda request: 503 if request.kind == "GET" else None
    with pytest.raises(StoreError):
        record(s3_repo, changed)
    assert tree_of(s3_repo) == before


def test_wrong_bytes_under_the_name_are_put_right_by_a_recording(s3_repo, record, sample, bucket, tmp_path):
    record(s3_repo, sample)
    for key in bucket.contents():
        bucket.write(key, b"rot")
    assert DataRepo(s3_repo).verify().problems
    init(tmp_path / "other", store=bucket.url, options={"endpointurl": bucket.endpoint}, simulated=True)
    record(tmp_path / "other", sample)
    assert DataRepo(s3_repo).verify().problems == []


def test_readers_and_writers_go_by_different_ways(tmp_path, make_bucket, record, sample, run, proxy):
    bucket = make_bucket()
    repo = tmp_path / "repo"
    init(repo, store=bucket.url, options={"endpointurl": "http://127.0.0.1:9"}, simulated=True)
    own = repo / "blastgit" / "store.config"
    settings = {
        "url": bucket.url, "endpointurl": proxy.url, "access_key_id": "key", "secret_access_key": "secret",
    }  # fmt: skip
    own.write_text("\n".join(["['remote \"store\"']", *(f"    {key} = {value}" for key, value in settings.items())]))
    record(repo, sample)
    assert bucket.contents()
    public = run("git", "--git-dir", repo, "show", f"{sample.name}/0:.dvc/config")
    assert "127.0.0.1:9" in public
    assert "secret" not in public


def test_a_writer_may_be_told_by_the_environment(tmp_path, bucket, record, sample, monkeypatch, repo):
    monkeypatch.setenv("BLASTGIT_STORE", bucket.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.endpoint)
    record(repo, sample)
    assert bucket.contents()
    assert not [path for path in (repo / "dvc").rglob("*") if path.is_file()]


def copy_contents(old, new) -> None:
    for key in old.contents():
        new.write(key, old.body(key))


def test_a_moved_store_serves_old_tags(s3_repo, record, sample, bucket, make_bucket, run, tmp_path):
    record(s3_repo, sample)
    old = clone(run, s3_repo, f"{sample.name}/0", tmp_path / "old")
    new = make_bucket()
    copy_contents(bucket, new)
    repository = LocalRepository(s3_repo)
    assert repository.store.url == bucket.url
    tip = move_store(repository, new.url, {"endpointurl": new.endpoint})
    assert repository.store.url == new.url
    assert str(repository.main.id) == tip
    for key in bucket.contents():
        bucket.client.delete_object(Bucket=bucket.name, Key=key)

    DataRepo(s3_repo).get(f"{sample.name}@0", tmp_path / "out")
    assert files_below(tmp_path / "out") == published(s3_repo, f"{sample.name}@0")

    run("dvc", "remote", "modify", "--local", "store", "url", new.url, cwd=old)
    run("dvc", "pull", cwd=old)
    assert files_below(old) == published(s3_repo, f"{sample.name}@0")
    assert run("git", "status", "--porcelain", cwd=old) == ""


def test_a_store_moves_from_a_folder_into_a_bucket(repo, record, sample, bucket, run, tmp_path):
    record(repo, sample)
    for path in (repo / "dvc" / "files").rglob("*"):
        if path.is_file():
            bucket.write(f"data/{path.relative_to(repo / 'dvc')}", path.read_bytes())
    move_store(LocalRepository(repo), bucket.url, {"endpointurl": bucket.endpoint})
    old = clone(run, repo, f"{sample.name}/0", tmp_path / "old")
    run("dvc", "remote", "modify", "--local", "store", "url", bucket.url, cwd=old)
    run("dvc", "remote", "modify", "--local", "store", "endpointurl", bucket.endpoint, cwd=old)
    run("dvc", "pull", cwd=old)
    assert files_below(old) == published(repo, f"{sample.name}@0")
    assert record(repo, change_image(sample, "DES_z", seed=1)).revision == 1
    assert len(bucket.contents()) > len(list((repo / "dvc" / "files").rglob("*/*/*")))


def test_a_store_that_lacks_contents_is_refused_unless_told(s3_repo, record, sample, bucket, make_bucket, tree_of):
    record(s3_repo, sample)
    new = make_bucket()
    copy_contents(bucket, new)
    lost = next(iter(new.contents()))
    new.client.delete_object(Bucket=new.name, Key=lost)
    before = tree_of(s3_repo)
    count = len(contents_of_tags(LocalRepository(s3_repo).git))
    with pytest.raises(StoreError, match=f"lacks 1 of {count} contents"):
        move_store(LocalRepository(s3_repo), new.url, {"endpointurl": new.endpoint})
    assert tree_of(s3_repo)["refs"] == before["refs"]
    move_store(LocalRepository(s3_repo), new.url, {"endpointurl": new.endpoint}, check=False)
    assert DataRepo(s3_repo).store_url == new.url


def test_what_both_stores_lack_does_not_hinder_the_move(s3_repo, record, sample, bucket, make_bucket):
    record(s3_repo, sample)
    new = make_bucket()
    copy_contents(bucket, new)
    for each in (bucket, new):
        each.client.delete_object(Bucket=each.name, Key=min(new.contents()))
    move_store(LocalRepository(s3_repo), new.url, {"endpointurl": new.endpoint})
    assert DataRepo(s3_repo).store_url == new.url


def test_moving_to_where_it_is_changes_nothing(s3_repo, bucket, proxy):
    repository = LocalRepository(s3_repo)
    tip = str(repository.main.id)
    assert move_store(repository, bucket.url, {"endpointurl": proxy.url}) == tip


def test_secrets_do_not_get_onto_main_by_a_move(s3_repo, make_bucket):
    with pytest.raises(RepoError, match="secret_access_key"):
        move_store(LocalRepository(s3_repo), make_bucket().url, {"secret_access_key": "x"})


def test_two_transients_share_a_store(s3_repo, record, sample, tmp_path):
    record(s3_repo, sample)
    record(s3_repo, small("2026other"))
    assert isinstance(LocalRepository(s3_repo).store, DvcStore)
    assert DataRepo(s3_repo).verify().problems == []


def test_a_bucket_for_some_files_beside_a_folder_for_the_others(repo, record, sample, bucket, run, tmp_path):
    DataRepo(repo).stores.add("archive", bucket.url, {"endpointurl": bucket.endpoint})
    rules = b"\nstorage:\n  posterior: {store: archive}\n"
    commit_to_branch(
        LocalRepository(repo),
        "main",
        lambda tip: BranchEdit({"blastgit.yaml": tip.tree["blastgit.yaml"].data + rules}, "Rules"),
        10,
    )
    record(repo, sample)
    assert len([key for key in bucket.contents() if "/files/" in key]) == 2
    folder = clone(run, repo, f"{sample.name}/0", tmp_path / "clone")
    run("dvc", "pull", cwd=folder)
    assert files_below(folder) == published(repo, f"{sample.name}@0")
    DataRepo(repo).get(f"{sample.name}@0", tmp_path / "out")
    assert files_below(tmp_path / "out") == published(repo, f"{sample.name}@0")
    assert DataRepo(repo).verify().problems == []
