"""A store behind DVC's libraries, with a real S3 server: contents are stored and read, and faults give messages."""

import hashlib
import threading
from pathlib import Path

import pytest

from blastgit.errors import DamagedData, StoreError
from blastgit.store.config import Remote
from blastgit.store.dvc import DvcStore
from blastgit.store.failures import Patience
from blastgit.store.hashing import Checksums

pytestmark = pytest.mark.slow

CONTENTS = [f"content {n} ".encode() * 1000 for n in range(30)]


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def sums(content: bytes) -> Checksums:
    return Checksums(md5(content), hashlib.sha256(content).hexdigest(), len(content))


def key(content: bytes) -> str:
    name = md5(content)
    return f"data/files/md5/{name[:2]}/{name[2:]}"


@pytest.fixture
def stage(tmp_path: Path):
    """Put contents aside, as a recording does."""

    def call(*contents: bytes) -> dict[Path, Checksums]:
        folder = tmp_path / "staging" / str(len(list(tmp_path.rglob("*"))))
        folder.mkdir(parents=True)
        staged = {}
        for number, content in enumerate(contents):
            path = folder / str(number)
            path.write_bytes(content)
            staged[path] = sums(content)
        return staged

    return call


def test_contents_lie_where_dvc_looks_and_come_back(store, bucket, stage):
    staged = stage(*CONTENTS)
    store.put_all(staged)
    assert bucket.contents() == {key(content): len(content) for content in CONTENTS}
    assert [b"".join(store.read(md5(content))) for content in CONTENTS] == CONTENTS
    assert not any(path.exists() for path in staged)


def test_a_large_content_goes_up_in_pieces_and_comes_back(store, bucket, proxy, stage):
    content = bytes(range(256)) * 4096 * 40  # 40 MiB
    store.put_all(stage(content))
    assert bucket.contents() == {key(content): len(content)}
    assert proxy.counts["PUT"] == 3
    assert hashlib.md5(b"".join(store.read(md5(content)))).hexdigest() == md5(content)


def make_large(bucket, wanted: list[str]) -> None:
    """Have the store look as if it held some 160,000 contents: 40 names below each prefix that the wanted ones have."""
    for first in {md5[:3] for md5 in wanted}:
        for number in range(40):
            bucket.write(f"data/files/md5/{first[:2]}/{first[2]}{number:029x}", b"x")


@pytest.mark.parametrize("is_large", [False, True])
def test_a_batch_costs_one_question_before_and_one_after(store, bucket, proxy, stage, is_large):
    if is_large:
        make_large(bucket, [md5(CONTENTS[0])])
    store.put_all(stage(*CONTENTS))
    assert proxy.counts == {"LIST": 2, "PUT": 30}
    assert set(map(key, CONTENTS)) <= bucket.contents().keys()
    proxy.requests.clear()
    other = [f"other {n} ".encode() * 1000 for n in range(3)]
    make_large(bucket, [md5(other[0])] if is_large else [])
    store.put_all(stage(*other))
    assert proxy.counts == {"LIST": 2, "PUT": 3}


def test_what_somebody_else_brought_is_found_while_it_is_brought(store, bucket, proxy, stage):
    """The smallest is not there, so nobody asks for the others; the server refuses to write over them."""
    bucket.write(key(CONTENTS[1]), CONTENTS[1])
    bucket.write(key(CONTENTS[2]), b"damaged")
    store.put_all(stage(b"small", *CONTENTS[:4]))
    assert [bucket.body(key(content)) for content in CONTENTS[:4]] == CONTENTS[:4]
    assert proxy.counts == {"LIST": 4, "PUT": 5 + 1, "GET": 2}, "one more question for each that was found"


def test_a_collision_is_refused_also_if_nobody_asked_for_it(store, bucket, stage, proxy):
    bucket.write(key(CONTENTS[1]), CONTENTS[1])
    proxy.checks_md5 = False  # there are no two such files at hand
    small, large = stage(b"small", CONTENTS[2])
    with pytest.raises(StoreError, match="collision"):
        store.put_all({small: sums(b"small"), large: Checksums(md5(CONTENTS[1]), "0" * 64, len(CONTENTS[2]))})
    assert bucket.body(key(CONTENTS[1])) == CONTENTS[1]


def test_a_server_that_knows_no_conditions_is_asked_before(store, bucket, proxy, stage):
    proxy.trouble = lambda request: 501 if request.kind == "PUT" and request.is_conditional else None
    bucket.write(key(CONTENTS[1]), b"damaged")
    store.put_all(stage(b"small", *CONTENTS[:3]))
    assert [bucket.body(key(content)) for content in CONTENTS[:3]] == CONTENTS[:3]
    assert bucket.body(key(b"small")) == b"small"


def test_bytes_that_change_on_their_way_never_get_the_name(store, bucket, proxy, stage):
    proxy.trouble = lambda request: "garble" if request.kind == "PUT" else None
    with pytest.raises(StoreError, match="BadDigest"):
        store.put_all(stage(CONTENTS[0]))
    assert bucket.contents() == {}


def test_what_is_missing_costs_one_question_once_the_size_of_the_store_is_known(store, proxy, stage):
    store.put_all(stage(*CONTENTS))
    proxy.requests.clear()
    absent = [md5(f"absent {n}".encode()) for n in range(20)]
    assert store.missing([*map(md5, CONTENTS), *absent]) == set(absent)
    assert proxy.counts == {"LIST": 1}


def test_a_large_store_is_not_listed_for_a_small_batch(store, bucket, proxy, stage):
    wanted = sorted(map(md5, CONTENTS))
    make_large(bucket, wanted[:1])
    assert store.missing(wanted) == set(wanted)
    assert proxy.counts == {"LIST": 1 + 30}
    assert all("prefix=data%2Ffiles%2Fmd5%2F" in request.path for request in proxy.requests)


def test_a_store_of_many_pages_is_listed_to_its_end(store, proxy, stage):
    store.put_all(stage(*CONTENTS))
    proxy.requests.clear()
    proxy.page = 10
    assert store.missing([*map(md5, CONTENTS), "0" * 32]) == {"0" * 32}
    assert proxy.counts == {"LIST": 3}


def test_nothing_is_asked_about_nothing(store, proxy):
    assert store.missing([]) == set()
    store.put_all({})
    assert proxy.requests == []


def test_what_is_there_is_checked_and_not_brought_again(store, proxy, stage):
    store.put_all(stage(*CONTENTS[:5]))
    proxy.requests.clear()
    staged = stage(*CONTENTS[:6])
    store.put_all(staged)
    assert proxy.counts == {"LIST": 3, "GET": 5, "PUT": 1}
    assert not any(path.exists() for path in staged)


def test_equal_files_are_brought_once(store, bucket, proxy, stage):
    store.put_all(stage(CONTENTS[0], CONTENTS[0], CONTENTS[1]))
    assert proxy.counts["PUT"] == 2
    assert len(bucket.contents()) == 2


@pytest.mark.parametrize("damaged", [b"", CONTENTS[0][:-1], CONTENTS[0][:-1] + b"!"])
def test_a_damaged_content_is_replaced(store, bucket, stage, damaged):
    bucket.write(key(CONTENTS[0]), damaged)
    store.put_all(stage(CONTENTS[0]))
    assert bucket.body(key(CONTENTS[0])) == CONTENTS[0]


def test_a_collision_is_refused_and_what_was_there_stays(store, bucket, stage):
    bucket.write(key(CONTENTS[0]), CONTENTS[0])
    (path,) = stage(CONTENTS[1])
    forged = Checksums(md5(CONTENTS[0]), "0" * 64, len(CONTENTS[1]))
    with pytest.raises(StoreError, match="collision"):
        store.put(path, forged)
    assert bucket.body(key(CONTENTS[0])) == CONTENTS[0]


def test_two_files_that_collide_are_refused_before_anything_is_brought(store, proxy, stage):
    first, second = stage(CONTENTS[0], CONTENTS[1])
    with pytest.raises(StoreError, match="collision"):
        store.put_all({first: sums(CONTENTS[0]), second: Checksums(md5(CONTENTS[0]), "0" * 64, 1)})
    assert proxy.requests == []


def test_an_absent_content_is_damage(store):
    with pytest.raises(DamagedData, match=r"lacks the content 0{32}.*blastgit verify"):
        list(store.read("0" * 32))


@pytest.mark.parametrize("trouble", [503, 500, "drop"])
@pytest.mark.parametrize("kind", ["LIST", "PUT"])
def test_trouble_that_passes_is_waited_out(store, bucket, proxy, waits, stage, trouble, kind):
    failures = iter([trouble, trouble])
    proxy.trouble = lambda request: next(failures, None) if request.kind == kind else None
    store.put_all(stage(CONTENTS[0], CONTENTS[1], CONTENTS[2]))
    assert len(bucket.contents()) == 3
    assert next(failures, None) is None
    if trouble != "drop":  # a client may send a request again by itself when a kept-alive line turns out to be dead
        assert waits.seconds
    assert set(waits.seconds) <= {0.5, 2.0}


def test_an_answer_cut_short_is_fetched_again(store, proxy, waits, stage):
    store.put_all(stage(CONTENTS[0]))
    cuts = iter(["truncate", "truncate"])
    proxy.trouble = lambda request: next(cuts, None) if request.kind == "GET" else None
    assert b"".join(store.read(md5(CONTENTS[0]))) == CONTENTS[0]
    assert waits.seconds == [0.5, 2.0]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(503, "is too busy.*try again later"), (500, "InternalError"), ("drop", "broke off the connection")],
)
def test_trouble_that_stays_ends_in_words_after_growing_waits(store, proxy, waits, trouble, words):
    proxy.trouble = lambda request: trouble
    with pytest.raises(StoreError, match=words):
        store.missing(["0" * 32])
    assert waits.seconds == [0.5, 2.0, 8.0]


def test_what_is_denied_is_not_tried_again(store, proxy, waits):
    proxy.trouble = lambda request: 403
    with pytest.raises(StoreError, match="denies this: ask its owner"):
        store.missing(["0" * 32])
    assert len(proxy.requests) == 2, "once by each of the clients"
    assert waits.seconds == []


def test_a_server_that_is_in_two_minds_is_asked_again(store, bucket, proxy, waits, stage):
    """Two writers bring one content at the same time: S3 may tell one of them to try again (409)."""
    answers = iter([409])
    proxy.trouble = lambda request: next(answers, None) if request.kind == "PUT" else None
    store.put_all(stage(CONTENTS[0]))
    assert bucket.body(key(CONTENTS[0])) == CONTENTS[0]
    assert waits.seconds == [0.5]


def test_a_batch_that_failed_half_way_is_resumed(store, bucket, proxy, stage):
    puts = []
    proxy.trouble = lambda request: 403 if request.kind == "PUT" and (puts.append(1) or len(puts) > 10) else None
    staged = stage(*CONTENTS)
    with pytest.raises(StoreError):
        store.put_all(staged)
    assert len(bucket.contents()) == 10
    assert all(path.exists() for path in staged), "what is still needed was thrown away"
    proxy.trouble = lambda request: None
    proxy.requests.clear()
    store.put_all(staged)
    assert proxy.counts["PUT"] == 20
    assert len(bucket.contents()) == 30


def test_an_upload_that_did_not_arrive_is_noticed(store, bucket, proxy, stage):
    def lose(request):
        if request.kind == "LIST" and bucket.contents():
            bucket.write(key(CONTENTS[0]), b"something else")

    proxy.trouble = lose
    with pytest.raises(StoreError, match=f"accepted {md5(CONTENTS[0])}.*now it has 14 bytes"):
        store.put_all(stage(CONTENTS[0]))


def test_a_server_that_does_not_answer_is_given_up_in_time(bucket, proxy, tmp_path, waits):
    silent = threading.Event()
    proxy.trouble = lambda request: silent.wait(30) and None
    options = {"endpointurl": proxy.url, "read_timeout": "1"}
    with pytest.raises(StoreError, match="did not answer in time"):
        DvcStore(Remote("store", bucket.url, options), tmp_path, Patience((0.5,), waits)).missing(["0" * 32])
    silent.set()
    assert waits.seconds == [0.5]


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("s3://nowhere/data", {}, "does not exist: make its bucket"),
        ("s3://b/data", {"endpointurl": "http://127.0.0.1:9"}, "cannot be reached: is the server up"),
        ("s3://b/data", {"endpointurl": "http://s3.invalid"}, "has an unknown host name"),
        ("s3://b/data", {"profile": "nobody"}, "cannot be opened with these settings.*nobody"),
        ("s3://b/data", {"use_ssl": "perhaps"}, "cannot be opened with these settings.*use_ssl"),
        ("gs://b/data", {}, "not installed.*dvc-gs"),
    ],
)
def test_settings_that_lead_nowhere_are_named(bucket, tmp_path, stage, waits, url, options, words):
    remote = Remote("store", url, {"endpointurl": bucket.endpoint, **options} if url.startswith("s3") else options)
    store = DvcStore(remote, tmp_path, Patience((1.0,), waits))
    for call in (
        lambda: store.missing(["0" * 32]),
        lambda: list(store.read("0" * 32)),
        lambda: store.put_all(stage(b"x")),
    ):
        with pytest.raises(StoreError, match=words):
            call()


def test_missing_credentials_are_named(bucket, tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    store = DvcStore(Remote("store", bucket.url, {"endpointurl": bucket.endpoint}), tmp_path)
    with pytest.raises(StoreError, match=r"credentials.*blastgit/store\.config"):
        store.missing(["0" * 32])


def test_credentials_may_stand_in_the_settings(bucket, tmp_path, monkeypatch, stage):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    own = {"endpointurl": bucket.endpoint, "access_key_id": "key", "secret_access_key": "secret"}
    DvcStore(Remote("store", bucket.url, own), tmp_path).put_all(stage(CONTENTS[0]))
    assert list(bucket.contents()) == [key(CONTENTS[0])]


def test_opening_a_store_asks_nothing_and_loads_nothing(tmp_path, run):
    code = (
        "import sys; from pathlib import Path; from blastgit.store.dvc import DvcStore; "
        "from blastgit.store.config import Remote; DvcStore(Remote('s', 's3://b/x'), Path('.')); "
        "print([name for name in sys.modules if name.startswith(('dvc', 'fsspec', 's3fs', 'boto'))])"
    )
    import sys

    assert run(sys.executable, "-c", code, cwd=Path(__file__).parents[2]).strip() == "[]"
