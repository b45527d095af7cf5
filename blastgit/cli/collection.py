"""`blastgit collection VERB …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import (
    add_action,
    add_json,
    bold,
    open_repo,
    plural,
    print_changes,
    print_json,
    print_table,
    read_names,
)
from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.api.collections import Collections
    from blastgit.collections.change import Changed, Intent
    from blastgit.collections.shown import Shown

_EPILOG = """\
A dataset is NAME@N, or NAME@N:PATH for one file of it. Every change is one commit on main, with its reason (-m), and is
made completely or not at all. Changing a collection that the settings protect asks for confirmation, or takes --yes.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = _EPILOG
    verbs = parser.add_subparsers(dest="action", metavar="VERB", required=True)
    for name, each in _VERBS.items():
        verb = add_action(verbs, name, each.words)
        each.add(verb)
        add_json(verb)


def add_intent(verb: argparse.ArgumentParser) -> None:
    """Add the options that every change of collections takes."""
    verb.add_argument("-m", "--reason", required=True, metavar="TEXT", help="why, in one line")
    verb.add_argument("--yes", action="store_true", help="confirm the change of a protected collection")
    verb.add_argument("--dry-run", action="store_true", help="check, but write nothing")


def _named(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="COLLECTION")


def _add_create(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--type", required=True, choices=("RUN", "TAGGED", "CALIBRATION"), type=str.upper)
    verb.add_argument("--about", default="", metavar="TEXT", help="what it is for, in one line")


def _add_datasets(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("datasets", nargs="*", metavar="DATASET", help="2026dgt@1, or 2026dgt@1:PATH")
    verb.add_argument("--from", dest="source", metavar="FILE", help="read more datasets, one a line; - for stdin")


def _add_chain(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "children", nargs="+", metavar="CHILD", help="collections, in the order in which they are searched"
    )
    verb.add_argument("--about", metavar="TEXT", help="what it is for, in one line")


def _add_validity(verb: argparse.ArgumentParser) -> None:
    _add_datasets(verb)
    verb.add_argument("--begin", metavar="TIME", help="the first instant, with its zone: 2026-05-27T00:00:00Z")
    verb.add_argument("--end", metavar="TIME", help="the first instant that is not valid any more")


def _add_list(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("pattern", nargs="?", default="*", help="a shell pattern of names")
    verb.add_argument("--type", choices=("RUN", "TAGGED", "CHAINED", "CALIBRATION"), type=str.upper)
    verb.add_argument("--at", metavar="WHEN", help="as of then: a commit of main, a date or a date-time")


def _add_show(verb: argparse.ArgumentParser) -> None:
    _named(verb)
    verb.add_argument("--at", metavar="WHEN", help="as of then: a commit of main, a date or a date-time")


def _add_members(verb: argparse.ArgumentParser) -> None:
    _add_show(verb)
    verb.add_argument("--time", metavar="TIME", help="only what is valid at that instant")


def _add_resolve(verb: argparse.ArgumentParser) -> None:
    _named(verb)
    verb.add_argument("transient")
    verb.add_argument("type", nargs="?", metavar="PATH", help="a file; <name> in it stands for the transient")
    verb.add_argument("--time", metavar="TIME", help="the instant for which a calibration is wanted")
    verb.add_argument("--at", metavar="WHEN", help="as of then: a commit of main, a date or a date-time")


def _add_diff(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("old", metavar="OLD", help="COLLECTION, or COLLECTION@WHEN: a commit of main or a date")
    verb.add_argument("new", metavar="NEW")
    verb.add_argument("--time", metavar="TIME", help="only what is valid at that instant")
    verb.add_argument("--exit-code", action="store_true", help="end with 1 if there is a difference, as diff does")


def _add_freeze(verb: argparse.ArgumentParser) -> None:
    _named(verb)
    verb.add_argument("version", metavar="VERSION", help="the name of this version: 1, 2026.1, v1.0")
    verb.add_argument("-m", "--reason", default="", metavar="TEXT", help="what the release is for, in one line")
    verb.add_argument("--doi", default="", help="the DOI that was reserved for it")
    verb.add_argument("--sign", action="store_true", help="sign the tag with git's settings, as `git tag -s` does")
    verb.add_argument("--key", default="", help="sign it with this key (git's user.signingkey)")
    verb.add_argument("--dry-run", action="store_true", help="show what would be frozen, but write nothing")


def _add_releases(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("pattern", nargs="?", default="*", help="a shell pattern of collections or releases")


def _nothing(verb: argparse.ArgumentParser) -> None:
    del verb


def run(options: argparse.Namespace) -> int:
    """Run the subcommand and print its result."""
    collections = open_repo(options).collections
    if getattr(options, "at", None):
        collections = collections.at(options.at)
    return _VERBS[options.action].run(collections, options)


def intent_of(options: argparse.Namespace, collections: Collections) -> Intent:
    """Return why and how a change is made; on a terminal, ask for confirmation if the collection is protected."""
    from blastgit.collections.change import Intent

    yes = options.yes
    name = getattr(options, "name", "")
    if not yes and not options.dry_run and name and collections.policy.is_protected(name) and sys.stdin.isatty():
        print(f"{name} is protected, since many rely on it. Type its name to confirm: ", end="", file=sys.stderr)
        yes = sys.stdin.readline().strip() == name
    return Intent(options.reason, yes, options.dry_run)


def say_changed(changed: Changed, options: argparse.Namespace) -> int:
    """Print the result of a change."""
    if options.json:
        print_json(changed.to_json())
        return 0
    if not changed.names:
        print("nothing to change")
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


def _list(collections: Collections, options: argparse.Namespace) -> int:
    found = collections.list(options.pattern, options.type)
    if options.json:
        print_json([each.to_json() for each in found])
    elif not found:
        kind = f"{options.type} collection" if options.type else "collection"
        print(f"no {kind} yet" if options.pattern == "*" else f"no {kind} is called {options.pattern}")
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


def _freeze(collections: Collections, options: argparse.Namespace) -> int:
    from blastgit.cli.cite import freeze

    del collections
    return freeze(options)


def _releases(collections: Collections, options: argparse.Namespace) -> int:
    from blastgit.cli.cite import list_releases

    del collections
    return list_releases(options)


@dataclass(frozen=True)
class _Verb:
    """A verb of `blastgit collection`: its help text, its arguments, and its function."""

    words: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Collections, argparse.Namespace], int]


def _changing(
    words: str,
    add: Callable[[argparse.ArgumentParser], None],
    change: Callable[[Collections, argparse.Namespace, Intent], Changed],
) -> _Verb:
    """Return a verb that changes a collection: it takes a reason, and prints what changed."""

    def add_all(verb: argparse.ArgumentParser) -> None:
        _named(verb)
        add(verb)
        add_intent(verb)

    def run(collections: Collections, options: argparse.Namespace) -> int:
        return say_changed(change(collections, options, intent_of(options, collections)), options)

    return _Verb(words, add_all, run)


_VERBS = {
    "create": _changing(
        "make an empty collection",
        _add_create,
        lambda all_, o, intent: all_.create(o.name, o.type, intent, o.about),
    ),
    "add": _changing(
        "add datasets to a TAGGED collection",
        _add_datasets,
        lambda all_, o, intent: all_.add(o.name, _datasets(o), intent),
    ),
    "remove": _changing(
        "remove datasets from a TAGGED collection",
        _add_datasets,
        lambda all_, o, intent: all_.remove(o.name, _datasets(o), intent),
    ),
    "chain": _changing(
        "make or change a CHAINED collection; with one child it is a pointer",
        _add_chain,
        lambda all_, o, intent: all_.chain(o.name, o.children, intent, o.about),
    ),
    "certify": _changing(
        "add datasets to a CALIBRATION collection, with the time for which they are valid",
        _add_validity,
        lambda all_, o, intent: all_.certify(o.name, _datasets(o), intent, o.begin, o.end),
    ),
    "decertify": _changing(
        "remove the validity of datasets",
        _add_validity,
        lambda all_, o, intent: all_.decertify(o.name, _datasets(o), intent, o.begin, o.end),
    ),
    "validate": _changing("mark a RUN as validated", _nothing, lambda all_, o, intent: all_.validate(o.name, intent)),
    "filter": _changing(
        "replace a chain's own runs by a TAGGED collection without superseded data",
        _nothing,
        lambda all_, o, intent: all_.filter(o.name, intent),
    ),
    "delete": _changing(
        "delete a collection, not its datasets", _nothing, lambda all_, o, intent: all_.delete(o.name, intent)
    ),
    "list": _Verb("list collections", _add_list, _list),
    "show": _Verb("show the contents of a collection", _add_show, _show),
    "resolve": _Verb("show which dataset a collection has for a transient", _add_resolve, _resolve),
    "members": _Verb("list all members of a collection", _add_members, _members),
    "log": _Verb("show who changed a collection, when and why", _named, _log),
    "diff": _Verb("show what differs between two collections, or two states of one", _add_diff, _diff),
    "freeze": _Verb(
        "resolve a collection to commits, as the tag release/COLLECTION/VERSION, which never moves",
        _add_freeze,
        _freeze,
    ),
    "releases": _Verb("list frozen collections", _add_releases, _releases),
    "names": _Verb("show which names collections may have here", _nothing, _names),
    "check": _Verb("check every collection against the rules", _nothing, _check),
}
