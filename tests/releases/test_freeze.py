"""A collection of any type is frozen as a tag that never moves, and that plain tools can read."""

import json
import os
import pwd
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from yaml import safe_load

from blastgit import DataRepo
from blastgit.api.releases import Releases
from blastgit.cli.main import main
from blastgit.demo import fail_stage, refit, small
from blastgit.errors import Denied, InvalidInput, InvalidName, NotFound, Withdrawn, WouldOverwrite
from blastgit.plumbing.process import git_environment
from blastgit.releases.freeze import FreezeOptions
from blastgit.repository.remote import RemoteRepository

FILE = "cutout_cdn/DES/DES_z.fits"
RELEASE = "release/nearby/1"


def sums(folder: Path) -> str:
    command = ["sha256sum", "-c", "--strict", "--quiet", "manifest.sha256"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_release_is_got_whole_and_its_manifest_holds(frozen: Path, tmp_path: Path) -> None:
    got = DataRepo(frozen).releases.get(RELEASE, tmp_path / "out")
    assert sums(tmp_path / "out") == ""
    listed = {line.partition("  ")[2] for line in (tmp_path / "out/manifest.sha256").read_text().splitlines()}
    assert files_in(tmp_path / "out") == listed | {"manifest.sha256"} == set(got.written) | set(got.kept)
    assert {path for path in listed if path.startswith("2026abc")} == {f"2026abc@0/{FILE}"}
    DataRepo(frozen).get("2026dgt@1", tmp_path / "2026dgt@1")
    alone = {f"2026dgt@1/{path}" for path in files_in(tmp_path / "2026dgt@1")}
    assert {path for path in listed if path.startswith("2026dgt")} == alone
    (tmp_path / "out" / "2026abc@0" / FILE).write_bytes(b"x")
    assert FILE in sums(tmp_path / "out")
    with pytest.raises(WouldOverwrite):
        DataRepo(frozen).releases.get(RELEASE, tmp_path / "out")
    assert DataRepo(frozen).releases.get(RELEASE, tmp_path / "out", force=True).written == [f"2026abc@0/{FILE}"]


def test_part_of_a_release_is_got(frozen: Path, tmp_path: Path) -> None:
    DataRepo(frozen).releases.get(RELEASE, tmp_path / "out", only="2026dgt@1/sed_output")
    found = files_in(tmp_path / "out")
    assert any(path.startswith("2026dgt@1/sed_output") for path in found)
    assert not any("cutout" in path for path in found)
    with pytest.raises(NotFound, match="nothing"):
        DataRepo(frozen).releases.get(RELEASE, tmp_path / "none", only="nothing.fits")


def test_plain_git_and_dvc_give_the_same(frozen: Path, tmp_path: Path, run: Callable[..., str]) -> None:
    run("git", "clone", "-q", "--branch", RELEASE, "--single-branch", frozen, tmp_path / "clone")
    run("dvc", "pull", "--quiet", cwd=tmp_path / "clone")
    assert sums(tmp_path / "clone") == ""
    assert run("git", "status", "--short", cwd=tmp_path / "clone") == ""


def test_every_dataset_stands_there_with_its_commit(frozen: Path, run: Callable[..., str]) -> None:
    text = run("git", f"--git-dir={frozen}", "show", f"{RELEASE}:release.yaml")
    value = safe_load(text)
    assert (value["collection"], value["version"], value["type"], value["about"]) == (
        "nearby", "1", "TAGGED", "Within 100 Mpc",
    )  # fmt: skip
    assert value["main"] == run("git", f"--git-dir={frozen}", "rev-parse", "main").strip()
    commits = {name: run("git", f"--git-dir={frozen}", "rev-parse", f"{name}^{{commit}}").strip()
               for name in ("2026abc/0", "2026dgt/1")}  # fmt: skip
    assert value["members"] == [
        {"dataset": f"2026abc@0:{FILE}", "revision": 0, "commit": commits["2026abc/0"], "via": ["nearby"]},
        {"dataset": "2026dgt@1", "revision": 1, "commit": commits["2026dgt/1"], "via": ["nearby"]},
    ]
    assert DataRepo(frozen).releases.datasets(RELEASE) == [f"2026abc@0:{FILE}", "2026dgt@1"]
    assert run("git", f"--git-dir={frozen}", "cat-file", "-t", RELEASE).strip() == "tag"


def test_a_chain_is_frozen_by_its_order(stocked: Path) -> None:
    releases = DataRepo(stocked).releases
    releases.freeze("best", "1")
    entries = releases.show("release/best/1").entries
    assert [(str(each.dataset), each.via) for each in entries] == [
        ("2026abc@0", ("best", "night-1")), ("2026dgt@1", ("best", "night-2")),
    ]  # fmt: skip
    assert releases.verify("release/best/1").is_sound


def test_a_calibration_is_frozen_with_its_validity(stocked: Path, tmp_path: Path) -> None:
    releases = DataRepo(stocked).releases
    releases.freeze("zero-points", "1")
    value = [each.to_json() for each in releases.show("release/zero-points/1").entries]
    assert [(each["dataset"], each["begin"], each["end"]) for each in value] == [
        (f"2026dgt@0:{FILE}", None, "2026-05-01T00:00:00Z"), (f"2026dgt@1:{FILE}", "2026-05-01T00:00:00Z", None),
    ]  # fmt: skip
    assert releases.verify("release/zero-points/1").is_sound
    releases.get("release/zero-points/1", tmp_path / "out")
    assert sums(tmp_path / "out") == ""


def test_a_run_is_frozen_as_it_is_by_then(stocked: Path, record: Callable[..., Any]) -> None:
    releases = DataRepo(stocked).releases
    releases.freeze("night-1", "1")
    assert releases.datasets("release/night-1/1") == ["2026abc@0", "2026dgt@0"]
    record(stocked, small("2026late"), run="night-1")
    proof = DataRepo(stocked).releases.verify("release/night-1/1")
    assert proof.is_sound
    assert releases.datasets("release/night-1/1") == ["2026abc@0", "2026dgt@0"]


def test_what_is_born_later_makes_no_release_untrue(stocked: Path, record: Callable[..., Any]) -> None:
    repo = DataRepo(stocked)
    repo.collections.chain("mixed", ["night-2", "nearby", "night-1"], "Latest first")
    repo.releases.freeze("mixed", "1")
    held = ["2026abc@0", f"2026abc@0:{FILE}", "2026dgt@1"]
    assert repo.releases.datasets("release/mixed/1") == held
    record(stocked, refit(small("2026abc"), seed=3), run="night-2")  # which hides what nearby and night-1 have of it
    repo = DataRepo(stocked)
    assert [str(each) for each in repo.collections.members("mixed")] == ["2026abc@1", "2026dgt@1"]
    assert repo.releases.verify("release/mixed/1").is_sound
    assert repo.releases.datasets("release/mixed/1") == held


def test_a_release_is_made_once(frozen: Path, tree_of: Callable[[Path], dict[str, str]]) -> None:
    before = tree_of(frozen)
    for name, version, words in (
        ("nearby", "1", "never move"), ("nearby", "1/2", "not a version"), ("nearby", "a b", "not a version"),
        ("nearby", "..", "not a version"), ("nearby", "1.lock", "not a version"), ("nearby", "", "not a version"),
    ):  # fmt: skip
        with pytest.raises((InvalidInput, InvalidName), match=words):
            DataRepo(frozen).releases.freeze(name, version)
    with pytest.raises(NotFound, match="nearby"):
        DataRepo(frozen).releases.freeze("nearbi", "1")
    assert tree_of(frozen) == before
    DataRepo(frozen).releases.freeze("nearby", "v2")
    with pytest.raises(InvalidInput, match="case"):
        DataRepo(frozen).releases.freeze("nearby", "V2")


def test_an_empty_collection_is_not_frozen(stocked: Path) -> None:
    DataRepo(stocked).collections.create("empty", "TAGGED", "Nothing yet")
    with pytest.raises(InvalidInput, match="holds nothing"):
        DataRepo(stocked).releases.freeze("empty", "1")


def test_the_same_content_under_another_version_is_told(frozen: Path) -> None:
    repo = DataRepo(frozen)
    assert repo.releases.freeze("nearby", "2").same_as == (RELEASE,)
    repo.collections.add("nearby", ["2026abc@0:cutout_cdn/DES/DES_g.fits"], "One more")
    assert repo.releases.freeze("nearby", "3").same_as == ()
    assert [str(each) for each in repo.releases.list("near*")] == [f"release/nearby/{n}" for n in (1, 2, 3)]


def test_a_collection_that_moves_on_changes_no_release(frozen: Path) -> None:
    repo = DataRepo(frozen)
    before = repo.releases.show(RELEASE).to_json()
    repo.collections.remove("nearby", ["2026dgt@1"], "Not in the end")
    repo.collections.delete("nearby", "Done")
    assert DataRepo(frozen).releases.show(RELEASE).to_json() == before
    assert DataRepo(frozen).releases.verify(RELEASE).is_sound


def test_a_dry_run_says_all_and_writes_nothing(
    stocked: Path, settle: Any, tree_of: Callable[[Path], dict[str, str]]
) -> None:
    settle(stocked, b"")
    before = tree_of(stocked)
    made = DataRepo(stocked).releases.freeze("nearby", "1", FreezeOptions(dry_run=True))
    assert (made.tag, made.datasets) == ("", 2)
    assert [words for words in ("creator", "title", "publisher", "license") if words in " ".join(made.warnings)] == [
        "creator", "title", "publisher", "license",
    ]  # fmt: skip
    assert tree_of(stocked) == before


def test_withdrawn_files_are_left_out_and_later_ones_are_told(frozen: Path, tmp_path: Path) -> None:
    repo = DataRepo(frozen)
    repo.withdraw(f"2026dgt@1:{FILE}", "The wrong field")
    stone = f"2026dgt@1/{FILE}"
    proof = repo.releases.verify(RELEASE)
    assert proof.is_sound
    assert list(proof.report.withdrawn) == [f"2026dgt@1:{FILE}"]
    with pytest.raises(Withdrawn, match="The wrong field"):
        repo.releases.get(RELEASE, tmp_path / "out")
    assert stone in sums(tmp_path / "out")  # named as missing, and nothing else is
    made = repo.releases.freeze("nearby", "2")
    assert any("withdrawn" in words for words in made.warnings)
    repo.releases.get("release/nearby/2", tmp_path / "second")
    assert sums(tmp_path / "second") == ""
    assert repo.releases.verify("release/nearby/2").report.withdrawn == {}


def test_what_a_failed_stage_left_is_frozen_and_said(
    stocked: Path, record: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(stocked, fail_stage(small("2026bad"), "Global host SED inference"))
    repo = DataRepo(stocked)
    repo.collections.create("all", "TAGGED", "All")
    repo.collections.add("all", ["2026bad@0", "2026dgt@1"], "All")
    assert main(["-C", str(stocked), "collection", "freeze", "all", "1"]) == 0
    assert "invalid, because 2026bad@0: Global host SED inference" in capsys.readouterr().err
    assert main(["-C", str(stocked), "get", "release/all/1", str(tmp_path / "out")]) == 0
    assert "invalid, because 2026bad@0: Global host SED inference" in capsys.readouterr().err
    assert sums(tmp_path / "out") == ""


def test_gc_keeps_what_a_release_needs_and_not_what_was_withdrawn(frozen: Path) -> None:
    from blastgit.maintenance.reachable import ReachableContents

    repo = DataRepo(frozen)
    md5 = repo.show(f"2026dgt@0:{FILE}").value["md5"]
    other = repo.show("2026dgt@1:sed_output/2026dgt_global.h5").value["md5"]
    for number in (0, 1):
        repo.withdraw(f"2026dgt@{number}:{FILE}", "The wrong field")
    reached = ReachableContents(repo.session.repository).reached
    assert other in reached
    assert md5 not in reached
    repository = repo.session.repository
    for ref in ("refs/tags/2026dgt/1", "refs/heads/2026dgt"):  # nobody may; the release still leads there
        repository.git.references.delete(ref)
    assert other in ReachableContents(repository).reached


def test_other_verbs_are_not_confused(frozen: Path) -> None:
    repo = DataRepo(frozen)
    assert [each.name for each in repo.list()] == ["2026abc", "2026dgt"]
    repo.maintain()
    assert DataRepo(frozen).verify().is_sound
    assert DataRepo(frozen).releases.verify(RELEASE).is_sound
    assert str(DataRepo(frozen).collections.resolve("night-1", "2026dgt")) == "2026dgt@0"


def test_a_subset_of_a_release_proves_itself(frozen: Path, tmp_path: Path) -> None:
    DataRepo(frozen).subset(tmp_path / "sub", [RELEASE])
    repo = DataRepo(tmp_path / "sub")
    assert repo.verify().is_sound
    proof = repo.releases.verify(RELEASE)
    assert proof.is_sound
    assert "missing here" in proof.remarks[0]
    repo.releases.get(RELEASE, tmp_path / "out")
    assert sums(tmp_path / "out") == ""


def test_a_repo_elsewhere_is_frozen_too(stocked: Path, tmp_path: Path) -> None:
    releases = Releases(RemoteRepository(f"file://{stocked}"))
    releases.freeze("nearby", "1")
    here = DataRepo(stocked).releases
    assert here.verify(RELEASE).is_sound
    there = Releases(RemoteRepository(f"file://{stocked}"))
    assert [str(each) for each in there.list()] == [RELEASE]
    assert there.verify(RELEASE).is_sound
    there.get(RELEASE, tmp_path / "out")
    assert sums(tmp_path / "out") == ""
    assert there.cite(RELEASE) == here.cite(RELEASE)
    with pytest.raises(InvalidInput, match="never move"):
        there.freeze("nearby", "1")
    with pytest.raises(NotFound, match="release/nearby/2"):
        there.show("release/nearby/2")


def test_who_may_not_change_a_collection_may_not_freeze_it(stocked: Path, settle: Any) -> None:
    settle(stocked, b"policy:\n  roles:\n    admin: [somebody-else]\n    curator: [another]\n")
    with pytest.raises(Denied, match="curator"):
        DataRepo(stocked).releases.freeze("nearby", "1")


def test_two_at_once_make_one(stocked: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def freeze(_: int) -> str:
        try:
            return DataRepo(stocked).releases.freeze("nearby", "1").tag
        except InvalidInput:
            return ""

    with ThreadPoolExecutor(4) as pool:
        tags = list(pool.map(freeze, range(4)))
    assert sum(map(bool, tags)) == 1


def test_wishes_that_make_no_sense() -> None:
    with pytest.raises(InvalidInput, match="one line"):
        FreezeOptions(reason="a\nb")
    with pytest.raises(InvalidInput, match="not a DOI"):
        FreezeOptions(doi="zenodo")


def test_a_crate_is_one(frozen: Path, tmp_path: Path) -> None:
    DataRepo(frozen).releases.get(RELEASE, tmp_path / "out")
    graph = json.loads((tmp_path / "out/ro-crate-metadata.json").read_text())["@graph"]
    by_id = {entity["@id"]: entity for entity in graph}
    assert len(by_id) == len(graph)
    assert by_id["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = by_id["./"]
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    parts = {each["@id"] for entity in graph for each in entity.get("hasPart", ())}
    assert parts <= by_id.keys()
    data = {entity["@id"] for entity in graph if entity["@type"] == "File"}
    assert data == files_in(tmp_path / "out") - {"ro-crate-metadata.json"}
    assert by_id[f"2026abc@0/{FILE}"]["encodingFormat"] == "application/fits"


def test_the_crate_is_read_by_the_library_for_crates(frozen: Path, tmp_path: Path) -> None:
    crates = pytest.importorskip("rocrate.rocrate", reason="the package rocrate is not installed")
    DataRepo(frozen).releases.get(RELEASE, tmp_path / "out")
    crate = crates.ROCrate(tmp_path / "out")
    assert crate.name == "Hosts & friends: release/nearby/1 (simulated data)"
    assert {"2026dgt@1/", "2026abc@0/"} <= {each.id for each in crate.data_entities}
    assert crate.root_dataset["license"].id == "https://spdx.org/licenses/CC-BY-4.0"


def test_a_users_own_line_and_collection_are_frozen_by_that_user(
    stocked: Path, record: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    export, data = refit(small("2026dgt"), seed=5).write(tmp_path / "own")
    words = ["record", "2026dgt", "--export", str(export), "--data", str(data), "--as", f"u/{me}"]
    assert main(["-C", str(stocked), *words]) == 0
    repo, own = DataRepo(stocked), f"u/{me}/ticket-1"
    repo.collections.create(own, "TAGGED", "Mine")
    repo.collections.add(own, [f"u/{me}/2026dgt@0", f"2026abc@0:{FILE}"], "Mine")
    repo.releases.freeze(own, "1")
    release = f"release/{own}/1"
    assert repo.releases.verify(release).is_sound
    assert repo.verify().is_sound
    assert f"u/{me}/2026dgt@0" in repo.releases.cite(f"u/{me}/2026dgt@0")
    repo.releases.get(release, tmp_path / "out")
    assert (tmp_path / f"out/u/{me}/2026dgt@0/2026dgt.json").is_file()
    assert sums(tmp_path / "out") == ""
    git = ["git", "clone", "-q", "--mirror", str(stocked), str(tmp_path / "clone")]
    subprocess.run(git, check=True, env=git_environment())
    stranger = DataRepo(tmp_path / "clone").releases
    assert stranger.verify(release).is_sound
    repo.subset(tmp_path / "sub", [release])
    assert DataRepo(tmp_path / "sub").releases.verify(release).is_sound
