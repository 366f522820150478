"""Changes of what a person's calls or records say: emails, traits, events."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from emulator.harness.why.answer import Change
from emulator.harness.why.rerun import Case
from emulator.stackadapt.rules.emails import is_valid, normalise

Proposed = tuple[Change, Case]

# What breaks the GraphQL document of the destination, which writes strings into it without escaping them.
_BREAKS = re.compile(r'["\\\n\r]')


def with_trait(case: Case, trait: str, value: Any, *, text: str | None = None) -> Proposed:
    """The person's identify calls, or their records, with a trait; None removes it."""
    shown = _json(value)
    if case.records:
        records = deepcopy(case.records)
        for record in records:
            record["record"][trait] = value
        change = Change(kind="record", where=trait, value=value, text=text or f"send the record with {trait}: {shown}")
        return change, case.changed(records=records)
    calls = deepcopy(case.calls)
    for call in calls:
        if call["type"] == "identify":
            call["traits"] = {**call.get("traits", {}), trait: value}
            if value is None:
                del call["traits"][trait]
            context = call.get("context")
            if trait == "email" and isinstance(context, dict):
                context.pop("traits", None)
    without = f"send the identify call without the trait {trait}"
    text = text or (without if value is None else f"send the identify call with the trait {trait}: {shown}")
    change = Change(kind="trait", where=f"traits.{trait}", value=value, text=text)
    return change, case.changed(calls=calls)


def with_email(case: Case, given: object) -> Iterator[Proposed]:
    """A valid email: the one that was given if it is, else a correction of it or an invented one."""
    for email in _emails(case, given):
        change, changed = with_trait(case, "email", email)
        if case.records:
            keys = {key for record in case.records for key in record["record"] if "email" in key.lower()}
            if keys and "email" not in keys:
                change, changed = with_trait(case, sorted(keys)[0], email)
        question = replace(case.question, email=None if case.question.user_id else email)
        yield change, changed.changed(question=question)


def _emails(case: Case, given: object) -> list[str]:
    if isinstance(given, str) and is_valid(normalise(given)):
        return [given]
    return [*_corrections(given), _invented(case)]


def _corrections(given: object) -> list[str]:
    if not isinstance(given, str) or not given.strip():
        return []
    text = normalise(given)
    bare = re.sub(r"[\s\"'<>()]", "", text).replace(",", ".").replace("..", ".").replace("@.", "@").rstrip(".")
    at_sign = bare.replace("@@", "@") if "@" in bare else re.sub(r"(?<=\w)at(?=\w)", "@", bare, count=1)
    attempts = [bare, at_sign, f"{bare}.com", f"{bare.rstrip('@')}@example.com"]
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
        shown = _json(clean)
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


def meeting(case: Case, change: Mapping[str, Any], *, of: str) -> Proposed:
    """The change that a condition needs, as Engage explains it: `{"traits", "events": [{"event", "properties"}]}`."""
    changed = case
    for name, value in change["traits"].items():
        proposed, changed = with_trait(changed, name, value)
    if len(change["traits"]) == 1 and not change["events"]:
        return proposed, changed
    who = next(({"userId": call["userId"]} for call in case.calls if call.get("userId")), {})
    events = tuple({"type": "track", **who, **event} for event in change["events"])
    needs = ", ".join([f"{name}: {_json(value)}" for name, value in change["traits"].items()] + _events(change))
    kind, where, value = ("event", "calls", change) if events else ("trait", "traits", change["traits"])
    text = f"send what the condition of {of} needs: {needs}"
    return Change(kind=kind, where=where, value=value, text=text), changed.changed(calls=(*changed.calls, *events))


def _events(change: Mapping[str, Any]) -> list[str]:
    """`track "Order Completed" with {"total": 100} (2 times)`."""
    named = Counter(
        f"track {_json(event['event'])}" + (f" with {_json(event['properties'])}" if event["properties"] else "")
        for event in change["events"]
    )
    return [f"{name} ({count} times)" if count > 1 else name for name, count in named.items()]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
