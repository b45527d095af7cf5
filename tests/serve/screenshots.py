"""`make screenshots`: the pictures of the web interface that the README and the documentation show.

python -m tests.serve.screenshots FOLDER
"""

import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

from blastgit.api.repo import DataRepo
from blastgit.demo import change_image, process, reprocess
from blastgit.demo.many import fill
from tests.serve.conftest import ARGUMENTS, CHROMIUM, serving

_WIDTH, _HEIGHT = 1280, 860
_PAGES = {
    "web-search": "/",
    "web-revision": "/t/2026dgt@0",
    "web-compare": "/compare/2026dgt@0...2026dgt@1",
    "web-runs": "/compare/runs/reprocessing/2026-05...reprocessing/2026-07",
}
_COLOURS = 256  # of a picture: few are needed, and each takes room in every clone for ever


def main(folder: Path) -> None:
    """Draw them."""
    from playwright.sync_api import sync_playwright

    for role in ("AUTHOR", "COMMITTER"):
        os.environ.update({f"GIT_{role}_NAME": "Demo", f"GIT_{role}_EMAIL": "demo@example.org"})
    with tempfile.TemporaryDirectory(prefix="blastgit-screenshots-") as aside, sync_playwright() as playwright:
        place = Path(aside) / "blast.git"
        fill(place, 60, tell=lambda *_: None)
        _add_story(place, Path(aside))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        with serving(place, "--clone-url", "https://data.example.org/blast.git") as url:
            page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light")
            for name, path in _PAGES.items():
                page.goto(f"{url}{path}", wait_until="networkidle")
                page.screenshot(path=folder / f"{name}.png")
                _shrink(folder / f"{name}.png")
        browser.close()


def _add_story(place: Path, aside: Path) -> None:
    """Record the transient of `make demo` beside the others."""
    repo = DataRepo(place)
    first = process("2026dgt", pixels=300)
    again = reprocess(first, app_version="v1.13.1", export_time="2026-06-20T09:12:44.120001+00:00", seed=1)
    later = reprocess(again, app_version="v1.13.1", export_time="2026-07-02T11:30:05.702113+00:00", seed=2)
    for turn, state in enumerate((first, again, change_image(later, "DES_z", seed=3))):
        export, data = state.write(aside / f"story-{turn}")
        repo.record("2026dgt", export, data)


def _shrink(file: Path) -> None:
    Image.open(file).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
