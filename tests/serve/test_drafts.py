"""Drafts in the browser: the latest revision mentions a later draft, and a page lists drafts."""

import json
import shutil

import pytest

from blastgit import DataRepo
from blastgit.demo import fail_stage, small
from tests.serve.conftest import opened
from tests.settings import add_settings


@pytest.fixture
def drafted(library, states, tmp_path):
    repo = tmp_path / "repo"
    shutil.copytree(library, repo)
    add_settings(repo, "publish: complete")
    (tmp_path / "in").mkdir()
    export, data = fail_stage(states[2], "Global host SED inference").write(tmp_path / "in")
    assert DataRepo(repo).record("2026dgt", export, data).status == "draft"
    with opened(repo) as client:
        yield client


def test_a_draft_is_told_and_listed(drafted):
    page = drafted.get("/t/2026dgt").text
    assert "A later run is kept as a draft" in page
    assert "Global host SED inference failed" in page
    assert json.loads(drafted.get("/t/2026dgt.json").data)["draft"]["draft"] == "2026dgt@2:draft-1"
    assert "kept as a draft" not in drafted.get("/t/2026dgt@0").text
    listed = drafted.get("/t/2026dgt/drafts")
    assert "2026dgt@2:draft-1" in listed.text
    assert json.loads(drafted.get("/t/2026dgt/drafts.json").data)["drafts"][0]["open"] is True
    assert drafted.get("/t/2026nil/drafts").status_code == 404


def test_a_transient_of_drafts_alone_leads_to_them(library, states, tmp_path):
    shutil.copytree(library, tmp_path / "repo")
    add_settings(tmp_path / "repo", "publish: complete")
    repo = DataRepo(tmp_path / "repo")
    (tmp_path / "in").mkdir()
    assert repo.record("2026dra", *fail_stage(small("2026dra"), "Host match").write(tmp_path / "in")).status == "draft"
    with opened(tmp_path / "repo") as client:
        assert client.get("/t/2026dra").headers["Location"] == "/t/2026dra/drafts"
        assert "2026dra@0:draft-1" in client.get("/t/2026dra/drafts").text
        assert client.get("/t/2026dra@0").status_code == 404
