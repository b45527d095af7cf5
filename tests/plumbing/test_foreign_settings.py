"""Git settings of a user or a machine change nothing: no ref, no answer, no stored data."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pygit2
import pytest
from pygit2.enums import ConfigLevel

from blastgit.cli import main
from blastgit.demo import Sample, change_image, small
from blastgit.repository.policy import current_identity
from tests import http_backend

pytestmark = pytest.mark.slow

HOSTILE = """
[init] defaultObjectFormat = sha256
       defaultRefFormat = reftable
       templateDir = {home}/template
       defaultBranch = trunk
[fetch] prune = true
        pruneTags = true
        fsckObjects = false
        recurseSubmodules = true
        unpackLimit = 1
        writeCommitGraph = true
        negotiationAlgorithm = noop
[remote] pushDefault = nowhere
[remote "origin"] url = {home}/nowhere
                  mirror = true
                  prune = true
[push] default = nothing
       followTags = true
       gpgSign = true
       recurseSubmodules = check
       pushOption = none-such
       useForceIfIncludes = true
[tag] gpgSign = true
      forceSignAnnotated = true
      sort = -version:refname
[commit] gpgSign = true
         template = {home}/none
[transfer] hideRefs = refs/tags
           fsckObjects = true
           unpackLimit = 1
           advertiseSID = true
[uploadpack] hideRefs = refs/heads
             allowFilter = false
             packObjectsHook = false
[receive] denyNonFastForwards = true
          denyCurrentBranch = refuse
          hideRefs = refs
          fsckObjects = true
[core] hooksPath = {home}/hooks
       fsync = none
       fsyncMethod = writeout-only
       sharedRepository = 0777
       compression = 0
       logAllRefUpdates = always
       excludesFile = {home}/ignore
       attributesFile = {home}/attributes
       abbrev = 4
       quotePath = true
       autocrlf = true
       bare = false
       preferSymlinkRefs = true
       filesRefLockTimeout = 0
       packedRefsTimeout = 0
       bigFileThreshold = 1
       warnAmbiguousRefs = true
       editor = false
       pager = false
[extensions] partialClone = origin
[gc] auto = 1
     autoDetach = false
     pruneExpire = now
     reflogExpire = now
     packRefs = false
[pack] packSizeLimit = 1m
       writeBitmaps = false
       indexVersion = 1
       allowPackReuse = false
[repack] usedeltaBaseOffset = false
[maintenance] auto = true
              strategy = incremental
[log] date = relative
      showSignature = true
      decorate = full
[color] ui = always
[column] ui = always
[diff] noprefix = true
       external = false
[gpg] format = ssh
      program = false
[protocol] version = 0
[protocol "file"] allow = never
[notes] displayRef = refs/notes/*
[advice] detachedHead = true
[trace2] eventTarget = /dev/null
[alias] fetch = !false
        update-ref = !false
[user] useConfigOnly = true
[submodule] recurse = true
[url "{home}/nowhere/"] insteadOf = /
"""

ENVIRONMENT = {
    "GIT_DEFAULT_HASH": "sha256", "GIT_DEFAULT_REF_FORMAT": "reftable", "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ICASE_PATHSPECS": "1", "GIT_TRACE": "1", "GIT_TRACE_SETUP": "1", "GIT_CURL_VERBOSE": "1",
    "GIT_TEMPLATE_DIR": "/nowhere", "GIT_REF_PARANOIA": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NAMESPACE": "elsewhere",
    "GIT_CEILING_DIRECTORIES": "/", "GIT_ALLOW_PROTOCOL": "https", "GIT_PUSH_OPTION_COUNT": "1",
    "GIT_PUSH_OPTION_0": "x", "GIT_EXTERNAL_DIFF": "false", "GIT_PAGER": "false", "GIT_EDITOR": "false",
    "GIT_ADVICE": "1", "GIT_INDEX_FILE": "/nowhere/index", "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "fetch.pruneTags", "GIT_CONFIG_VALUE_0": "true", "GIT_NOTES_REF": "refs/notes/x",
    "GIT_REFLOG_ACTION": "x", "GIT_FLUSH": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_SOURCE": "HEAD",
}  # fmt: skip

SSH = """#!/bin/sh
while [ "$#" -gt 1 ]; do shift; done
exec env -i PATH="$PATH" HOME=/nowhere sh -c "$1"
"""
"""What stands for ssh: it runs here what should run there, where another user has set nothing."""

_VARYING = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{40,64}|\b[0-9a-f]{10}\b|\d\d:\d\d(:\d\d)? UTC"
    r"|\d+(\.\d+)? (s|ms|[kMG]?B|MB/s)\b"
)


class Told:
    """What a user sees: each command with its exit code and its words, without what differs from run to run."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys, self.lines = folder, capsys, []
        self.places: dict[str, str] = {}

    def __call__(self, *words: object) -> None:
        code = main([str(word) for word in words])
        out, err = self.capsys.readouterr()
        text = _VARYING.sub("…", self._placeless(f"{out}{err}"))
        self.lines.append((self._placeless(" ".join(map(str, words))), code, text))

    def _placeless(self, text: str) -> str:
        for place, name in {**self.places, str(self.folder): "FOLDER"}.items():
            text = text.replace(place, name)
        return text


def live(folder: Path, tell: Told, states: tuple[Sample, ...], key: Path) -> None:
    """Use every verb that runs git."""
    ours, theirs = folder / "ours.git", folder / "theirs.git"
    for number, (repo, sample) in enumerate(
        [(ours, states[0]), (ours, states[1]), (ours, states[2]), (theirs, small("2026abc", seed=3))]
    ):
        if not repo.exists():
            tell("init", repo, "--simulated")
        export, data = sample.write(folder / f"in{number}")
        tell("-C", repo, "record", sample.name, "--export", export, "--data", data)
    tell("-C", ours, "import", theirs)
    tell("-C", ours, "collection", "create", "papers/first", "--type", "TAGGED", "-m", "A paper")
    tell("-C", ours, "collection", "add", "papers/first", "2026dgt@0", "2026abc@0", "-m", "Both")
    tell("-C", ours, "collection", "freeze", "papers/first", "1", "-m", "As submitted")
    tell("-C", ours, "annotate", "2026dgt@1", "--flag", "suspect", "-m", "Look again")
    tell("-C", theirs, "sync", ours)
    tell("-C", ours, "stage", "begin", "2026abc", "host-match", "--owner", "me")
    tell("-C", ours, "stage", "finish", "2026abc", "host-match", "--owner", "me")
    for words in ("status", "list", "log 2026dgt", "diff 2026dgt@0 2026dgt@1", "blame 2026dgt host", "show 2026abc@0",
                  "notes 2026dgt@1", "verify", "collection members papers/first", "cite 2026dgt@0", "maintain",
                  "gc", "verify", "provenance 2026dgt@1"):  # fmt: skip
        tell("-C", ours, *words.split())
    (folder / "wanted").write_text("2026abc@0\n")
    tell("-C", ours, "subset", folder / "part.git", "--from", folder / "wanted")
    tell("-C", folder / "part.git", "verify")
    tell("-C", ours, "get", "2026dgt@0", folder / "out", "--json")
    tell("-C", ours, "withdraw", "2026abc@0:cutout_cdn/DES/DES_z.fits", "--reason", "A mistake")
    tell("hooks", "install", ours)
    branch_off(ours, folder, tell, states)
    tell("-C", ours, "collection", "freeze", "papers/first", "2", "-m", "Signed", "--sign", "--key", f"{key}.pub")
    tell("-C", ours, "verify", "release/papers/first/2", "--signed", "--signers", key.parent / "signers")
    tell("-C", ours, "index")
    tell("-C", ours, "sql", "SELECT dataset, files, reason FROM revisions ORDER BY ALL")
    tell("-C", ours, "find", "--all-revisions", "--columns", "transient,revision,status,run")


def branch_off(repo: Path, folder: Path, tell: Told, states: tuple[Sample, ...]) -> None:
    """Record into a user's own line, and make it official."""
    me = current_identity()
    export, data = change_image(states[2], "DES_g", seed=5).write(folder / "own")
    tell("-C", repo, "record", "2026dgt", "--export", export, "--data", data, "--as", f"u/{me}")
    tell("-C", repo, "log", f"u/{me}/2026dgt")
    tell("-C", repo, "diff", "2026dgt@1", f"u/{me}/2026dgt@0")
    tell("-C", repo, "promote", f"u/{me}/2026dgt@0")
    tell("-C", repo, "show", "2026dgt@2:files")


def live_elsewhere(folder: Path, tell: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from and record to a repo that others serve, by HTTP and by SSH, under settings of their own."""
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "http:ssh")  # which is the user's to restrict
    program = folder / "ssh"
    program.write_text(SSH)
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    git = ["git", f"--git-dir={folder / 'ours.git'}", "config"]
    subprocess.run([*git, "http.receivepack", "true"], check=True)
    there = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
    monkeypatch.setattr(http_backend, "server_environment", lambda extra: {**there, **extra})
    with http_backend.served_over_http(folder) as (url, _):
        for number, where in enumerate((f"{url}/jane/ours.git", f"ssh://data.example.org{folder}/ours.git")):
            tell.places[where] = f"URL{number}"
            export, data = small(f"2026e{number}", seed=7 + number).write(folder / f"elsewhere{number}")
            tell("-C", where, "record", f"2026e{number}", "--export", export, "--data", data)
            tell("-C", where, "get", f"2026e{number}@0", folder / f"got{number}", "--json")
            for words in ("list", "log 2026dgt", "diff 2026dgt@0 2026dgt@1", "notes 2026dgt@1", "status", "find",
                          "collection members papers/first", "annotate 2026dgt@1 -m again"):  # fmt: skip
                tell("-C", where, *words.split())
            tell("-C", where, "subset", folder / f"far{number}.git", "--from", folder / "wanted")


def refs_of(repo: Path) -> str:
    form = "--format=%(refname) %(objectname)"
    listed = subprocess.run(
        ["git", f"--git-dir={repo}", "for-each-ref", form], capture_output=True, text=True, check=True
    )
    own = ("refs/heads/main", "refs/heads/annotations", "refs/workflow/", "refs/tags/release/")  # ids and times in them
    return "\n".join(line.split()[0] if line.startswith(own) else line for line in listed.stdout.splitlines())


def take(text: str | None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what another user has set, for git and for libgit2."""
    if text is None:
        return
    settings = home / ".gitconfig"
    settings.write_text(text.replace("{home}", str(home)).replace("] ", "]\n"))
    for folder in ("hooks", "template/hooks"):
        (home / folder).mkdir(parents=True)
        hook = home / folder / "reference-transaction"
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    (home / "ignore").write_text("*\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    for level in (ConfigLevel.SYSTEM, ConfigLevel.GLOBAL):
        pygit2.settings.search_path[level] = str(home)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_every_verb_answers_alike(
    hermetic: Path,
    ssh_key: Path,
    states: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = []
    for number, text in enumerate([None, HOSTILE]):
        folder = tmp_path / "here"  # the same place, which a store's address names
        folder.mkdir()
        with monkeypatch.context() as patch:
            take(text, hermetic, patch)
            tell = Told(folder, capsys)
            live(folder, tell, states, ssh_key)
            live_elsewhere(folder, tell, patch)
        seen.append((tell.lines, {repo.name: refs_of(repo) for repo in sorted(folder.glob("*.git"))}))
        folder.rename(tmp_path / str(number))
    (plain, plain_refs), (hostile, hostile_refs) = seen
    assert [code for _, code, _ in plain] == [0] * len(plain), [line for line in plain if line[1]]
    assert [pair for pair in zip(plain, hostile, strict=True) if pair[0] != pair[1]] == []
    assert plain_refs == hostile_refs
