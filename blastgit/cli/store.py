"""`blastgit store [show|add|move]`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from blastgit.cli.common import (
    add_json,
    add_store_options,
    drawn_progress,
    open_repo,
    plural,
    print_json,
    size_text,
    store_options,
)
from blastgit.errors import StoreError, UsageError

if TYPE_CHECKING:
    from blastgit import DataRepo
    from blastgit.maintenance.restore_placement import Move
    from blastgit.store.registry import Reliance

_EPILOG = """\
store move URL       switch main to the store that the contents have been copied to
store move           copy contents to where the storage rules in blastgit.yaml now send them
store add NAME URL   add a store, for the kinds of files that storage rules send there
store own            allow this repo to delete from its stores, once it is certain which repos rely on them
store forget ID      forget a repo that relied on a store and no longer exists
"""

_DONE = "every content is where the storage rules send it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = _EPILOG
    words = "show the stores and the repos that rely on them (default), or change them"
    parser.add_argument(
        "action", nargs="?", choices=["show", "move", "add", "own", "forget"], default="show", help=words
    )
    parser.add_argument("names", nargs="*", metavar="NAME|URL|ID", help="see below")
    parser.add_argument(
        "--no-check", action="store_true", help="with move: do not check that the new store has all contents"
    )
    parser.add_argument("--dry-run", action="store_true", help="with move without a URL: report what would be copied")
    add_store_options(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Change the stores if asked to, and print where they are."""
    wanted = {"show": (0,), "move": (0, 1), "add": (2,), "own": (0,), "forget": (1,)}[options.action]
    if len(options.names) not in wanted:
        raise UsageError(
            "`store show` and `store own` take no arguments, `store move` an optional URL, `store add` a name and a "
            "URL, `store forget` an id"
        )
    if options.action == "move" and not options.names:
        return _bring(options)
    repo = open_repo(options)
    if options.action == "add":
        name, url = options.names
        repo.stores.add(name, url, store_options(options))
    elif options.action == "move":
        repo.stores.move(options.names[0], store_options(options), check=not options.no_check)
    elif options.action == "own":
        repo.stores.own()
    elif options.action == "forget":
        repo.stores.forget(options.names[0])
    if options.json:
        users = [asdict(each) for each in _users(repo)]
        print_json({"store": repo.store_url, "stores": repo.stores.urls, "repos": users})
    elif options.action == "show":
        print("\n".join([repo.store_url, *(f"{name}: {url}" for name, url in repo.stores.urls.items())]))
        print("".join(f"  {each}\n" for each in _users(repo)), end="")
    elif options.action == "own":
        print(f"{repo.store_url}: this repo may delete there from now on")
    elif options.action == "forget":
        print(f"{options.names[0]} is forgotten")
    elif options.action == "add":
        print(f"main now has the store {options.names[0]}: storage rules in blastgit.yaml may name it")
    else:
        print(f"the store is now {repo.store_url}; blastgit reads every old revision from there")
        print("Plain DVC in a clone of an old one: blastgit setup CLONE, or, without blastgit:")
        print(f"  dvc remote modify --local store url {repo.store_url}")
    return 0


def _users(repo: DataRepo) -> list[Reliance]:
    """Return which repos rely on the stores; none if a store cannot be reached, so that the URLs are still printed."""
    try:
        return repo.stores.users()
    except StoreError:
        return []


def _bring(options: argparse.Namespace) -> int:
    with drawn_progress() as progress:
        due = open_repo(options, progress).stores.bring(dry_run=options.dry_run)
    if options.json:
        print_json([_told(move) for move in due.moves])
        return 0
    for move in due.moves:
        verb = "would be copied" if options.dry_run else "copied"
        where = f"{move.store or 'the default store'} ({move.url})"
        print(f"{plural(len(move.contents), 'content')} {verb} to {where}, {size_text(move.size)}")
    staying = {
        "git itself": due.in_git,
        "a store, though rules would now keep it in git": due.in_store,
        "a tree that was imported in place": due.in_place,
    }
    for where, count in staying.items():
        if count:
            print(f"as published: {plural(count, 'content')} in {where} (a published tree never changes)")
    if not due.moves:
        print("every other content is where the storage rules send it" if any(staying.values()) else _DONE)
    return 0


def _told(move: Move) -> dict[str, object]:
    return {"store": move.store, "url": move.url, "contents": len(move.contents), "bytes": move.size}
