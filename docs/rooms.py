"""Draw the rooms of the code, from its real imports, as the Mermaid picture that `docs/architecture.md` shows.

    python docs/rooms.py            print the picture
    python docs/rooms.py --write    put it into docs/architecture.md

An arrow says that one room imports another. Those that follow from others are left out: if the command line imports
the front door, and that imports recording, no arrow leads from the command line to recording.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import grimp

PAGE = Path(__file__).with_name("architecture.md")
BLOCK = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)
LOWEST = {"errors", "progress", "safe_yaml", "_version", "__main__"}  # which every room imports


def arrows() -> dict[str, set[str]]:
    """Return which rooms each room imports."""
    graph = grimp.build_graph("blastgit", cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        room = _room(module)
        if room and room not in LOWEST:
            others = {_room(other) for other in graph.find_modules_directly_imported_by(module)}
            found.setdefault(room, set()).update(others - LOWEST - {room, ""})
    return found


def _room(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def reduced(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows that do not follow from others."""
    below: dict[str, set[str]] = {}

    def reach(room: str) -> set[str]:
        if room not in below:
            below[room] = set()  # an arrow back must not keep this from ending; the contract of imports finds it
            below[room] = set().union(*({other} | reach(other) for other in found[room]))
        return below[room]

    return {
        room: {other for other in others if not any(other in reach(each) for each in others - {other})}
        for room, others in found.items()
    }


def picture() -> str:
    """Return the block for the page."""
    rows = [
        f"    {room} --> {other}" for room, others in sorted(reduced(arrows()).items()) for other in sorted(others)
    ]
    return "\n".join(["```mermaid", "graph TD", *rows, "```", ""])


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(BLOCK.sub(lambda _: picture(), PAGE.read_text("utf-8"), count=1), "utf-8")
    else:
        sys.stdout.write(picture())
