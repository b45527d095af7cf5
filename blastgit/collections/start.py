"""Beginning a run of processing: its RUN collection, and the public chain of what it makes and what it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.change import Changed, Reason, change
from blastgit.collections.model import Chained, Collection, Run
from blastgit.collections.policy import CollectionPolicy
from blastgit.errors import InvalidInput, InvalidName
from blastgit.repository.base import Repository
from blastgit.repository.configuration import digest_of, path_of, read_configuration


@dataclass(frozen=True)
class Start:
    """What is to be processed, and how its collections are called.

    Attributes:
        target: What is processed, in a word that people understand.
        release: The release that processes it.
        ticket: The ticket that says why.
        instrument: The instrument, if there is one that matters.
        inputs: The collections that are read; by default the recommended ones.
        output: The name of the public chain, in the place of the one that follows from the above.
        run: The name of the RUN, below the chain's; by default the time.
        config: The file of the configuration that it is begun with; None for none.
    """

    target: str
    release: str
    ticket: str
    instrument: str | None = None
    inputs: tuple[str, ...] = ()
    output: str | None = None
    run: str | None = None
    config: Path | None = None


def start(repository: Repository, policy: CollectionPolicy, wanted: Start, reason: Reason) -> Changed:
    """Make the RUN and the chain in one commit; a chain that is there already gets the new RUN as its first child.

    The RUN keeps the commit of main, so that what it reads is known when pointers have moved on.

    Raises:
        InvalidName: The parts make no name, or the RUN would not lie below the chain.
        InvalidInput: The RUN exists, or the configuration cannot be kept.
    """
    parts = {"target": wanted.target, "release": wanted.release, "ticket": wanted.ticket}
    umbrella = wanted.output or policy.names.make("runs", instrument=wanted.instrument, **parts)
    now = datetime.fromtimestamp(repository.committer().time, UTC)
    run = wanted.run or f"{umbrella}/{now:%Y%m%dT%H%M%SZ}"
    if not run.startswith(f"{umbrella}/"):
        raise InvalidName(f"the run {run} should be called {umbrella}/…: what a chain is made of shares its name")

    config = None if wanted.config is None else read_configuration(wanted.config)
    digest = "" if config is None else digest_of(config)

    def alter(before: Catalogue) -> dict[str, Collection | None]:
        if before.get(run) is not None:
            raise InvalidInput(f"the run {run} exists already: name another (--run)")
        chain = before.get(umbrella) or Chained()
        if not isinstance(chain, Chained):
            raise InvalidInput(f"{umbrella} is {chain.kind}, and should be the chain of its runs")
        own = tuple(child for child in chain.children if child.startswith(f"{umbrella}/"))
        inputs = wanted.inputs or tuple(child for child in chain.children if child not in own)
        inputs = inputs or _recommended(before, wanted.instrument)
        made = Run(main=str(repository.main.id), inputs=inputs, config=digest)
        return {run: made, umbrella: replace(chain, children=(run, *own, *inputs))}

    files = {} if config is None else {path_of(digest): config}
    return change(repository, f"Start {run}", alter, reason, files)


def _recommended(before: Catalogue, instrument: str | None) -> tuple[str, ...]:
    names = [f"{instrument}/defaults"] if instrument else ["defaults"]
    return tuple(name for name in names if before.get(name) is not None)
