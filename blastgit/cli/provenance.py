"""`blastgit provenance NAME@N[:PATH]`."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from blastgit.cli.common import bold, open_repo, plural, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastgit.provenance.graph import Graph


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "a revision, or a file, a row (sed/global) or a folder in it"
    parser.add_argument("spec", metavar="NAME@N[:PATH]", help=words)
    parser.add_argument("--format", choices=("text", "json", "dot", "svg"), default="text", help="(default: text)")
    parser.epilog = """\
JSON is W3C PROV-JSON. SVG needs Graphviz. Inputs that were considered but not used, such as photometry that was not
validated, are marked as not used.
"""


def run(options: argparse.Namespace) -> int:
    """Print the provenance."""
    graph = open_repo(options).provenance(options.spec)
    if options.format == "json":
        from blastgit.provenance.prov_json import to_prov

        print(json.dumps(to_prov(graph), indent=2, ensure_ascii=False))
    elif options.format == "dot":
        from blastgit.provenance.dot import to_dot

        print(to_dot(graph), end="")
    elif options.format == "svg":
        from blastgit.provenance.dot import to_svg

        print(to_svg(graph), end="")
    else:
        _print(graph, ":" in options.spec)
    return 0


def _print(graph: Graph, is_part: bool) -> None:
    about = graph.about
    app, run_name = about.get("app_version", "an unknown app"), f", run {about['run']}" if "run" in about else ""
    recorder, rules = about.get("recorded_by", "blastgit"), about.get("rules", "")[:19]
    print(f"{bold(graph.revision)}, {app}, exported {about['exported']}{run_name}")
    print(f"recorded {about['recorded']} by {recorder}, rules {rules}…")
    print()
    if not is_part:
        rows = [(d.stage, d.outcome or "", _kinds(graph, d.makes), _kinds(graph, d.uses)) for d in graph.deeds]
        print_table([("stage", "ended", "made", "from"), *rows])
        left = sum(not use.really for use in graph.uses)
        if left:
            print(f"\n{plural(left, 'input')} considered but not used: see `{graph.revision}:PATH`")
        return
    made_of = {use.source for use in graph.uses}
    told: set[str] = set()
    for name in graph.things:
        if name not in made_of:
            print("\n".join(_tree(graph, name, told)))


def _kinds(graph: Graph, names: tuple[str, ...]) -> str:
    counts: dict[str, int] = {}
    for name in names:
        kind = graph.things[name].kind if name in graph.things else "thing"
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in counts.items())


def _tree(graph: Graph, name: str, told: set[str], indent: str = "") -> Iterator[str]:
    """Yield lines for a product and everything it came from; what was printed before is not expanded again."""
    deed = graph.maker(name)
    by = f"  ({deed.stage}: {deed.outcome or 'no outcome'})" if deed else ""
    again = name in told and name in graph.sources
    yield f"{name}{by}{'  … see above' if again else ''}"
    told.add(name)
    uses = [] if again else graph.sources.get(name, [])
    for number, use in enumerate(uses, 1):
        branch, further = ("└─ ", "   ") if number == len(uses) else ("├─ ", "│  ")
        if use.really:
            first, *rest = _tree(graph, use.source, told, indent + further)
            yield f"{indent}{branch}{first}"
            yield from rest
        else:
            yield f"{indent}{branch}{use.source}  (not used: not validated)"
