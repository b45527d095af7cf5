"""What must be true of main's files: which ones may exist, and the form of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from blastgit.checks.tombstones import Find, is_tombstones, tombstone_faults
from blastgit.errors import BlastgitError, RepoError
from blastgit.naming.paths import check_path
from blastgit.plumbing.safe_text import is_control
from blastgit.repository.configuration import FOLDER as CONFIGURATIONS
from blastgit.repository.configuration import digest_of, fault_of
from blastgit.repository.configuration import path_of as configuration_path
from blastgit.repository.format import CONFIG, FILE
from blastgit.repository.skeleton import dot_files, is_dot_file
from blastgit.repository.tombstones import FOLDER
from blastgit.safe_yaml import load_yaml
from blastgit.store.config import check_config

_TEXTS = {"README.md", "CITATION.cff"}
COLLECTION = re.compile(r"collections/.+\.yaml")
QUERY = re.compile(r"queries/[^/]+\.sql")
CONFIGURATION = re.compile(rf"{CONFIGURATIONS}/[0-9a-f]{{2}}/[0-9a-f]{{62}}")
_KINDS = (COLLECTION, QUERY, CONFIGURATION)


def place_faults(paths: Iterable[str]) -> Iterator[str]:
    """Yield the files that do not belong on main, or cannot be checked out on every system."""
    fixed = {*_TEXTS, FILE, *dot_files(b"")}
    seen: dict[str, str] = {}
    for path in sorted(paths):
        twin = seen.setdefault(path.casefold(), path)
        if path not in fixed and not is_tombstones(path) and not any(kind.fullmatch(path) for kind in _KINDS):
            yield (
                f"{path!r} has no place on main: README.md, CITATION.cff, {FILE}, {CONFIG}, collections/**.yaml, "
                f"queries/*.sql, {CONFIGURATIONS}/ and {FOLDER}/NAME/N.yaml have"
            )
        elif path not in fixed:
            try:
                check_path(path)
            except BlastgitError as error:
                yield str(error)
        if twin != path:
            yield f"{path!r} and {twin!r} differ only in case: a clone may not hold both"


def file_faults(path: str, data: bytes, find: Find) -> Iterator[str]:
    """Yield what is wrong with a file by itself; settings, collections and the SQL of queries have checks of their own.

    Args:
        path: Where it is on main.
        data: Its bytes.
        find: Finds published revisions.
    """
    if path == CONFIG:
        yield from _caught(lambda: check_config(data))
    elif path in dot_files(b""):
        if not is_dot_file(path, data):
            yield "it is not the one that blastgit ships, which plain git and DVC rely on"
    elif is_tombstones(path):
        yield from tombstone_faults(path, data, find)
    elif CONFIGURATION.fullmatch(path):
        if fault := fault_of(data):
            yield f"it {fault}"
        if (place := configuration_path(digest_of(data))) != path:
            yield f"it should be named after its own SHA-256, {place}"
    elif not COLLECTION.fullmatch(path) and not QUERY.fullmatch(path):
        if path.endswith((".yaml", ".cff")):
            yield from _caught(lambda: _check_mapping(path, data))
        yield from _text_faults(data)


def _caught(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except BlastgitError as error:
        yield str(error)


def _check_mapping(path: str, data: bytes) -> None:
    if not isinstance(load_yaml(data, PurePosixPath(path).name), dict):
        raise RepoError("it should be a mapping of settings")


def _text_faults(data: bytes) -> Iterator[str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        yield "it is not UTF-8 text"
        return
    if control := next((letter for letter in text if is_control(letter) and letter not in "\n\r\t\f"), ""):
        yield f"it is not text: it has the control character U+{ord(control):04X}"
