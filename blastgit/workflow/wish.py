"""Requested changes for a plan, and the effects they have on any state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from blastgit.workflow.stages import Stages


@dataclass(frozen=True)
class Wish:
    """What a plan is asked for, beside what a revision itself calls for.

    Attributes:
        changed: Stages, files, fields and references that changed, or must be remade.
        given: Inputs to replace: the path of a file or value, and its replacement.
        everything: Whether to run all stages again.
        settings: Settings of the configuration to change: name and new value.
        with_inputs: Whether to include what each stage reads, which reads the whole document.
    """

    changed: Sequence[str] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    everything: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    with_inputs: bool = True


@dataclass(frozen=True)
class Effect:
    """The effect of a change.

    Attributes:
        reasons: The stages that must run because of it, each with the reason.
        is_declared: Whether it names a stage, or something that a stage declares to read or make.
    """

    reasons: Mapping[str, str]
    is_declared: bool


def effect_of(stages: Stages, text: str) -> Effect:
    """Return the effect of a change of a stage, file, field or reference."""
    stage = stages.get(text)
    if stage is not None:
        return Effect({stage.name: "is said to have changed"}, is_declared=True)
    line = text.partition("@")[0]
    if line in stages.references:
        why = f"works with {line}, which is said to have changed"
        return Effect({each.name: why for each in stages if line in each.references}, is_declared=True)
    path = text.rstrip("/")
    why = f"reads {path}, which is said to have changed"
    declared = (each for stage in stages for each in stage.reads.texts + stage.makes.texts)
    reasons = {stage.name: why for stage in stages if stage.reads.meet([path])}
    return Effect(reasons, is_declared=any(fnmatchcase(path, each) for each in declared))
