"""Which store is used: main names one for all, own settings override it, and main may not set personal options."""

from pathlib import Path
from urllib.parse import quote

import pytest
from dvc.config import Config
from dvc.fs import get_cloud_fs

from blastgit import DataRepo
from blastgit.errors import RepoError, UsageError
from blastgit.repository.init import init
from blastgit.repository.local import LocalRepository
from blastgit.store.config import Remote, chosen_remote, default_remote, with_remote
from blastgit.store.dvc import DvcStore

MAIN = b"""[core]
    remote = store
['remote "store"']
    url = s3://public/data
    endpointurl = https://s3.example.org
"""


def main_with(line: str) -> bytes:
    return MAIN + f"    {line}\n".encode()


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "store.config"
    path.write_text(text)
    return path


def test_main_names_the_store(tmp_path):
    expected = Remote("store", "s3://public/data", {"endpointurl": "https://s3.example.org"})
    assert chosen_remote(MAIN, tmp_path / "none", {}) == expected


def test_own_settings_with_a_url_stand_alone(tmp_path):
    text = """[core]
    remote = mine
['remote "other"']
    url = s3://other
['remote "mine"']
    url = s3://private/data
    profile = writer
"""
    assert chosen_remote(MAIN, own(tmp_path, text), {}) == Remote("mine", "s3://private/data", {"profile": "writer"})


def test_own_settings_without_a_url_are_laid_over_mains(tmp_path):
    text = "['remote \"store\"']\n    access_key_id = A\n    secret_access_key = 'B, #C'\n"
    expected = {"endpointurl": "https://s3.example.org", "access_key_id": "A", "secret_access_key": "B, #C"}
    assert chosen_remote(MAIN, own(tmp_path, text), {}) == Remote("store", "s3://public/data", expected)


def test_the_environment_comes_first_and_stands_alone(tmp_path):
    mine = own(tmp_path, "['remote \"store\"']\n    url = s3://private\n    profile = writer\n")
    assert chosen_remote(MAIN, mine, {"BLASTGIT_STORE": "s3://now/data"}) == Remote("store", "s3://now/data", {})
    assert chosen_remote(MAIN, mine, {"BLASTGIT_STORE": ""}).url == "s3://private"


def test_a_path_in_the_environment_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert chosen_remote(MAIN, tmp_path / "none", {"BLASTGIT_STORE": "here"}).folder == tmp_path / "here"


def test_a_repo_uses_the_users_own_settings(repo, tmp_path, monkeypatch):
    assert DataRepo(repo).store_url == str(repo / "dvc")
    own(repo / "blastgit", f"['remote \"store\"']\n    url = {tmp_path / 'mine'}\n")
    assert DataRepo(repo).store_url == str(tmp_path / "mine")
    monkeypatch.setenv("BLASTGIT_STORE", "s3://b/x")
    repository = LocalRepository(repo)
    assert isinstance(repository.store, DvcStore)
    assert repository.store.url == "s3://b/x"


@pytest.mark.parametrize(
    "line",
    [
        "keyfile = /home/someone/.ssh/id_rsa", "credentialpath = /etc/passwd", "configpath = /etc/passwd",
        "password = secret", "ask_password = true", "custom_auth_header = X", "bearer_token_command = touch /tmp/x",
        "profile = other", "access_key_id = A", "secret_access_key = B", "ssl_verify = /tmp/ca.pem",
        "gdrive_service_account_json_file_path = /etc/x", "cert_path = /x", "token = x", "acl = public-read-write",
        "connection_string = x", "unheard_of = 1", "ssl_verify = false",
    ],
)  # fmt: skip
def test_what_is_a_users_own_is_refused_on_main_and_taken_from_own_settings(tmp_path, line):
    option, value = line.split(" = ")
    with pytest.raises(RepoError, match=rf"'{option}' of \[remote \"store\"\].*store\.config"):
        default_remote(main_with(line))
    mine = own(tmp_path, f"['remote \"store\"']\n    url = s3://mine\n    {line}\n")
    assert chosen_remote(MAIN, mine, {}).options == {option: value}


@pytest.mark.parametrize("section", ["cache", "db", "exp", "state", "DEFAULT", 'machine "x"', "studio"])
def test_other_sections_are_refused_on_main(section):
    with pytest.raises(RepoError, match=r"has a section \["):
        default_remote(MAIN + f"['{section}']\n    dir = /tmp/x\n".encode())


def test_other_settings_of_the_core_are_refused_on_main():
    with pytest.raises(RepoError, match="site_cache_dir"):
        default_remote(MAIN.replace(b"[core]\n", b"[core]\n    site_cache_dir = /tmp/x\n"))


def test_a_second_remote_on_main_is_held_to_the_same_rules():
    with pytest.raises(RepoError, match="keyfile"):
        default_remote(MAIN + b"['remote \"other\"']\n    url = ssh://h/x\n    keyfile = /x\n")


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\xff\xfe", b"[core", b"[core]\nremote = store\n", b"[core]\nremote = a, b\n", b"remote = store\n",
        b"[core]\nremote = store\n['remote \"store\"']\n",
        b"[core]\nremote = store\n['remote \"store\"']\nurl = ../x\n",
        b"[core]\nremote = store\n['remote \"store\"']\nurl = %(x)s\n",
        b"[core]\nremote = store\n['remote \"store\"']\n[[url]]\nx = 1\n",
        b"[core]\nremote = store\n['remote \"store\"']\nurl = '''/a\nb'''\n",
    ],
)  # fmt: skip
def test_what_is_no_settings_file_is_refused(text):
    with pytest.raises(RepoError, match=r"\.dvc/config on main"):
        default_remote(text)


@pytest.mark.parametrize("url", ["remote://other/x", "memory://x", "dvc://x", "git://x", "ext::sh", "sftp://x"])
def test_what_is_no_place_for_a_store_is_refused(tmp_path, url):
    with pytest.raises(RepoError, match=r"not a place for a store|absolute path"):
        default_remote(MAIN.replace(b"s3://public/data", url.encode()))
    with pytest.raises(RepoError, match=r"not a place for a store|absolute path"):
        chosen_remote(MAIN, own(tmp_path, f"['remote \"store\"']\nurl = {url}\n"), {})


def test_a_password_in_mains_url_is_refused():
    with pytest.raises(RepoError, match="password in a URL"):
        default_remote(MAIN.replace(b"s3://public", b"webdavs://me:secret@host"))


@pytest.mark.parametrize("option", ["version_aware", "worktree"])
def test_other_layouts_are_refused(option):
    with pytest.raises(RepoError, match=option):
        default_remote(main_with(f"{option} = true"))
    assert option not in default_remote(main_with(f"{option} = false")).options


def test_a_replaced_remote_leaves_the_rest_as_it_was():
    text = b"# ours\n[core]\n    remote = store    # this one\n" + MAIN.partition(b"store\n")[2]
    changed = with_remote(text, Remote("store", "/data, of all #1", {"region": "x"}))
    assert default_remote(changed) == Remote("store", "/data, of all #1", {"region": "x"})
    assert changed.startswith(b"# ours\n[core]\n    remote = store    # this one\n")


def test_options_with_secrets_make_no_repo(tmp_path):
    with pytest.raises(RepoError, match="secret_access_key"):
        init(tmp_path / "repo", store="s3://b/x", options={"secret_access_key": "x"})
    with pytest.raises(UsageError):
        init(tmp_path / "repo", store="s3://b/\nx")
    assert not (tmp_path / "repo").exists()


def test_dvc_reads_the_settings_as_blastgit_does(tmp_path, run):
    odd = "s3://bucket/a, b; '1'"
    init(tmp_path / "repo", store=odd, options={"endpointurl": "http://127.0.0.1:1", "region": "eu"})
    run("git", "clone", "--quiet", tmp_path / "repo", tmp_path / "clone")
    listed = run("dvc", "config", "--list", cwd=tmp_path / "clone")
    assert f"remote.store.url={odd}\n" in listed
    assert "remote.store.endpointurl=http://127.0.0.1:1\n" in listed
    assert DataRepo(tmp_path / "repo").store_url == odd


@pytest.mark.parametrize(
    "url", ["{}/a{{x}}", "s3://bucket/{{x}}", "s3://bucket/a?b", "https://x.org/a#b", "ssh://h/{{}}"]
)
def test_addresses_that_plain_dvc_cannot_read_are_refused(repo, tmp_path, url):
    url = url.format(tmp_path)
    with pytest.raises(UsageError, match=r"plain DVC cannot read a store '.*, with [{}?#]"):
        init(tmp_path / "new", store=url, simulated=True)
    assert not (tmp_path / "new").exists()
    with pytest.raises(UsageError, match="plain DVC cannot read"):
        DataRepo(repo).stores.move(url)
    with pytest.raises(UsageError, match="plain DVC cannot read"):
        DataRepo(repo).stores.add("other", url)


def test_verify_finds_an_address_that_plain_dvc_cannot_read(repo, tmp_path, run):
    run("git", "clone", "-q", "-b", "main", repo, tmp_path / "clone")
    config = tmp_path / "clone/.dvc/config"
    config.write_text(config.read_text() + "['remote \"other\"']\n    url = s3://bucket/a?b\n")
    run("git", "-C", tmp_path / "clone", "commit", "-qam", "Add a store by hand")
    run("git", "--git-dir", repo, "config", "core.hooksPath", "/dev/null")  # as if it had none yet
    run("git", "-C", tmp_path / "clone", "push", "-q", "origin", "main")
    [problem] = [each for each in DataRepo(repo).verify().problems if each.kind == "document"]
    assert problem.where == "main:.dvc/config"
    assert "plain DVC cannot read a store 's3://bucket/a?b'" in problem.text


def test_a_repo_whose_own_path_would_be_such_an_address_needs_a_store(tmp_path):
    with pytest.raises(UsageError, match=r"plain DVC cannot read a store '.*/\{x\}/data.git/dvc'"):
        init(tmp_path / "{x}" / "data.git", simulated=True)


@pytest.mark.parametrize("name", ["a b", "a#b?c", "$HOME", "~x", "a%20b", "a'b,c", "é"])
@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_plain_dvc_reads_what_blastgit_wrote(tmp_path, name, form, sample, record):
    place = tmp_path / "stores" / name
    url = form.format(place if form == "{}" else quote(str(place)))
    repo = init(tmp_path / "new", store=url, simulated=True)
    record(tmp_path / "new", sample)
    assert repo.remote().url == str(place)
    (tmp_path / "config").write_bytes(repo.config)
    assert get_cloud_fs(Config.load_file(tmp_path / "config"), name="store")[2] == str(place)
    assert (place / "files/md5").is_dir()
