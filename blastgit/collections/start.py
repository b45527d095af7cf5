"""Start a processing run: make its RUN collection, and the public chain of its output and inputs."""

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
    """What is processed, and the names of its collections.

    Attributes:
        target: What is processed, in a word.
        release: The release that processes it.
        ticket: The ticket that says why.
        instrument: The instrument, if it matters.
        inputs: The collections that are read; by default the recommended ones.
        output: The name of the public chain; by default made from the above.
        run: The name of the RUN, below the chain's; by default the time.
        config: The file with the run's configuration, or None.
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
    """Make the RUN and the chain in one commit; an existing chain gets the new RUN as its first child.

    The RUN stores the commit of main, so that its inputs are known even when pointers have moved on.

    Raises:
        InvalidName: The parts do not make a valid name, or the RUN's name is not below the chain's.
        InvalidInput: The RUN exists, or the configuration is not valid.
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
