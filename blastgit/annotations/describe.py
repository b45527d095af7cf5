"""An annotation as text, for a terminal and for git's notes."""

from __future__ import annotations

from blastgit.annotations.states import AnnotationStatus


def describe(note: AnnotationStatus) -> list[str]:
    """Return an annotation as lines: when, by whom, about what; then the comment, indented."""
    event, remark = note.event, note.event.remark
    words = [remark.flag.upper(), *(f"#{tag}" for tag in remark.tags), "" if note.is_current else f"[{note.state}]"]
    who = f"{event.user}{' (bot)' if event.is_bot else ''}"
    about = note.origin or event.seen_as or str(event.subject).removeprefix("revision:")
    steps = f", {note.distance} step{'' if note.distance == 1 else 's'} back" if note.distance else ""
    lines = [" ".join(filter(None, [f"{event.time:%Y-%m-%d %H:%M}", who, f"on {about}{steps}:", *words]))]
    lines += [f"    {line}" for line in remark.comment.split("\n") if line]
    if remark.link:
        lines.append(f"    {remark.link}")
    if remark.metric:
        lines.append(f"    {remark.metric}")
    if remark.attachment:
        kind = f"{remark.attachment.type}, " if remark.attachment.type else ""
        lines.append(f"    attached: {remark.attachment.name}, {kind}{remark.attachment.size:,} bytes")
    return lines
