"""Which references the products of a state were made with, besides its filters: trained models, catalogues.

A stage declares the reference lines that it uses (`references` in `stages.yaml`). Its output was made with the revision
of each that was the latest when the run's export was written. A run that used others says so in the trailer `Used:` of
the stage's marker or of the commit that ends the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from blastgit.errors import InvalidInput
from blastgit.naming.names import is_reference, parse_spec
from blastgit.naming.nearest import did_you_mean
from blastgit.naming.trailers import read_used
from blastgit.repository.base import Repository
from blastgit.workflow.made import Making, Makings, Unit, part_of
from blastgit.workflow.resolve import resolve
from blastgit.workflow.stages import Stage, Stages

_NEVER = ("sfh", "workflow_tasks", "filters", "surveys")
"""Tables whose rows are never made with a reference: they are derived from other rows, or fixed in Blast."""


@dataclass(frozen=True, slots=True)
class MadeWith:
    """A reference that a product was made with.

    Attributes:
        product: A primary product of a stage, a row or file: `sed/global`.
        line: The reference, `r/model/sbi-global`.
        time: When the export of the run that made it was written.
        number: The revision of the reference, if the run named it.
    """

    product: str
    line: str
    time: datetime
    number: int | None = None


def first_products(stage: Stage, rows: Iterable[str], files: Iterable[str]) -> list[str]:
    """Return the primary products of a stage: its rows, or if there are none, its files (derived from rows)."""
    tables = {text.partition("/")[0].partition(".")[0] for text in stage.makes.texts} - set(_NEVER)
    found = [path for path in rows if path.partition("/")[0] in tables and stage.makes.meet([path])]
    return found or [path for path in files if stage.makes.match(path)]


def made_with(makings: Makings, index: int = 0) -> Iterator[MadeWith]:
    """Yield the references that the products of a state were made with.

    Args:
        makings: When each product was made.
        index: The state, counted back from the newest.
    """
    view = makings.view(index)
    for stage in makings.stages:
        if stage.references:
            for product in first_products(stage, (row.path for row in view.form.rows()), view.files):
                yield from made_by(makings, stage, product, index)


def made_by(makings: Makings, stage: Stage, product: str, index: int = 0) -> Iterator[MadeWith]:
    """Yield the references that a stage used when it made a product in a state."""
    making = makings.made(Unit(stage.name, part_of(product, makings.view(index))), index)
    time, used = _run_of(makings, stage, making)
    said = dict(text.split("@") for text in used)
    for line in stage.references:
        yield MadeWith(product, line, time, int(said[line]) if line in said else None)


def _run_of(makings: Makings, stage: Stage, making: Making) -> tuple[datetime, tuple[str, ...]]:
    """Return when the export of the run that made something was written, and the references that the run named."""
    step = makings.step(making.step)
    assert step is not None
    assert step.view.state is not None
    told: tuple[str, ...] = ()  # named when the same export was recorded again
    for each in step.again:
        if each.tells_of(stage.slug):
            return each.time, told or each.used
        told = told or (each.used if not each.ran else ())
    mark = step.marks.get(stage.slug)
    said = () if mark is None else read_used(mark.trailers)
    return step.view.state.time, told or said or read_used(step.view.state.trailers)


def check_used(repository: Repository, texts: Iterable[str]) -> tuple[str, ...]:
    """Return the revisions of references that a run used, in the form of its trailer.

    Args:
        repository: The data repo.
        texts: Their names, `r/model/sbi-global@2`; without a number, the latest revision.

    Raises:
        InvalidInput: One is not a reference, no stage works with it, or two are of one reference.
        NotFound: The revision does not exist.
    """
    known = Stages.of(repository.settings).references
    found: dict[str, str] = {}
    for text in texts:
        spec = parse_spec(text)
        if not is_reference(spec.name) or spec.path is not None:
            raise InvalidInput(f"{text!r} is not a revision of a reference: write r/TYPE/NAME@N")
        if spec.name not in known:
            hint = did_you_mean(spec.name, known, f"they work with {', '.join(sorted(known)) or 'none'}", count=1)
            raise InvalidInput(
                f"no stage says that it works with {spec.name}{hint} (`references` under `stages:` in blastgit.yaml)"
            )
        revision = str(resolve(repository, spec))
        if found.setdefault(spec.name, revision) != revision:
            raise InvalidInput(f"{found[spec.name]} and {revision} cannot both be what was used: give one of them")
    return tuple(found.values())
