"""One small change of a workspace, as a mistake would make it, and a workspace with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from emulator.errors import UserMistake
from emulator.mapping import load_definition, newest

Path = tuple[str | int, ...]
Document = Mapping[str, Any]

DROP_CONDITION: Final = "drop-condition"
SWAP_JOIN: Final = "swap-join"
CHANGE_OPERATOR: Final = "change-operator"
SWAP_SOURCE: Final = "swap-source"
DROP_ARM: Final = "drop-arm"
CHANGE_VALUE: Final = "change-value"
RENAME_KEY: Final = "rename-key"
SWAP_EMAIL: Final = "swap-email"
TOGGLE: Final = "toggle"
KINDS: Final[Mapping[str, str]] = {
    DROP_CONDITION: "a condition of a trigger is left out",
    SWAP_JOIN: "`or` in place of `and` in a trigger, or `and` in place of `or`",
    CHANGE_OPERATOR: "another operator in a condition of a trigger: `!=` in place of `=`, `>` in place of `>=`",
    SWAP_SOURCE: "`traits`, `properties` or `context.traits` in place of another of them, in a mapping or a trigger",
    DROP_ARM: "one of the places where a mapping looks for a value is left out",
    CHANGE_VALUE: "another fixed value in a mapping",
    RENAME_KEY: "another name of what a mapping reads or of what it writes",
    SWAP_EMAIL: "an email from another place, or other addresses of a person",
    TOGGLE: "a destination, a mapping, Send Track or Send Identify is off, or leaving a journey step is not sent",
}

# What a switch is in a document that leaves it out.
_DEFAULTS: Final[Mapping[str, Any]] = {"enabled": True, "sendTrack": True, "sendIdentify": True, "events": "all"}
_MAPPING = "mapping"
# `destinations`, its position, `subscriptions`, its position.
_SUBSCRIPTION_KEYS = 4
_SUBSCRIPTIONS = "subscriptions"
_LONGEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A change of the value at `path` from `old` to `new`.

    `place` is the path in the workspace file, `before` and `after` are texts. `inherited` is set for a field that the
    file does not have: a default of the generation. `anchors` are the names of the items of lists on the path.
    """

    kind: str
    path: Path
    old: Any
    new: Any
    place: str
    before: str
    after: str
    anchors: tuple[tuple[Path, str], ...]
    inherited: bool = False

    @property
    def destination(self) -> str | None:
        """The name of the destination instance."""
        return dict(self.anchors).get(self.path[:2])

    @property
    def mapping(self) -> str | None:
        """The name of the mapping that is changed; None for a change of the destination instance itself."""
        is_within = _SUBSCRIPTIONS in self.path[:_SUBSCRIPTION_KEYS]
        return dict(self.anchors).get(self.path[:_SUBSCRIPTION_KEYS]) if is_within else None

    def applied(self, document: Document) -> dict[str, Any] | None:
        """A copy of a workspace with the change; None for one that does not have `old` at this place."""
        if any(_name(_found(document, path)) != name for path, name in self.anchors):
            return None
        changed: dict[str, Any] = deepcopy(dict(document))
        if _MAPPING in self.path and not _write_out(changed, self.path):
            return None
        *way, last = self.path
        inner = _found(changed, tuple(way))
        if isinstance(inner, dict):
            current = inner.get(last, _DEFAULTS.get(str(last)))
        elif isinstance(inner, list) and isinstance(last, int) and last < len(inner):
            current = inner[last]
        else:
            return None
        if not _same(current, self.old):
            return None
        inner[last] = deepcopy(self.new)
        return changed

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "kind": self.kind,
            "destination": self.destination,
            "mapping": self.mapping,
            "place": self.place,
            "inherited": self.inherited,
            "before": self.before,
            "after": self.after,
        }


def place_of(path: Path) -> str:
    """The path as errors and findings name it: `destinations[0].subscriptions[0].trigger`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def anchors_of(document: Document, path: Path) -> tuple[tuple[Path, str], ...]:
    """The items of lists on a path into a workspace, up to a mapping, with their names."""
    end = path.index(_MAPPING) if _MAPPING in path else len(path)
    places = (path[: position + 1] for position in range(end) if isinstance(path[position], int))
    return tuple((place, name) for place in places if (name := _name(_found(document, place))) is not None)


def full_mapping(document: Document, path: Path) -> dict[str, Any]:
    """The mapping of the subscription that a path leads into, over the defaults of its generation."""
    destination, subscription = _found(document, path[:2]), _found(document, path[:_SUBSCRIPTION_KEYS])
    if not isinstance(destination, Mapping) or not isinstance(subscription, Mapping):
        return {}
    own = subscription.get(_MAPPING, {})
    if not subscription.get("defaults", True):
        return dict(own)
    try:
        actions = load_definition(destination.get("generation") or newest()).actions
    except UserMistake:
        return dict(own)
    action = actions.get(subscription["action"])
    return {**(action.default_mapping() if action else {}), **own}


def shown(value: object) -> str:
    """A value of a mapping in one line: the places of a value joined by `else`, JSON for what is no such."""
    text = _shown(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _shown(value: object) -> str:
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, options),) = value.items()
        if name == "@path" and isinstance(options, str):
            return options
        if name == "@if" and isinstance(options, Mapping) and "then" in options:
            tested = options.get("exists", options.get("blank"))
            first = _shown(options["then"])
            if tested != options["then"]:
                first = f"{first} if {_shown(tested)}"
            return f"{first} else {_shown(options['else'])}" if "else" in options else first
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_out(document: dict[str, Any], path: Path) -> bool:
    """Puts the field of the mapping that a path leads into in its place, if it is a default; False if there is none."""
    full = full_mapping(document, path)
    top = path[_SUBSCRIPTION_KEYS + 1]
    if top not in full:
        return False
    subscription = _found(document, path[:_SUBSCRIPTION_KEYS])
    subscription[_MAPPING] = {top: deepcopy(full[top]), **subscription.get(_MAPPING, {})}
    return True


def _found(document: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        if isinstance(document, Mapping):
            document = document.get(key)
        elif isinstance(document, list | tuple) and isinstance(key, int) and key < len(document):
            document = document[key]
        else:
            return None
    return document


def _name(item: Any) -> str | None:
    """What tells an item of a list from others: its name or its key; a subscription without a name has its action."""
    if not isinstance(item, Mapping):
        return None
    return next((str(item[key]) for key in ("name", "key", "action") if key in item), None)


def _same(one: object, other: object) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def without_repetitions(mutations: Iterator[Mutation]) -> Iterator[Mutation]:
    """The mutations without those that make the same workspace as an earlier one."""
    seen: list[tuple[Path, Any]] = []
    for each in mutations:
        made = (each.path, each.new)
        if made not in seen:
            seen.append(made)
            yield each
