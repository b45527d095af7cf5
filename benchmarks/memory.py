"""The peak memory of a process: with a small and a large file, and with few and many transients."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import samples
from benchmarks.race import Row, Target
from benchmarks.scale import many_small_files, write_in_tree
from blastgit import demo
from blastgit.api.repo import DataRepo

_PEAK = """
status = Path("/proc/self/status").read_text()  # ru_maxrss would begin with what the parent process had
print(1024 * int(status.partition("VmHWM:")[2].split()[0]))
"""


def memory(folder: Path) -> Iterator[Row]:
    """Record and get one file of 8 MB and one of 256 MB; import 100 transients and 1,000."""
    peaks = [_peaks(folder / f"{size}", size) for size in (8, 256)]
    for verb in ("record", "get"):
        small, large = (peak[verb] for peak in peaks)
        what = f"peak memory of {verb}, a file of 256 MB"
        yield Row(what, "one of 8 MB", large, small, large / small, Target(1.1), "MB")
    few, many = (_peak_of_import(folder / f"import{count}", count) for count in (100, 1000))
    yield Row("peak memory of import, 1,000 transients", "100 of them", many, few, many / few, Target(1.1), "MB")


def _peaks(folder: Path, size: int) -> dict[str, int]:
    sample = demo.small(samples.NAME)
    written = samples.write(sample, folder / "in")
    block = bytes(range(250)) * 4000
    with (written.data / "cutout_cdn" / samples.NAME / "DES" / "large.bin").open("wb") as file:
        for number in range(size):
            file.write(number.to_bytes(8, "big") + block[8:])
    repo = DataRepo.init(folder / "repo", simulated=True).path
    record = f"record({samples.NAME!r}, Path({str(written.export)!r}), Path({str(written.data)!r}))"
    get = f"get({samples.NAME!r}, {str(folder / 'out')!r})"
    return {verb: _peak(repo, call) for verb, call in (("record", record), ("get", get))}


def _peak_of_import(folder: Path, count: int) -> int:
    """Return the peak memory of a process that does an entire import."""
    sample = many_small_files()
    for number in range(count):
        write_in_tree(sample, f"t{number:06}", folder / "data")
    repo = DataRepo.init(folder / "repo", simulated=True).path
    return _peak(repo, f"import_all({str(folder / 'data')!r}, jobs=1)")


def _peak(repo: Path, call: str) -> int:
    script = f"from pathlib import Path\nfrom blastgit import DataRepo\nDataRepo({str(repo)!r}).{call}{_PEAK}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return int(done.stdout)
