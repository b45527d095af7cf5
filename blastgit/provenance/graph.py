"""The provenance graph of one revision: remote image → cutout → aperture → photometry → SED result → files.

`workflow.inputs` reads the steps from a document. Here the initial steps are added (from the survey's image, the
transient), the stage that took each step, and facts about every node: checksum, size, the version of the software that
wrote its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from blastgit.errors import NotFound
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.revision.document import Json
from blastgit.revision.normalise import NaturalForm, normalise
from blastgit.revision.rules import Rules
from blastgit.workflow.inputs import Use, read_uses
from blastgit.workflow.origins import Origins, origins_of
from blastgit.workflow.shared_inputs import SharedInputs
from blastgit.workflow.stages import Stages
from blastgit.workflow.view import View

IMAGES = "images"
"""The prefix of the names of remote images: `images/DES/DES_z`."""

_VERSION = "software_version"
_KINDS = {"cutouts": "cutout", "apertures": "aperture", "sed": "SED result", "sfh": "star-formation history"}


@dataclass(frozen=True, slots=True)
class Thing:
    """A node of the graph: something that was made or used.

    Attributes:
        name: A natural path, the path of a file, `images/SURVEY/FILTER`, `host:KEY` or `r/filter/DES_z@1`.
        kind: "remote image", "file", "photometry" and so on.
        facts: What is known of it, by short names.
        is_shared: Whether it is shared by many transients: a host by its key, a revision of a reference.
    """

    name: str
    kind: str
    facts: Mapping[str, Json]
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """One stage of the workflow, as it ran for this revision.

    Attributes:
        stage: Its name.
        outcome: How it ended, in Blast's words; None if the export does not say.
        makes: The things that it wrote last.
        uses: The things that it actually used for them.
    """

    stage: str
    outcome: str | None
    makes: tuple[str, ...]
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """The provenance of one revision.

    Attributes:
        revision: The revision, `2026dgt@1`.
        about: Facts about the whole revision: app version, run, rules, times.
        things: The nodes, by name.
        uses: The edges from product to source, including inputs that were considered but not used.
        deeds: The stages, in order.
    """

    revision: str
    about: Mapping[str, str]
    things: Mapping[str, Thing]
    uses: tuple[Use, ...]
    deeds: tuple[Deed, ...]

    @cached_property
    def sources(self) -> Mapping[str, list[Use]]:
        """The edges from each product to its sources."""
        return _by(self.uses, "product")

    @cached_property
    def _products(self) -> Mapping[str, list[Use]]:
        return _by((use for use in self.uses if use.really), "source")

    def maker(self, name: str) -> Deed | None:
        """Return the stage that wrote a thing last."""
        return next((deed for deed in self.deeds if name in deed.makes), None)

    def match(self, path: str) -> list[str]:
        """Return the things at a path: one thing, or all in a folder or table."""
        return [name for name in self.things if name == path or name.startswith(f"{path.rstrip('/')}/")]

    def of_revision(self, revision: str) -> list[str]:
        """Return the things of an earlier revision, or of this one ("")."""
        return [name for name, thing in self.things.items() if thing.facts.get("revision", "") == revision]

    def downstream(self, names: Iterable[str]) -> dict[str, int]:
        """Return everything that was actually derived from some things, each with its distance in steps."""
        known = dict.fromkeys(names, 0)
        level, distance = list(known), 0
        while level:
            distance += 1
            level = [use.product for name in level for use in self._products.get(name, ()) if use.product not in known]
            known |= dict.fromkeys(level, distance)
        return {name: steps for name, steps in known.items() if steps}

    def back_from(self, path: str) -> Graph:
        """Return the part of the graph that leads to some things: a file, a row, a folder.

        Raises:
            NotFound: The graph has nothing at that path.
        """
        left = self.match(path)
        if not left:
            hint = did_you_mean(path, with_beginnings(self.things), "leave it out to see all")
            raise NotFound(f"{self.revision} has nothing at {path!r} that has an origin{hint}")
        kept: dict[str, None] = {}
        while left:
            name = left.pop()
            if name not in kept:
                kept[name] = None
                left += [use.source for use in self.sources.get(name, ())]
        uses = tuple(use for use in self.uses if use.product in kept)
        deeds = [
            replace(
                deed, makes=tuple(n for n in deed.makes if n in kept), uses=tuple(n for n in deed.uses if n in kept)
            )
            for deed in self.deeds
        ]
        things = {name: thing for name, thing in self.things.items() if name in kept}
        return Graph(self.revision, self.about, things, uses, tuple(deed for deed in deeds if deed.makes))


def read_graph(repository: Repository, state: Snapshot) -> Graph:
    """Return the graph of a revision, with its inputs as they were when each thing was made.

    Things made in an earlier run, from inputs that have changed since, have sources in that earlier revision, prefixed
    with its name: `2026dgt@0:cutout_cdn/DES/DES_g.fits`.

    Raises:
        DamagedData: The revision, or an earlier one that has an input of it, cannot be read.
    """
    origins = origins_of(repository, state, _steps)
    uses = origins.uses.steps
    rules = _with_versions(repository.rules)
    names = dict.fromkeys([*sorted(state.dr.files), *(name for use in uses for name in (use.product, use.source))])
    now = _Things(state, rules)
    views = {each.view for each in origins.earlier.values()}
    then = {view.label: _Things(view.state, rules) for view in views if view.state is not None}
    things = {}
    for name in names:
        earlier = origins.earlier.get(name)
        if earlier is None:
            made = origins.made.get(name)
            things[name] = now.thing(name, name, {} if made is None else {"made_for": made})
        else:
            things[name] = then[earlier.view.label].thing(earlier.path, name, {"revision": earlier.view.label})
    stages = Stages.of(repository.settings)
    shared = list(_shared(repository, state, origins, names))
    deeds = tuple(_deeds(now.form, things, (*uses, *(use for use, _ in shared)), stages))
    things |= {thing.name: thing for _, thing in shared}
    return Graph(str(state), _about(state), things, (*uses, *dict.fromkeys(use for use, _ in shared)), deeds)


def _shared(
    repository: Repository, state: Snapshot, origins: Origins, names: Iterable[str]
) -> Iterator[tuple[Use, Thing]]:
    """Yield the steps from things to inputs that many transients share, with these: hosts, filters, surveys, models."""
    inputs = SharedInputs(repository)
    for name in names:
        last = name
        for each in inputs.of(state, origins, name):
            yield Use(name if each.steps == 1 else last, str(each)), Thing(str(each), each.kind, {}, is_shared=True)
            last = str(each)


def _steps(view: View) -> Iterator[Use]:
    yield from view.uses.steps
    yield from _downloads(view.form)
    yield from _places(view.form)


def _about(state: Snapshot) -> dict[str, str]:
    keys = {
        "app_version": Trailer.APP_VERSION,
        "run": Trailer.RUN,
        "rules": Trailer.RULES,
        "recorded_by": Trailer.RECORDED_BY,
    }
    found = {name: state.trailers[key] for name, key in keys.items() if key in state.trailers}
    times = {"exported": state.time, "recorded": state.recorded}
    return {**found, **{name: f"{time:%Y-%m-%dT%H:%M:%SZ}" for name, time in times.items()}}


def _with_versions(rules: Rules) -> Rules:
    """Return rules that keep the version of the software that wrote a row, which comparisons ignore."""
    tables = {name: replace(table, volatile=table.volatile - {_VERSION}) for name, table in rules.tables.items()}
    return replace(rules, tables=tables)


def _downloads(form: NaturalForm) -> Iterator[Use]:
    """Yield the step from each cutout's file to the survey's image."""
    surveys = {row.key[0]: row.values.get("survey") for row in form.tables["filters"]}
    for use in read_uses(form, ()).steps:
        if use.product.startswith("cutouts/"):
            row = next(row for row in form.tables["cutouts"] if row.path == use.product)
            yield Use(use.source, image_name(surveys.get(row.values.get("filter")), row.values.get("filter")))


def _places(form: NaturalForm) -> Iterator[Use]:
    """Yield the steps that use the transient and its host: the search for a host, the redshift and dust of a fit."""
    hosts = [row.path for row in form.tables["host"]]
    for host in hosts:
        yield Use(host, "transient")
    for row in form.tables["sed"]:
        for source in (*hosts, "transient"):
            yield Use(row.path, source)


def image_name(survey: Json, filter_name: Json) -> str:
    """Return the name of a survey's image in a filter, regardless of the URL."""
    return f"{IMAGES}/{survey}/{filter_name}"


class _Things:
    """Facts about the things of one state."""

    def __init__(self, state: Snapshot, rules: Rules) -> None:
        self._state = state
        self.form = normalise(state.dr.export, rules)
        self._rows = {row.path: row for row in self.form.rows()}

    def thing(self, path: str, name: str, facts: Mapping[str, Json]) -> Thing:
        """Return a thing under its name in the graph, with additional facts."""
        kind, own = self._facts(path)
        return Thing(name, kind, {**own, **facts})

    def _facts(self, path: str) -> tuple[str, dict[str, Json]]:
        state = self._state
        if path in state.dr.files:
            return "file", {"sha256": state.sha256(path), "bytes": state.pointer(path).size}
        table, _, rest = path.partition("/")
        if table == IMAGES:
            row = next((row for row in self.form.tables["filters"] if row.key[0] == rest.rpartition("/")[2]), None)
            known = row.values if row else {}
            return "remote image", {k: known[k] for k in ("hips_id", "image_download_method") if k in known}
        row = self._rows.get(path)
        facts = {} if row is None or _VERSION not in row.values else {_VERSION: row.values[_VERSION]}
        if row is not None and table in ("host", "transient") and "name" in row.values:
            facts["name"] = row.values["name"]
        return _KINDS.get(table, table), facts


def _deeds(form: NaturalForm, things: Iterable[str], uses: Iterable[Use], stages: Stages) -> Iterator[Deed]:
    outcomes = {row.key[0]: row.values.get("status") for row in form.tables["workflow_tasks"]}
    made: dict[str, list[str]] = {}
    for name in things:
        makers = stages.makers(name)
        if makers:
            made.setdefault(makers[-1].name, []).append(name)
    sources = _by((use for use in uses if use.really), "product")
    for stage in stages:
        makes = made.get(stage.name, [])
        outcome = outcomes.get(stage.name)
        if makes or outcome is not None:
            own = set(makes)
            used = dict.fromkeys(use.source for name in makes for use in sources.get(name, ()) if use.source not in own)
            yield Deed(stage.name, None if outcome is None else str(outcome), tuple(makes), tuple(used))


def _by(uses: Iterable[Use], end: str) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for use in uses:
        found.setdefault(getattr(use, end), []).append(use)
    return found
