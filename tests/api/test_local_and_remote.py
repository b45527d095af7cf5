"""Each reading verb gives the same answer for a local and a remote data repo."""

import json
from pathlib import Path
from typing import Any

import pytest

from blastgit.cli import main
from blastgit.demo import refit, small
from blastgit.repository.policy import current_identity

pytestmark = pytest.mark.slow

SSH = '#!/bin/sh\nwhile test "$#" -gt 1; do shift; done\nunset GIT_PROTOCOL\nexec sh -c "$1"\n'

ME = f"u/{current_identity()}"

QUESTIONS = (
    """
list
list 2026d*
list u/*
log 2026dgt
log 2026dgt --stages
log u/alice/2026dgt
show 2026dgt
show 2026dgt@0
show 2026dgt/1
show 2026dgt@2026-06-01
show 2026dgt@latest-complete
show 2026dgt@v1.12.0
show 2026dgt:host.redshift
show 2026dgt@0:files
show 2026dgt@1:cutout_cdn/DES/DES_z.fits
show u/alice/2026dgt
show 2026dgt@0 --validity
show 2026dgt@7
show 2026none
diff 2026dgt@0 2026dgt@1
diff 2026dgt@0 u/alice/2026dgt@0
blame 2026dgt
blame 2026dgt host.redshift
status
plan 2026abc
types
types 2026dgt@0
collection list
collection show papers/first
collection members papers/first
collection resolve papers/first 2026dgt
collection log papers/first
collection check
collection names
collection releases
cite 2026dgt@0
cite release/papers/first/1
notes
notes 2026dgt@1
notes 2026dgt --history
attach
attach 2026dgt@0
metric
metric 2026dgt@0
query list
query show bright
query log bright
provenance 2026dgt@1
provenance 2026dgt@1:host.redshift
affected 2026dgt@0:cutout_cdn/DES/DES_z.fits
orphans
related 2026dgt
verify
verify 2026dgt
store
find --redshift 0..1
find --flag suspect
find --query bright
sql SELECT * FROM revisions ORDER BY 1, 2
compare v1.12.0 v1.13.1
""".strip()
    .replace("u/alice", ME)
    .splitlines()
)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data repo with something of everything, made once."""
    folder = tmp_path_factory.mktemp("rich")
    repo = folder / "data.git"
    first = small("2026dgt")
    (folder / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "bright.sql").write_text("-- description: bright ones\nSELECT transient, revision FROM revisions\n")
    again = refit(first, seed=1)
    again.export["metadata"] = {"app_version": "v1.13.1", "export_time": "2026-06-03T10:00:00+00:00"}
    samples = {"a": first, "b": again, "c": refit(first, seed=2), "d": small("2026abc", seed=3)}
    handed_in = {}
    for name, sample in samples.items():
        (folder / name).mkdir()
        handed_in[name] = sample.write(folder / name)
    commands = [
        ["init", str(repo), "--simulated"],
        *(["-C", repo, "record", name, "--export", handed_in[key][0], "--data", handed_in[key][1], *more]
          for key, name, more in (("a", "2026dgt", []), ("b", "2026dgt", []), ("d", "2026abc", []),
                                  ("c", "2026dgt", ["--as", ME]))),
        ["-C", repo, "collection", "create", "papers/first", "--type", "TAGGED", "-m", "A paper"],
        ["-C", repo, "collection", "add", "papers/first", "2026dgt@0", "2026abc@0", "-m", "Both"],
        ["-C", repo, "collection", "freeze", "papers/first", "1", "-m", "As submitted"],
        ["-C", repo, "annotate", "2026dgt@1", "--flag", "suspect", "-m", "Look again"],
        ["-C", repo, "attach", "2026dgt@0", folder / "plot.png"],
        ["-C", repo, "metric", "2026dgt@0", "astrometry.rms", "0.1", "arcsec"],
        ["-C", repo, "query", "add", "bright", folder / "bright.sql", "-m", "Bright"],
        ["-C", repo, "stage", "begin", "2026abc", "host-match", "--owner", "me"],
        ["-C", repo, "withdraw", "2026abc@0:cutout_cdn/DES/DES_z.fits", "--reason", "A mistake"],
    ]  # fmt: skip
    for command in commands:
        words = [str(word) for word in command]
        assert main(words) == 0, words
    return repo


@pytest.fixture
def ask(rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Ask a question of the repo, where it is or from elsewhere; return the exit code and the answer."""
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(tmp_path / "ssh"))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    url = f"ssh://data.example.org{rich}"

    def call(question: str, *, elsewhere: bool) -> tuple[int, Any]:
        verb, _, rest = question.partition(" ")
        words = [verb, rest] if verb == "sql" else question.split()
        monkeypatch.chdir(tmp_path)
        code = main(["-C", url if elsewhere else str(rich), *words, "--json"])
        out, err = capsys.readouterr()
        text = (out or err).replace(url, "REPO").replace(str(rich), "REPO")
        return code, json.loads(text) if out and code == 0 else text

    return call


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answers_are_the_same(ask: Any, question: str) -> None:
    (code, far), (_, near) = answers = ask(question, elsewhere=True), ask(question, elsewhere=False)
    if question.startswith("verify") and code == 0:
        assert near["ledger"].pop("entries") > 0
        assert far["ledger"].pop("entries") == 0, "of a ledger elsewhere, only checkpoints are known"
        assert (near["ledger"].pop("unentered"), far["ledger"].pop("unentered")) == (0, None)
        hint = "the ledger, the settings of git and the hooks of REPO cannot be looked at from elsewhere: run"
        assert [text.partition(" `")[0] for text in far.pop("advice")] == [hint] * (question == "verify")
        near.pop("advice")
    assert answers[0] == answers[1], far
