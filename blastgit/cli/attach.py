"""`blastgit attach [NAME@N [FILE]] [--type qa_plot]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from blastgit.cli.annotation_options import add_saying, add_subject, tell_added
from blastgit.cli.common import open_repo, print_json, print_table, size_text
from blastgit.errors import NotFound, UsageError, WouldOverwrite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_subject(parser)
    parser.add_argument(
        "file", nargs="?", metavar="FILE", type=Path, help="the file; without it, list what is attached"
    )
    parser.add_argument("--type", dest="type_", default="", help="the kind of attachment, such as qa_plot")
    parser.add_argument("--mime", metavar="TYPE/SUBTYPE", help="its MIME type (default: guessed from its name)")
    parser.add_argument("--save", metavar="FOLDER", type=Path, help="write the attached files into a folder")
    add_saying(parser)
    parser.epilog = """\
Attaching makes no new revision. Small files go to the branch annotations, large ones into the store. To comment on an
attachment: `blastgit annotate sha256:…`; to retract it: `blastgit annotate --retract ID`.
"""


def run(options: argparse.Namespace) -> int:
    """Attach a file, or list attachments."""
    from blastgit.cli.notes import clone_or_repo

    attachments = open_repo(clone_or_repo(options)).attachments
    if options.file is not None:
        if options.save or options.history:
            raise UsageError("--save and --history are for existing attachments: leave out the file")
        done = attachments.add(
            options.subject, options.file, type=options.type_, mime=options.mime, comment=options.comment,
            bot=options.bot, dry_run=options.dry_run,
        )  # fmt: skip
        return tell_added(done, options, "attached")
    found = attachments.list(options.subject, options.type_ or "*", history=options.history)
    if options.save:
        for each in found:
            print(_write(options.save / each.attachment.name, attachments.read(each)))
        if not found:
            raise NotFound("nothing of that kind is attached")
    elif options.json:
        print_json([each.to_json() for each in found])
    elif not found:
        print("nothing is attached")
    else:
        rows = [["attached to", "name", "type", "size", "by", "id"]]
        for each in found:
            one = each.attachment
            name = f"{one.name} (withdrawn)" if each.withdrawn else one.name
            rows.append([each.subject, name, one.type or one.mime, size_text(one.size), each.user, each.id])
        print_table(rows, right=(3,))
    return 0


def _write(target: Path, data: bytes) -> Path:
    if target.exists() and target.read_bytes() != data:
        raise WouldOverwrite(f"{target} exists and differs: move it away, or choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target
