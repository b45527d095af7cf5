"""`blastgit variant list [NAME[@REV]]`, `variant default COMPONENT [VARIANT]` and `variant log`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, bold, key_values, open_repo, print_json, print_table
from blastgit.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("action", choices=("list", "default", "define", "log"), help="what to do")
    words = "list: the revision; default: the component, and the variant to make its default; define: both"
    parser.add_argument("what", nargs="*", metavar="WHAT", help=words)
    parser.add_argument("--reason", metavar="TEXT", help="why to change the default, or to define the variant")
    words = "define: what it stands for, in YAML: run='runs/*/jointcal/*', made_by='Host match'; may be given again"
    parser.add_argument("--is", dest="meaning", metavar="WORD=VALUE", action="append", default=[], help=words)
    add_json(parser)
    parser.epilog = """\
variant list                     the components that have variants, and their variants
variant list 2026dgt@2           which revision has each variant, as seen from revision 2
variant default photometry       the variant that photometry@default stands for
variant default photometry jointcal --reason 'validated in DM-7'
variant define photometry jointcal --is 'run=runs/*/jointcal/*' --reason 'from DM-7'
variant log                      who changed what, when and why
`variants:` in blastgit.yaml on main has them (docs/workflow.md).
"""


def run(options: argparse.Namespace) -> int:
    """Run the subcommand."""
    if options.meaning and options.action != "define":
        raise UsageError(f"--is says what a new variant stands for: variant {options.action} takes none")
    verbs = {"list": _list, "default": _default, "define": _define, "log": _log}
    return verbs[options.action](options)


def _list(options: argparse.Namespace) -> int:
    if len(options.what) > 1 or options.reason is not None:
        raise UsageError("variant list takes at most one revision, and no reason")
    spec = options.what[0] if options.what else None
    found = open_repo(options).variants.list(spec)
    if options.json:
        print_json([each.to_json() for each in found])
    elif not found:
        print("no component has variants: `variants:` in blastgit.yaml on main declares them")
    else:
        rows = [[each.name, "default" if each.is_default else "", each.real or each.why_not or ""] for each in found]
        print_table(rows)
    return 0


def _default(options: argparse.Namespace) -> int:
    if len(options.what) not in (1, 2):
        raise UsageError("which component? Write variant default COMPONENT, and the VARIANT to set it")
    variants = open_repo(options).variants
    component = options.what[0]
    if len(options.what) == 2:
        if not options.reason:
            raise UsageError("say why, with --reason: people whose numbers change will read it")
        variants.set_default(component, options.what[1], options.reason)
    found = variants.default(component)
    if options.json:
        print_json({"component": component, "default": found or None})
    else:
        print(f"{component}@{found}" if found else f"{component} has no default")
    return 0


def _define(options: argparse.Namespace) -> int:
    from blastgit.safe_yaml import load_yaml

    if len(options.what) != 2 or not options.meaning or not options.reason:
        raise UsageError("write variant define COMPONENT VARIANT --is WORD=VALUE --reason TEXT")
    component, variant = options.what
    given = key_values(options.meaning, "--is")
    meaning = {word: load_yaml(text.encode(), f"--is {word}") for word, text in given.items()}
    commit = open_repo(options).variants.define(component, variant, meaning, options.reason)
    if options.json:
        print_json({"component": component, "variant": variant, "commit": commit})
    else:
        print(f"{component}@{variant} is declared ({commit[:10]})")
    return 0


def _log(options: argparse.Namespace) -> int:
    if options.what or options.reason is not None:
        raise UsageError("variant log takes no arguments")
    found = open_repo(options).variants.log()
    if options.json:
        print_json([each.to_json() for each in found])
        return 0
    if not found:
        print("neither variants nor defaults were ever set")
    for change in found:
        defaults = ", ".join(f"{name}@{variant}" for name, variant in change.defaults.items()) or "none"
        print(f"{bold(change.commit[:10])}  {change.time:%Y-%m-%d %H:%M} UTC  {change.author}")
        print(f"  {change.subject} (default: {defaults})")
    return 0
