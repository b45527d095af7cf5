"""Rules for a marker's trailers: those of its kind, each once, and consistent with the state in the commit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from blastgit.naming.names import transient_of
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import DEVIATION, Marker
from blastgit.revision.dr import DatasetRevision
from blastgit.revision.rules import Rules
from blastgit.workflow.ended import COMPLETE
from blastgit.workflow.markers import OUTCOMES
from blastgit.workflow.publish import Publish
from blastgit.workflow.validity import sounds_complete

_COMMON = frozenset({Trailer.MARKER, Trailer.APP_VERSION, Trailer.RUN})
_OF_DATA = frozenset(
    {
        Trailer.RULES,
        Trailer.SCIENCE_DIGEST,
        Trailer.LINE,
        Trailer.PROMOTED_FROM,
        Trailer.COLLECTIONS_AT,
        Trailer.CONFIG,
        Trailer.USED,
        Trailer.STATUS,
        Trailer.OUT_OF_DATE,
        Trailer.RECORDED_BY,
        Trailer.WORKFLOW,
    }
)
KEYS: Mapping[str, frozenset[str]] = {
    "revision": _COMMON
    | _OF_DATA
    | {Trailer.REVISION, Trailer.FORKED_FROM, Trailer.FORMERLY, Trailer.FILES, Trailer.BYTES},
    "reproduction": _COMMON | _OF_DATA | {Trailer.REPRODUCES, Trailer.REDRAWN_WITHIN, Trailer.RAN},
    "stage": _COMMON
    | {
        Trailer.STAGE,
        Trailer.OUTCOME,
        Trailer.REASON,
        Trailer.OWNER,
        Trailer.HOST,
        Trailer.BEGAN,
        Trailer.UNTIL,
        Trailer.ATTEMPTS,
        Trailer.USED,
        Trailer.BASE,
    },
    "draft": _COMMON | _OF_DATA | {Trailer.TOWARDS, Trailer.DRAFT, Trailer.FILES, Trailer.BYTES},
}
"""The trailers that each kind of marker may have."""

_KNOWN = frozenset[str]().union(*KEYS.values())
_FOLDED = {key.casefold(): key for key in _KNOWN}  # to git, `revision` and `Revision` are the same
_NEEDED = {
    "revision": (Trailer.RULES, Trailer.SCIENCE_DIGEST, Trailer.STATUS, Trailer.RECORDED_BY),
    "reproduction": (Trailer.RULES, Trailer.SCIENCE_DIGEST, Trailer.STATUS, Trailer.RECORDED_BY),
    "draft": (
        Trailer.RULES,
        Trailer.SCIENCE_DIGEST,
        Trailer.STATUS,
        Trailer.RECORDED_BY,
        Trailer.TOWARDS,
        Trailer.DRAFT,
    ),
    "stage": (),
}
_DIGEST, _COMMIT, _COUNT = r"sha256:[0-9a-f]{64}", r"[0-9a-f]{40}", r"0|[1-9][0-9]{0,17}"
_NUMBER = r"0|[1-9][0-9]{0,8}"
_STATUS = r"complete|(?:failed|not run|answered): \S.*"
_WORDS = r"[a-z0-9-]+(?:, [a-z0-9-]+)*"
_REFERENCE = r"r/[^/@\s]+/[^/@\s,]+@(?:0|[1-9][0-9]{0,8})"
_SPEC = r"(?:u/[^/@\s]+/|r/[^/@\s]+/)?[^/@\s]+@(?:0|[1-9][0-9]{0,8})"
_FORMS = {
    Trailer.RULES: (_DIGEST, "sha256:… in 64 digits"), Trailer.SCIENCE_DIGEST: (_DIGEST, "sha256:… in 64 digits"),
    Trailer.CONFIG: (_DIGEST, "sha256:… in 64 digits"),
    Trailer.FILES: (_COUNT, "a number"), Trailer.BYTES: (_COUNT, "a number"), Trailer.ATTEMPTS: (_COUNT, "a number"),
    Trailer.TOWARDS: (_NUMBER, "a number"), Trailer.DRAFT: (_NUMBER, "a number"),
    Trailer.REVISION: (_COUNT, "a number"), Trailer.REPRODUCES: (_COUNT, "a number"),
    Trailer.REDRAWN_WITHIN: (DEVIATION, "a number of published widths"),
    Trailer.STATUS: (_STATUS, "`complete`, `failed: …`, `not run: …` or `answered: …`"),
    Trailer.RAN: (_WORDS, "`all`, `none`, or stages as words, with a comma and a space between them"),
    Trailer.USED: (f"{_REFERENCE}(?:, {_REFERENCE})*", "revisions of references, r/TYPE/NAME@N, separated by `, `"),
    Trailer.FORKED_FROM: (_SPEC, "a revision, NAME@N"), Trailer.PROMOTED_FROM: (_SPEC, "a revision, NAME@N"),
    Trailer.FORMERLY: (_SPEC, "a revision, NAME@N"),
    Trailer.COLLECTIONS_AT: (_COMMIT, "a commit in 40 digits"), Trailer.WORKFLOW: (_COMMIT, "a commit in 40 digits"),
    Trailer.OUTCOME: ("|".join(OUTCOMES), ", ".join(OUTCOMES)),
    Trailer.BASE: (f"{_COMMIT}|none", "a commit in 40 digits, or none"),
}  # fmt: skip
_LINE = re.compile(r"([A-Za-z][A-Za-z-]*): ?(.*)")


def trailer_faults(marker: Marker) -> Iterator[str]:
    """Yield the faults of a marker's trailers by themselves."""
    kind, trailers = marker.trailers.get(Trailer.MARKER, ""), marker.trailers
    if kind not in KEYS:
        yield f"its trailers do not tell what it is (Marker: {kind}): every commit here is a {', a '.join(KEYS)}"
        return
    if (kind == "revision") != (Trailer.REVISION in trailers):
        yield (
            f"its trailers do not tell what it is (Marker: {kind}): it lacks a revision number"
            if kind == "revision"
            else "it states a revision number, and its trailer Marker is not `revision`"
        )
    yield from _key_faults(marker, KEYS[kind])
    for key in _NEEDED[kind]:
        if not trailers.get(key):
            form = f", {_FORMS[key][1]}" if key in _FORMS else ""
            yield f"its trailer {key} should be there{form}"
    for key, (pattern, words) in _FORMS.items():
        if trailers.get(key) and key in KEYS[kind] and not re.fullmatch(pattern, trailers[key]):
            yield f"its trailer {key} should be {words}, and says {trailers[key][:80]!r}"
    for key in (Trailer.COLLECTIONS_AT, Trailer.CONFIG):
        if key in trailers and Trailer.RUN not in trailers:
            yield f"its trailer {key} says what a run read, and there is no trailer Run"


def _key_faults(marker: Marker, allowed: Collection[str]) -> Iterator[str]:
    block = marker.commit.message.rstrip("\n").rpartition("\n\n")[2].split("\n")
    keys = [match[1] for line in block if (match := _LINE.fullmatch(line))]
    known = [_FOLDED[key.casefold()] for key in keys if key.casefold() in _FOLDED]
    for key in keys:
        if key not in _KNOWN and key.casefold() in _FOLDED:
            yield f"its trailer {key} is written {_FOLDED[key.casefold()]}"
    for key, count in Counter(known).items():
        if count > 1:
            yield f"its trailer {key} stands there {count} times: which one counts?"
        if key not in allowed:
            yield f"its trailer {key} has no place in a marker of its kind"


@dataclass(frozen=True)
class Stated:
    """The state in a commit.

    Attributes:
        line: The line of revisions, `2026dgt`, `u/alice/2026dgt` or `r/filter/DES_z`.
        marker: The commit.
        document: Its document.
        sizes: The size of each file in bytes, from its pointer or from git.
    """

    line: str
    marker: Marker
    document: DatasetRevision
    sizes: Mapping[str, int]


def version_faults(state: Stated) -> Iterator[str]:
    """Yield a fault if the commit states another version than its document: for revisions and stages."""
    stated, actual = state.marker.app_version, state.document.export.app_version
    if stated != actual:
        yield f"its document is by {actual!r}, and its commit says {stated}: its trailer App-Version is wrong"


def revision_faults(state: Stated, rules: Rules, *, has_stages: bool) -> Iterator[str]:
    """Yield where a revision's commit contradicts its document and files.

    Args:
        state: The revision.
        rules: The present rules. What depends on rules is checked only if the revision was made by these.
        has_stages: Whether markers of stages led to it.
    """
    yield from _data_faults(state, rules, has_stages=has_stages)
    trailers, number = state.marker.trailers, state.document.number
    begin = f"{state.line} revision {number}: "
    if not state.marker.commit.message.startswith(begin):
        yield f"its message should begin with {begin!r}"
    if Trailer.FORMERLY in trailers and (
        number != 0 or transient_of(trailers[Trailer.FORMERLY].partition("@")[0]) == transient_of(state.line)
    ):
        yield "its trailer Formerly belongs to revision 0 of a transient that had another name"
    is_fork = state.line != transient_of(state.line) and number == 0
    if Trailer.FORKED_FROM in trailers and not is_fork:
        yield "its trailer Forked-From belongs to revision 0 of a user's own line"
    yield from promotion_faults(state.line, state.marker)


def draft_faults(state: Stated, rules: Rules, *, has_stages: bool) -> Iterator[str]:
    """Yield where a draft's commit contradicts its document and files; see `revision_faults`."""
    yield from _data_faults(state, rules, has_stages=has_stages)
    towards, ordinal = state.marker.drafted or (0, 0)
    begin = f"{state.line} draft {ordinal} of revision {towards}: "
    if not state.marker.commit.message.startswith(begin):
        yield f"its message should begin with {begin!r}"
    if Publish.COMPLETE.allows(state.marker.trailers.get(Trailer.STATUS, "")):
        yield "its trailer Status says that its workflow was completed: such a state is a revision, not a draft"
    if Trailer.PROMOTED_FROM in state.marker.trailers:
        yield "its trailer Promoted-From belongs to revisions"


def _data_faults(state: Stated, rules: Rules, *, has_stages: bool) -> Iterator[str]:
    """Yield where the commit of a recorded state contradicts its document and files."""
    yield from version_faults(state)
    trailers, document = state.marker.trailers, state.document
    export = document.export
    if state.marker.commit.author.time != int(export.time.timestamp()):
        yield f"its author date should be metadata.export_time, {export.time:%Y-%m-%dT%H:%M:%SZ}"
    if trailers.get(Trailer.FILES, "") != str(len(document.files)):
        yield f"its trailer Files says {trailers.get(Trailer.FILES)}, and there are {len(document.files)}"
    size = sum(state.sizes.values())
    if trailers.get(Trailer.BYTES, "") != str(size):
        yield f"its trailer Bytes says {trailers.get(Trailer.BYTES)}, and they are {size}"
    yield from _status_faults(state, rules, has_stages=has_stages)


def _status_faults(state: Stated, rules: Rules, *, has_stages: bool) -> Iterator[str]:
    """Yield where the status contradicts the document, whatever the present settings for stages."""
    status, document = state.marker.trailers.get(Trailer.STATUS, ""), state.document.export.document
    if state.marker.trailers.get(Trailer.RULES) != rules.digest:
        return
    failed = [
        task["task_name"]
        for task in document.get("workflow_tasks", ())
        if task["status"].get("type") == "error" and task["task_name"] not in rules.ignored_stages
    ]
    if status == COMPLETE and failed:
        yield f"its trailer Status says {status!r}, but by its document {failed[0]} did not succeed"
    if status != COMPLETE and not has_stages and sounds_complete(document, rules.ignored_stages):
        yield f"its trailer Status says {status!r}, and by its document it is {COMPLETE!r}"


def promotion_faults(line: str, marker: Marker) -> Iterator[str]:
    """Yield the faults of the revision that a marker says its state was promoted from."""
    origin = marker.trailers.get(Trailer.PROMOTED_FROM)
    if origin is None:
        return
    source = origin.partition("@")[0]
    if source == transient_of(source) or transient_of(source) != transient_of(line):
        yield f"its trailer Promoted-From, {origin}, is not a revision of a user's own line of {transient_of(line)}"
    if line != transient_of(line):
        yield "its trailer Promoted-From belongs to official revisions"
