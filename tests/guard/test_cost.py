"""The modules that the check of a push imports: imports dominate its cost, so unneeded ones are avoided."""

import os
import subprocess
import sys
from typing import Any

from blastgit.plumbing.process import git_environment

NOT_NEEDED = {
    "astropy", "asyncio", "botocore", "configparser", "dvc", "fsspec", "h5py", "http.client", "numpy", "s3fs",
    "sqlite3",
    "blastgit.api", "blastgit.cli", "blastgit.content", "blastgit.exchange", "blastgit.index", "blastgit.maintenance",
    "blastgit.readers", "blastgit.reading", "blastgit.recording", "blastgit.search", "blastgit.serve",
    "blastgit.store.remote",
}  # fmt: skip
PROGRAM = """
import sys
from pathlib import Path
from blastgit.guard.hold import Receiver
from blastgit.guard.receive import receive
assert receive(Path(sys.argv[1]), sys.stdin.buffer.read(), lambda has_moved: None) == []
print(*sys.modules)
"""


def test_the_check_of_a_revision_loads_only_what_it_needs(clone: Any) -> None:
    old, tag = clone.git("rev-parse", "good^"), clone.git("rev-parse", "2026dgt/1")
    line = f"{old} {clone.git('rev-parse', 'good')} refs/heads/2026dgt\n{'0' * 40} {tag} refs/tags/2026dgt/1\n"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(clone.repo)],
        input=line, capture_output=True, text=True, check=False,
        env=git_environment({"GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{clone.path}/objects", "HOME": os.environ["HOME"]}),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "blastgit.guard.lines" in loaded
    assert NOT_NEEDED & loaded == set()
