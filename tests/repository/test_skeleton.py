"""The initial files of a data repo are part of the package."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_package_ships_what_git_has_of_dvc_and_hooks_and_nothing_else(run):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    shipped = {
        str(file.relative_to(ROOT)): f"{target}{str(file)[len(str(ROOT / source)) :]}"
        for source, target in included.items()
        for file in ([ROOT / source] if (ROOT / source).is_file() else (ROOT / source).rglob("*"))
        if file.is_file()
    }
    assert {".dvc", ".dvc/tmp"}.isdisjoint(included)  # DVC's own files, config.local among them, lie there too
    assert sorted(shipped) == run("git", "ls-files", ".dvc", "hooks", cwd=ROOT).split()
    places = {path: path.replace(".dvc/", "dvc/", 1) for path in shipped}
    assert shipped == {path: f"blastgit/_shipped/{place}" for path, place in places.items()}
