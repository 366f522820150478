"""The sides of a check: a generation of the destination for each instance, and the mappings that it runs under."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from emulator.harness.drift import content_of, package_in
from emulator.harness.recorded_cases import Case, Outcome, replay
from emulator.mapping import load_definition
from emulator.segment.delivery.subscriptions import definition_of
from emulator.workspace import Destination, Subscription, Workspace

# A destination instance and a subscription, by name; of deletions, which have no subscription, the instance alone.
Place: TypeAlias = tuple[str, str]
DELETIONS: Final = ""

_OK: Mapping[str, Any] = {"status": 200, "body": {"data": {}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A version of the destination that can be run. `content` is its definition in the form of the contract."""

    name: str
    content: Mapping[str, Any]
    run: Callable[[Sequence[Case]], Sequence[Outcome]]

    def fields(self, action: str) -> Mapping[str, Mapping[str, Any]]:
        """The mapping fields of an action; none when it has no such action."""
        found: Mapping[str, Mapping[str, Any]] = self.content["actions"].get(action, {}).get("fields", {})
        return found

    def defaults(self, action: str) -> dict[str, Any]:
        """The mapping of a new subscription."""
        return {key: field["default"] for key, field in self.fields(action).items() if field.get("default") is not None}


def built_in(generation: str) -> Generation:
    """A generation that the mapping engine knows. Raises InputError for an unknown one."""
    load_definition(generation)
    return Generation(name=generation, content=content_of(generation), run=lambda cases: [*map(replay, cases)])


def installed(directory: Path) -> Generation:
    """The package in a folder, run by Node. Raises InputError if there is none, UserMistake if it cannot be run."""
    package = package_in(directory)
    content, _ = package.run(())
    return Generation(
        name=f"package {package.version}",
        content=content,
        run=lambda cases: [dict(run.expected) for run in package.run(cases)[1]] if cases else [],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """`generations` are by the names of destination instances, `mappings` as Segment has saved them."""

    name: str
    workspace: Workspace
    generations: Mapping[str, Generation]
    mappings: Mapping[Place, Mapping[str, Any]]

    def case(self, place: Place, events: Sequence[object], mapping: Mapping[str, Any] | None = None) -> Case:
        """A batch of events for a subscription as a recorded case, under its own mapping or another one."""
        subscription = _found(self.workspace, place)[1]
        stored = {
            "name": subscription.name,
            "enabled": True,
            "partnerAction": subscription.action,
            "subscribe": subscription.trigger,
            "mapping": self.mappings[place] if mapping is None else mapping,
        }
        return self._case(place, "batch", [stored], events)

    def deletion(self, destination: str, event: object) -> Case:
        """A deletion that Segment forwards to a destination instance, as a recorded case."""
        return self._case((destination, DELETIONS), "delete", [], [event])

    def settings(self, destination: str) -> Mapping[str, str]:
        """Those of a destination instance."""
        return next(each.settings for each in self.workspace.destinations if each.name == destination)

    def _case(self, place: Place, mode: str, subscriptions: Sequence[object], events: Sequence[object]) -> Case:
        return {
            "id": " / ".join(place),
            "generation": self.generations[place[0]].name,
            "mode": mode,
            "settings": dict(self.settings(place[0])),
            "subscriptions": [*subscriptions],
            "events": [*events],
            "responses": [_OK],
        }

    def action(self, place: Place) -> str:
        """The action of a subscription."""
        return _found(self.workspace, place)[1].action


def first_side(workspace: Workspace, generation: str | None) -> Side:
    """The side before the upgrade: the workspace's own generations, or one for all; the mappings written out.

    Raises WorkspaceError for a workspace with an unknown generation.
    """
    chosen = {each.name: built_in(generation or definition_of(each).generation) for each in workspace.destinations}
    return Side(
        name=generation or ", ".join(dict.fromkeys(each.name for each in chosen.values())),
        workspace=of_generations(workspace, chosen),
        generations=chosen,
        mappings=_mappings(workspace, chosen),
    )


def upgraded(before: Side, generation: Generation, *, new_mappings: bool = False) -> Side:
    """The side after Segment has moved all instances to a generation.

    A saved mapping keeps its fields: Segment's framework applies no default of a field when it runs. With
    `new_mappings`, fields that the workspace leaves out have the defaults of the generation, as in a mapping made anew.
    """
    chosen = dict.fromkeys(before.generations, generation)
    return replace(
        before,
        name=generation.name,
        generations=chosen,
        mappings=_mappings(before.workspace, chosen) if new_mappings else before.mappings,
    )


def of_generations(workspace: Workspace, chosen: Mapping[str, Generation]) -> Workspace:
    """The workspace with these generations. Nothing leaves the machine, and no fault or limit is in the way."""
    destinations = tuple(
        replace(each, generation=chosen[each.name].name, endpoint=None) for each in workspace.destinations
    )
    return replace(workspace, destinations=destinations, faults=(), rate_limit=None)


def _mappings(workspace: Workspace, chosen: Mapping[str, Generation]) -> dict[Place, Mapping[str, Any]]:
    return {
        (destination.name, each.name): each.mapping_over(chosen[destination.name].defaults(each.action))
        for destination, each in _enabled(workspace)
    }


def _enabled(workspace: Workspace) -> Iterator[tuple[Destination, Subscription]]:
    for destination in workspace.destinations:
        yield from ((destination, each) for each in destination.subscriptions if destination.enabled and each.enabled)


def _found(workspace: Workspace, place: Place) -> tuple[Destination, Subscription]:
    return next(pair for pair in _enabled(workspace) if (pair[0].name, pair[1].name) == place)
