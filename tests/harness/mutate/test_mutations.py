"""Each kind of mutation: which are made of a trigger, of a mapping and of a workspace, and where they are applied."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from emulator.artefacts import fixture
from emulator.errors import InputError
from emulator.harness.mutate import KINDS, Mutation, chosen, mutations_of
from emulator.mapping import compile_trigger
from emulator.workspace_file import read

DEFAULT = read(fixture("workspace.yaml"))
ALL = mutations_of(DEFAULT)
Document = dict[str, Any]


def workspace(*, trigger: str = 'type = "identify"', mapping: Document | None = None, **destination: Any) -> Document:
    """The default workspace with one mapping that has no defaults."""
    document: Document = copy.deepcopy(dict(DEFAULT))
    subscription = {"action": "forwardAudienceEvent", "trigger": trigger, "mapping": mapping or {}, "defaults": False}
    document["destinations"] = [{**document["destinations"][0], "subscriptions": [subscription], **destination}]
    return document


def made(document: Document, part: str) -> list[tuple[str, str]]:
    """Kinds and new values of the mutations of a part of the mapping."""
    return [(each.kind, each.after) for each in mutations_of(document) if part in each.place]


def path(text: str) -> Document:
    return {"@path": text}


def either(first: str, other: object) -> Document:
    return {"@if": {"exists": path(first), "then": path(first), "else": other}}


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ('type = "identify"', ['type != "identify"']),
        (
            'type = "identify" and event != "Left"',
            [
                'event != "Left"',
                'type = "identify"',
                'type = "identify" or event != "Left"',
                'type != "identify" and event != "Left"',
                'type = "identify" and event = "Left"',
            ],
        ),
        ("properties.total >= 100", ["properties.total > 100", "traits.total >= 100", "context.traits.total >= 100"]),
        ("traits.a = true", ["traits.a = false", "properties.a = true", "context.traits.a = true"]),
        ('contains(event, "Order")', ['!contains(event, "Order")']),
        # FQL has one level of parentheses; what is inside is mutated too.
        (
            'type = "track" and (event = "A" or event = "B")',
            [
                '(event = "A" or event = "B")',
                'type = "track"',
                'type = "track" or (event = "A" or event = "B")',
                'type != "track" and (event = "A" or event = "B")',
                'type = "track" and event = "B"',
                'type = "track" and event = "A"',
                'type = "track" and (event = "A" and event = "B")',
                'type = "track" and (event != "A" or event = "B")',
                'type = "track" and (event = "A" or event != "B")',
            ],
        ),
        ("(", []),
    ],
)
def test_the_mutations_of_a_trigger(trigger: str, expected: list[str]) -> None:
    found = [after for _, after in made(workspace(trigger=trigger), ".trigger")]
    assert [compile_trigger(each).tree for each in found] == [compile_trigger(each).tree for each in expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Gold", [("change-value", "Gold_renamed")]),
        (True, [("change-value", "false")]),
        (7, [("change-value", "8")]),
        (None, []),
        (
            path("$.traits.plan"),
            [
                ("swap-source", "$.properties.plan"),
                ("swap-source", "$.context.traits.plan"),
                ("rename-key", "$.traits.plan_renamed"),
            ],
        ),
        (path("$.event"), [("rename-key", "$.event_renamed")]),
        (
            {"@template": "{{traits.a}}!"},
            [
                ("swap-source", '{"@template": "{{properties.a}}!"}'),
                ("swap-source", '{"@template": "{{context.traits.a}}!"}'),
                ("rename-key", '{"@template": "{{traits.a_renamed}}!"}'),
            ],
        ),
        (
            either("$.traits.a", either("$.properties.a", path("$.anonymousId"))),
            [
                ("drop-arm", "$.properties.a else $.anonymousId"),
                ("drop-arm", "$.traits.a else $.anonymousId"),
                ("drop-arm", "$.traits.a else $.properties.a"),
                ("swap-source", "$.context.traits.a else $.properties.a else $.anonymousId"),
                ("swap-source", "$.traits.a else $.context.traits.a else $.anonymousId"),
            ],
        ),
        (
            either("$.event", "none"),
            [("drop-arm", "none"), ("drop-arm", "$.event"), ("change-value", "$.event else none_renamed")],
        ),
        (
            {"@if": {"exists": path("$.event"), "then": "yes", "else": "no"}},
            [
                ("drop-arm", "yes"),
                ("drop-arm", "no"),
                ("rename-key", "$.event_renamed"),
                ("change-value", "yes_renamed"),
                ("change-value", "no_renamed"),
            ],
        ),
        (
            {"@case": {"operator": "lower", "value": path("$.event")}},
            [("rename-key", "$.event_renamed")],
        ),
        (
            {"@arrayPath": ["$.properties.items", {"id": path("$.id")}]},
            [
                ("swap-source", '{"@arrayPath": ["$.traits.items", {"id": {"@path": "$.id"}}]}'),
                ("swap-source", '{"@arrayPath": ["$.context.traits.items", {"id": {"@path": "$.id"}}]}'),
                ("rename-key", '{"@arrayPath": ["$.properties.items_renamed", {"id": {"@path": "$.id"}}]}'),
                ("rename-key", "$.id_renamed"),
            ],
        ),
        ({"@literal": "x"}, [("change-value", "x_renamed")]),
        ({"tier": "a"}, [("rename-key", "tier_renamed"), ("change-value", "a_renamed")]),
        ([{"name": "ltv"}], [("rename-key", "name_renamed"), ("change-value", "ltv_renamed")]),
    ],
)
def test_the_mutations_of_a_value(value: object, expected: list[tuple[str, str]]) -> None:
    assert made(workspace(mapping={"other": value}), "mapping.other") == expected


def test_a_field_with_choices_gets_another_choice_and_the_email_another_order() -> None:
    email = either("$.traits.email", path("$.properties.email"))
    document = workspace(mapping={"marketing_status": "Opted-in", "email": email})
    assert made(document, "marketing_status") == [("change-value", "Indeterminate")]
    assert ("swap-email", "$.properties.email else $.traits.email") in made(document, "mapping.email")


@pytest.mark.parametrize(
    ("email", "expected"),
    [(True, "first"), ("first", "last"), ("all", "last"), ("last", "first"), (False, None), (None, "last")],
)
def test_other_addresses_of_a_person_are_sent(email: object, expected: str | None) -> None:
    connection = {"key": "vip_customers", **({} if email is None else {"email": email})}
    found = [after for _, after in made(workspace(audiences=[connection]), "audiences[0].email")]
    assert found == ([] if expected is None else [expected])


def test_only_what_is_on_is_mutated() -> None:
    assert mutations_of(workspace(enabled=False)) == []
    off = workspace(audiences=[{"key": "vip_customers", "sendTrack": False, "email": True}])
    off["destinations"][0]["subscriptions"][0]["enabled"] = False
    assert [(each.kind, each.place) for each in mutations_of(off)] == [
        ("toggle", "destinations[0].enabled"),
        ("toggle", "destinations[0].audiences[0].sendIdentify"),
        ("swap-email", "destinations[0].audiences[0].email"),
    ]


def test_leaving_a_journey_step_is_switched_off() -> None:
    document = workspace(journeySteps=[{"key": "welcome"}])
    entry = {"trait": "email", "operator": "exists"}
    document["journeys"] = [{"id": "j", "name": "J", "entry": entry, "steps": [{"key": "welcome", "name": "Welcome"}]}]
    assert ("toggle", "entered") in made(document, "journeySteps[0].events")


def test_every_kind_is_made_and_each_changes_the_default_workspace_in_another_way() -> None:
    kinds = {each.kind for each in ALL}
    assert kinds == set(KINDS)
    changed = [each.applied(DEFAULT) for each in ALL]
    assert all(each not in (None, DEFAULT) for each in changed)
    assert all(one != other for at, one in enumerate(changed) for other in changed[:at])


def one(kind: str, place: str) -> Mutation:
    return next(each for each in ALL if each.kind == kind and each.place.endswith(place))


def test_a_default_of_the_generation_is_written_out_where_it_is_mutated() -> None:
    mutation = one("rename-key", "event_type")
    changed = mutation.applied(DEFAULT)
    assert mutation.inherited
    assert changed
    assert changed["destinations"][0]["subscriptions"][0]["mapping"]["event_type"] == path("$.type_renamed")


@pytest.mark.parametrize("change", ["name", "field", "defaults", "value", "destination"])
def test_a_workspace_without_what_is_mutated_is_not_changed(change: str) -> None:
    document: Document = copy.deepcopy(dict(DEFAULT))
    destination = document["destinations"][0]
    subscription = destination["subscriptions"][0]
    if change == "name":
        subscription["name"] = "Another"
    elif change == "field":
        subscription["mapping"]["event_type"] = "track"
    elif change == "defaults":
        subscription["defaults"] = False
    elif change == "value":
        subscription["mapping"]["event_type"] = path("$.name")
    else:
        document["destinations"] = []
    assert one("rename-key", "event_type").applied(document) is None


def test_a_sample_depends_on_its_seed_and_keeps_the_order() -> None:
    sample = chosen(ALL, sample=10, seed=3)
    assert sample == chosen(ALL, sample=10, seed=3) != chosen(ALL, sample=10, seed=4)
    assert sample == [each for each in ALL if each in sample]
    assert len(sample) == 10
    assert chosen(ALL, sample=1000, seed=3) == ALL
    assert {each.kind for each in chosen(ALL, only=["toggle"], sample=None, seed=1)} == {"toggle"}


def test_an_unknown_kind_and_nothing_to_mutate_are_errors() -> None:
    with pytest.raises(InputError, match="Did you mean 'toggle'"):
        chosen(ALL, only=["togle"], sample=None, seed=1)
    with pytest.raises(InputError, match="^workspace: there is nothing to mutate. A workspace needs"):
        chosen([], only=["toggle"], sample=None, seed=1)


def test_a_kind_without_mutations_is_an_error_with_the_kinds_that_have_some() -> None:
    some = [each for each in ALL if each.kind in ("toggle", "drop-arm")]
    with pytest.raises(InputError, match=r"no mutation of this kind.*swap-join.*Allowed: drop-arm, toggle\.$"):
        chosen(some, only=["swap-join"], sample=None, seed=1)
