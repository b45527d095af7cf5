"""Many readers and some writers at once, during recordings: no errors, no stale pages, bounded memory."""

import http.cookiejar
import re
import shutil
import threading
import urllib.parse
import urllib.request

import pytest

from blastgit import DataRepo
from blastgit.demo import small
from tests.serve.conftest import serving

READERS, WRITERS = 20, 3
PATHS = ("/", "/t/2026dgt", "/t/2026dgt@0.json", "/compare/2026dgt@0...2026dgt@1", "/log", "/c/nearby", "/status")


def read(url, number):
    for turn in range(3):
        with urllib.request.urlopen(f"{url}{PATHS[(number + turn) % len(PATHS)]}", timeout=120) as answer:
            assert answer.read()


def write(url, number):
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    opener.addheaders = [("X-Remote-User", f"user{number}")]
    with opener.open(f"{url}/t/2026dgt@0", timeout=120) as answer:
        token = re.search(r'name="csrf" value="([^"]+)"', answer.read().decode())[1]
    form = {"csrf": token, "subject": "2026dgt@0", "comment": f"said by {number}", "back": "/t/2026dgt@0"}
    with opener.open(f"{url}/annotate", urllib.parse.urlencode(form).encode(), timeout=120) as answer:
        assert f"said by {number}" in answer.read().decode()
    with opener.open(f"{url}/log", timeout=120) as answer:
        assert f"said by {number}" in answer.read().decode()


@pytest.mark.slow
def test_many_at_once(shelf, tmp_path):
    shutil.copytree(shelf, tmp_path / "own.git", symlinks=True)
    export, files = small("2026new").write(tmp_path / "new")
    faults = []

    def run(work, *given):
        try:
            work(*given)
        except Exception as error:  # noqa: BLE001 (every thread tells, and none ends the test early)
            faults.append(repr(error))

    with serving(tmp_path / "own.git", "--proxy", "127.0.0.1") as url:
        works = [(read, url, number) for number in range(READERS)] + [(write, url, number) for number in range(WRITERS)]
        works.append((lambda: DataRepo(tmp_path / "own.git").record("2026new", export, files),))
        threads = [threading.Thread(target=run, args=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            memory = re.search(r"process_resident_memory_bytes (\d+)", answer.read().decode())
        assert int(memory[1]) < 1_000_000_000
        with urllib.request.urlopen(f"{url}/t/2026new") as answer:
            assert answer.status == 200
