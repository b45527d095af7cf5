"""`blastgit collection VERB …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import add_json, bold, open_repo, plural, print_changes, print_json, print_table, read_names
from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.api.collections import Collections
    from blastgit.collections.change import Changed, Intent
    from blastgit.collections.shown import Shown

_VERBS = {
    "create": "make a collection that is empty",
    "add": "add datasets to a TAGGED collection",
    "remove": "take datasets out of a TAGGED collection",
    "chain": "make or change a CHAINED collection; with one child it is a pointer",
    "certify": "add datasets to a CALIBRATION collection, with the time for which they are valid",
    "decertify": "take validity away from datasets",
    "validate": "mark a RUN as validated",
    "filter": "put a TAGGED collection in the place of a chain's own runs, without what they superseded",
    "delete": "delete a collection, not its datasets",
    "list": "list collections",
    "show": "show what a collection is made of",
    "resolve": "tell which dataset a collection has for a transient",
    "members": "list all that a collection gives",
    "log": "tell who changed a collection, when and why",
    "diff": "show what differs between two collections, or two states of one",
    "freeze": "resolve a collection to commits, as the tag release/COLLECTION/VERSION, which never moves",
    "releases": "list frozen collections",
    "names": "show what collections may be called here",
    "check": "check every collection against the rules",
}

_EPILOG = """\
A dataset is NAME@N, or NAME@N:PATH for one file of it. Every change is one commit on main, with its reason (-m);
nothing changes unless all of it can. A collection that the settings protect asks again, or takes --yes.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = _EPILOG
    verbs = parser.add_subparsers(dest="action", metavar="VERB", required=True)
    for name, words in _VERBS.items():
        verb = verbs.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        verb.add_argument("-C", "--repo", dest="repo", metavar="REPO", default=argparse.SUPPRESS, help="the data repo")
        _ADDERS[name](verb)
        add_json(verb)


def _changing(
    add: Callable[[argparse.ArgumentParser], None],
) -> Callable[[argparse.ArgumentParser], None]:
    def both(verb: argparse.ArgumentParser) -> None:
        verb.add_argument("name", metavar="COLLECTION")
        add(verb)
        add_intent(verb)

    return both


def add_intent(verb: argparse.ArgumentParser) -> None:
    """Add what every change of collections takes."""
    verb.add_argument("-m", "--reason", required=True, metavar="TEXT", help="why, in one line")
    verb.add_argument("--yes", action="store_true", help="it is meant, though the collection is protected")
    verb.add_argument("--dry-run", action="store_true", help="check, and write nothing")


def _named(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="COLLECTION")


def _add_create(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--type", required=True, choices=("RUN", "TAGGED", "CALIBRATION"), type=str.upper)
    verb.add_argument("--about", default="", metavar="TEXT", help="what it is for, in one line")


def _add_datasets(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("datasets", nargs="*", metavar="DATASET", help="2026dgt@1, or 2026dgt@1:PATH")
    verb.add_argument("--from", dest="source", metavar="FILE", help="read more of them, one a line; - for stdin")


def _add_chain(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "children", nargs="+", metavar="CHILD", help="collections, in the order in which they are searched"
    )
    verb.add_argument("--about", metavar="TEXT", help="what it is for, in one line")


def _add_validity(verb: argparse.ArgumentParser) -> None:
    _add_datasets(verb)
    verb.add_argument("--begin", metavar="TIME", help="the first instant, with its zone: 2026-05-27T00:00:00Z")
    verb.add_argument("--end", metavar="TIME", help="the first instant that does not belong to it")


def _add_list(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("pattern", nargs="?", default="*", help="a shell pattern of names")
    verb.add_argument("--type", choices=("RUN", "TAGGED", "CHAINED", "CALIBRATION"), type=str.upper)
    verb.add_argument("--at", metavar="WHEN", help="as they were: a commit of main, a date or a date-time")


def _add_show(verb: argparse.ArgumentParser) -> None:
    _named(verb)
    verb.add_argument("--at", metavar="WHEN", help="as it was: a commit of main, a date or a date-time")


def _add_members(verb: argparse.ArgumentParser) -> None:
    _add_show(verb)
    verb.add_argument("--time", metavar="TIME", help="only what is valid at that instant")


def _add_resolve(verb: argparse.ArgumentParser) -> None:
    _named(verb)
    verb.add_argument("transient")
    verb.add_argument("type", nargs="?", metavar="PATH", help="a file; <name> in it stands for the transient")
    verb.add_argument("--time", metavar="TIME", help="the instant for which a calibration is wanted")
    verb.add_argument("--at", metavar="WHEN", help="as it was: a commit of main, a date or a date-time")


def _add_diff(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("old", metavar="OLD", help="COLLECTION, or COLLECTION@WHEN: a commit of main or a date")
    verb.add_argument("new", metavar="NEW")
    verb.add_argument("--time", metavar="TIME", help="only what is valid at that instant")
    verb.add_argument("--exit-code", action="store_true", help="end with 1 if there is a difference, as diff does")


def _add_freeze(verb: argparse.ArgumentParser) -> None:
    _named(verb)
    verb.add_argument("version", metavar="VERSION", help="what this state of it is called: 1, 2026.1, v1.0")
    verb.add_argument("-m", "--reason", default="", metavar="TEXT", help="what the release is for, in one line")
    verb.add_argument("--doi", default="", help="the DOI that was reserved for it")
    verb.add_argument("--sign", action="store_true", help="sign the tag, as `git tag -s` does by git's settings")
    verb.add_argument("--key", default="", help="sign it with this key (user.signingkey of git)")
    verb.add_argument("--dry-run", action="store_true", help="show what would be frozen, and write nothing")


def _add_releases(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("pattern", nargs="?", default="*", help="a shell pattern of collections or releases")


def _nothing(verb: argparse.ArgumentParser) -> None:
    del verb


_ADDERS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "create": _changing(_add_create),
    "add": _changing(_add_datasets),
    "remove": _changing(_add_datasets),
    "chain": _changing(_add_chain),
    "certify": _changing(_add_validity),
    "decertify": _changing(_add_validity),
    "validate": _changing(_nothing),
    "filter": _changing(_nothing),
    "delete": _changing(_nothing),
    "list": _add_list,
    "show": _add_show,
    "resolve": _add_resolve,
    "members": _add_members,
    "log": _named,
    "diff": _add_diff,
    "freeze": _add_freeze,
    "releases": _add_releases,
    "names": _nothing,
    "check": _nothing,
}


def run(options: argparse.Namespace) -> int:
    """Do it, and say what came of it."""
    if options.action in ("freeze", "releases"):
        from blastgit.cli import cite

        return {"freeze": cite.freeze, "releases": cite.list_releases}[options.action](options)
    collections = open_repo(options).collections
    if getattr(options, "at", None):
        collections = collections.at(options.at)
    if options.action in _CHANGES:
        return say_changed(_CHANGES[options.action](collections, options), options)
    return _READS[options.action](collections, options)


def intent_of(options: argparse.Namespace, collections: Collections) -> Intent:
    """Return why and how a change is made; a protected collection asks again where somebody sits at a terminal."""
    from blastgit.collections.change import Intent

    yes = options.yes
    name = getattr(options, "name", "")
    if not yes and not options.dry_run and name and collections.policy.is_protected(name) and sys.stdin.isatty():
        print(f"{name} is protected, since many rely on it. Write its name again to go on: ", end="", file=sys.stderr)
        yes = sys.stdin.readline().strip() == name
    return Intent(options.reason, yes, options.dry_run)


def say_changed(changed: Changed, options: argparse.Namespace) -> int:
    """Say what a change came to."""
    if options.json:
        print_json(changed.to_json())
        return 0
    if not changed.names:
        print("nothing to change: it is so already")
    else:
        outcome = "would change" if options.dry_run else f"changed ({changed.commit:.10})"
        print(f"{bold(', '.join(changed.names))} {outcome}")
    for sign, texts in (("+", changed.added), ("-", changed.removed)):
        for text in texts[:20]:
            print(f"  {sign} {text}")
        if len(texts) > 20:
            print(f"  {sign} and {len(texts) - 20:,} more")
    for warning in changed.warnings:
        print(f"blastgit: {warning}", file=sys.stderr)
    return 0


def _datasets(options: argparse.Namespace) -> list[str]:
    texts = list(options.datasets)
    if options.source:
        texts += read_names(options.source)
    if not texts:
        raise UsageError("which datasets? Name some, or give a file of them with --from")
    return texts


_Change = Callable[["Collections", argparse.Namespace], "Changed"]
_CHANGES: dict[str, _Change] = {
    "create": lambda all_, o: all_.create(o.name, o.type, intent_of(o, all_), o.about),
    "add": lambda all_, o: all_.add(o.name, _datasets(o), intent_of(o, all_)),
    "remove": lambda all_, o: all_.remove(o.name, _datasets(o), intent_of(o, all_)),
    "chain": lambda all_, o: all_.chain(o.name, o.children, intent_of(o, all_), o.about),
    "certify": lambda all_, o: all_.certify(o.name, _datasets(o), intent_of(o, all_), o.begin, o.end),
    "decertify": lambda all_, o: all_.decertify(o.name, _datasets(o), intent_of(o, all_), o.begin, o.end),
    "validate": lambda all_, o: all_.validate(o.name, intent_of(o, all_)),
    "filter": lambda all_, o: all_.filter(o.name, intent_of(o, all_)),
    "delete": lambda all_, o: all_.delete(o.name, intent_of(o, all_)),
}


def _list(collections: Collections, options: argparse.Namespace) -> int:
    found = collections.list(options.pattern, options.type)
    if options.json:
        print_json([each.to_json() for each in found])
    else:
        sizes = ["" if each.size is None else f"{each.size:,}" for each in found]
        rows = [[each.name, each.kind, size, each.about] for each, size in zip(found, sizes, strict=True)]
        print_table(rows, right=(2,))
    return 0


def _show(collections: Collections, options: argparse.Namespace) -> int:
    shown = collections.show(options.name)
    if options.json:
        print_json(shown.to_json())
    else:
        _say(shown)
    return 0


def _say(shown: Shown) -> None:
    own = shown.summary
    print(f"{bold(own.name)}  {own.kind}{f'  {own.about}' if own.about else ''}")
    for each in shown.tree[1:]:
        size = "" if each.size is None else f"  {plural(each.size, 'child' if each.kind == 'CHAINED' else 'member')}"
        print(f"{'  ' * each.depth}{each.name}  {each.kind}{size.replace('childs', 'children')}")
    for key, value in shown.facts.items():
        if value:
            print(f"  {key}: {', '.join(value) if isinstance(value, list) else value}")
    for version, count in sorted(shown.versions.items()):
        print(f"  by {version}: {plural(count, 'dataset')}")
    for member in shown.members:
        commit = shown.attested.get(member)
        print(f"  {member}{f'  found again, as {commit:.10} attests' if commit else ''}")
    for warning in shown.warnings:
        print(f"blastgit: {warning}", file=sys.stderr)


def _resolve(collections: Collections, options: argparse.Namespace) -> int:
    found = collections.resolve(options.name, options.transient, options.type, options.time)
    if options.json:
        print_json(found.to_json())
    else:
        print(found)
    return 0


def _members(collections: Collections, options: argparse.Namespace) -> int:
    found = collections.members(options.name, options.time)
    if options.json:
        print_json([each.to_json() for each in found])
    else:
        sys.stdout.writelines(f"{each}\n" for each in found)
    return 0


def _log(collections: Collections, options: argparse.Namespace) -> int:
    print_changes(collections.log(options.name), as_json=options.json)
    return 0


def _diff(collections: Collections, options: argparse.Namespace) -> int:
    found = collections.diff(options.old, options.new, options.time)
    if options.json:
        print_json(found.to_json())
    else:
        for old, new in found.replaced:
            print(f"! {old} -> {new}")
        for sign, texts in (("-", found.removed), ("+", found.added)):
            for text in texts:
                print(f"{sign} {text}")
    return int(bool(found) and options.exit_code)


def _names(collections: Collections, options: argparse.Namespace) -> int:
    rows = collections.policy.names.rows
    if options.json:
        keys = ("key", "pattern", "kind", "role", "about")
        values: list[dict[str, Any]] = [{key: getattr(row, key) for key in keys} for row in rows]
        print_json([{"type": value.pop("kind") or None, **value} for value in values])
    else:
        print_table([[row.pattern, row.kind or "any", row.role, row.about] for row in rows])
    return 0


def _check(collections: Collections, options: argparse.Namespace) -> int:
    problems = collections.check()
    if options.json:
        print_json([{"collection": name, "problem": problem} for name, problem in problems])
    else:
        for name, problem in problems:
            print(f"{name}: {problem}")
    return 9 if problems else 0


_READS: dict[str, Callable[[Collections, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "resolve": _resolve,
    "members": _members,
    "log": _log,
    "diff": _diff,
    "names": _names,
    "check": _check,
}
