import copy
import re

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample
from blastgit.errors import RepoError, UsageError
from blastgit.naming.paths import dataset_path

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_page_needs_no_network(library, tmp_path):
    repo = DataRepo(library)
    page = tmp_path / "changes.html"
    assert repo.pictures(repo.diff("2026dgt@0", "2026dgt@1"), page) == 1
    text = page.read_text("utf-8")
    assert "2026dgt@0 → 2026dgt@1" in text
    assert "cutout_cdn/DES/DES_z.fits" in text
    assert "of 256 pixels" in text
    assert text.count('<img src="data:image/png;base64,') == 3
    assert text.count("<script>") == 1
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:)|url\(|@import|<script |https?://""", text)


def test_a_folder_of_png(library, tmp_path):
    repo = DataRepo(library)
    assert repo.pictures(repo.diff("2026dgt@0", "2026dgt@1"), tmp_path / "out") == 1
    found = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    sides = ("after", "before", "difference")
    assert sorted(found) == [f"cutout_cdn_DES_DES_z_{side}.png" for side in sides]
    assert all(content.startswith(PNG) for content in found.values())


def test_images_that_came_or_went(repo, sample, record, tmp_path):
    export = copy.deepcopy(sample.export)
    for cutout in export["cutouts"]:
        if cutout["fields"]["name"].endswith("DES_g"):
            cutout["fields"]["fits"] = ""
    lean = Sample(export, {path: content for path, content in sample.files.items() if "DES_g" not in path})
    record(repo, sample)
    record(repo, lean)
    for old, new, side in (("0", "1", "before"), ("1", "0", "after")):
        opened = DataRepo(repo)
        difference = opened.diff(f"2026dgt@{old}", f"2026dgt@{new}")
        assert opened.pictures(difference, tmp_path / side) == 1
        assert [path.name for path in (tmp_path / side).iterdir()] == [f"cutout_cdn_DES_DES_g_{side}.png"]
        assert opened.pictures(difference, tmp_path / f"{side}.html") == 1
        assert "no image" in (tmp_path / f"{side}.html").read_text("utf-8")


def test_an_image_that_cannot_be_read_is_said_to_be_so(repo, sample, record, tmp_path):
    path = "cutout_cdn/2026dgt/DES/DES_z.fits"
    record(repo, sample)
    record(repo, Sample(sample.export, {**sample.files, path: sample.files[path][:3000]}))
    opened = DataRepo(repo)
    assert opened.pictures(opened.diff("2026dgt@0", "2026dgt@1"), tmp_path / "page.html") == 1
    text = (tmp_path / "page.html").read_text("utf-8")
    assert dataset_path(path) in text
    assert "truncated" in text


def test_nothing_to_draw(library, tmp_path):
    repo = DataRepo(library)
    assert repo.pictures(repo.diff("2026dgt@0", "2026dgt@0"), tmp_path / "page.html") == 0
    assert "No image changed" in (tmp_path / "page.html").read_text("utf-8")


def test_a_page_that_cannot_be_written(library, tmp_path):
    repo = DataRepo(library)
    (tmp_path / "file").touch()
    for target in (tmp_path / "none/page.html", tmp_path / "file", tmp_path / "file/page.html"):
        with pytest.raises(RepoError, match="the pictures cannot be written"):
            repo.pictures(repo.diff("2026dgt@0", "2026dgt@1"), target)


def test_exports_bring_no_images(library, states, tmp_path):
    export, _ = states[2].write(tmp_path / "in")
    repo = DataRepo(library)
    with pytest.raises(UsageError, match="pictures need two revisions"):
        repo.pictures(repo.diff("2026dgt@0", str(export)), tmp_path / "page.html")
