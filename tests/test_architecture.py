"""The diagram of packages in docs/architecture.md matches the real imports."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_picture_is_drawn_from_the_imports():
    spec = importlib.util.spec_from_file_location("rooms", ROOT / "docs/rooms.py")
    assert spec is not None
    assert spec.loader is not None
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    assert rooms.picture() in rooms.PAGE.read_text("utf-8"), "run `python docs/rooms.py --write`"


def test_few_modules_lie_outside_the_rooms():
    outside = sorted(path.name for path in (ROOT / "blastgit").glob("*.py") if not path.name.startswith("__"))
    assert outside == ["_version.py", "errors.py", "progress.py", "safe_yaml.py"]
