"""Corrected triggers: each is read in full by the engine and lets the events pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.harness.trigger_repair import repaired_trigger
from emulator.harness.trigger_text import TriggerText, read_trigger
from emulator.harness.trigger_tree import Comparison, Level, joined
from emulator.mapping import compile_trigger

IDENTIFY = {"type": "identify", "userId": "u1", "traits": {"plan": "gold", "age": "30"}}
ENTERED = {"type": "track", "event": "Audience Entered", "userId": "u1", "properties": {"total": 5}}
EXITED = {"type": "track", "event": "Audience Exited", "userId": "u1", "properties": {"total": 5}}
ALL = [IDENTIFY, ENTERED, EXITED]
TRACKS = [ENTERED, EXITED]
DEFAULT = 'type = "identify" or type = "track"'
BY_NAME = 'type = "track" and (event = "Audience Entered" or event = "Audience Exited")'

# Wrong trigger, the events that must pass, the corrected trigger.
WRONG: list[tuple[str, list[dict[str, Any]], str]] = [
    ('type = "identify" and type = "track"', ALL, DEFAULT),
    ("type = 'identify' or type = 'track'", ALL, DEFAULT),
    ("type = \u201cidentify\u201d or type = \u201ctrack\u201d", ALL, DEFAULT),
    ("type = `identify` or type = `track`", ALL, DEFAULT),
    ('type is "identify" or type is "track"', ALL, DEFAULT),
    ('type == "identify" or type == "track"', ALL, DEFAULT),
    ('type equals "identify" or type equals "track"', ALL, DEFAULT),
    ('type: "identify" or type: "track"', ALL, DEFAULT),
    ('type is not "page" AND type <> "screen"', TRACKS, 'type != "page" and type != "screen"'),
    ('type = "identify" OR type = "track"', ALL, DEFAULT),
    ('type = "identify" Or type = "track"', ALL, DEFAULT),
    ('type = "identify" || type = "track"', ALL, DEFAULT),
    ('type = "identify" && type = "track"', ALL, DEFAULT),
    ('type = "identify" or type = "track', ALL, DEFAULT),
    ('type = identify" or type = "track"', ALL, DEFAULT),
    ('type = "identify or type = "track"', ALL, DEFAULT),
    ('(type = "identify" or type = "track"', ALL, DEFAULT),
    ('((type = "identify") or (type = "track"))', ALL, DEFAULT),
    ('Type = "Identify" or Type = "Track"', ALL, DEFAULT),
    ('type = "identified" or type = "tracked"', ALL, DEFAULT),
    ('type = "identify" or "track"', ALL, DEFAULT),
    ('type in ("identify", "track")', ALL, DEFAULT),
    ('type = "identify" type = "track"', ALL, DEFAULT),
    ('type "identify" or type "track"', ALL, DEFAULT),
    ("Event Type is Identify or Event Type is Track", ALL, DEFAULT),
    ('type = "identify"', ALL, DEFAULT),
    ("type =", ALL, DEFAULT),
    ("", ALL, DEFAULT),
    ("everything", ALL, DEFAULT),
    ('type = "identify", type = "track"', ALL, DEFAULT),
    (
        '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")',
        ALL,
        '(type = "track" or type = "identify") or (event = "Audience Entered" or event = "Audience Exited")',
    ),
    ('type = "identify" and event = "Audience Entered"', [IDENTIFY], 'type = "identify" or event = "Audience Entered"'),
    ('type = "track" and event = "Audience entered"', TRACKS, BY_NAME),
    ('type = "track" and event = "Audience Entered"', TRACKS, BY_NAME),
    ('type = "track" and event = "audience_entered"', [ENTERED], 'type = "track" and event = "Audience Entered"'),
    ('event = "Audience Enter" or event = "Audience Exit"', TRACKS, BY_NAME.removeprefix('type = "track" and ')[1:-1]),
    ('type = "track" and event = "Audience Entered" and event = "Audience Exited"', TRACKS,
     '(event = "Audience Entered" or event = "Audience Exited") and type = "track"'),
    ('event = "Audience Entered" or event = "Audience Exited" and type = "track"', TRACKS,
     '(event = "Audience Entered" or event = "Audience Exited") and type = "track"'),
    ('traits.plan = "Gold"', [IDENTIFY], 'traits.plan = "gold"'),
    ("traits.age = 30", [IDENTIFY], 'traits.age = "30"'),
    ('properties.total = "5"', TRACKS, "properties.total = 5"),
    ('$.traits.plan = "gold"', [IDENTIFY], 'traits.plan = "gold"'),
    ('trait.plan = "gold"', [IDENTIFY], 'traits.plan = "gold"'),
    ('properties.total>4 && type = "track"', TRACKS, 'properties.total > 4 and type = "track"'),
    ('not contains(event, "Purchased") AND type = "track"', TRACKS, '!contains(event, "Purchased") and type = "track"'),
    ('contains(type, "tr")', TRACKS, 'type contains "tr"'),
    ('event starts with "Audience"', TRACKS, 'match(event, "Audience*")'),
    ('type = "track" and traits.plan = "silver"', [ENTERED], 'type = "track" or traits.plan = "silver"'),
    ('type = "track" and (event = "Audience Entered" or (event = "Audience exited" and userId = "u1"))', TRACKS,
     ('(type = "track" and event = "Audience Entered") or '
     '(type = "track" and event = "Audience Exited" and userId = "u1")')),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "events", "expected"), WRONG)
def test_a_wrong_trigger_is_corrected(trigger: str, events: list[dict[str, Any]], expected: str) -> None:
    compiled = compile_trigger(trigger)
    assert not all(compiled.matches(event) for event in events), "not wrong"
    repaired = repaired_trigger(trigger, events)
    assert repaired is not None
    assert repaired.text == expected
    corrected = compile_trigger(repaired.text)
    assert corrected.error is None
    assert all(corrected.matches(event) for event in events)
    assert read_trigger(repaired.text).corrections == ()
    assert repaired.cause
    assert repaired.sentence[0].isupper()
    assert repaired.sentence.endswith(".")


def test_a_trigger_that_lets_the_events_pass_stays_as_it_is() -> None:
    repaired = repaired_trigger("type   = track", TRACKS)
    assert repaired is not None
    assert (repaired.text, repaired.sentence, repaired.cause) == ("type   = track", "", "")


def test_without_events_there_is_nothing_to_find() -> None:
    assert repaired_trigger("type", []) is None


FIELDS = st.sampled_from(["type", "event", "userId", "traits.plan", "properties.total", "context.personas.namespace"])
VALUES = st.sampled_from(['"track"', '"Audience Entered"', '"a or b"', "5", "null", "true", "-1.5"])
STRINGS = st.sampled_from(['"track"', '"Audience Entered"', '"a or b"', '"start*"', '"*end"'])
TESTS = st.builds(Comparison, field=FIELDS, operator=st.sampled_from(["=", "!=", "<", ">="]), value=VALUES) | st.builds(
    Comparison,
    field=FIELDS,
    operator=st.sampled_from(["contains", "not_contains", "match", "not_match"]),
    value=STRINGS,
)
JOINS = st.sampled_from(["and", "or"])
GROUPS = st.builds(joined, st.lists(TESTS, min_size=2, max_size=3).map(tuple), JOINS)
TREES = st.lists(TESTS | GROUPS, min_size=1, max_size=3).flatmap(
    lambda items: st.lists(JOINS, min_size=len(items) - 1, max_size=len(items) - 1).map(
        lambda joins: Level(items=tuple(items), joins=tuple(joins))
    )
)


@given(TREES)
def test_a_correct_trigger_is_read_without_corrections(tree: Level) -> None:
    text = str(tree)
    assert compile_trigger(text).error is None
    reading = read_trigger(text)
    assert reading.corrections == ()
    assert str(reading.tree) in (text, text[1:-1])


@given(st.text(alphabet="type=event\"' ()andor!,|&is", max_size=40))
def test_any_text_is_corrected_to_one_that_the_engine_reads(text: str) -> None:
    repaired = repaired_trigger(text, ALL)
    assert repaired is not None
    assert all(compile_trigger(repaired.text).matches(event) for event in ALL)


@pytest.mark.parametrize(
    "text",
    [
        "{" * 500,
        "[" * 4_999,
        "(" * 1_000 + 'type = "a"' + ")" * 1_000,
        "!(" * 50_000,
        "type == 'a' && " * 10_000,
        '"' * 100_000,
    ],
    ids=["braces", "brackets", "parentheses", "negations", "conditions", "quotes"],
)
def test_a_trigger_that_is_too_long_or_too_deep_is_not_corrected(text: str) -> None:
    assert read_trigger(text) == TriggerText(tree=None, corrections=())
