"""Journeys: profiles join the steps in order, each after its wait and if they meet the step's condition.

"Understanding Journeys Logic" in Segment's documentation: profiles only move forward, enter once, and stay in a step
until they meet the next one's condition, even if they no longer meet its own. Exit rules, documented for
event-triggered journeys, remove a profile from every step; they count events from the time of entry on, that time
included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulator.segment.conditions.compile import compile_condition
from emulator.segment.conditions.condition import Condition, joined
from emulator.segment.engage.computations import check_audiences
from emulator.segment.engage.journey_events import StepRoute
from emulator.segment.engage.routes import step_routes
from emulator.segment.profiles.facts import ProfileFacts
from emulator.segment.profiles.profile import Progress
from emulator.timestamps import MILLISECOND
from emulator.workspace import Journey, Step, Workspace

# Name and properties of an event, as received.
Event = tuple[str, Mapping[str, Any]]

_ALWAYS = joined((), every=True)
_NEVER = joined((), every=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStep:
    """A compiled step. `wait_millis` counts from the time at which the previous step was joined."""

    step: Step
    wait_millis: int
    condition: Condition
    routes: tuple[StepRoute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledJourney:
    """A compiled journey."""

    journey: Journey
    entry: Condition
    exit: Condition
    steps: tuple[CompiledStep, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of entry, exit and steps."""
        return (self.entry, self.exit, *(step.condition for step in self.steps))

    @property
    def timed(self) -> bool:
        """Whether time alone can move a profile."""
        waits = any(step.wait_millis for step in self.steps)
        return waits or any(condition.next_changes for condition in self.conditions)

    def next_changes(self, progress: Progress | None, facts: ProfileFacts) -> Iterator[int]:
        """The next times, in milliseconds, at which time alone may move a profile on, or out."""
        if progress is not None and progress.exited:
            return
        since_entry = before_entry(facts) if progress is None else facts.since(progress.entered_at)
        yield from _next_changes(self.exit, since_entry)
        if progress is None:
            yield from _next_changes(self.entry, facts)
        elif progress.step + 1 < len(self.steps):
            coming = self.steps[progress.step + 1]
            yield progress.joined_at + coming.wait_millis
            yield from _next_changes(coming.condition, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTransition:
    """A step that was joined or left; `progress` is that after it."""

    step: CompiledStep
    entered: bool
    progress: Progress


def journeys(workspace: Workspace, integrations: Mapping[str, str]) -> tuple[CompiledJourney, ...]:
    """The journeys of a workspace. Raises WorkspaceError for an invalid condition."""
    audiences = [audience.key for audience in workspace.audiences]
    routes = list(step_routes(workspace, integrations))
    return tuple(_compiled(journey, routes, audiences) for journey in workspace.journeys)


def advance(
    journey: CompiledJourney,
    progress: Progress | None,
    facts: ProfileFacts,
    *,
    epoch: Callable[[], str],
    event: Event | None,
) -> tuple[Progress | None, list[StepTransition]]:
    """The progress now, None for a profile that is not in the journey, and the steps joined or left.

    `event` is the event just received, if any; it is added to the context when it led to a step. `epoch` makes the id
    of a new run of the journey.
    """
    if progress is None:
        if not journey.entry.holds(facts) or journey.exit.holds(before_entry(facts)):
            return None, []
        progress = Progress(epoch_id=epoch(), entered_at=facts.now, joined_at=facts.now)
        progress = _with_context(progress, journey.entry, event)
    if progress.exited:
        return progress, []
    if journey.exit.holds(facts.since(progress.entered_at)):
        progress = replace(progress, exited=True)
        left = journey.steps[: progress.step + 1]
        return progress, [StepTransition(step=step, entered=False, progress=progress) for step in left]
    transitions = []
    for step in journey.steps[progress.step + 1 :]:
        if facts.now < progress.joined_at + step.wait_millis or not step.condition.holds(facts):
            break
        progress = replace(progress, step=progress.step + 1, joined_at=facts.now)
        progress = _with_context(progress, step.condition, event)
        transitions.append(StepTransition(step=step, entered=True, progress=progress))
    return progress, transitions


def before_entry(facts: ProfileFacts) -> ProfileFacts:
    """The facts that keep a profile out of a journey: its state, and no event performed so far."""
    return facts.since(facts.now + 1)


def _since_entering(condition: Condition) -> Condition:
    return replace(condition, events=tuple(replace(event, since=True) for event in condition.events))


def _with_context(progress: Progress, condition: Condition, event: Event | None) -> Progress:
    if event is None or all(required.event != event[0] for required in condition.events):
        return progress
    name, properties = event
    return replace(progress, context={**progress.context, name: properties})


def _next_changes(condition: Condition, facts: ProfileFacts) -> Iterator[int]:
    if condition.next_changes is not None:
        yield from condition.next_changes(facts)


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
