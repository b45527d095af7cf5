"""Shared by all tests: an isolated environment, a fresh data repo, invented transients, and real ones from Blast."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import pygit2
import pytest
from hypothesis import settings
from pygit2.enums import ConfigLevel

from benchmarks.crash import switch_off_maintenance
from blastgit import DataRepo
from blastgit.demo import Sample, change_image, refit, reprocess, small
from blastgit.plumbing.process import git_environment
from blastgit.recording.result import Recorded
from blastgit.repository.init import init
from blastgit.repository.references import ReferenceTypes
from blastgit.revision.export import Export, read_export

_EXPORTED = ReferenceTypes.exported
CASES = Path(__file__).resolve().parents[2] / "shared/blast/cases"
NOW = "2026-07-01T12:00:00+00:00"

# The same examples every time; HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("steady", deadline=None, database=None, derandomize=True, max_examples=60)
settings.register_profile("search", deadline=None, database=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3


def pytest_configure(config: pytest.Config) -> None:
    """Have the folders of tests in memory where there is room for them: on a disk, syncs take half of the time.

    `--basetemp` and PYTEST_DEBUG_TEMPROOT choose another place, a disk for one.
    """
    if config.option.basetemp is None and _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK):
        found = os.statvfs(_MEMORY)
        if found.f_bavail * found.f_frsize >= _ROOM and not found.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.fixture(autouse=True, scope="session")
def _hermetic_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same for the fixtures that many tests share."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _make_home(tmp_path_factory.mktemp("home"), monkeypatch)
        monkeypatch.setattr(ReferenceTypes, "exported", lambda _: {})
        yield


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The names of folders, one for each test: to number them itself, pytest lists all that exist each time."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture
def shared_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record what exports say of filters and surveys as references, as always but in other tests.

    Those are about the refs of one or two transients, and would have to look past a dozen more.
    """
    monkeypatch.setattr(ReferenceTypes, "exported", _EXPORTED)


@pytest.fixture(autouse=True)
def hermetic(_hermetic_session: None, _homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a home, an identity and a time of its own; nothing of the machine's settings gets in."""
    return _make_home(next(_homes), monkeypatch)


def _make_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("GIT_", "DVC_", "BLASTGIT_", "AWS_"))]:
        monkeypatch.delenv(name)
    home.mkdir(exist_ok=True)
    settings_file = home / "gitconfig"
    settings_file.write_text("[user]\n\tname = Test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n")
    folders = {
        "HOME": "", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state", "DVC_SITE_CACHE_DIR": "dvc-site", "DVC_GLOBAL_CONFIG_DIR": "dvc-global",
        "DVC_SYSTEM_CONFIG_DIR": "dvc-system",
    }  # fmt: skip
    for name, folder in folders.items():
        monkeypatch.setenv(name, str(home / folder))
    (home / "config").mkdir(exist_ok=True)  # astropy warns if it is named and missing
    (home / "cache").mkdir(exist_ok=True)
    fixed = {
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(settings_file), "DVC_NO_ANALYTICS": "1", "TZ": "UTC",
        "GIT_AUTHOR_NAME": "Author", "GIT_AUTHOR_EMAIL": "author@example.org", "GIT_AUTHOR_DATE": NOW,
        "GIT_COMMITTER_NAME": "Committer", "GIT_COMMITTER_EMAIL": "committer@example.org", "GIT_COMMITTER_DATE": NOW,
    }  # fmt: skip
    for name, value in fixed.items():
        monkeypatch.setenv(name, value)
    # libgit2 looked for the machine's settings when it was loaded, and would go on reading them.
    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL, ConfigLevel.PROGRAMDATA):
        pygit2.settings.search_path[level] = str(home / "none")
    return home


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A fresh data repo, in which maintenance never starts by itself: its locks would be taken for left ones."""
    init(tmp_path / "repo", simulated=True)
    switch_off_maintenance(tmp_path / "repo")
    return tmp_path / "repo"


@pytest.fixture(scope="session")
def cases() -> Path:
    """Blast's real histories, if they lie beside the checkout."""
    if not CASES.is_dir():
        pytest.skip(f"real Blast data are not at {CASES}")
    return CASES


@cache
def _sample(name: str) -> Sample:
    return small(name)


@pytest.fixture
def sample() -> Sample:
    """A small invented transient, 2026dgt."""
    return _sample("2026dgt")


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Recorded]:
    """Record a sample of `blastgit.demo`, as an operator does; takes `run` and `dry_run` too."""
    handed_in = tmp_path / "handed-in"

    def call(repo: Path, sample: Sample, **options: Any) -> Recorded:
        export, data = sample.write(handed_in / str(len(list(handed_in.glob("*")))))
        return DataRepo(repo).record(sample.name, export, data, **options)

    return call


@pytest.fixture
def repo_with(repo: Path, record: Callable[..., Recorded]) -> Callable[..., DataRepo]:
    """Record some samples, one after the other, and open the data repo."""

    def call(*samples: Sample) -> DataRepo:
        for sample in samples:
            record(repo, sample)
        return DataRepo(repo)

    return call


@cache
def _states() -> tuple[Sample, ...]:
    first = _sample("2026dgt")
    second = reprocess(first, app_version="v1.13.1", export_time="2026-06-02T09:00:00+00:00", seed=1, all_keys=True)
    third = refit(change_image(second, "DES_z", seed=2), seed=2)
    third.export["metadata"] = {"app_version": "v1.13.1", "export_time": "2026-06-03T10:00:00+00:00"}
    return first, second, third


@pytest.fixture
def states() -> tuple[Sample, ...]:
    """2026dgt three times: the first run (27 May 2026), a reprocess (2 June), a changed image and new fits (3 June)."""
    return _states()


@pytest.fixture
def history(repo: Path, states: tuple[Sample, ...], record: Callable[..., Recorded]) -> Path:
    """A data repo in which those three became revision 0, a reproduction of it, and revision 1."""
    assert [record(repo, state).status for state in states] == ["recorded", "unchanged", "recorded"]
    return repo


@pytest.fixture(scope="session")
def _shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf") / "repo"


@pytest.fixture
def library(_shelf: Path, states: tuple[Sample, ...], tmp_path: Path) -> Path:
    """The repo of `history`, made once for all tests that only read."""
    if not _shelf.exists():
        init(_shelf, simulated=True)
        for number, state in enumerate(states):
            export, data = state.write(tmp_path / "handed-in" / str(number))
            DataRepo(_shelf).record(state.name, export, data)
    return _shelf


@pytest.fixture(scope="session")
def tree_of() -> Callable[[Path], dict[str, str]]:
    """Take stock of a repository, refs and all files: two equal results mean that nothing happened to it.

    Lock files come and go, and the first try to publish leaves the turnstile's files and the repo's id for its stores:
    those are left out.
    """
    ours = {"publishing.gate", "publishing.turn", "store-id"}

    def call(repo: Path) -> dict[str, str]:
        stock = {
            str(path.relative_to(repo)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(repo.rglob("*"))
            if path.is_file() and path.parent != repo / "blastgit/locks" and path.name not in ours
        }
        return {**stock, "refs": _run("git", "--git-dir", repo, "for-each-ref")}

    return call


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Run a real command (`git`, or the `dvc` that is installed beside this Python) and return what it prints."""
    return _run


def _run(program: str, *args: object, cwd: Path | None = None, stdin: str = "") -> str:
    if program == "dvc":
        program = str(Path(sys.executable).with_name("dvc"))
    done = subprocess.run(
        [program, *map(str, args)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        env=git_environment(),
        check=False,
    )
    assert done.returncode == 0, f"{program} {args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def loose() -> Callable[[Path, str], Path]:
    """Return the file of a git object, which is taken out of its pack first: to damage it and nothing else."""

    def call(repo: Path, name: str) -> Path:
        for pack in (repo / "objects/pack").glob("*.pack"):
            aside = pack.rename(repo / pack.name)
            pack.with_suffix(".idx").unlink()
            with aside.open("rb") as file:
                subprocess.run(["git", "-C", repo, "unpack-objects", "-q"], stdin=file, check=True)
            aside.unlink()
        oid = _run("git", "-C", repo, "rev-parse", name).strip()
        return repo / "objects" / oid[:2] / oid[2:]

    return call


@pytest.fixture(scope="session")
def as_export() -> Callable[[dict[str, Any]], Export]:
    """Check a document as if Blast had just sent it."""
    return lambda document: read_export(json.dumps(document).encode())


@pytest.fixture
def ssh_key(tmp_path: Path) -> Path:
    """A key of jane@example.org, which git signs with."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen on this machine")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "jane", "-f", key], check=True)
    for name, value in (("gpg.format", "ssh"), ("user.signingkey", f"{key}.pub")):
        subprocess.run(["git", "config", "--global", name, value], check=True)
    kind, text, _ = Path(f"{key}.pub").read_text().split()
    (tmp_path / "signers").write_text(f"jane@example.org {kind} {text}\n")
    return key


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another disk than the test's own: in memory, or where programs put temporary files."""
    here = tmp_path.stat().st_dev
    for place in filter(Path.is_dir, (_MEMORY, Path(gettempdir()))):
        if place.stat().st_dev != here and os.access(place, os.W_OK):
            with TemporaryDirectory(prefix="blastgit-test-", dir=place) as folder:
                yield Path(folder)
            return
    pytest.skip("there is no second disk here")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where this user may mount one."""
    folder = tmp_path / "small-disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
