import threading
from pathlib import Path

import pytest

from blastgit.errors import Busy
from blastgit.plumbing.turnstile import deleting, publishing, stamp


def test_many_publish_at_once(tmp_path: Path) -> None:
    with publishing([tmp_path]), publishing([tmp_path]):
        pass


def test_one_who_deletes_waits_for_them_and_not_for_ever(tmp_path: Path) -> None:
    with publishing([tmp_path]), pytest.raises(Busy, match="have been publishing"), deleting([tmp_path], 0.05):
        pass
    with deleting([tmp_path], 0.05):
        pass


def test_who_comes_later_waits_for_one_who_deletes(tmp_path: Path) -> None:
    order: list[str] = []

    def publish() -> None:
        with publishing([tmp_path]):
            order.append("published")

    with deleting([tmp_path], 1):
        thread = threading.Thread(target=publish)
        thread.start()
        thread.join(0.2)
        order.append("deleted")
    thread.join()
    assert order == ["deleted", "published"]


def test_a_stream_of_writers_does_not_keep_one_who_deletes_out(tmp_path: Path) -> None:
    done, rounds = threading.Event(), []

    def publish() -> None:
        while not done.is_set():
            with publishing([tmp_path]):
                rounds.append(1)
                done.wait(0.002)

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        with deleting([tmp_path], 30):
            pass
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert rounds


def test_the_stamp_tells_that_somebody_has_deleted(tmp_path: Path) -> None:
    before = stamp([tmp_path])
    with publishing([tmp_path]):
        pass
    first = stamp([tmp_path])
    with deleting([tmp_path], 1):
        pass
    assert before != stamp([tmp_path]) != first


def test_a_folder_that_is_not_there_needs_no_guard(tmp_path: Path) -> None:
    with publishing([tmp_path / "none"]):
        pass
