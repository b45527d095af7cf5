"""The documentation is correct: commands run and print what is shown, links work, nothing is missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from blastgit import DataRepo, errors
from blastgit.cli.main import CRASH, INTERRUPTED, VERBS
from blastgit.demo.story import tell
from blastgit.plumbing import refs
from blastgit.repository.history import History
from blastgit.revision.digest import science_digest
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "hooks").glob("*.md")])
EXAMPLES = [ROOT / "README.md", DOCS / "tutorial.md", DOCS / "operators.md", DOCS / "collections.md"]
ACRONYM = re.compile(r"\b[A-Z][A-Z0-9]{2,}\b")
URL = "https://data.example.org/blast.git"  # where the documents say that a data repo is


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make demo` makes, with small images."""
    folder = tmp_path_factory.mktemp("docs") / "demo"
    tell(folder, pixels=16)
    return folder


@pytest.fixture
def folder(told: Path, tmp_path: Path, hermetic: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as `make demo` leaves it, on a machine where blastgit is installed."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, words in (("blastgit", "-m blastgit"), ("dvc", "-m dvc"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with (hermetic / "gitconfig").open("a") as settings:
        settings.write(f'[url "file://{told}/data.git"]\n\tinsteadOf = {URL}\n')
    folder = tmp_path / "demo"
    folder.mkdir()
    for name in ("data.git", "run1", "run2", "run3"):
        (folder / name).symlink_to(told / name)
    (told / "data.git/blastgit/index.duckdb").unlink(missing_ok=True)  # another page may have made it
    return folder


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[tuple[str, str]]:
    """The commands of a page's console blocks, each with the output that the page shows."""
    found = []
    for line in "".join(blocks(page, "console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif line.startswith("> "):
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def run_all(lines: list[str], folder: Path) -> list[str]:
    """Run commands in one shell and return what each printed on stdout."""
    mark = "---- next command ----"
    script = f"\necho '{mark}'\n".join(lines)
    done = subprocess.run(["bash", "-ec", script], cwd=folder, capture_output=True, text=True, check=False)
    outputs = done.stdout.split(f"{mark}\n")
    assert done.returncode == 0, f"{lines[len(outputs) - 1]} ended with {done.returncode}:\n{outputs[-1]}{done.stderr}"
    return outputs


def matches(shown: str, printed: str) -> bool:
    """Compare outputs: `…` stands for anything in a line, alone on a line for any lines; spaces count as one."""
    patterns = [
        "(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n" for line in plain(shown)
    ]
    return re.fullmatch("".join(patterns), "".join(f"{line}\n" for line in plain(printed))) is not None


def plain(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")], ids=lambda page: page.name)
def test_commands_print_what_the_page_shows(page, folder):
    if page.name == "format.md":
        (folder / "reader.py").write_text(blocks(page, "python")[-1], "utf-8")
    shown = commands(page)
    printed = run_all([command for command, _ in shown], folder)
    for (command, expected), output in zip(shown, printed, strict=True):
        assert matches(expected, output), f"$ {command}\nshould print\n{expected}\nand prints\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_is_but_a_title(page):
    assert len(page.read_text("utf-8").split()) > 50


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.name)
def test_python_examples_run(page, folder):
    for code in blocks(page, "python"):
        subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, check=True, capture_output=True)


def test_the_reader_of_the_format_notices_damage(folder, told, tmp_path):
    copy = tmp_path / "store"
    subprocess.run(["cp", "-r", told / "data.git/dvc", copy], check=True)
    victim = next(path for path in (copy / "files/md5").rglob("*") if path.is_file() and path.stat().st_size > 1000)
    victim.chmod(0o644)
    victim.write_bytes(b"x" + victim.read_bytes()[1:])
    reader = blocks(DOCS / "format.md", "python")[-1].replace('/ "files/md5"', f'/ "{copy}/files/md5"')
    words = [sys.executable, "-c", reader, "data.git", "2026dgt"]
    outcomes = [subprocess.run([*words, n], cwd=folder, capture_output=True, check=False) for n in ("0", "1")]
    assert any(b"is damaged" in outcome.stderr for outcome in outcomes)


def test_trailers_are_those_that_the_format_lists(told):
    text = (DOCS / "format.md").read_text("utf-8")
    rows = re.findall(r"^\| `([A-Z][A-Za-z-]+)` \| ([^|]+) \| ([^|]+) \|", text, re.MULTILINE)
    markers = History(DataRepo(told / "data.git").session.repository).markers("2026dgt")
    for marker in markers:
        column = 1 if marker.number is not None else 2
        said = [*marker.trailers]
        assert said == [row[0] for row in rows if row[0] in said], "in the order of the page"
        assert {row[0] for row in rows if row[column] == "yes"} <= set(said)
        assert not {row[0] for row in rows if row[column] == "no"} & set(said)
        kind = next(row[column] for row in rows if row[0] == "Marker").strip("`")
        assert marker.trailers["Marker"] == kind


def test_the_science_digest_follows_from_what_is_published(told):
    for revision in History(DataRepo(told / "data.git").session.repository).revisions("2026dgt"):
        form = normalise(revision.dr.export, default_rules())
        sha256 = {path: value.removeprefix("sha256:") for path, value in revision.dr.files.items()}
        assert science_digest(form, sha256, default_rules()) == revision.trailers["Science-Digest"]


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.is_file(), target
        assert not anchor or anchor in anchors(other), target


def named_tests(page: Path) -> set[str]:
    """What a page says of where something is tested: files and folders below `tests/`."""
    return set(re.findall(r"(?<![\w./-])tests/[\w./-]*[\w/]", page.read_text("utf-8")))


@pytest.mark.parametrize("page", [page for page in PAGES if named_tests(page)], ids=lambda page: page.name)
def test_what_a_page_names_as_a_test_is_there(page):
    assert [path for path in sorted(named_tests(page)) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_among_the_commands(verb):
    table = (DOCS / "commands.md").read_text("utf-8").partition("| verb |")[2].partition("\n\n")[0]
    assert re.search(rf"`{verb}[ `]", table)


def test_exit_codes_are_all_listed():
    text = (DOCS / "exit-codes.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (?:`(.+?)`)? ?\| (?:`(.+?)`)? ?\|", text, re.MULTILINE)
    listed = {(int(code), kind, name) for code, kind, name in rows}
    public = (each for each in vars(errors).values() if isinstance(each, type))
    classes = [each for each in public if issubclass(each, errors.BlastgitError)]
    expected = {(each.exit_code, each.kind, each.__name__) for each in classes}
    assert listed == expected | {(0, "", ""), (CRASH, "", ""), (INTERRUPTED, "", "")}


def test_every_error_that_programs_may_meet_is_listed():
    text = (DOCS / "exit-codes.md").read_text("utf-8")
    for each in (refs.RefMoved, refs.RefLocked):
        assert f"`{each.kind}` (`{each.__name__}`" in text


def prose(page: Path) -> str:
    code = r"^```.*?^```$|^    .*?$|`[^`]*`|\]\([^)]*\)"
    return re.sub(code, "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_every_acronym_is_spelled_out():
    glossary = (DOCS / "glossary.md").read_text("utf-8")
    known = set(ACRONYM.findall(" ".join(re.findall(r"^- \*\*(.+?)\*\*", glossary, re.MULTILINE))))
    words = {"README", "CHANGELOG", "HEAD"}  # names of files and refs
    used = {}
    for page in PAGES:
        used |= dict.fromkeys(ACRONYM.findall(prose(page)), page.name)
    assert {word: page for word, page in used.items() if word not in known | words} == {}
