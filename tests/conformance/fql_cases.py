"""Random triggers in Segment's filter language, valid and invalid, and events for them."""

from __future__ import annotations

from random import Random
from typing import Any

from . import edge_values
from .edge_values import often

FIELDS = (
    "type", "event", "name", "userId", "properties.plan", "properties.n", "properties.flag", "properties.a.b",
    "traits.vip",
    "traits.email", "context.ip", "context.personas.computation_key", "properties.list.0", "properties.s.length",
)  # fmt: skip
ODD_FIELDS = (
    "messageId", "anonymousId", "foo", "integrations.x", "properties", "traits", "type.x", "event.x", "TYPE",
    "properties.0",
    "properties.1a", "properties.and", "properties.null", "properties.a\\.b", "properties.list\\[0\\]",
    "properties . plan",
    "properties.é", "properties.with-dash", "properties.under_score", "AND", "true", "length(event)", "groupId",
)  # fmt: skip
OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
ODD_OPERATORS = ("==", "!", "in", "contains", "starts_with", "exists", "number_equals", "=!", "", "<>")
TEXTS = (
    "track", "identify", "vip", "Order Completed", "", "a", "null", "true", "5", "x*", "*x", "a\\", "é",
    "Audience Entered", "and", "(", ",", "a@b.com", "it's",
)  # fmt: skip
LITERALS = (
    "5", "-5", "+5", "0", "1.5", ".5", "1.", "1e3", "5-3", "5abc", "-", "track", "and", "traits.vip",
    "null", "null", "null", "true", "true", "true", "false", "false", "false",
)  # fmt: skip


def quoted(rng: Random, text: str) -> str:
    """The string in double quotes, sometimes in single ones or with one missing."""
    return rng.choices((f'"{text}"', f"'{text}'", f'"{text}'), (92, 6, 2))[0]


def comparison(rng: Random) -> str:
    """`field operator value` with or without spaces."""
    field = rng.choice(ODD_FIELDS) if often(rng, 0.08) else rng.choice(FIELDS)
    operator = rng.choice(ODD_OPERATORS) if often(rng, 0.06) else rng.choice(OPERATORS)
    literal = rng.choice(LITERALS) if often(rng, 0.4) else quoted(rng, rng.choice(TEXTS))
    before, after = rng.choices((" ", "", "  ", "\n", "\t"), (88, 5, 3, 2, 2), k=2)
    return f"{field}{before}{operator}{after}{literal}"


def function(rng: Random) -> str:
    """`contains` or `match`, negated or not, sometimes without arguments."""
    name = rng.choice(("contains", "match"))
    field = rng.choice(FIELDS) if often(rng, 0.9) else rng.choice(ODD_FIELDS)
    value = rng.choice(LITERALS) if often(rng, 0.1) else quoted(rng, rng.choice(TEXTS))
    arguments = rng.choices(
        (f"{field}, {value}", f"{field},{value}", field, "", f" {field} , {value} "), (60, 30, 4, 2, 4)
    )[0]
    return f"{rng.choices(('', '!', '! '), (70, 27, 3))[0]}{name}({arguments})"


def condition(rng: Random) -> str:
    """A comparison or a function."""
    return function(rng) if often(rng, 0.25) else comparison(rng)


def joined(rng: Random, parts: list[str]) -> str:
    """The parts with connectives between them, some invalid."""
    text = parts[0]
    for part in parts[1:]:
        text += rng.choices(
            (" and ", " or ", " AND ", " ", "or ", " and", ",", " and or "), (45, 40, 3, 3, 2, 3, 1, 3)
        )[0]
        text += part
    return text


def group(rng: Random) -> str:
    """Conditions, one in three of them in parentheses."""
    parts = [condition(rng) for _ in range(rng.choices((1, 2, 3, 4), (30, 40, 20, 10))[0])]
    if often(rng, 0.35):
        inner = joined(rng, parts)
        form = rng.choices(("({})", "(({}))", "!({})", "({}", "{})", "( {} )", "() and {}"), (70, 4, 6, 4, 4, 10, 2))[0]
        return form.format(inner)
    return joined(rng, parts)


def trigger(rng: Random) -> str:
    """A complete trigger; one in fifteen has a character added or removed."""
    text = joined(rng, [group(rng) for _ in range(rng.choices((1, 2, 3), (60, 30, 10))[0])])
    if often(rng, 0.07) and text:
        at = rng.randrange(len(text))
        text = (
            text[:at]
            + rng.choice(("", '"', "(", ")", "\\", "é", "=", " ", ".", "\r", "$"))
            + text[at + rng.randrange(2) :]
        )
    return rng.choices((text, "", " "), (98, 1, 1))[0]


def event(rng: Random) -> dict[str, Any]:
    """An event with the fields of the triggers, often of the wrong type."""
    body: dict[str, Any] = {
        "type": rng.choice(("track", "identify", "track", "identify", "page", 5, None)),
        "userId": rng.choice(("u1", "5", 5, True, None, "null", "")),
        "event": rng.choice((*TEXTS, 5, True, None)),
        "name": rng.choice((*TEXTS, 5, True, None)),
        "properties": {
            "plan": rng.choice(TEXTS) if often(rng, 0.6) else edge_values.scalar(rng),
            "n": rng.choice((5, "5", 0, -5, 1.5, 1000, True, None)),
            "flag": rng.choice((True, False, "true", 1, None)),
            "a": rng.choice(({"b": edge_values.scalar(rng)}, 0, None, "", "text")),
            "s": "text",
            "list": ["vip", 1],
        },
        "traits": {"vip": rng.choice((*TEXTS, True, 5)), "email": rng.choice(("a@b.com", "", None, 5))},
        "context": {"ip": "1.1.1.1", "personas": {"computation_key": rng.choice(("vip", "a"))}},
        "messageId": "m1",
    }
    return {key: entry for key, entry in body.items() if often(rng, 0.9)}


def fql_case(rng: Random) -> dict[str, Any]:
    """A case of kind `fql`."""
    return {"kind": "fql", "fql": trigger(rng), "event": event(rng)}
