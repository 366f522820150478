"""Faults: the active rules with their hits, presets, a form for each kind, and the rate limit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Button, Cell, Row, Table, rows_of
from emulator.console.view import View

_MATCHERS: Final = ("operation", "advertiser", "email")
_OF_THE_RULE: Final = ("id", "fault", *_MATCHERS, "probability", "remaining", "until", "matched")


def _values(api: ControlAPI, view: View) -> Values:
    known = api.get("faults/kinds")
    rules = api.get("faults")["faults"]
    unused = api.get("faults/unused")
    chosen = view.get("kind")
    return {
        "rules": _table(rules, view),
        "yaml": _as_yaml(rules, api.get("clock")["now"]),
        "unused": [*map(_in_words, unused["faults"]), *map(_limit_in_words, unused["rateLimits"])],
        "kinds": known["kinds"],
        "presets": known["presets"],
        "chosen": next((kind for kind in known["kinds"] if kind["name"] == chosen), None),
        "advertisers": api.get(f"sandboxes/{view.sandbox}")["advertisers"],
        "limit": api.get("rate-limit")["rateLimit"],
    }


def _table(rules: list[Any], view: View) -> Table:
    return Table(
        caption=f"Active faults ({len(rules)})",
        columns=("Rule", "Fault", "Applies to", "Hits", "Left", "Until", ""),
        rows=rows_of(rules, lambda item: _row(item, view)),
        empty="No fault is active: StackAdapt answers every request.",
        fill=view.curl("faults", sent={"fault": "status", "status": 503, "times": 2}),
    )


def _row(item: Mapping[str, Any], view: View) -> Row:
    left = item["remaining"]
    return Row(
        [
            Cell(item["id"]),
            Cell(": ".join(filter(None, (item["fault"], _options(item)))), view.link("requests", fault=item["fault"])),
            Cell(_applies_to(item)),
            Cell(item["matched"]),
            Cell("no limit" if left is None else left),
            Cell(item["until"] or "no limit"),
            Cell(None, button=Button(label="Turn off", action="remove fault", path=f"/_emulator/faults/{item['id']}")),
        ]
    )


def _options(item: Mapping[str, Any]) -> str:
    """What the rule has besides what every rule has: `status 503, retryAfter 30`."""
    given = {name: value for name, value in item.items() if name not in _OF_THE_RULE}
    return ", ".join(f"{name} {_text(value)}" for name, value in given.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _applies_to(item: Mapping[str, Any]) -> str:
    parts = [f"{name} {item[name]}" for name in _MATCHERS if item[name] is not None]
    if item["probability"] < 1:
        parts.append(f"with a probability of {item['probability']:g}")
    return ", ".join(parts) or "every request"


def _in_words(item: Mapping[str, Any]) -> str:
    options = _options(item)
    return f"Rule {item['id']}, {item['fault']}{f' ({options})' if options else ''}: {_applies_to(item)}"


def _limit_in_words(limit: Mapping[str, Any]) -> str:
    return f"Rate limit of {limit['requests']} requests per {limit['per']}"


def _as_yaml(rules: list[Any], now: str) -> str:
    """The active rules as a workspace has them, with what is left of their times and of their time."""
    return "\n".join(["faults:", *(f"  - {json.dumps(_definition(rule, now))}" for rule in rules)]) if rules else ""


def _definition(rule: Mapping[str, Any], now: str) -> dict[str, Any]:
    found = {name: value for name, value in rule.items() if name not in ("id", "remaining", "until", "matched")}
    if rule["remaining"] is not None:
        found["times"] = rule["remaining"]
    if rule["until"] is not None:
        left = datetime.fromisoformat(rule["until"]) - datetime.fromisoformat(now)
        found["lasts"] = f"{max(round(left.total_seconds()), 1)}s"
    if found["probability"] == 1:
        del found["probability"]
    return {name: value for name, value in found.items() if value is not None}


SCREEN = Screen(
    group="Developer",
    name="Faults",
    path="faults",
    template="developer/faults",
    values=_values,
    actions=(
        Action("add fault", "POST", "/_emulator/faults"),
        Action("remove fault", "DELETE", "/_emulator/faults/{ruleId}"),
        Action("clear faults", "DELETE", "/_emulator/faults"),
        Action("set rate limit", "PUT", "/_emulator/rate-limit"),
        Action("remove rate limit", "DELETE", "/_emulator/rate-limit"),
    ),
)
