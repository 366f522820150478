"""Journeys: who meets the entry condition passes the steps in order, each when its wait is over and its condition met.

"Understanding Journeys Logic" in Segment's documentation: people only move forward, stay in a step until they fulfil
the next one, and stay in it although they no longer meet its condition; they enter once. Exit rules, documented for
event-triggered journeys, take people out of every step; they look at what was done since entering, the moment of
entering included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulator.segment.conditions.compile import compile_condition
from emulator.segment.conditions.condition import Condition
from emulator.segment.engage.computations import check_audiences
from emulator.segment.engage.journey_events import StepRoute
from emulator.segment.engage.routes import step_routes
from emulator.segment.profiles.facts import ProfileFacts
from emulator.segment.profiles.profile import Progress
from emulator.timestamps import MILLISECOND
from emulator.workspace import Journey, Step, Workspace

# An event as it came: its name and all of its properties.
Event = tuple[str, Mapping[str, Any]]

_ALWAYS = Condition(holds=lambda _known: True)
_NEVER = Condition(holds=lambda _known: False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStep:
    """A step, ready to be joined. `wait_millis` counts from the moment at which the one before was joined."""

    step: Step
    wait_millis: int
    condition: Condition
    routes: tuple[StepRoute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledJourney:
    """A journey, ready to be travelled."""

    journey: Journey
    entry: Condition
    exit: Condition
    steps: tuple[CompiledStep, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All of its conditions."""
        return (self.entry, self.exit, *(step.condition for step in self.steps))

    @property
    def timed(self) -> bool:
        """Whether time alone can lead somebody on."""
        waits = any(step.wait_millis for step in self.steps)
        return waits or any(condition.moments for condition in self.conditions)

    def moments(self, progress: Progress | None, known: ProfileFacts) -> Iterator[int]:
        """The moments at which time alone may lead somebody on, or out."""
        if progress is not None and progress.exited:
            return
        yield from _moments(self.exit, _before_entry(known) if progress is None else known.since(progress.entered_at))
        if progress is None:
            yield from _moments(self.entry, known)
        elif progress.step + 1 < len(self.steps):
            coming = self.steps[progress.step + 1]
            yield progress.joined_at + coming.wait_millis
            yield from _moments(coming.condition, known)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTransition:
    """A step that was joined, or left."""

    step: CompiledStep
    entered: bool
    progress: Progress


def journeys(workspace: Workspace, integrations: Mapping[str, str]) -> tuple[CompiledJourney, ...]:
    """The journeys of a workspace. Raises WorkspaceError for a condition that makes no sense."""
    audiences = [audience.key for audience in workspace.audiences]
    routes = list(step_routes(workspace, integrations))
    return tuple(_compiled(journey, routes, audiences) for journey in workspace.journeys)


def advance(
    journey: CompiledJourney,
    progress: Progress | None,
    known: ProfileFacts,
    *,
    epoch: Callable[[], str],
    event: Event | None,
) -> tuple[Progress | None, list[StepTransition]]:
    """How far somebody has come now, and the steps joined or left on the way. None: not in the journey.

    `event` is the call that just came in, if it was one; it goes into the context when it led on. `epoch` names a new
    passage.
    """
    if progress is None:
        if not journey.entry.holds(known) or journey.exit.holds(_before_entry(known)):
            return None, []
        progress = Progress(epoch_id=epoch(), entered_at=known.now, joined_at=known.now)
        progress = _with_context(progress, journey.entry, event)
    if progress.exited:
        return progress, []
    if journey.exit.holds(known.since(progress.entered_at)):
        progress = replace(progress, exited=True)
        left = journey.steps[: progress.step + 1]
        return progress, [StepTransition(step=step, entered=False, progress=progress) for step in left]
    passages = []
    for step in journey.steps[progress.step + 1 :]:
        if known.now < progress.joined_at + step.wait_millis or not step.condition.holds(known):
            break
        progress = replace(progress, step=progress.step + 1, joined_at=known.now)
        progress = _with_context(progress, step.condition, event)
        passages.append(StepTransition(step=step, entered=True, progress=progress))
    return progress, passages


def _before_entry(known: ProfileFacts) -> ProfileFacts:
    """What keeps people out of a journey: their state, but nothing that they did until now.

    Who does what leads in and out at one moment has entered and left: as people enter once, they stay out.
    """
    return known.since(known.now + 1)


def _since_entering(condition: Condition) -> Condition:
    return replace(condition, events=tuple(replace(need, since=True) for need in condition.events))


def _with_context(progress: Progress, condition: Condition, event: Event | None) -> Progress:
    if event is None or all(need.event != event[0] for need in condition.events):
        return progress
    name, properties = event
    return replace(progress, context={**progress.context, name: properties})


def _moments(condition: Condition, known: ProfileFacts) -> Iterator[int]:
    if condition.moments is not None:
        yield from condition.moments(known)


def _compiled(journey: Journey, routes: Sequence[StepRoute], audiences: Collection[str]) -> CompiledJourney:
    def compiled(condition: Mapping[str, Any] | None, place: str, otherwise: Condition) -> Condition:
        if condition is None:
            return otherwise
        where = f"journey {journey.id!r}: {place}"
        found = compile_condition(condition, where=where)
        check_audiences(found, audiences, where=where)
        return found

    return CompiledJourney(
        journey=journey,
        entry=compiled(journey.entry, "entry", _ALWAYS),
        exit=_since_entering(compiled(journey.exit, "exit", _NEVER)),
        steps=tuple(
            CompiledStep(
                step=step,
                wait_millis=step.wait // MILLISECOND,
                condition=compiled(step.condition, f"steps[{position}].condition", _ALWAYS),
                routes=tuple(route for route in routes if route.key == step.key),
            )
            for position, step in enumerate(journey.steps)
        ),
    )
