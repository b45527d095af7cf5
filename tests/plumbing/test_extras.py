"""The docs, the hints and `.ci/extras` name the same extras as `pyproject.toml`."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {name: [Requirement(each) for each in listed] for name, listed in PROJECT["optional-dependencies"].items()}
PLAIN = [Requirement(each) for each in PROJECT["dependencies"]]
SHIPPED = [*PLAIN, *(each for name, listed in EXTRAS.items() if name != "dev" for each in listed)]


def oldest() -> dict[str, str]:
    lines = (ROOT / ".ci/oldest.txt").read_text().splitlines()
    return dict(line.lower().split("==") for line in lines if "==" in line and not line.startswith("#"))


def texts() -> list[Path]:
    found = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/*"), *ROOT.glob("blastgit/**/*.py")]
    return [path for path in found if path.is_file()]


def test_every_extra_that_is_named_anywhere_exists():
    named = {
        extra.strip()
        for path in texts()
        for listed in re.findall(r"blastgit\[([a-z0-9, ]+)\]", path.read_text())
        for extra in listed.split(",")
    }
    assert named
    assert named <= EXTRAS.keys()


def test_one_place_says_how_an_extra_is_installed():
    hint = re.compile(r"pip install ['\"]?blastgit")
    saying = [path.name for path in ROOT.glob("blastgit/**/*.py") if hint.search(path.read_text())]
    assert saying == ["extras.py"]


def test_the_package_asks_for_no_boto3():
    """It fits s3fs only by chance: aiobotocore wants one narrow range of botocore, boto3 another."""
    assert "boto3" not in {each.name for each in SHIPPED}
    assert [path for path in ROOT.glob("blastgit/**/*.py") if "import boto3" in path.read_text()] == []


@pytest.mark.parametrize("requirement", SHIPPED, ids=str)
def test_every_bound_is_tried_at_its_oldest(requirement: Requirement):
    if requirement.name == "blastgit":
        return
    lowest = [each.version for each in requirement.specifier if each.operator == ">="]
    assert len(lowest) == 1, "a lower bound is missing"
    tried = oldest()[requirement.name.lower()]
    assert tried == lowest[0] or tried.startswith(f"{lowest[0]}.")
    assert re.fullmatch(r"[0.]*", tried.removeprefix(lowest[0]))


@pytest.mark.parametrize("requirement", SHIPPED, ids=str)
def test_every_bound_has_an_upper_end(requirement: Requirement):
    bounded_by_another = {"blastgit", "botocore"}  # aiobotocore, which dvc-s3 brings, says which botocore
    assert requirement.name in bounded_by_another or any(each.operator == "<" for each in requirement.specifier)


def test_each_extra_is_tried_alone():
    tried = re.findall(r'"([a-z0-9,]*)": \w+', (ROOT / ".ci/trial.py").read_text().split("TRIALS")[1])
    assert {extra for each in tried for extra in each.split(",") if extra} == EXTRAS.keys() - {"dev"}
