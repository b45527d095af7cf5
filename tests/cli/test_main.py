import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from blastgit import DataRepo, __version__
from blastgit import errors as errors_module
from blastgit.cli.main import VERBS, build_parser, main
from blastgit.errors import BlastgitError

pytestmark = pytest.mark.slow

ERRORS = [
    value for value in vars(errors_module).values() if isinstance(value, type) and issubclass(value, BlastgitError)
]


def fail_with(monkeypatch, error):
    def run(options):
        raise error

    monkeypatch.setattr("blastgit.cli.list.run", run)


def test_the_version(process):
    assert process("--version").out == f"blastgit {__version__}\n"


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"] if verb else ["--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert "usage: blastgit" in out
    assert max(map(len, out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required: VERB"),
        (["shwo"], "there is no verb 'shwo'; did you mean show?"),
        (["quux"], "`blastgit --help` lists"),
        (["show"], "see `blastgit show --help`"),
        (["show", "a", "b"], "unrecognized arguments: b; see `blastgit show --help`"),
        (["collection", "show", "a", "--frob"], "unrecognized arguments: --frob"),
        (["get", "2026dgt", "--forc"], "unrecognized arguments: --forc"),
        (["-C"], "expected one argument"),
        (["-C", "ftp://host/repo", "list"], "a data repo is a folder, or a URL of"),
        (["-C", "ext::sh -c id", "list"], "a data repo is a folder, or a URL of"),
        (["record", "2026dgt"], "takes both --export FILE and --data DIR"),
        (["record", "a.tar.gz", "--export", "x"], "leave out --export and --data"),
    ],
)
def test_calls_that_make_no_sense(cli, repo, arguments, words, monkeypatch):
    monkeypatch.setenv("BLASTGIT_REPO", str(repo))
    said = cli(*arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_its_exit_code_and_its_json(cli, repo, monkeypatch, error):
    fail_with(
        monkeypatch, error("in a sentence") if error.__init__ is Exception.__init__ else error("in a sentence", "")
    )
    said = cli("-C", repo, "list", "--json")
    assert said.code == error.exit_code
    assert json.loads(said.out) == {
        "error": {"kind": error.kind, "message": "in a sentence", "exit_code": error.exit_code}
    }
    assert said.err == "blastgit: in a sentence\n"
    assert cli("-C", repo, "list").out == ""


def test_exit_codes_are_those_of_the_documentation():
    text = (Path(__file__).resolve().parents[2] / "docs/exit-codes.md").read_text("utf-8")
    for error in ERRORS:
        assert f"| {error.exit_code} | `{error.kind}` | `{error.__name__}` |" in text


def test_a_crash_leaves_a_log(cli, repo, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fail_with(monkeypatch, RuntimeError("a bug"))
    said = cli("-C", repo, "list")
    log = tmp_path / "cache/blastgit/crash.log"
    assert (said.code, said.out) == (3, "")
    assert str(log) in said.err
    assert "Traceback" not in said.err
    text = log.read_text("utf-8")
    assert "RuntimeError: a bug" in text
    assert f"blastgit -C {repo} list" in text
    assert f"blastgit {__version__}, Python" in text


def test_a_crash_log_is_private_and_holds_no_secrets(cli, repo, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter22")
    log = tmp_path / "cache/blastgit/crash.log"
    log.parent.mkdir(parents=True)
    log.write_text("an older one, for all to read")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")

    def crash(*_: object) -> None:
        raise RuntimeError("https://alice:s3cret@host said hunter22")

    monkeypatch.setattr("blastgit.cli.list.run", crash)
    for before in (None, elsewhere):
        if before is not None:
            log.unlink()
            log.symlink_to(before)
        assert cli("-C", repo, "list").code == 3
        assert stat.S_IMODE(log.lstat().st_mode) == 0o600
        assert "s3cret" not in log.read_text()
        assert "hunter22" not in log.read_text()
    assert elsewhere.read_text() == "mine"


def test_a_crash_where_no_log_can_be_written(cli, repo, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    fail_with(monkeypatch, RuntimeError("a bug"))
    said = cli("-C", repo, "list")
    assert said.code == 3
    assert "RuntimeError: a bug" in said.err


def test_ctrl_c(cli, repo, monkeypatch):
    fail_with(monkeypatch, KeyboardInterrupt())
    said = cli("-C", repo, "list")
    assert (said.code, said.out) == (130, "")
    assert said.err.startswith("blastgit: interrupted")


def test_a_reader_that_goes_away_is_no_error(library, tmp_path):
    command = [sys.executable, "-m", "blastgit", "-C", str(library), "show", "2026dgt"]
    checkout = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=checkout) as shown:
        shown.stdout.close()
        assert shown.stderr.read() == b""
    assert shown.returncode == 0


def test_the_repo_comes_from_the_option_the_environment_or_the_folder(cli, library, repo, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # a checkout of this project looks like a clone of a data repo
    assert cli("list").code == 2
    monkeypatch.setenv("BLASTGIT_REPO", str(library))
    assert "2026dgt" in cli("list").out
    assert cli("-C", repo, "list").out == cli("list", "-C", repo).out == "no transient yet\n"
    monkeypatch.delenv("BLASTGIT_REPO")
    monkeypatch.chdir(library)
    assert "2026dgt" in cli("list").out


def test_a_repo_called_like_a_verb(cli, library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").symlink_to(library)
    assert "2026dgt" in cli("-C", "log", "list").out


@pytest.mark.parametrize("location", ["file://{}", "file://elsewhere{}", "{}"])
def test_reading_by_url(cli, library, location):
    said = cli("-C", location.format(library), "show", "2026dgt@0:metadata.app_version")
    assert (said.out, said.code) == ("v1.12.0\n", 0)


def test_no_repo_there(cli, tmp_path):
    for location in (tmp_path / "none", tmp_path, f"file://elsewhere{tmp_path}/none"):
        said = cli("-C", location, "list")
        assert (said.code, said.out) == (6, "")


def test_a_repo_of_a_newer_format(cli, history, run, tmp_path):
    run("git", "clone", "--quiet", "--branch", "main", "--single-branch", history, tmp_path / "clone")
    settings = tmp_path / "clone/blastgit.yaml"
    settings.write_text(settings.read_text().replace("format: 1", "format: 2"))
    run("git", "commit", "--quiet", "--all", "--message", "newer", cwd=tmp_path / "clone")
    run("git", "-C", history, "fetch", "--quiet", tmp_path / "clone", "main:main")
    for verb in (["list"], ["show", "2026dgt"], ["get", "2026dgt", tmp_path / "out"]):
        said = cli("-C", history, *verb)
        assert said.code == 6
        assert "format 2" in said.err
        assert "install a newer" in said.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repo_of_someone_else(process, history, monkeypatch):
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")  # libgit2 does not know it; `git config --global` then writes to HOME
    for path in (history, *history.rglob("*")):
        os.chown(path, 12345, 12345)
    said = process("-C", history, "list")
    assert said.code == 6
    assert f"git config --global --add safe.directory {history}" in said.err
    subprocess.run(["git", "config", "--global", "--add", "safe.directory", str(history)], check=True)
    assert process("-C", history, "list").code == 0


WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
"""How root becomes one whom permissions bind; everyone else is already."""


@pytest.fixture
def read_only(tmp_path):
    """Let nobody write to a repo any more, and return what runs a verb there for one whom that binds."""

    def make(repo):
        for path in (*repo.rglob("*"), repo):
            path.chmod(path.stat().st_mode & ~0o222)
        bound = WITHOUT_PRIVILEGES if os.geteuid() == 0 else []
        if bound and shutil.which("setpriv") is None:
            pytest.skip("root cannot give up its privileges here: there is no setpriv")
        if not subprocess.run([*bound, "touch", repo / "new"], capture_output=True, check=False).returncode:
            pytest.skip("nothing keeps this user from writing")
        command = [*bound, sys.executable, "-m", "blastgit", "-C", repo]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        return lambda *verb: subprocess.run(
            [*command, *verb], cwd=tmp_path, env=environment, capture_output=True, check=False
        )

    return make


@pytest.mark.parametrize(
    "verb",
    [["list"], ["log", "2026dgt"], ["show", "2026dgt"], ["blame", "2026dgt"], ["verify"],
     ["diff", "2026dgt@0", "2026dgt@1"], ["get", "2026dgt", "out"]],
    ids=lambda verb: verb[0],
)  # fmt: skip
def test_a_read_only_repo_can_be_read(verb, history, read_only):
    done = read_only(history)(*verb)
    assert done.returncode == 0, done.stderr


def test_the_index_of_a_read_only_repo(history, read_only):
    """It is read as it is; where there is none, somebody else has to make it."""
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    DataRepo(history).index.update()
    run = read_only(history)
    assert run("find", "--names").stdout == b"2026dgt@1\n"
    (history / "blastgit" / "index.duckdb").unlink()
    done = run("find")
    assert done.returncode == 5
    assert b"has no index yet: `blastgit index` makes it, if you may write there" in done.stderr


@pytest.mark.parametrize(
    "verb", [["list"], ["log", "2026dgt"], ["diff", "2026dgt@0", "2026dgt"], ["get", "2026dgt", "out"], ["verify"]]
)
def test_no_escape_codes_where_nobody_sees_them(cli, library, verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = cli("-C", library, *verb)
    assert said.code == 0
    assert "\x1b" not in said.out + said.err
    assert said.err == ""


def test_bold_on_a_terminal_unless_no_color(library, process):
    pty = pytest.importorskip("pty")

    def on_terminal(**variables):
        leader, follower = pty.openpty()
        command = [sys.executable, "-m", "blastgit", "-C", str(library), "log", "2026dgt"]
        checkout = Path(__file__).resolve().parents[2]
        subprocess.run(command, stdout=follower, check=True, cwd=checkout, env={**os.environ, **variables})
        os.close(follower)
        try:
            return os.read(leader, 100_000).decode()
        finally:
            os.close(leader)

    assert "\x1b[1m2026dgt@1\x1b[0m" in on_terminal()
    assert "\x1b" not in on_terminal(NO_COLOR="1")


def test_a_terminal_without_our_letters(process, library):
    said = process("-C", library, "diff", "2026dgt@0", "2026dgt@1", PYTHONIOENCODING="ascii")
    assert said.code == 0
    assert "\\u2026 and " in said.out


def test_every_verb_has_a_module_and_no_module_is_left_out():
    folder = Path(main.__code__.co_filename).parent
    shared = {"__init__", "main", "common", "with_index", "annotation_options"}
    modules = {path.stem for path in folder.glob("*.py")} - shared
    assert {module.rstrip("_") for module in modules} == set(VERBS)  # import_.py: the word is Python's own


def test_the_parser_builds_with_all_verbs():
    assert re.search(r"\{?init", build_parser().format_help())
