"""`verify release/…` proves a release, and detects tampering."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import NotFound, RepoError
from blastgit.maintenance.verify_release import Proof
from blastgit.plumbing.process import git_environment
from blastgit.plumbing.signing import Sign
from blastgit.releases.freeze import FreezeOptions

FILE = "cutout_cdn/DES/DES_z.fits"
RELEASE = "release/nearby/1"


def problems(repo: Path, **options: Any) -> str:
    proof = DataRepo(repo).releases.verify(RELEASE, **options)
    assert proof.is_sound is not bool(proof.report.problems)
    return "\n".join(f"{each.kind} {each.where}: {each.text}" for each in proof.report.problems)


def git(repo: Path, *words: str, stdin: bytes = b"") -> bytes:
    command = ["git", f"--git-dir={repo}", *words]
    return subprocess.run(command, input=stdin, capture_output=True, check=True, env=git_environment()).stdout


def test_a_release_as_it_was_made_is_sound(frozen: Path) -> None:
    assert problems(frozen) == ""
    proof = DataRepo(frozen).releases.verify(RELEASE)
    assert (proof.report.transients, proof.report.revisions, proof.signature.status) == (2, 2, "none")
    assert proof.report.contents > 2
    fast = DataRepo(frozen).releases.verify(RELEASE, fast=True)
    assert (fast.is_sound, fast.report.contents, fast.report.skipped) == (True, 0, proof.report.contents)


def test_a_content_that_is_damaged_or_gone_is_found(frozen: Path) -> None:
    pointer = git(frozen, "show", f"2026dgt/1:{FILE}.dvc").decode()
    md5 = pointer.split("md5: ")[1][:32]
    content = Path(DataRepo(frozen).store_url.removeprefix("file://")) / "files/md5" / md5[:2] / md5[2:]
    data = content.read_bytes()
    content.chmod(0o644)
    content.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert "damaged 2026dgt@1" in problems(frozen)
    assert problems(frozen, fast=True) == ""
    content.unlink()
    assert "missing 2026dgt@1" in problems(frozen, fast=True)


def line(repo: Path, path: str) -> bytes:
    return next(row for row in git(repo, "show", f"{RELEASE}:manifest.sha256").splitlines(True) if path.encode() in row)


def manifest(repo: Path) -> bytes:
    return git(repo, "show", f"{RELEASE}:manifest.sha256")


def listed(repo: Path) -> bytes:
    return git(repo, "show", f"{RELEASE}:release.yaml")


def commit_of(repo: Path, number: int) -> bytes:
    return git(repo, "rev-parse", f"2026dgt/{number}^{{commit}}").strip()


MEMBER = b'"2026dgt@1", "revision": 1'
TAMPERINGS: dict[str, tuple[Callable[[Path], dict[str, bytes | None]], str]] = {
    "a checksum": (
        lambda repo: {"manifest.sha256": manifest(repo).replace(line(repo, FILE), b"0" * 64 + line(repo, FILE)[64:])},
        "the manifest says 0000",
    ),
    "a file left out": (
        lambda repo: {"manifest.sha256": manifest(repo).replace(line(repo, FILE), b"")},
        "the manifest says nothing",
    ),
    "a file put in": (
        lambda repo: {"manifest.sha256": manifest(repo) + b"0" * 64 + b"  zzz\n"},
        "no such file",
    ),
    "an empty manifest": (lambda _: {"manifest.sha256": b""}, "the manifest says nothing"),
    "no manifest": (lambda _: {"manifest.sha256": None}, "has no manifest.sha256"),
    "no list": (lambda _: {"release.yaml": None}, "has no release.yaml"),
    "a broken list": (lambda _: {"release.yaml": b"members: [}"}, "release.yaml of release/nearby/1 cannot be read"),
    "another commit": (
        lambda repo: {"release.yaml": listed(repo).replace(commit_of(repo, 1), b"1" * 40)},
        "its tag names the commit",
    ),
    "another revision": (
        lambda repo: {
            "release.yaml": listed(repo)
            .replace(MEMBER, MEMBER.replace(b"1", b"0"))
            .replace(commit_of(repo, 1), commit_of(repo, 0))
        },
        "its commit says Content",
    ),
    "a revision that is not there": (
        lambda repo: {"release.yaml": listed(repo).replace(MEMBER, MEMBER.replace(b"1", b"7"))},
        "its tag 2026dgt/7 is gone",
    ),
    "another collection": (
        lambda repo: {"release.yaml": listed(repo).replace(b'"nearby"\n', b'"others"\n')},
        "is of release/others/1",
    ),
    "control characters": (
        lambda repo: {"release.yaml": listed(repo).replace(b"Within", b"\\u001b[2J")},
        "cannot be printed",
    ),
    "a collection that cannot be": (
        lambda repo: {"release.yaml": listed(repo).replace(b'"via": ["nearby"]', b'"via": ["../x"]')},
        "no collection that gave it",
    ),
    "another repo": (
        lambda repo: {"release.yaml": listed(repo).replace(b'repo: "', b'repo: "0')},
        "it is of the data repo 0",
    ),
    "real data": (
        lambda repo: {"release.yaml": listed(repo).replace(b"simulated: true", b"simulated: false")},
        "one of the two is simulated",
    ),
    "a citation": (
        lambda repo: {"CITATION.cff": git(repo, "show", f"{RELEASE}:CITATION.cff").replace(b"Doe", b"Roe")},
        "CITATION.cff: the manifest says",
    ),
    "a pointer": (
        lambda repo: {f"2026dgt@1/{FILE}.dvc": git(repo, "show", f"2026dgt/0:{FILE}.dvc").replace(b"md5: ", b"md5:  ")},
        "was changed",
    ),
    "a pointer left out": (lambda _: {f"2026dgt@1/{FILE}.dvc": None}, "is missing"),
    "a document": (lambda _: {"2026dgt@1/2026dgt.json": b"{}"}, "was changed"),
    "something else": (lambda _: {"2026dgt@1/more.txt": b"x"}, "is not part of it"),
    "another store": (
        lambda _: {".dvc/config": b"[core]\n    remote = x\n['remote \"x\"']\n    url = s3://elsewhere\n"},
        "names another store",
    ),
    "how it is read": (lambda _: {".gitignore": None}, "has no .gitignore"),
}  # fmt: skip


@pytest.mark.parametrize("case", TAMPERINGS)
def test_tampering_is_found(frozen: Path, forge: Callable[..., None], case: str) -> None:
    edit, words = TAMPERINGS[case]
    forge(frozen, RELEASE, edit(frozen))
    assert words in problems(frozen, fast=True)
    report = DataRepo(frozen).verify(fast=True)
    assert any(each.kind == "release" for each in report.problems)


def test_a_member_that_the_collection_never_had_is_found(frozen: Path, forge: Callable[..., None]) -> None:
    """Forged with all care, so that only main can tell."""
    repo = DataRepo(frozen)
    repo.collections.add("nearby", ["2026abc@0:cutout_cdn/DES/DES_g.fits"], "One more")
    repo.releases.freeze("nearby", "2")
    old = repo.releases.show(RELEASE).main
    new = repo.releases.show("release/nearby/2")
    import hashlib
    from dataclasses import replace

    text = replace(new, main=old).text()
    rows = git(frozen, "show", "release/nearby/2:manifest.sha256").decode().splitlines(True)
    lines = [hashlib.sha256(text).hexdigest() + row[64:] if row.endswith("  release.yaml\n") else row for row in rows]
    message = git(frozen, "log", "-1", "--format=%B", "release/nearby/2").decode().replace(new.main, old)
    files = {"release.yaml": text, "manifest.sha256": "".join(lines).encode()}
    forge(frozen, "release/nearby/2", files, message)
    said = [each.text for each in repo.releases.verify("release/nearby/2").report.problems]
    assert len(said) == 1
    assert f"did not hold it at {old:.10}" in said[0]


def test_a_commit_of_main_that_is_none_is_found(frozen: Path, forge: Callable[..., None]) -> None:
    release = DataRepo(frozen).releases.show(RELEASE)
    other = git(frozen, "rev-parse", "2026dgt/1^{commit}").decode().strip()
    text = listed(frozen).replace(release.main.encode(), other.encode())
    message = git(frozen, "log", "-1", "--format=%B", RELEASE).decode().replace(release.main, other)
    forge(frozen, RELEASE, {"release.yaml": text}, message)
    assert "is not a state of main" in problems(frozen, fast=True)


def test_a_tag_that_was_put_elsewhere_is_found(frozen: Path) -> None:
    git(frozen, "update-ref", f"refs/tags/{RELEASE}", "refs/tags/2026dgt/1")
    assert "calls itself 2026dgt/1" in problems(frozen)
    git(frozen, "update-ref", f"refs/tags/{RELEASE}", "refs/heads/main")
    assert "not an annotated tag" in problems(frozen)


def test_a_revision_whose_tag_is_gone_is_found(frozen: Path) -> None:
    git(frozen, "update-ref", "-d", "refs/tags/2026dgt/1")
    assert "its tag 2026dgt/1 is gone" in problems(frozen)


def test_an_object_that_is_damaged_is_found(frozen: Path, loose: Callable[[Path, str], Path]) -> None:
    file = loose(frozen, f"{RELEASE}:2026dgt@1")
    file.chmod(0o644)
    file.write_bytes(b"x")
    assert "damaged" in problems(frozen)


def test_there_is_no_such_release(frozen: Path) -> None:
    with pytest.raises(NotFound, match=r"did you mean release/nearby/1\?"):
        DataRepo(frozen).releases.verify("release/nearby/9")


def test_the_command_ends_with_what_it_found(
    frozen: Path, forge: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-C", str(frozen), "verify", RELEASE, "--json"]) == 0
    assert '"status": "none"' in capsys.readouterr().out
    assert main(["-C", str(frozen), "verify", RELEASE, "--signed"]) == 9
    assert "signature release/nearby/1: the tag is not signed" in capsys.readouterr().out
    forge(frozen, RELEASE, {"README.md": b"x"})
    assert main(["-C", str(frozen), "verify", RELEASE]) == 9
    assert main(["-C", str(frozen), "verify", "2026dgt", "--signed"]) == 2
    assert main(["-C", str(frozen), "verify", RELEASE, "--repair"]) == 2


@pytest.fixture
def gpg_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of GnuPG with the key of committer@example.org."""
    if shutil.which("gpg") is None:
        pytest.skip("there is no gpg on this machine")
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:  # its socket's path must be short
        home = Path(folder)
        home.chmod(0o700)
        monkeypatch.setenv("GNUPGHOME", folder)
        words = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        who = "Committer <committer@example.org>"
        subprocess.run([*words, "--quick-generate-key", who, "ed25519", "sign"], check=True, capture_output=True)
        yield home
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)


def sign(repo: Path, key: str = "") -> None:
    assert DataRepo(repo).releases.freeze("nearby", "1", FreezeOptions(sign=Sign(key))).signed


def replay(repo: Path, tag: bytes) -> None:
    oid = git(repo, "hash-object", "-t", "tag", "-w", "--stdin", stdin=tag).decode().strip()
    git(repo, "update-ref", f"refs/tags/{RELEASE}", oid)


def check(repo: Path, **options: Any) -> Proof:
    return DataRepo(repo).releases.verify(RELEASE, fast=True, **options)


def test_a_release_is_signed_with_an_ssh_key(stocked: Path, ssh_key: Path, tmp_path: Path) -> None:
    sign(stocked)
    signers = tmp_path / "signers"
    proof = check(stocked, signed=True, signers=signers)
    assert proof.is_sound
    assert "jane@example.org" in proof.signature.text
    git(stocked, "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-tag", RELEASE)  # as anybody may
    unknown = check(stocked)
    assert (unknown.signature.status, unknown.is_sound) == ("unknown", True)
    assert not check(stocked, signed=True).is_sound
    tag = git(stocked, "cat-file", "tag", RELEASE)
    replay(stocked, tag.replace(b"Freeze nearby", b"Freeze nearbx"))
    for options in ({"signers": signers}, {}, {"signers": tmp_path / "empty"}):  # found even by who knows no key
        (tmp_path / "empty").touch()
        forged = check(stocked, **options)
        assert (forged.signature.status, forged.is_sound) == ("bad", False)
        assert "altered after it was signed" in forged.signature.text
    replay(stocked, tag)
    lost = check(stocked, signers=tmp_path / "nowhere")
    assert (lost.signature.status, "cannot be read" in lost.signature.text) == ("unknown", True)


def test_a_signature_by_a_stranger_is_not_taken_for_a_good_one(stocked: Path, ssh_key: Path, tmp_path: Path) -> None:
    sign(stocked)
    stranger = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    kind, text, _ = Path(f"{stranger}.pub").read_text().split()
    (tmp_path / "strangers").write_text(f"stranger@example.org {kind} {text}\n")
    proof = check(stocked, signers=tmp_path / "strangers")
    assert proof.signature.status == "unknown"
    assert not check(stocked, signed=True, signers=tmp_path / "strangers").is_sound


def test_a_key_is_chosen(stocked: Path, ssh_key: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "config", "--global", "--unset", "user.signingkey"], check=True)
    sign(stocked, f"{ssh_key}.pub")
    assert check(stocked, signed=True, signers=tmp_path / "signers").is_sound


def test_a_release_is_signed_with_gnupg(stocked: Path, gpg_home: Path, tmp_path: Path) -> None:
    sign(stocked)
    proof = check(stocked, signed=True)
    assert proof.is_sound
    assert "committer@example.org" in proof.signature.text
    tag = git(stocked, "cat-file", "tag", RELEASE)
    replay(stocked, tag.replace(b"Freeze nearby", b"Freeze nearbx"))
    forged = check(stocked)
    assert (forged.signature.status, forged.is_sound) == ("bad", False)
    replay(stocked, tag)
    empty = tmp_path / "g"
    empty.mkdir(mode=0o700)
    os.environ["GNUPGHOME"] = str(empty)
    assert (check(stocked).signature.status, check(stocked).is_sound) == ("unknown", True)
    os.environ["GNUPGHOME"] = str(gpg_home)


def test_what_cannot_be_signed_is_not_frozen(stocked: Path, tree_of: Callable[[Path], dict[str, str]]) -> None:
    subprocess.run(["git", "config", "--global", "gpg.format", "ssh"], check=True)
    subprocess.run(["git", "config", "--global", "user.signingkey", "/nowhere/key.pub"], check=True)
    with pytest.raises(RepoError, match="could not be signed, and nothing was made"):
        sign(stocked)
    assert DataRepo(stocked).releases.list() == []
    assert "release" not in tree_of(stocked)["refs"]


def test_a_signature_survives_a_subset(stocked: Path, ssh_key: Path, tmp_path: Path) -> None:
    sign(stocked)
    DataRepo(stocked).subset(tmp_path / "sub", [RELEASE])
    assert check(tmp_path / "sub", signed=True, signers=tmp_path / "signers").is_sound
