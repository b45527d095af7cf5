"""The checks of a pushed revision: hostile trees, documents, pointers and messages are denied with a reason."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit, small
from tests.reruns import new_image

BRANCH, TAG = "refs/heads/2026dgt", "refs/tags/2026dgt/1"
POINTER = b"cutout_cdn/DES/DES_z.fits.dvc"
DOCUMENT = b"2026dgt.json"


def put(path: bytes, data: bytes | None = None, mode: str = "100644") -> Callable[[Any], Callable[[Any], None]]:
    """Put a file into the tree: `data`, or a copy of a pointer."""

    def edit(clone: Any) -> Callable[[Any], None]:
        def change(files: Any) -> None:
            files[path] = mode, files[POINTER][1] if data is None else clone.blob(data)

        return change

    return edit


def rewrite(path: bytes, change: Callable[[bytes], bytes]) -> Callable[[Any], Callable[[Any], None]]:
    """Rewrite a file of the tree."""

    def edit(clone: Any) -> Callable[[Any], None]:
        def apply(files: Any) -> None:
            before = clone.show(f"good:{path.decode()}")
            after = change(before)
            assert after != before
            files[path] = "100644", clone.blob(after)

        return apply

    return edit


def drop(path: bytes) -> Callable[[Any], Callable[[Any], None]]:
    return lambda clone: lambda files: files.pop(path)


def document(change: Callable[[dict[str, Any]], object]) -> Callable[[Any], Callable[[Any], None]]:
    def apply(data: bytes) -> bytes:
        value = json.loads(data)
        change(value)
        return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()

    return rewrite(DOCUMENT, apply)


def instead(data: bytes) -> Callable[[Any], Callable[[Any], None]]:
    """Put bytes in the place of a pointer."""
    path = POINTER.removesuffix(b".dvc")
    return lambda clone: lambda files: (files.pop(POINTER), files.update({path: ("100644", clone.blob(data))}))


def pointer(**fields: object) -> bytes:
    lines = "".join(f"  {key}: {value}\n" for key, value in fields.items())
    return f"outs:\n-{lines[1:]}".encode()


GOOD = {"md5": "0" * 32, "size": 1, "hash": "md5", "path": "DES_z.fits"}
DEEP = b'{"a":' * 200_000 + b"1" + b"}" * 200_000

HOSTILE = {
    "a path that leads out": (put(b"cutout_cdn/../../x.fits.dvc"), "it is not a plain relative path"),
    "a dot": (put(b"cutout_cdn/./x.fits.dvc"), "it is not a plain relative path"),
    "git's own folder": (put(b".git/hooks/post-checkout"), "'.git' is a name that git or DVC reserve"),
    "git's own folder below": (put(b"cutout_cdn/.GIT/x.dvc"), "is a name that git or DVC reserve"),
    "git's short name": (put(b"cutout_cdn/GIT~1/x.dvc"), "is a name that git or DVC reserve"),
    "submodules": (put(b".gitmodules", b"[submodule]\n"), "'.gitmodules' is not of the format"),
    "control characters": (put(b"cutout_cdn/a\x1b[31m\n.fits.dvc"), "a character that cannot be printed"),
    "not text": (put(b"cutout_cdn/\xff.fits.dvc"), "the name is not UTF-8 text"),
    "a backslash": (put(b"cutout_cdn/..\\x.fits.dvc"), "a backslash"),
    "a device": (put(b"cutout_cdn/aux.fits.dvc"), "cannot be checked out on every system"),
    "case": (put(b"cutout_cdn/des/DES_Z.fits.dvc"), "no pointer|differ only in case"),
    "twins": (put(b"cutout_cdn/DES/des_z.fits.dvc"), "differ only in case"),
    "at the root": (put(b"x.fits.dvc"), "is at the root of the dataset"),
    "below a file": (put(b"cutout_cdn/DES/DES_z.fits/x.dvc"), "is below a path that is itself a file"),
    "a file itself": (put(b"cutout_cdn/DES/DES_z.fits", b"FITS"), "both as a file and as a pointer"),
    "a file that nobody names": (put(b"cutout_cdn/DES/notes.txt", b"x"), "2026dgt.json does not name such a file"),
    "a file with other bytes": (instead(b"FITS"), "DES_z.fits': it is stored in git itself with the SHA-256"),
    "a large file": (instead(b"x" * (1024 * 1024 + 1)), "git itself, which is for small files only"),
    "an empty file": (instead(b""), "is empty"),
    "a file in DVC's folder": (put(b".dvc/plugins/x.py", b"x"), "is not of the format"),
    "another document": (put(b"2026abc.json", b"{}"), "is not of the format"),
    "DVC's own cache": (put(b".dvc/config.local", b"[core]\n"), "is not of the format"),
    "a pipeline": (put(b"dvc.yaml", b"stages: {}\n"), "is not of the format"),
    "executable": (put(POINTER, mode="100755"), "is executable"),
    "a link": (put(POINTER, b"/etc/passwd", "120000"), "a symbolic link"),
    "a submodule": (
        lambda clone: lambda files: files.update({b"sub": ("160000", clone.git("rev-parse", "good"))}),
        "a submodule",
    ),
    "an empty folder": (lambda clone: lambda files: files.update({b"x": ("040000", EMPTY)}), "is empty"),
    "deep": (put(b"/".join([b"a"] * 40) + b"/x.fits.dvc"), "folders deep"),
    "no config": (drop(b".dvc/config"), "it lacks .dvc/config"),
    "another store": (
        rewrite(b".dvc/config", lambda data: data.replace(b"/dvc", b"/elsewhere")),
        ".dvc/config is not the one that main has",
    ),
    "ignore rules": (rewrite(b".gitignore", lambda data: b"*\n"), "its .gitignore is not the one"),
    "a name of DVC's": (put(b"cutout_cdn/dvc.yaml.dvc", pointer(**GOOD | {"path": "dvc.yaml"})), "for one of its own"),
    "attributes": (rewrite(b".gitattributes", lambda data: b"* filter=x\n"), "its .gitattributes is not the one"),
    "a pointer of its own": (put(b"cutout_cdn/DES/new.fits.dvc", pointer(**GOOD | {"path": "new.fits"})), "new.fits"),
    "a pointer less": (drop(POINTER), "'cutout_cdn/DES/DES_z.fits': 2026dgt.json names it, but it has no pointer"),
    "a pointer that leads out": (put(POINTER, pointer(**GOOD | {"path": "../../x"})), "not about the file beside it"),
    "a pointer to a folder": (put(POINTER, pointer(**GOOD | {"md5": "0" * 32 + ".dir"})), "no MD5 and size"),
    "a pointer elsewhere": (
        rewrite(POINTER, lambda data: data + b"  remote: evil\n"),
        "should go to the store 'evil', which",
    ),
    "a pointer with a source": (
        put(POINTER, pointer(**GOOD) + b"deps:\n- path: /etc/passwd\n"),
        "has more than MD5, size and name",
    ),
    "a pointer's folder": (put(POINTER, b"wdir: ../..\n" + pointer(**GOOD)), "has more than MD5, size and name"),
    "a pointer of code": (put(POINTER, b"outs: !!python/object/apply:os.system [x]\n"), "is not one that DVC writes"),
    "a huge pointer": (put(POINTER, b"#" * 10_000), "more than the 4,096 allowed"),
    "another size": (put(POINTER, pointer(**GOOD)), "its trailer Bytes says"),
    "contents that are not there": (
        rewrite(POINTER, lambda data: re.sub(rb"md5: [0-9a-f]{32}", b"md5: " + b"0" * 32, data)),
        "lacks the content of 2026dgt@1:cutout_cdn/DES",
    ),
    "not JSON": (put(DOCUMENT, b"{"), "is not JSON"),
    "deep JSON": (put(DOCUMENT, DEEP), "is nested too deeply"),
    "huge JSON": (put(DOCUMENT, b" " * (65 * 1024 * 1024)), "more than the 67,108,864 allowed"),
    "a list": (put(DOCUMENT, b"[]\n"), "should be a JSON object"),
    "no document": (drop(DOCUMENT), "it has no 2026dgt.json"),
    "other bytes": (rewrite(DOCUMENT, lambda data: data + b"\n"), "is not written as the format asks"),
    "another number": (document(lambda d: d["metadata"].update(dataset_version=7)), "says that it is revision 7"),
    "another name": (document(lambda d: d["transient"]["fields"].update(name="2026abc")), "is about 2026abc"),
    "another value": (document(lambda d: d["transient"]["fields"].update(redshift=9.5)), "Science-Digest is not that"),
    "another version": (document(lambda d: d["metadata"].update(app_version="v9")), "its trailer App-Version is"),
    "another time": (
        document(lambda d: d["metadata"].update(export_time="2030-01-01T00:00:00+00:00")),
        "its author date should be metadata.export_time, 2030-01-01T00:00:00Z",
    ),
    "a missing table": (document(lambda d: d.pop("apertures")), "has no 'apertures'"),
    "a group that may write": (put(POINTER, mode="100664"), "of mode 100664: only plain files may be"),
    "a wrong type": (document(lambda d: d.update(host=5)), "host should be a JSON object"),
    "a file less": (document(lambda d: d["files"].popitem()), "it has a pointer, and 2026dgt.json does not name it"),
}
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_tree(bench: Any, deny: Callable[..., str], case: str) -> None:
    edit, said = HOSTILE[case]
    bench.git("hash-object", "-w", "-t", "tree", "--stdin")
    bench.forge(edit(bench))
    answer = deny(BRANCH, TAG)
    assert any(words in answer for words in said.split("|"))
    assert "refs/heads/2026dgt, commit " in answer or "the store " in answer


def test_git_itself_refuses_the_worst(clone: Any) -> None:
    clone.forge(put(b"cutout_cdn/.GIT/x.dvc")(clone))
    assert "hasDotgit" in clone.push(BRANCH, TAG)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Marker: revision", "Marker: stage", "its trailer Marker is not `revision`"),
        ("Rules: sha256:", "Rules: md5:", "its trailer Rules should be"),
        ("Science-Digest: sha256:", "Science-Digest: sha256:0", "its trailer Science-Digest should be"),
        ("Revision: 1", "Revision: one", "its trailer Revision should be a number, and says 'one'"),
        ("Revision: 1", "Revision: 1\nRevision: 1", "its trailer Revision stands there 2 times"),
        ("Revision: 1", "Revision: 1\nrevision: 7", "do not tell what it is"),
        ("Revision: 1", "REvision: 7\nRevision: 1", "its trailer REvision is written Revision"),
        ("Revision: 1", "Revision: 1\nReproduces: 0", "its trailer Reproduces has no place in a marker of its kind"),
        ("Revision: 1", "Revision: 1\nStage: Host match", "its trailer Stage has no place"),
        (
            "Status: complete",
            "Status: failed: Host match",
            "its trailer Status says 'failed: Host match', and by its doc",
        ),
        ("Status: complete", "Status: not run: Host match", "its trailer Status says"),
        ("Status: complete", "Status: fine", "its trailer Status should be"),
        ("Status: complete\n", "", "its trailer Status should be there"),
        ("\nFiles: ", "\nFiles: 1", "its trailer Files says 1"),
        ("\nBytes: ", "\nBytes: 1", "its trailer Bytes says 1"),
        ("\nBytes: ", "\nBytes: -", "its trailer Bytes should be a number"),
        ("Recorded-By: blastgit", "X: blastgit", "its trailer Recorded-By should be there"),
        ("Marker: rev", "Promoted-From: u/eve/2026dgt@0\nMarker: rev", "names u/eve/2026dgt@0, which is not here"),
        ("Marker: rev", "Promoted-From: 2026dgt@0\nMarker: rev", "is not a revision of a user's own line of 2026dgt"),
        (
            "Marker: rev",
            "Promoted-From: u/eve/2026abc@0\nMarker: rev",
            "is not a revision of a user's own line of 2026dgt",
        ),
        ("Marker: rev", "Formerly: 2026abc@0\nMarker: rev", "2026dgt was never called so"),
        ("Marker: rev", "Forked-From: 2026dgt@0\nMarker: rev", "Forked-From says 2026dgt@0, and it forks from nothing"),
        ("Marker: rev", "Used: r/model/x@0\nMarker: rev", "its trailer Used names r/model/x@0, which is not here"),
        ("Marker: rev", "Used: 2026dgt@0\nMarker: rev", "its trailer Used should be revisions of references"),
        ("Marker: rev", "Workflow: main\nMarker: rev", "its trailer Workflow should be a commit"),
        ("Marker: rev", "Collections-At: " + "1" * 40 + "\nMarker: rev", "there is no trailer Run"),
        ("2026dgt revision 1: ", "2026dgt revision 7: ", "its message should begin with '2026dgt revision 1: '"),
        ("2026dgt revision 1: ", "2026dgt revision 1: \x1b[2J", "its message has the control character U+001B"),
        ("2026dgt revision 1: ", "2026dgt revision 1: \u202e", "its message has the control character U+202E"),
        ("\n\nRevision: 1", "\n\n---\n\nRevision: 1", "a line `---`, behind which git looks for no trailers"),
    ],
)
def test_a_message_that_does_not_fit(bench: Any, deny: Callable[..., str], old: str, new: str, said: str) -> None:
    bench.forge(lambda files: None, lambda text: text.replace(old, new))
    assert said in deny(BRANCH, TAG)


def test_raw_commits_that_no_reader_could_show(bench: Any, deny: Callable[..., str]) -> None:
    good = bench.git("cat-file", "commit", "good").encode() + b"\n"
    moment = bench.git("log", "-1", "--format=%ct", "good").encode()
    author = good.partition(b"author ")[2].partition(b" <")[0]
    address = good.partition(b" <")[2].partition(b">")[0]
    for change, said in (
        ((b"> " + moment, b"> 99999999999999"), "its dates lie outside of any calendar"),
        ((b"author " + author + b" <", b"author  <"), "its author has no name or no address"),
        ((b"author " + author + b" <" + address + b">", b"author " + author + b" <>"), "no name or no address"),
        ((b"author ", b"author \x1b[2J"), "its header has the control character U+001B"),
        ((b"\n\n", b"\nencoding EBCDIC\n\n"), "states another encoding"),
        ((b"\n\n2026dgt", b"\n\n\xff2026dgt"), "a message that is not UTF-8 text"),
    ):
        raw = good.replace(*change, 1)
        assert raw != good
        commit = bench.git("hash-object", "-w", "-t", "commit", "--stdin", "--literally", stdin=raw)
        bench.tag("2026dgt/1", commit)
        assert said in deny(f"{commit}:{BRANCH}", TAG)


def test_contents_that_are_cut_short(clone: Any) -> None:
    content = clone.show("good:" + POINTER.decode()).split(b"md5: ")[1][:32].decode()
    stored = clone.repo / "dvc/files/md5" / content[:2] / content[2:]
    stored.chmod(0o644)
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1])
    assert "under its MD5: run `blastgit verify`" in clone.check(BRANCH, TAG)
    stored.unlink()
    assert "bring contents first" in clone.check(BRANCH, TAG)
    stored.write_bytes(whole)
    assert clone.check(BRANCH, TAG) == ""


def test_a_small_file_may_lie_in_git_itself(clone: Any) -> None:
    content = clone.show("good:" + POINTER.decode()).split(b"md5: ")[1][:32].decode()
    stored = clone.repo / "dvc/files/md5" / content[:2] / content[2:]
    clone.forge(instead(stored.read_bytes())(clone))
    stored.unlink()
    assert clone.check(BRANCH, TAG) == ""
    assert not [each for each in DataRepo(clone.repo).verify().problems if each.where.startswith("2026dgt@1")]


def test_another_rules_digest_is_believed(clone: Any) -> None:
    """A worker with an older blastgit: its digest cannot be checked here, and is never compared with ours."""
    clone.forge(lambda files: None, lambda text: text.replace("Rules: sha256:", "Rules: sha256:" + "0" * 64 + "\nX: "))
    assert clone.check(BRANCH, TAG) == ""


def test_a_hook_runs_nothing_that_is_pushed(clone: Any, tmp_path: Path) -> None:
    """Modules that lie in the repository's folder are data."""
    (clone.repo / "yaml.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    (clone.repo / "pygit2.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    assert clone.push(BRANCH, TAG) == ""
    assert not (tmp_path / "run").exists()
    assert DataRepo(clone.repo).verify().problems == []


def test_a_revision_that_is_out_of_date_does_not_say_that_it_is_not(clone: Any, tmp_path: Path) -> None:
    export, data = new_image(refit(small("2026dgt"), seed=1)).write(tmp_path / "next")
    assert DataRepo(clone.path).record("2026dgt", export, data).revision == 2
    message = clone.git("log", "-1", "--format=%B", "2026dgt")
    late = next(line for line in message.splitlines() if line.startswith("Out-Of-Date: "))
    tree, parent = clone.git("rev-parse", "2026dgt^{tree}"), clone.git("rev-parse", "2026dgt^")
    forged = clone.commit(tree, [parent], message.replace(late, "Out-Of-Date: none"), like="2026dgt")
    clone.git("update-ref", BRANCH, forged)
    clone.tag("2026dgt/2", forged)
    said = clone.push(BRANCH, TAG, "refs/tags/2026dgt/2")
    assert "by its history these stages were out of date: Global aperture" in said
    problems = list(map(str, DataRepo(clone.path).verify(fast=True).problems))
    assert any("its trailer Out-Of-Date says 'none'" in each for each in problems)
    honest = clone.commit(tree, [parent], message, like=forged)
    clone.git("update-ref", BRANCH, honest)
    clone.tag("2026dgt/2", honest)
    assert not clone.check(BRANCH, TAG, "refs/tags/2026dgt/2")
