"""What is out of date is told wherever it is read, frozen, brought or cited, and not only by `get`."""

import warnings

import pytest

from blastgit.cli.main import main
from blastgit.errors import InvalidData, OutOfDateWarning
from tests.reruns import new_image

NAME = "2026dgt"
WHY = f"cutout_cdn/DES/DES_g.fits changed since {NAME}@0"


@pytest.fixture
def repo(repo_with, sample):
    """A data repo of which revision 1 has a new image, and fits of the old one."""
    return repo_with(sample, new_image(sample))


@pytest.mark.parametrize(("type_", "key"), [("chain", {"aperture": "global"}), ("sed", {"aperture": "global"})])
def test_a_dataset_is_read_with_a_warning_or_refused(repo, type_, key) -> None:
    with pytest.warns(OutOfDateWarning, match=WHY) as caught:
        read = repo.dataset(type_, NAME, **key, reader="bytes" if type_ == "chain" else "table")
    assert [warning.filename for warning in caught] == [__file__]
    if type_ == "chain":
        assert WHY in read.identity.out_of_date
        assert read.identity.to_json()["out_of_date"] == read.identity.out_of_date
    with pytest.raises(InvalidData, match=f"out of date: {WHY}"):
        repo.dataset(type_, NAME, **key, strict=True)


def test_a_dataset_that_is_up_to_date_is_read_without(repo) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = repo.dataset("cutout", NAME, filter="DES_g", reader="bytes", strict=True)
        assert image.identity.out_of_date == ""
        repo.dataset("chain", NAME, aperture="global", revision=0, reader="bytes", strict=True)


def test_a_citation_says_so(repo, capsys) -> None:
    assert main(["-C", str(repo.path), "cite", f"{NAME}@1"]) == 0
    assert f"blastgit: out of date, because {NAME}@1: {WHY}" in capsys.readouterr().err
    assert main(["-C", str(repo.path), "cite", f"{NAME}@0"]) == 0
    assert "out of date" not in capsys.readouterr().err


def test_a_release_says_so_when_it_is_made_and_when_it_is_brought(repo, capsys, tmp_path) -> None:
    repo.collections.create("sample", "TAGGED", "a test")
    repo.collections.add("sample", [f"{NAME}@1"], "a test")
    made = repo.releases.freeze("sample", "1")
    assert any(f"out of date, because {NAME}@1: {WHY}" in warning for warning in made.warnings)
    assert main(["-C", str(repo.path), "get", "release/sample/1", str(tmp_path / "out")]) == 0
    assert f"blastgit: out of date, because {NAME}@1: {WHY}" in capsys.readouterr().err
