"""Changes of what a person's calls or records say: emails, traits, events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from emulator.clock import to_iso
from emulator.harness.why.answer import Change
from emulator.harness.why.rerun import Case
from emulator.stackadapt.rules.emails import is_valid, normalise
from emulator.workspace import Workspace

Proposed = tuple[Change, Case]

# What breaks the GraphQL document of the destination, which writes strings into it without escaping them.
_BREAKS = re.compile(r'["\\\n\r]')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NESTING = 5


def with_trait(case: Case, trait: str, value: Any, *, text: str | None = None) -> Proposed:
    """The person's last identify call, or their records, with a trait."""
    shown = json.dumps(value, ensure_ascii=False)
    if case.records:
        records = deepcopy(case.records)
        for record in records:
            record["record"][trait] = value
        change = Change(kind="record", where=trait, value=value, text=text or f"send the record with {trait}: {shown}")
        return change, case.changed(records=records)
    calls = deepcopy(case.calls)
    for call in calls:
        if call["type"] == "identify":
            call.setdefault("traits", {})[trait] = value
            context = call.get("context")
            if trait == "email" and isinstance(context, dict):
                context.pop("traits", None)
    text = text or f"send the identify call with the trait {trait}: {shown}"
    change = Change(kind="trait", where=f"traits.{trait}", value=value, text=text)
    return change, case.changed(calls=calls)


def with_email(case: Case, given: object) -> Iterator[Proposed]:
    """A valid email: a correction of the one that was given, or an invented one."""
    for email in [*_corrections(given), _invented(case)]:
        change, changed = with_trait(case, "email", email)
        if case.records:
            keys = {key for record in case.records for key in record["record"] if "email" in key.lower()}
            if keys and "email" not in keys:
                change, changed = with_trait(case, sorted(keys)[0], email)
        question = replace(case.question, email=None if case.question.user_id else email)
        yield change, changed.changed(question=question)


def _corrections(given: object) -> list[str]:
    if not isinstance(given, str) or not given.strip():
        return []
    text = normalise(given)
    bare = re.sub(r"[\s\"'<>()]", "", text).replace(",", ".").replace("..", ".").replace("@.", "@").rstrip(".")
    at_sign = bare.replace("@@", "@") if "@" in bare else re.sub(r"(?<=\w)at(?=\w)", "@", bare, count=1)
    attempts = [bare, at_sign, f"{bare}.com", f"{bare}@example.com"]
    return [email for email in dict.fromkeys(attempts) if is_valid(email) and email != text][:3]


def _invented(case: Case) -> str:
    user = next((call["userId"] for call in case.calls if call.get("userId")), None)
    user = user or next((str(each["record"]["userId"]) for each in case.records if each["record"].get("userId")), "")
    local = re.sub(r"[^a-z0-9._-]", "", str(user).lower()).strip(".") or "person"
    return f"{local[:60]}@example.com"


def with_clean_traits(case: Case) -> Iterator[Proposed]:
    """Each trait without the characters that break the destination's document, then all of them."""
    bad = {
        name: value
        for call in case.calls
        for name, value in call.get("traits", {}).items()
        if isinstance(value, str) and _BREAKS.search(value)
    }
    for name, value in bad.items():
        clean = _BREAKS.sub("", value)
        shown = json.dumps(clean, ensure_ascii=False)
        text = f"send the trait {name} without the characters that break the document: {shown}"
        yield with_trait(case, name, clean, text=text)
    if len(bad) > 1:
        changed = case
        for name, value in bad.items():
            _, changed = with_trait(changed, name, _BREAKS.sub("", value))
        names = ", ".join(sorted(bad))
        values = {name: _BREAKS.sub("", value) for name, value in bad.items()}
        text = f"send the traits {names} without the characters that break the document"
        yield Change(kind="trait", where="traits", value=values, text=text), changed


def meeting_conditions(case: Case, workspace: Workspace, *, audiences: Iterable[str]) -> Iterator[Proposed]:
    """Each trait or event that a condition of these audiences asks for, then all that one condition asks for."""
    for key in audiences:
        audience = workspace.audience(key)
        if audience is None:
            continue
        leaves = list(_leaves(audience.condition, workspace, _NESTING))
        for leaf in leaves:
            yield from _meeting(case, leaf)
        if len(leaves) > 1:
            yield from _meeting_all(case, leaves, key)


def _leaves(condition: Mapping[str, Any], workspace: Workspace, depth: int) -> Iterator[Mapping[str, Any]]:
    for key in ("all", "any"):
        for part in condition.get(key, ()):
            yield from _leaves(part, workspace, depth)
    if "audience" in condition and depth:
        inner = workspace.audience(condition["audience"])
        if inner is not None:
            yield from _leaves(inner.condition, workspace, depth - 1)
    if "trait" in condition or "event" in condition:
        yield condition


def _meeting(case: Case, leaf: Mapping[str, Any]) -> Iterator[Proposed]:
    if "event" in leaf:
        yield _with_event(case, leaf)
        return
    for value in _fitting(leaf, _present(case, leaf["trait"]), case):
        yield with_trait(case, leaf["trait"], value)


def _meeting_all(case: Case, leaves: Iterable[Mapping[str, Any]], key: str) -> Iterator[Proposed]:
    changed, traits = case, {}
    for leaf in leaves:
        proposed = next(_meeting(changed, leaf), None)
        if proposed is not None:
            change, changed = proposed
            traits[change.where.removeprefix("traits.")] = change.value
    named = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in traits.items())
    text = f"send what the condition of {key} needs: {named}"
    yield Change(kind="trait", where="traits", value=traits, text=text), changed


def _present(case: Case, trait: str) -> Any:
    return next((call["traits"][trait] for call in case.calls if trait in call.get("traits", {})), None)


def _fitting(leaf: Mapping[str, Any], present: Any, case: Case) -> Iterator[Any]:
    """Values that may meet a test of a trait, the nearest to the present one first."""
    operator, value = leaf["operator"], leaf.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(present, str) and (number := _NUMBER.search(present)):
            yield float(number[0]) if "." in number[0] else int(number[0])
        step = {"greater_than": 1, "less_than": -1, "not_equals": 1}.get(operator, 0)
        yield value + step
    elif operator == "one_of" and isinstance(value, list):
        yield from value[:2]
    elif operator == "exists":
        yield "person@example.com" if leaf["trait"] == "email" else "yes"
    elif operator in ("before_date", "after_date"):
        year = int(str(value)[:4]) + (-1 if operator == "before_date" else 1)
        yield f"{year}{str(value)[4:]}"
    elif operator.startswith(("within_", "before_", "after_")):
        yield from _dates(operator, case)
    elif value is not None:
        yield value


def _dates(operator: str, case: Case) -> Iterator[str]:
    """Just now, and long ago or far ahead: one of them meets any test of how long ago a date is."""
    ahead = operator in ("within_next", "after_next")
    for days in (0.001, 365, 3650):
        yield to_iso(case.now + timedelta(days=days if ahead else -days))


def _with_event(case: Case, leaf: Mapping[str, Any]) -> Proposed:
    properties = {
        test["property"]: next(_fitting({**test, "trait": test["property"]}, None, case), "yes")
        for test in leaf.get("where", ())
    }
    count = int(leaf.get("value", 1)) if leaf.get("operator", "at_least") != "at_most" else 1
    who = next(({"userId": call["userId"]} for call in case.calls if call.get("userId")), {})
    event = {"type": "track", **who, "event": leaf["event"], "properties": properties}
    times = f" {count} times" if count > 1 else ""
    with_ = f" with {json.dumps(properties, ensure_ascii=False)}" if properties else ""
    change = Change(
        kind="event",
        where=leaf["event"],
        value={"properties": properties, "times": count},
        text=f"send the track event {leaf['event']!r}{with_}{times}",
    )
    return change, case.changed(calls=(*case.calls, *[event] * count))
