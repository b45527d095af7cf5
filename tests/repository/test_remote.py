"""Remote writers and readers: a data repo behind `git http-backend` and `git daemon`, without local access."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import Sample, change_image, refit, reprocess, small
from blastgit.errors import BlastgitError, Busy, Denied, NotFound, RepoError, StoreError, UsageError
from blastgit.plumbing.push import Outcome, PushFailed
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.recording.result import Recorded
from blastgit.repository import remote as mirror
from blastgit.repository.location import local_path, shown
from blastgit.repository.remote import RemoteRepository
from tests.http_backend import served_by_daemon, served_over_http

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
WRITERS = 8
Git = Callable[..., str]


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def git(repo: Path, run: Git) -> Git:
    """Run git in the data repo itself."""
    return lambda *args, **options: run("git", "--git-dir", repo, *args, **options).strip()


@pytest.fixture
def web(repo: Path, git: Git) -> Iterator[tuple[str, list[str]]]:
    git("config", "http.receivepack", "true")
    with served_over_http(repo.parent) as (url, requests):
        yield f"{url}/bob/{repo.name}", requests


@pytest.fixture
def url(web: tuple[str, list[str]]) -> str:
    return web[0]


@pytest.fixture
def daemon(repo: Path) -> Iterator[str]:
    with served_by_daemon(repo.parent) as url:
        yield f"{url}/{repo.name}"


@pytest.fixture
def ssh(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A URL that git opens by a stand-in for ssh, which runs here what it should run there."""
    program = tmp_path / "ssh"
    program.write_text('#!/bin/sh\nwhile test "$#" -gt 1; do shift; done\nunset GIT_PROTOCOL\nexec sh -c "$1"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    return f"ssh://data.example.org{repo}"


@pytest.mark.parametrize("form", ["{}", "me@data.example.org:{}"])
def test_recording_by_ssh(ssh: str, form: str, repo: Path, sample: Sample, add: Any, tmp_path: Path) -> None:
    where = ssh if form == "{}" else form.format(repo)
    assert add(where, sample).revision == 0
    assert add(where, refit(sample, seed=1)).revision == 1
    assert [each.revision.number for each in DataRepo(where).log("2026dgt")] == [1, 0]
    assert len(DataRepo(where).get("2026dgt@0", tmp_path / "out").written) == len(sample.files) + 1


@pytest.mark.parametrize("words", [["--repo", "{}", "record"], ["-C", "{}", "record"], ["record", "--repo", "{}"]])
def test_the_command_line_takes_a_url(
    words: list[str], url: str, sample: Sample, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    export, data = sample.write(tmp_path / "in")
    given = [word.format(url) for word in words]
    assert main([*given, sample.name, "--export", str(export), "--data", str(data)]) == 0
    assert "recorded as revision 0" in capsys.readouterr().out


@pytest.fixture
def add(tmp_path: Path) -> Callable[..., Recorded]:
    """Record a sample to a URL, or in an opened repo."""
    handed_in = tmp_path / "sent"

    def call(where: str | DataRepo, sample: Sample, **options: Any) -> Recorded:
        export, data = sample.write(handed_in / str(len(list(handed_in.glob("*")))))
        opened = DataRepo(where) if isinstance(where, str) else where
        return opened.record(sample.name, export, data, **options)

    return call


def refs_of(opened: DataRepo, run: Git) -> list[str]:
    return run("git", "--git-dir", opened.path, "for-each-ref", "--format=%(refname)").split()


def depth_of(opened: DataRepo, ref: str, run: Git) -> int:
    return int(run("git", "--git-dir", opened.path, "rev-list", "--count", ref))


def at_once(url: str, samples: list[Sample], folder: Path) -> list[dict[str, Any]]:
    """Record all samples at the same time, each by a `blastgit record` of its own."""
    workers = []
    for i, sample in enumerate(samples):
        (folder / f"worker{i}").mkdir()
        export, data = sample.write(folder / f"worker{i}")
        command = [sys.executable, "-m", "blastgit", "record", sample.name, "--export", export, "--data", data]
        workers.append(subprocess.Popen(
            [*command, "--repo", url, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        ))  # fmt: skip
    answers = [worker.communicate() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers), answers
    return [json.loads(out) for out, _ in answers]


@pytest.mark.parametrize("server", ["url", "daemon"])
def test_eight_workers_elsewhere_at_once(
    server: str, request: pytest.FixtureRequest, repo: Path, sample: Sample, tmp_path: Path, git: Git
) -> None:
    where = request.getfixturevalue(server)
    same = [refit(sample, seed=i) for i in range(WRITERS // 2)]
    again = [sample] * 2
    others = [small(f"2026b{i}", seed=i) for i in range(WRITERS - len(same) - len(again))]
    results = at_once(where, [*same, *again, *others], tmp_path)
    assert {each["status"] for each in results} <= {"recorded", "unchanged"}
    for name in {each["transient"] for each in results}:
        numbers = [each["revision"] for each in results if each["transient"] == name and each["status"] == "recorded"]
        tags = git("for-each-ref", "--format=%(refname:lstrip=-1)", f"refs/tags/{name}/").split()
        assert sorted(numbers) == sorted(map(int, tags)) == list(range(len(numbers)))
    git("fsck", "--strict")
    assert DataRepo(repo).verify().problems == []
    assert DataRepo(where).verify().problems == []


def test_the_same_state_from_eight_workers_elsewhere_is_one_revision(
    url: str, repo: Path, sample: Sample, tmp_path: Path
) -> None:
    results = at_once(url, [sample] * WRITERS, tmp_path)
    assert sorted(each["status"] for each in results) == ["recorded"] + ["unchanged"] * (WRITERS - 1)
    assert DataRepo(repo).verify().problems == []


def test_recording_fetches_one_tip_and_main(
    url: str, history: Path, states: tuple[Sample, ...], add: Callable[..., Recorded], run: Git, record: Any
) -> None:
    record(history, small("2026other"))
    opened = DataRepo(url)
    assert add(opened, states[0], dry_run=True).revision == 2
    assert refs_of(opened, run) == ["refs/heads/2026dgt", "refs/heads/main"]
    result = add(opened, refit(states[2], seed=9))
    assert (result.status, result.revision) == ("recorded", 2)
    assert depth_of(opened, "2026dgt", run) == 4  # a new state is looked for among the earlier ones, too


def test_the_result_is_that_of_recording_where_the_repo_is(
    url: str,
    repo: Path,
    states: tuple[Sample, ...],
    add: Callable[..., Recorded],
    record: Any,
    tmp_path: Path,
    run: Git,
) -> None:
    here = tmp_path / "here"
    DataRepo.init(here, simulated=True)
    back = reprocess(states[0], app_version="v1.14.0", export_time="2026-06-05T09:00:00+00:00", seed=5)
    again = reprocess(back, app_version="v1.15.0", export_time="2026-06-06T09:00:00+00:00", seed=6)
    steps = [*states, back, again, change_image(again, "DES_z", seed=7)]
    for step in steps:
        far, near = add(url, step).to_json(), record(here, step).to_json()
        del near["commit"], far["commit"], near["marker"], far["marker"]
        assert far == near
    trees = [run("git", "--git-dir", where, "log", "--format=%B", "2026dgt") for where in (repo, here)]
    assert trees[0] == trees[1]


def test_a_tip_without_a_revision_makes_the_walk_go_back(
    url: str, repo: Path, sample: Sample, add: Callable[..., Recorded], record: Any, git: Git, run: Git
) -> None:
    states = [
        reprocess(sample, app_version=f"v2.{n}", export_time=f"2026-06-{n + 1:02}T09:00:00+00:00", seed=n)
        for n in range(7)
    ]
    record(repo, sample)
    assert {record(repo, state).status for state in states} == {"unchanged"}
    tip = git("rev-parse", "2026dgt")
    opened = DataRepo(url)
    result = add(opened, states[-1])
    assert (result.status, result.revision, result.marker) == ("unchanged", 0, None)
    assert git("rev-parse", "2026dgt") == tip
    assert depth_of(opened, "2026dgt", run) == 8
    assert add(opened, refit(states[-1], seed=3)).revision == 1


def test_a_list_looks_beyond_all_tips_at_once(
    web: tuple[str, list[str]], repo: Path, record: Any, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, requests = web
    for first in (sample, small("2026a1"), small("2026b1")):
        record(repo, first)
        record(repo, reprocess(first, app_version="v2.0", export_time="2026-06-20T09:00:00+00:00", seed=1))
    opened = DataRepo(url)
    del requests[:]
    assert [each.to_json() for each in opened.list()] == [each.to_json() for each in DataRepo(repo).list()]
    assert sum("info/refs" in request for request in requests) == 2, "one fetch of tips, and one of what is before them"


def test_a_strangers_branches_with_odd_names_do_no_harm(url: str, repo: Path, sample: Sample, record: Any) -> None:
    record(repo, sample)
    tip = DataRepo(repo).log("2026dgt")[0].revision.id.encode()
    with (repo / "packed-refs").open("ab") as file:
        file.writelines(tip + b" refs/heads/" + name + b"\n" for name in (b"x!", b"\xff", b"-x", b"a/b", b"$(id)"))
    for where in (url, str(repo)):
        assert "2026dgt" in [each.name for each in DataRepo(where).list()]
        assert not DataRepo(where).verify().is_sound


def test_a_dry_run_elsewhere_writes_nothing(
    url: str, repo: Path, sample: Sample, add: Callable[..., Recorded], tree_of: Any
) -> None:
    before = tree_of(repo)
    result = add(url, sample, dry_run=True)
    assert (result.status, result.commit) == ("recorded", None)
    assert tree_of(repo) == before


def test_one_opened_repo_sees_what_others_record(
    url: str, repo: Path, sample: Sample, add: Callable[..., Recorded], record: Any
) -> None:
    opened = DataRepo(url)
    assert add(opened, sample).revision == 0
    record(repo, refit(sample, seed=1))
    assert opened.show("2026dgt").revision == "2026dgt@1"
    assert add(opened, refit(sample, seed=1)).status == "unchanged"
    assert add(opened, refit(sample, seed=2)).revision == 2
    assert [entry.revision.number for entry in opened.log("2026dgt")] == [2, 1, 0]


def _overtake(monkeypatch: pytest.MonkeyPatch, first: Callable[[], object]) -> None:
    """Do something right before the next push."""
    real = mirror.push_refs

    def push(*arguments: Any) -> None:
        monkeypatch.setattr(mirror, "push_refs", real)
        first()
        real(*arguments)

    monkeypatch.setattr(mirror, "push_refs", push)


@pytest.mark.parametrize("other", [0, 1])
def test_who_is_overtaken_decides_anew(
    url: str, repo: Path, sample: Sample, add: Any, record: Any, monkeypatch: pytest.MonkeyPatch, other: int
) -> None:
    record(repo, sample)
    mine = refit(sample, seed=1)
    theirs = [mine, refit(sample, seed=2)][other]
    opened, waits = DataRepo(url), []
    opened.session.repository._sleep = waits.append  # type: ignore[attr-defined]
    _overtake(monkeypatch, lambda: record(repo, theirs))
    result = add(opened, mine)
    assert (result.status, result.revision) == [("unchanged", 1), ("recorded", 2)][other]
    assert len(waits) == 1
    assert DataRepo(repo).verify().problems == []


@pytest.mark.parametrize("timeout", [0.0, 30.0])
def test_who_is_overtaken_all_the_time_gives_up_after_a_time_and_not_a_number_of_tries(
    url: str, repo: Path, sample: Sample, add: Any, record: Any, monkeypatch: pytest.MonkeyPatch, timeout: float
) -> None:
    clock, waits, pushes = [1000.0], [], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    opened = DataRepo(url)

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds + 0.5  # a push takes a while

    def push(*_: Any) -> None:
        pushes.append(1)
        raise PushFailed(Outcome.MOVED, "stale info")

    opened.session.repository._sleep = sleep  # type: ignore[attr-defined]
    monkeypatch.setattr(mirror, "push_refs", push)
    with pytest.raises(Busy, match=rf"others kept moving 2026dgt for {timeout:g} s"):
        add(opened, sample, timeout=timeout)
    assert sum(waits) + 0.5 * len(waits) < timeout + 0.6
    assert (len(pushes) == 1) if timeout == 0 else (len(pushes) > 5)
    assert DataRepo(repo).list() == []


@pytest.mark.parametrize("revisions", [0, 1])
def test_a_tag_whose_branch_a_dead_writer_did_not_move_is_rolled_forward(
    url: str, repo: Path, sample: Sample, add: Any, record: Any, git: Git, revisions: int
) -> None:
    for number in range(revisions):
        record(repo, refit(sample, seed=number))
    before = git("rev-parse", "2026dgt") if revisions else None
    record(repo, refit(sample, seed=revisions))
    git(*(["update-ref", "refs/heads/2026dgt", before] if before else ["update-ref", "-d", "refs/heads/2026dgt"]))
    result = add(url, refit(sample, seed=8))
    assert (result.status, result.revision) == ("recorded", revisions + 1)
    assert DataRepo(repo).verify().problems == []


def test_a_branch_whose_tag_a_dead_writer_did_not_make_gets_it(
    url: str, repo: Path, sample: Sample, add: Any, record: Any, git: Git
) -> None:
    record(repo, sample)
    record(repo, refit(sample, seed=1))
    git("update-ref", "-d", "refs/tags/2026dgt/1")
    result = add(url, refit(sample, seed=8))
    assert (result.status, result.revision) == ("recorded", 2)
    assert git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/tags").split() == ["0", "1", "2"]
    assert DataRepo(repo).verify().problems == []


def test_a_push_that_a_hook_declines(url: str, repo: Path, sample: Sample, add: Any, git: Git) -> None:
    hook = repo / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'not on a \\033[31mSunday\\n' >&2; exit 1\n")
    with pytest.raises(Denied, match=r"rejected this: not on a .*Sunday") as caught:
        add(url, sample)
    assert "\x1b" not in str(caught.value)
    assert git("for-each-ref", "refs/heads/2026dgt", "refs/tags") == ""


def test_the_policy_of_the_server_decides(
    url: str, repo: Path, sample: Sample, add: Any, run: Git, tmp_path: Path
) -> None:
    run("git", "clone", "--quiet", "--branch", "main", "--single-branch", repo, tmp_path / "clone")
    with (tmp_path / "clone/blastgit.yaml").open("a") as file:
        file.write("policy: {roles: {admin: [alice], writer: [bob]}}\n")
    run("git", "commit", "--quiet", "--all", "--message", "policy", cwd=tmp_path / "clone")
    run("git", "push", "--quiet", "origin", "main", cwd=tmp_path / "clone")
    with pytest.raises(Denied, match="eve does not have the role 'writer'"):
        add(url.replace("/bob/", "/eve/"), sample)
    assert add(url, sample).revision == 0


def test_a_name_that_differs_only_in_case_is_found_by_the_server(url: str, sample: Sample, add: Any) -> None:
    add(url, sample)
    with pytest.raises(Denied, match="differs only in case"):
        add(url, small("2026DGT"))


def test_a_server_without_pushes(url: str, git: Git, sample: Sample, add: Any) -> None:
    git("config", "http.receivepack", "false")
    with pytest.raises(Denied, match="ask its owner for access"):
        add(url, sample)


def test_a_server_that_is_gone(repo: Path, git: Git, sample: Sample, add: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    git("config", "http.receivepack", "true")
    with served_over_http(repo.parent) as (root, _):
        url = f"{root}/bob/repo"
        opened = DataRepo(url)
    with pytest.raises(RepoError, match="check whether the server is up"):
        add(opened, sample)
    with pytest.raises(RepoError, match="check whether the server is up"):
        DataRepo(url.replace("http", "git"))
    with ExitStack() as server:
        root, _ = server.enter_context(served_over_http(repo.parent))
        opened = DataRepo(f"{root.replace('//', '//me:secret@')}/bob/repo")
        _overtake(monkeypatch, server.close)
        with pytest.raises(RepoError, match="any more: as far as can be seen, nothing was changed") as caught:
            add(opened, sample)
    assert "secret" not in str(caught.value)
    assert git("for-each-ref", "refs/heads/2026dgt", "refs/tags") == ""


def test_an_answer_that_was_lost_is_no_failure(
    url: str, repo: Path, sample: Sample, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mirror.push_refs

    def push(*arguments: Any) -> None:
        real(*arguments)
        raise PushFailed(Outcome.UNKNOWN, "the remote end hung up unexpectedly")

    monkeypatch.setattr(mirror, "push_refs", push)
    opened = DataRepo(url)
    assert add(opened, sample).status == "recorded"
    assert opened.verify().problems == []


def test_a_worker_that_dies_before_the_push_leaves_only_contents(
    url: str, repo: Path, sample: Sample, add: Any, tmp_path: Path, git: Git
) -> None:
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin/git"
    wrapper.write_text(f'#!/bin/sh\ncase " $* " in *" push "*) kill -9 $PPID;; esac\nexec {shutil.which("git")} "$@"\n')
    wrapper.chmod(0o755)
    (tmp_path / "in").mkdir()
    (tmp_path / "tmp").mkdir()
    export, data = sample.write(tmp_path / "in")
    command = [sys.executable, "-m", "blastgit", "-C", url, "record", sample.name, "--export", export, "--data", data]
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PATH": path, "TMPDIR": str(tmp_path / "tmp")}
    assert subprocess.run(command, env=environment, check=False).returncode == -9
    (left,) = (tmp_path / "tmp").iterdir()
    assert git("for-each-ref", "refs/heads/2026dgt", "refs/tags") == ""
    assert list((repo / "dvc/files/md5").rglob("*/*"))
    assert add(url, sample).revision == 0
    assert DataRepo(repo).verify().problems == []
    assert left.exists()
    environment["PATH"] = os.environ["PATH"]
    subprocess.run([*command, "--dry-run"], env=environment, check=True)
    assert list((tmp_path / "tmp").iterdir()) == [], "the next process clears what the killed one left"


def test_a_store_that_is_a_folder_of_another_machine(
    url: str, repo: Path, sample: Sample, add: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "dvc").rename(repo / "dvc-is-there")
    (repo / "dvc").mkdir()
    (repo / "dvc/precious").touch()
    with pytest.raises(StoreError, match="set BLASTGIT_STORE to a URL"):
        add(url, sample)
    assert [path.name for path in (repo / "dvc").iterdir()] == ["precious"]
    (repo / "dvc/precious").unlink()
    (repo / "dvc").rmdir()
    with pytest.raises(StoreError, match="which is not a store on this machine"):
        add(url, sample)
    assert not (repo / "dvc").exists()
    (repo / "dvc-is-there").rename(repo / "dvc")
    (tmp_path / "way").symlink_to(repo / "dvc")
    monkeypatch.setenv("BLASTGIT_STORE", str(tmp_path / "way"))
    assert add(url, sample).revision == 0


def test_reading_verbs_fetch_what_they_need(
    url: str, history: Path, record: Any, run: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(history, small("2026other"))

    trace = tmp_path / "packets"
    monkeypatch.setenv("GIT_TRACE_PACKET", str(trace))

    def asked(question: Callable[[DataRepo], object]) -> list[str]:
        """Return what was fetched, having seen that the server named no other ref."""
        opened = DataRepo(url)
        question(opened)
        fetched = refs_of(opened, run)
        named = set(re.findall(r"fetch< [0-9a-f]{40} (refs/\S+)", trace.read_text()))
        trace.unlink()
        assert named == set(fetched)
        fetched.remove("refs/heads/main")
        return [ref.removeprefix("refs/") for ref in fetched]

    branch, tags = "heads/2026dgt", ["tags/2026dgt/0", "tags/2026dgt/1"]
    assert asked(lambda opened: opened.get("2026dgt@0", tmp_path / "out")) == [tags[0]]
    assert asked(lambda opened: opened.show("2026dgt")) == [branch]
    assert asked(lambda opened: opened.diff("2026dgt@0", "2026dgt@1")) == tags
    assert asked(lambda opened: opened.log("2026dgt")) == [branch, *tags]
    assert asked(lambda opened: opened.blame("2026dgt")) == [branch, *tags]
    assert asked(lambda opened: opened.verify("2026dgt")) == [branch, *tags]
    assert asked(lambda opened: opened.list()) == [branch, "heads/2026other"]
    assert asked(lambda opened: opened.verify()) == [branch, "heads/2026other", *tags, "tags/2026other/0"]
    opened = DataRepo(url)
    opened.get("2026dgt@1", tmp_path / "out1")
    assert depth_of(opened, "2026dgt/1", run) == 1
    opened.show("2026dgt")
    assert depth_of(opened, "2026dgt", run) == 1


def test_reading_elsewhere_says_what_reading_here_does(url: str, history: Path) -> None:
    far, near = DataRepo(url), DataRepo(history)
    questions: list[Callable[[DataRepo], Any]] = [
        lambda repo: [each.to_json() for each in repo.list()],
        lambda repo: [each.to_json() for each in repo.log("2026dgt")],
        lambda repo: [each.to_json() for each in repo.blame("2026dgt")],
        lambda repo: repo.diff("2026dgt@0", "2026dgt").to_json(),
        lambda repo: repo.show("2026dgt@2026-05-28").to_json(),
        lambda repo: {**repo.verify().to_json(), "ledger": None, "advice": None},  # these lie with the repo
        lambda repo: {**repo.verify("2026dgt").to_json(), "ledger": None},
    ]
    for question in [*questions, *questions[::-1]]:
        assert question(far) == question(near)


@pytest.mark.parametrize("spec", ["2010H", "2026none", "2026dgu@0", "2026dgt@7", "2026dgt@2020-01-01"])
def test_what_is_not_there(url: str, history: Path, spec: str) -> None:
    with pytest.raises(NotFound) as far:
        DataRepo(url).show(spec)
    assert "/mirror.git" not in str(far.value)
    with pytest.raises(NotFound) as near:
        DataRepo(history).show(spec)
    assert str(far.value).replace(url, "") == str(near.value).replace(str(history), "")


@pytest.mark.parametrize(
    "location",
    [
        "ext::sh -c 'touch OWNED'", "ext://sh", "fd::17", "http::http://127.0.0.1/x", "-oProxyCommand=touch OWNED:x",
        "ssh://-oProxyCommand=touch%20OWNED/x", "ssh://me@-oProxyCommand=x/y", "me@-oProxyCommand=x:y",
        "http://[bad/x", "host:a\nb", "a\0b", "", "javascript://x",
    ],
)  # fmt: skip
def test_locations_that_are_refused(location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        DataRepo(location)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("location", ["--upload-pack=touch OWNED", "-x", "$(touch OWNED)", "x|y"])
def test_locations_that_are_odd_paths(location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RepoError, match="there is no data repo"):
        DataRepo(location)
    assert list(tmp_path.iterdir()) == []


def test_what_a_location_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd:name").mkdir()
    folders = {"file:///a%20b": "/a b", "file:/a": "/a", "file://localhost/a": "/a", "/a": "/a", "a": "a"}
    assert {text: str(local_path(text)) for text in folders} == folders
    assert local_path("odd:name") == Path("odd:name")
    for url in ("ssh://me@host/x", "host:x", "me@host:x", "git://host/x", "https://[::1]:80/x", "file://other/x"):
        assert local_path(url) is None
    assert shown("https://me:secret@host/x@y") == "https://host/x@y"
    assert shown("ssh://me@host/x") == "ssh://me@host/x"


def _forge(repo: Path, git: Git, change: Callable[[dict[str, bytes]], None], ref: str, message: str) -> None:
    """Put a commit into the data repo itself, past its hook, as its owner can."""
    listed = git("ls-tree", "-r", ref).splitlines()
    files = {line.split("\t")[1]: git("cat-file", "blob", line.split()[2]).encode() + b"\n" for line in listed}
    change(files)
    index = repo.parent / "forged-index"
    for path, data in files.items():
        blob = git("hash-object", "-w", "--stdin", stdin=data.decode())
        subprocess.run(
            ["git", "--git-dir", repo, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}"],
            check=True, env={**os.environ, "GIT_INDEX_FILE": str(index)},
        )  # fmt: skip
    tree = subprocess.run(
        ["git", "--git-dir", repo, "write-tree"], check=True, capture_output=True, text=True,
        env={**os.environ, "GIT_INDEX_FILE": str(index)},
    ).stdout.strip()  # fmt: skip
    commit = git("commit-tree", tree, "-p", ref, stdin=message)
    git("update-ref", f"refs/heads/{ref}", commit)
    if ref != "main":
        git("tag", "--annotate", "--message=x", f"{ref}/1", commit)


def test_options_of_a_strangers_main_are_not_obeyed(
    url: str, repo: Path, sample: Sample, add: Any, record: Any, git: Git, tmp_path: Path
) -> None:
    record(repo, sample)
    evil = (
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = ssh://127.0.0.1/x\n"
        f"    ask_password = true\n    keyfile = {tmp_path}/key\n    password = x\n"
    )
    _forge(repo, git, lambda files: files.update({".dvc/config": evil.encode()}), "main", "evil\n")
    with pytest.raises(RepoError, match="only a user's own settings may"):
        DataRepo(url).get("2026dgt@0", tmp_path / "out")
    with pytest.raises(RepoError, match="only a user's own settings may"):
        add(url, refit(sample, seed=1))


def test_settings_that_a_branch_brings_are_not_even_read(
    url: str, repo: Path, sample: Sample, record: Any, git: Git, tmp_path: Path
) -> None:
    """A clone of such a tag would ask another store; blastgit asks the one that main names, and runs nothing."""
    record(repo, sample)
    record(repo, refit(sample, seed=1))
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/run\n")
    program.chmod(0o755)
    evil = (
        f"[core]\n    remote = evil\n    hardlink_lock = {program}\n['remote \"evil\"']\n    url = {tmp_path}/evil\n"
        f"    custom_auth_header = x\n    gdrive_service_account_json_file_path = {program}\n['filter \"x\"']\n"
    )
    config = {".dvc/config": evil.encode(), ".gitattributes": b"* filter=x diff=x merge=x\n"}
    git("config", "filter.x.smudge", str(program))
    git("config", "diff.x.textconv", str(program))
    git("update-ref", "-d", "refs/tags/2026dgt/1")
    _forge(repo, git, lambda files: files.update(config), "2026dgt", git("log", "-1", "--format=%B", "2026dgt"))
    for number, where in enumerate((url, str(repo))):
        opened = DataRepo(where)
        assert len(opened.get("2026dgt@1", tmp_path / str(number)).written) == len(sample.files) + 1
        opened.diff("2026dgt@0", "2026dgt@1")
        opened.verify("2026dgt")
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("path", ["../../escaped.fits", "/tmp/escaped.fits", "cutout_cdn/../../escaped.fits"])
def test_a_documents_paths_stay_in_the_folder(
    url: str, repo: Path, sample: Sample, record: Any, git: Git, tmp_path: Path, path: str
) -> None:
    record(repo, sample)

    def change(files: dict[str, bytes]) -> None:
        document = json.loads(files["2026dgt.json"])
        document["metadata"]["dataset_version"] = 1
        name = next(iter(document["files"]))
        document["files"][path] = document["files"].pop(name)
        files["2026dgt.json"] = (json.dumps(document, indent=1) + "\n").encode()

    _forge(repo, git, change, "2026dgt", "2026dgt revision 1: x\n\nRevision: 1\nMarker: revision\n")
    out = tmp_path / "deep/er/out"
    with pytest.raises(BlastgitError):
        DataRepo(url).get("2026dgt@1", out)
    assert not list(tmp_path.rglob("*escaped*"))


def test_moving_refs_elsewhere_is_all_or_nothing(url: str, repo: Path, sample: Sample, record: Any, git: Git) -> None:
    record(repo, sample)
    far = RemoteRepository(url, sleep=lambda seconds: None)
    assert far.tip("2026dgt") is not None
    tip = git("rev-parse", "2026dgt")
    commit = far.git.create_commit(None, far.committer(), far.committer(), "x", far.git[tip].tree_id, [tip])
    before = git("for-each-ref")
    with pytest.raises(RefMoved):
        far.update_refs(
            [RefUpdate("refs/tags/2026dgt/0", str(commit)), RefUpdate("refs/heads/2026dgt", str(commit), tip)], "x"
        )
    assert git("for-each-ref") == before
