"""What there is to cover in a trigger and a mapping, and what of it an event covers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.harness.explain import condition_text
from emulator.mapping import UNDEFINED, Condition, ConditionResult, FieldTrace, Group, Node, Step, directive_of

_TEST = ("exists", "blank")
_THEN, _ELSE = "then", "else"
_LONGEST = 80
# An arm that is not written: the field is left out.
_NOTHING = "nothing"


def conditions_of(tree: Node, number: Iterator[int]) -> Iterator[str]:
    """The conditions of a trigger, each as it can be true and false. `number` counts them."""
    if isinstance(tree, Condition):
        position = next(number)
        yield from (_condition(position, tree, passed) for passed in (True, False))
    elif isinstance(tree, Group):
        for child in tree.children:
            yield from conditions_of(child, number)


def conditions_met(result: ConditionResult, number: Iterator[int]) -> Iterator[str]:
    """Those that an event covers, also of conditions that the engine skips because one before them decides."""
    if isinstance(result.node, Condition):
        position = next(number)
        if result.error is None:
            yield _condition(position, result.node, result.passed)
    for child in result.children:
        yield from conditions_met(child, number)


def _condition(position: int, condition: Condition, passed: bool) -> str:
    # A trigger may have the same condition twice.
    return f"{position}. {condition_text(condition)}: {'true' if passed else 'false'}"


def fields_of(mapping: Mapping[str, Any]) -> Iterator[str]:
    """The fields of the destination that a mapping fills, and the members of those that are objects."""
    if directive_of(mapping) is not None:
        return
    for key, value in mapping.items():
        if isinstance(value, dict) and value and directive_of(value) is None:
            yield from (f"{key}.{member}" for member in value)
        else:
            yield key


def fields_filled(traces: Iterable[FieldTrace], known: frozenset[str]) -> Iterator[str]:
    """Those of `known` that have a value in a payload."""
    for trace in traces:
        members = trace.value if isinstance(trace.value, dict) else {}
        names = {trace.field: trace.value, **{f"{trace.field}.{key}": value for key, value in members.items()}}
        yield from (name for name, value in names.items() if name in known and _is_value(value))


def arms_of(mapping: Mapping[str, Any]) -> Iterator[str]:
    """Each arm of an `@if`, and each directive inside of another one that has none inside of itself."""
    if directive_of(mapping) is not None:
        yield from _inside(mapping, "", nested=True)
        return
    for key, value in mapping.items():
        yield from _inside(value, key, nested=False)


def _inside(mapping: object, path: str, *, nested: bool) -> Iterator[str]:
    """The arms of a part of a mapping; `nested` when it is inside of a directive."""
    name, options = _read(mapping)
    nested = nested or name is not None
    if name == "@if" and isinstance(options, dict):
        for role in _TEST:
            yield from _inside(options.get(role), f"{path} {role}", nested=nested)
        for role in (_THEN, _ELSE):
            # The engine takes no `else` that is falsy as written.
            arm = options.get(role) if role == _THEN or options.get(role) else None
            # The arms of an `@if` in an arm say when it is chosen.
            yield from [] if _read(arm)[0] == "@if" else [_arm(f"{path} {role}", arm)]
            yield from _inside(arm, f"{path} {role}", nested=nested)
        return
    for role, part in _parts(name, options):
        below = _below(path, role, name)
        yield from [_arm(below, part)] if nested and _is_leaf(part) else []
        yield from _inside(part, below, nested=nested)


def arms_chosen(traces: Iterable[FieldTrace]) -> Iterator[str]:
    """The arms that an event chooses and gets a value from. An arm without a value, as written, needs none."""
    for trace in traces:
        yield from _chosen(trace.step, trace.field, nested=not trace.field)


def _chosen(step: Step, path: str, *, nested: bool) -> Iterator[str]:
    nested = nested or step.directive is not None
    is_if = step.directive == "@if"
    taken = False
    for each in step.steps:
        part = _written(each)
        role = _role(step.directive, each.role)
        below = _below(path, role, step.directive)
        is_arm = is_if and role in (_THEN, _ELSE)
        taken = taken or is_arm
        if _is_value(each.value) and (_read(part)[0] != "@if" if is_arm else nested and not is_if and _is_leaf(part)):
            yield _arm(below, part)
        yield from _chosen(each, below, nested=nested)
    if is_if and step.steps and not taken and step.error is None:
        options = step.options if isinstance(step.options, dict) else {}
        yield _arm(f"{path} {_ELSE if _THEN in options else _THEN}", None)


def _written(step: Step) -> object:
    return step.options if step.directive is None else {step.directive: step.options}


def _parts(name: str | None, options: object) -> Iterator[tuple[str, object]]:
    """The mappings among the options of a directive, by their roles in a trace; the members of an object or a list."""
    if name == "@arrayPath":
        path, shape, *_ = (*options, None, None) if isinstance(options, list) else (None, None)
        yield "path", {"@path": path} if isinstance(path, str) else path
        yield from [("item", shape)] if isinstance(shape, dict) and shape else []
    elif name == "@merge":
        objects = options.get("objects") if isinstance(options, dict) else None
        yield from ((str(position), each) for position, each in enumerate(objects if isinstance(objects, list) else []))
    elif name in ("@path", "@literal", "@excludeWhenNull", "@template"):
        yield from [("value", options)] if isinstance(options, dict | list) else []
    elif isinstance(options, dict):
        yield from ((role, part) for role, part in options.items() if isinstance(part, dict | list))
    elif isinstance(options, list):
        yield from ((str(role), part) for role, part in enumerate(options) if isinstance(part, dict | list))


def _role(directive: str | None, role: str) -> str:
    return "item" if directive == "@arrayPath" and role.isdigit() else role


def _below(path: str, role: str, directive: str | None) -> str:
    return f"{path} {role}" if directive is not None else f"{path}.{role}".lstrip(".")


def _read(mapping: object) -> tuple[str | None, object]:
    name = directive_of(mapping) if isinstance(mapping, dict) else None
    return name, mapping[name] if name is not None and isinstance(mapping, dict) else mapping


def _is_leaf(mapping: object) -> bool:
    name, options = _read(mapping)
    return name is not None and next(_parts(name, options), None) is None


def _is_value(value: object) -> bool:
    return value is not UNDEFINED and value is not None


def _arm(path: str, mapping: object) -> str:
    name, options = _read(mapping)
    if mapping is None:
        text = _NOTHING
    elif name == "@path" and isinstance(options, str):
        text = options
    else:
        text = json.dumps(mapping, ensure_ascii=False)
    return f"{path} ({text[:_LONGEST]})".lstrip()
