"""Export and import annotations as JSON lines or ECSV: to carry them without git, and to read lists made elsewhere.

A row is one annotation of one subject. Two ids stay the same wherever it goes: `id` of the annotation, and
`subject_id` of its subject (UUIDv5 of the repo's identity and the subject's text).
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from blastgit.annotations.annotation import Annotation, read_event
from blastgit.annotations.attachment_exchange import pack, unpack
from blastgit.annotations.branch import Branch
from blastgit.annotations.flags import Flags
from blastgit.annotations.resolve import Resolver
from blastgit.annotations.states import AnnotationStatus
from blastgit.annotations.subjects import instant_text
from blastgit.annotations.write import Draft, author_of, now
from blastgit.errors import BlastgitError, InvalidInput
from blastgit.repository.base import Repository
from blastgit.repository.identity import stable_id
from blastgit.revision.document import canonical, parse
from blastgit.revision.words import plural
from blastgit.safe_yaml import load_yaml

SIZE_LIMIT = 64 * 1024 * 1024
"""Most bytes of one import."""

_COLUMNS = {
    "id": "UUID of the annotation", "time": "when, UTC", "user": "who", "actor": "human or bot",
    "subject": "what it is about", "subject_id": "UUID of the subject", "as": "where a file was pointed out",
    "comment": "in words", "flag": "quality flag", "tags": "tags, with spaces between them", "link": "URL",
    "attachment": "name, SHA-256 and size of a file, as JSON", "metric": "key, value and unit, as JSON",
    "supersedes": "ids of annotations that it takes the place of, with spaces between them",
    "retract": "whether it only takes them back", "subjects": "how many subjects it has in all",
}  # fmt: skip
_TYPES = {"retract": "bool", "subjects": "int64"}
_OWN = ("subject_id",)


def export(repository: Repository, notes: Iterable[AnnotationStatus], identity: uuid.UUID, form: str) -> bytes:
    """Return annotations as text that `read_rows` reads; JSON lines include their attachments.

    Args:
        repository: The data repo that has the attachments.
        notes: The annotations.
        identity: The identity of the data repo.
        form: "jsonl" or "ecsv".
    """
    branch = Branch(repository)
    chosen = list(dict.fromkeys(replace(note, origin="", distance=0) for note in notes))
    rows = [{**note.event.to_json(), "subject_id": stable_id(identity, str(note.event.subject))} for note in chosen]
    if form == "ecsv":
        return _write_ecsv(rows)
    for row, note in zip(rows, chosen, strict=True):
        if note.event.remark.attachment:
            row["attachment"] = pack(repository, branch, note.event.remark.attachment)
    return b"".join(canonical(row) + b"\n" for row in rows)


def _write_ecsv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    lines = ["%ECSV 1.0", "---", "datatype:"]
    for name, words in _COLUMNS.items():
        lines.append(f"- {{name: {name}, datatype: {_TYPES.get(name, 'string')}, description: {json.dumps(words)}}}")
    lines += ["meta: {format: blastgit annotations}", "schema: astropy-2.0"]
    text = io.StringIO()
    text.writelines(f"# {line}\n" for line in lines)
    writer = csv.writer(text, delimiter=" ", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([_cell(name, row.get(name)) for name in _COLUMNS] for row in rows)
    return text.getvalue().encode()


def _cell(name: str, value: Any) -> str | int:
    if name == "retract":
        return bool(value)
    if name == "subjects":
        return int(value or 1)
    if isinstance(value, list):
        return " ".join(value)
    return json.dumps(value) if isinstance(value, dict) else value or ""


def read_rows(data: bytes) -> list[dict[str, Any]]:
    """Read JSON lines or ECSV; empty cells are left out.

    Raises:
        InvalidInput: It is neither; the error names the line.
    """
    if data.startswith(b"# %ECSV"):
        return list(_read_ecsv(data))
    rows = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        row = parse(line, f"line {number}")
        if not isinstance(row, dict):
            raise InvalidInput(f"line {number} is not a JSON object, one annotation")
        rows.append(row)
    return rows


def _read_ecsv(data: bytes) -> Iterator[dict[str, Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the table is not UTF-8 text: {error.reason} at byte {error.start}") from None
    head, _, body = _split_head(text)
    header = load_yaml(head.encode(), "the head of the table") or {}
    delimiter = header.get("delimiter", " ") if isinstance(header, dict) else ""
    if delimiter not in (" ", ","):
        raise InvalidInput("the table is not ECSV: its head should be YAML, and its delimiter a space or a comma")
    csv.field_size_limit(SIZE_LIMIT)
    try:
        rows = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
        names = next(rows, [])
        if len(set(names)) != len(names):
            raise InvalidInput("a column of the table occurs twice")
        for number, cells in enumerate(rows, 1):
            if len(cells) != len(names):
                raise InvalidInput(f"row {number} of the table has {len(cells)} cells for {len(names)} columns")
            yield {name: _value(name, cell, number) for name, cell in zip(names, cells, strict=True) if cell}
    except csv.Error as error:
        raise InvalidInput(f"the table cannot be read: {error}") from None


def _split_head(text: str) -> tuple[str, str, str]:
    lines = text.split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(line[2:] for line in lines[1:count]), "", "\n".join(lines[count:])


def _value(name: str, cell: str, number: int) -> Any:
    if name in ("tags", "supersedes"):
        return cell.split()
    if name == "retract":
        return cell == "True"
    if name == "subjects":
        if not cell.isdecimal() or len(cell) > 9:
            raise InvalidInput(f"row {number}: subjects is {cell[:40]!r}, no number")
        return int(cell)
    return parse(cell.encode(), f"row {number}") if name in ("attachment", "metric") else cell


def read_in(repository: Repository, identity: uuid.UUID, data: bytes) -> Draft:
    """Return a draft of the rows of a file: an export, or a plain list of subjects, flags and comments.

    A row without id, time, user and actor is an annotation of this user, made now. Its id follows from its content, so
    that importing the same list twice adds nothing.

    Raises:
        InvalidInput: A row is not valid; the error names it.
        NotFound: A subject does not exist.
    """
    rows, resolver, attachments = read_rows(data), Resolver(repository), dict[str, bytes]()
    flags = Flags.of(repository.settings)
    user, moment = author_of(repository), instant_text(now(repository))
    events: list[Annotation] = []
    for number, row in enumerate(rows, 1):
        try:
            target = resolver.target(_text(row, "subject"))
            whole = {"user": user, "time": moment, **row}
            whole.setdefault("id", stable_id(identity, canonical({**row, "subject": str(target.subject)}).decode()))
            whole.setdefault("actor", "bot" if flags.is_bot(_text(whole, "user")) else "human")
            whole |= {"subject": str(target.subject), "as": row.get("as", target.seen_as)}
            whole["attachment"] = unpack(repository, row.get("attachment"), attachments)
            event = read_event({key: value for key, value in whole.items() if key not in _OWN and value is not None})
            flags.check(event.remark)
        except BlastgitError as error:
            raise type(error)(f"annotation {number}: {error}") from None
        events.append(event)
    events.sort(key=lambda event: event.time)
    return Draft(events, f"Take in {plural(len(events), 'annotation')}", attachments)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise InvalidInput(f"it has no {key}")
    return value
