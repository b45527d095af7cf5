"""Updating the index: after any change of the repo, an update gives the same as a rebuild."""

import subprocess
import sys
import threading

import duckdb
import pytest

from blastgit import DataRepo, demo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.cli.main import main
from blastgit.errors import NotFound, RepoError
from blastgit.index.lines import Line, read_lines
from blastgit.index.tables import tables
from blastgit.plumbing.locks import hold

pytestmark = pytest.mark.slow


def same_as_anew(repo, dump, without=()):
    updated, anew = dump(repo), dump(repo, anew=True)
    for table in anew.keys() - set(without):
        assert updated[table] == anew[table], table


def test_nothing_changed(history):
    index = DataRepo(history).index
    first = index.update()
    assert (first.rebuilt, first.revisions, first.transients) == ("there was none", 2, 1)
    before = index.path.stat()[:7], index.path.stat().st_mtime_ns
    again = index.update()
    assert (again.rebuilt, again.revisions, again.changed) == ("", 0, False)
    assert (index.path.stat()[:7], index.path.stat().st_mtime_ns) == before


def test_every_kind_of_change(history, states, record, dump, monkeypatch):
    monkeypatch.setenv("BLASTGIT_USER", "alice")
    repo = DataRepo(history)
    dump(history)
    record(history, demo.small("2026abc"), run="night-1")
    assert repo.index.update().revisions == 1
    record(history, demo.refit(demo.change_image(states[2], "DES_g", seed=5), seed=5), run="night-1")
    same_as_anew(history, dump)
    collections = repo.collections
    collections.create("night-2", "RUN", "test")
    collections.create("sample", "TAGGED", "test")
    same_as_anew(history, dump)
    record(history, demo.small("2026xyz"), run="night-2")
    collections.add("sample", ["2026dgt@0", "2026abc@0:cutout_cdn/DES/DES_g.fits"], "test")
    collections.chain("both", ["sample", "night-2"], "test")
    same_as_anew(history, dump)
    record(history, demo.refit(demo.small("2026abc"), seed=9), run="night-2")
    same_as_anew(history, dump)
    repo.annotations.add(["2026dgt@1", "2026abc"], AnnotationBody(comment="odd", flag="bad"))
    same_as_anew(history, dump)
    repo.annotations.add(["2026abc@0:host.redshift"], AnnotationBody(flag="suspect"))
    same_as_anew(history, dump)
    first = repo.annotations.about("2026abc@0:host.redshift").notes[-1].event.id
    repo.annotations.add([], AnnotationBody(supersedes=(first,), retract=True, comment="fine"))
    repo.withdraw("2026dgt@1:cutout_cdn/DES/DES_z.fits", "by request")
    same_as_anew(history, dump)
    with repo.index.open() as db:
        gone = db.query("SELECT dataset, path FROM files JOIN revisions USING (transient, revision) WHERE is_withdrawn")
    assert gone.rows == [("2026dgt@1", "cutout_cdn/DES/DES_z.fits")]
    collections.delete("both", "test")
    same_as_anew(history, dump)


def test_a_branch_that_was_set_back_or_removed(history, record, dump, run):
    record(history, demo.small("2026abc"))
    dump(history)
    run("git", "--git-dir", history, "update-ref", "refs/heads/2026dgt", "refs/tags/2026dgt/0^{commit}")
    run("git", "--git-dir", history, "update-ref", "-d", "refs/heads/2026abc")
    done = DataRepo(history).index.update()
    assert (done.gone, done.transients) == (2, 1)
    assert {row[0:2] for row in dump(history)["revisions"]} == {("2026dgt", 0)}
    same_as_anew(history, dump, without=["filters"])  # what was once seen of a filter is kept


def test_members_are_those_that_collections_resolve(history, record, ask):
    repo = DataRepo(history)
    collections = repo.collections
    for name, kind in (("n1", "RUN"), ("n2", "RUN"), ("tagged", "TAGGED"), ("cal", "CALIBRATION")):
        collections.create(name, kind, "test")
    record(history, demo.small("2026abc"), run="n1")
    record(history, demo.refit(demo.small("2026abc"), seed=3), run="n2")
    record(history, demo.small("2026xyz"), run="n2")
    collections.add("tagged", ["2026dgt@0:cutout_cdn/DES/DES_g.fits", "2026dgt@0:cutout_cdn/DES/DES_z.fits"], "test")
    collections.certify("cal", ["2026dgt@1:cutout_cdn/DES/DES_g.fits"], "test", None, "2026-07-01T00:00:00Z")
    collections.chain("inner", ["tagged", "cal"], "test")
    collections.chain("outer", ["n1", "inner", "n2", "cal"], "test")
    collections.chain("last", ["outer"], "test")
    for name in ("n1", "n2", "tagged", "cal", "inner", "outer", "last"):
        expected = sorted(str(found.dataset) for found in collections.members(name))
        found = ask(history, "SELECT dataset FROM members WHERE collection = ? ORDER BY 1", name)
        assert [dataset for (dataset,) in found] == expected, name
    vias = dict(ask(history, "SELECT dataset, via FROM members WHERE collection = 'last'"))
    assert vias["2026abc@0"] == "n1"
    assert vias["2026xyz@0"] == "n2"


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "other", "old", "half"])
def test_a_damaged_index_or_one_of_another_version_is_made_anew(history, damage, ask):
    index = DataRepo(history).index
    index.update()
    if damage in ("empty", "text"):
        index.path.write_bytes(b"" if damage == "empty" else b"no database\n" * 1000)
    elif damage == "cut":
        index.path.write_bytes(index.path.read_bytes()[:20_000])
    else:
        statement = {
            "other": "DROP TABLE state.meta", "half": "DROP TABLE state.branches",
            "old": "UPDATE state.meta SET value = '0-old' WHERE key = 'version'",
        }  # fmt: skip
        with duckdb.connect(index.path) as connection:
            connection.execute(statement[damage])
    with DataRepo(history).index.open() as db:
        why = "made by another version" if damage == "old" else "damaged"
        assert why in db.updated.rebuilt
        assert db.query("SELECT count(*) FROM revisions").rows == [(2,)]
    assert not [path for path in index.path.parent.iterdir() if ".new-" in path.name]


def test_a_block_that_is_damaged_is_found_when_it_is_read(history, capsys):
    index = DataRepo(history).index
    index.update()
    good = index.path.read_bytes()
    counts = ("f.path", "p.flux", "s.stage")
    query = f"SELECT {', '.join(f'count(DISTINCT {each})' for each in counts)} FROM files f, photometry p, stages s"
    with index.open() as db:
        [right] = db.query(query).rows
    found = []
    for place in range(3 * 4096 + 1000, len(good), 262_144):  # after three headers: blocks, each with its checksum
        index.path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        assert main(["-C", str(history), "sql", query, "--format", "csv"]) == 0
        said = capsys.readouterr()
        assert said.out.splitlines()[1] == ",".join(map(str, right))
        found.append("the old one was damaged" in said.err)
    assert any(found)


def test_damage_that_an_update_meets(history, record):
    record(history, demo.small("2026abc"))
    index = DataRepo(history).index
    index.update()
    good = index.path.read_bytes()
    record(history, demo.refit(demo.small("2026abc"), seed=3))
    for place in range(3 * 4096 + 1000, len(good), 262_144):
        index.path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        done = index.update()
        assert (done.rebuilt, done.revisions) in {("", 1), ("the old one was damaged", 4)}


def test_an_index_of_another_version_is_not_read_as_it_is(history):
    index = DataRepo(history).index
    index.update()
    with duckdb.connect(index.path) as connection:
        connection.execute("UPDATE state.meta SET value = '0-old' WHERE key = 'version'")
    with pytest.raises(RepoError, match="another version"):
        index.open(as_is=True)


def test_who_reads_does_not_wait_for_who_writes(history, record, monkeypatch):
    monkeypatch.setattr("blastgit.api.index._BRIEFLY", 0.05)
    index = DataRepo(history).index
    index.update()
    record(history, demo.small("2026abc"))
    with hold(index.path.with_name("index.lock"), 1), index.open() as db:
        assert db.updated is None
        assert db.query("SELECT count(*) FROM revisions").rows == [(2,)]
    with index.open() as db:
        assert db.query("SELECT count(*) FROM revisions").rows == [(3,)]


def test_a_deleted_index_is_no_loss(history, ask):
    index = DataRepo(history).index
    index.update()
    index.path.unlink()
    with pytest.raises(NotFound, match="blastgit index"):
        index.open(as_is=True)
    assert ask(history, "SELECT count(*) FROM revisions") == [(2,)]


def test_readers_go_on_while_it_is_updated(history, record):
    repo = DataRepo(history)
    with repo.index.open() as old:
        record(history, demo.small("2026abc"))
        repo.index.update()
        with repo.index.open() as new:
            assert new.query("SELECT count(*) FROM revisions").rows == [(3,)]
            assert old.query("SELECT count(*) FROM revisions").rows == [(2,)]
    with repo.index.open(as_is=True) as again:
        assert again.query("SELECT count(*) FROM revisions").rows == [(3,)]


def test_many_at_once(history, record):
    """Processes and threads that update and read at the same time all get an answer, and leave nothing behind."""
    code = (
        "import sys; from blastgit import DataRepo\n"
        "with DataRepo(sys.argv[1]).index.open() as db: print(db.query('SELECT count(*) FROM revisions').rows[0][0])"
    )
    others = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code, history], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    found = []

    def look():
        with DataRepo(history).index.open() as db:
            found.append(db.query("SELECT count(*) FROM revisions").rows[0][0])

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2, 2, 2]
    assert [int(other.communicate()[0]) for other in others] == [2, 2, 2]
    left = {path.name for path in (history / "blastgit").iterdir() if path.name.startswith("index")}
    assert left == {"index.duckdb"}


def test_what_a_dead_writer_left_is_removed(history):
    index = DataRepo(history).index
    index.update()
    stale = index.path.with_name("index.duckdb.new-999999999")
    stale.write_bytes(b"half")
    index.update()
    assert not stale.exists()


def test_a_revision_that_cannot_be_read_does_not_hide_the_others(history, record, loose, dump):
    record(history, demo.small("2026abc"))
    blob = loose(history, "2026dgt/1:2026dgt.json")
    blob.chmod(0o644)
    blob.write_bytes(b"damaged")
    done = DataRepo(history).index.update()
    assert set(done.damaged) == {"2026dgt@1"}
    rows = {row[3]: row for row in dump(history)["revisions"]}
    assert set(rows) == {"2026abc@0", "2026dgt@0", "2026dgt@1"}
    again = DataRepo(history).index.update()
    assert set(again.damaged) == {"2026dgt@1"}


def test_a_transient_that_cannot_be_read_is_tried_again(history, record, loose):
    tip = loose(history, "2026dgt")
    kept = tip.read_bytes()
    tip.chmod(0o644)
    tip.write_bytes(b"damaged")
    record(history, demo.small("2026abc"))
    done = DataRepo(history).index.update()
    assert set(done.damaged) == {"2026dgt"}
    tip.write_bytes(kept)
    done = DataRepo(history).index.update()
    assert (done.revisions, done.damaged) == (2, {})


def test_what_is_known_of_a_transient_stays_while_its_tip_is_damaged(history, states, record, loose, dump):
    dump(history)
    record(history, demo.refit(states[2], seed=7))
    tip = loose(history, "2026dgt")
    kept = tip.read_bytes()
    tip.chmod(0o644)
    tip.write_bytes(b"damaged")
    assert set(DataRepo(history).index.update().damaged) == {"2026dgt"}
    assert len(dump(history)["revisions"]) == 2
    tip.write_bytes(kept)
    assert DataRepo(history).index.update().revisions == 1
    same_as_anew(history, dump)


def test_several_processes_read_as_one_does(history, record, dump):
    for number in range(4):
        record(history, demo.small(f"2026a{number}"))
    alone = dump(history)
    script = (
        "import sys\nfrom blastgit import DataRepo\n"
        "if __name__ == '__main__': print(DataRepo(sys.argv[1]).index.update(rebuild=True, jobs=2).revisions)\n"
    )
    path = history.parent / "script.py"
    path.write_text(script)
    done = subprocess.run([sys.executable, path, history], capture_output=True, text=True, check=False)
    assert done.stdout == "6\n", done.stderr
    assert dump(history) == alone


def test_other_stages_make_it_anew(history):
    index = DataRepo(history).index
    index.update()
    with duckdb.connect(index.path) as connection:
        connection.execute("UPDATE state.meta SET value = 'x' WHERE key = 'stages'")
    assert "stages or rules" in index.update().rebuilt


def test_recording_does_not_touch_it(history, record, states):
    index = DataRepo(history).index
    index.update()
    before = index.path.stat()[:7], index.path.stat().st_mtime_ns
    record(history, demo.small("2026abc"))
    assert (index.path.stat()[:7], index.path.stat().st_mtime_ns) == before


def test_a_repo_elsewhere(history, record, tmp_path, monkeypatch):
    program = tmp_path / "ssh"  # runs here what it should run there
    program.write_text('#!/bin/sh\nwhile test "$#" -gt 1; do shift; done\nunset GIT_PROTOCOL\nexec sh -c "$1"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    record(history, demo.small("2026abc"))
    with DataRepo(f"ssh://data.example.org{history}").index.open() as db:
        found = [dataset for (dataset,) in db.query("SELECT dataset FROM revisions ORDER BY 1")]
    assert found == ["2026abc@0", "2026dgt@0", "2026dgt@1"]
    assert not (history / "blastgit/index.duckdb").exists()


def test_without_duckdb_a_sentence_says_what_is_missing(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(RepoError, match=r"pip install 'blastgit\[index\]'"):
        DataRepo(history).index.update()


def test_only_new_revisions_are_read(history, record):
    repository = DataRepo(history).session.repository
    tip = str(repository.git.references["refs/heads/2026dgt"].target)
    known = str(repository.git.references["refs/tags/2026dgt/0"].peel().id)
    read = read_lines(repository, [Line("2026dgt", tip, known)])
    assert [row[1] for row in read.rows.by_table["revisions"]] == [1]
    assert read.renewed == []
    assert read_lines(repository, [Line("2026dgt", tip, "0" * 40)]).renewed == ["2026dgt"]


def test_every_table_has_its_columns_in_order(history):
    with DataRepo(history).index.open() as db:
        for table in tables().values():
            columns = db.query(f"SELECT * FROM {table.name} LIMIT 0").columns
            assert [(each.name, each.type) for each in columns] == [(each.name, each.type) for each in table.columns]


def test_a_full_disk_leaves_the_old_one(history, record, small_disk):
    """The index lies on a disk that cannot hold a second copy of it."""
    target = small_disk / "index.duckdb"
    from blastgit.index.build import update
    from blastgit.progress import silent

    record(history, demo.small("2026abc"))
    with pytest.raises(RepoError, match="cannot be written"):
        update(DataRepo(history).session.repository, target, silent)
    assert not list(small_disk.glob("*duckdb*"))
