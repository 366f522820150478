"""The JSON Schemas under `contracts/`: valid, with examples that fit, and consistent with the code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json, contracts_dir
from emulator.ids import Ids
from emulator.mapping import MappingError
from emulator.mapping.resolve import check_mapping
from emulator.schemas import mistakes
from emulator.segment.tracking.calls import RejectedCall, read_calls

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMAS = sorted(path.relative_to(contracts_dir()).as_posix() for path in contracts_dir().rglob("*.schema.json"))
SEGMENT = [
    "segment/audience-identify.schema.json",
    "segment/audience-track.schema.json",
    "segment/batch.schema.json",
    "segment/destination-instance.schema.json",
    "segment/identify.schema.json",
    "segment/mapping.schema.json",
    "segment/track.schema.json",
]


def examples(name: str) -> list[Any]:
    found: list[Any] = contract_json(f"segment/{name}.schema.json")["examples"]
    return found


def changed(document: dict[str, Any], /, **members: Any) -> dict[str, Any]:
    return {**document, **members}


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


IDENTIFY, TRACK = examples("identify")[0], examples("track")[0]
ENTERED, EXITED = examples("audience-track")
JOINED, LEFT = examples("audience-identify")
INSTANCE = examples("destination-instance")[0]
PERSONAS = JOINED["context"]["personas"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_described(name: str) -> None:
    schema = contract_json(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == name
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", SEGMENT)
def test_every_example_fits(name: str) -> None:
    for example in contract_json(name)["examples"]:
        assert mistakes(example, name) == []


def members_of(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every member that a schema names outside its conditions."""
    if isinstance(schema, list):
        for item in schema:
            yield from members_of(item)
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {}).items()
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs"):
            for inner in (inner for name, inner in value.items() if not name.startswith("is")):
                yield from members_of(inner)
        elif keyword not in ("if", "not", "examples"):
            yield from members_of(value)


@pytest.mark.parametrize("name", SEGMENT)
def test_every_member_is_described(name: str) -> None:
    bare = {
        member
        for member, schema in members_of(contract_json(name))
        if not {"description", "$ref", "const", "enum"} & schema.keys()
    }
    assert bare <= {"name", "version"}, "only the parts of context.library need no description"


@pytest.mark.parametrize(
    ("schema", "document", "place", "message"),
    [
        ("identify", changed(IDENTIFY, userId=None), "(top level)", "needs userId or anonymousId"),
        ("identify", changed(IDENTIFY, userId=""), "userId", "too short"),
        ("identify", changed(IDENTIFY, traits=[]), "traits", "must be an object or null"),
        ("identify", changed(IDENTIFY, type="track"), "type", "invalid value"),
        ("identify", changed(IDENTIFY, messageId="m" * 101), "messageId", "too long"),
        ("track", without(TRACK, "event"), "(top level)", "the key 'event' is missing"),
        ("track", changed(TRACK, event=5), "event", "must be a string"),
        ("track", changed(TRACK, properties="x"), "properties", "must be an object or null"),
        ("batch", {"batch": []}, "batch", "too short"),
        ("batch", {"batch": [IDENTIFY] * 2501}, "batch", "too long"),
        ("batch", {"batch": [IDENTIFY, without(TRACK, "event")]}, "batch[1]", "the key 'event' is missing"),
        ("batch", {"batch": [without(IDENTIFY, "type")]}, "batch[0]", "the key 'type' is missing"),
        ("batch", {"batch": [changed(IDENTIFY, type="identfy")]}, "batch[0].type", "invalid value"),
        ("audience-identify", without(JOINED, "context"), "(top level)", "the key 'context' is missing"),
        ("audience-identify", changed(JOINED, context={}), "context", "the key 'personas' is missing"),
        ("audience-identify", changed(JOINED, properties={}), "properties", "has no properties"),
        ("audience-identify", changed(JOINED, traits={}), "traits", "too few"),
        (
            "audience-identify",
            changed(JOINED, context={"personas": without(PERSONAS, "computation_id")}),
            "context.personas",
            "the key 'computation_id' is missing",
        ),
        (
            "audience-identify",
            changed(JOINED, context={"personas": changed(PERSONAS, computation_class="trait")}),
            "context.personas.computation_class",
            "invalid value",
        ),
        (
            "audience-identify",
            changed(JOINED, context={"personas": changed(PERSONAS, computation_key="VIP Customers")}),
            "context.personas.computation_key",
            "wrong format",
        ),
        (
            "audience-identify",
            changed(LEFT, integrations={"All": True, "X": True}),
            "integrations.All",
            "invalid value",
        ),
        ("audience-identify", changed(LEFT, messageId="m1"), "messageId", "wrong format"),
        ("audience-identify", changed(LEFT, timestamp="yesterday"), "timestamp", "wrong format"),
        ("audience-track", changed(ENTERED, traits={"email": "a@b.co"}), "traits", "belongs to context.traits.email"),
        ("audience-track", without(EXITED, "event"), "(top level)", "the key 'event' is missing"),
        ("audience-track", without(EXITED, "properties"), "(top level)", "the key 'properties' is missing"),
        ("destination-instance", without(INSTANCE, "settings"), "(top level)", "the key 'settings' is missing"),
        ("destination-instance", changed(INSTANCE, settings={}), "settings", "the key 'apiKey' is missing"),
        ("destination-instance", changed(INSTANCE, batch={"age": "soon"}), "batch.age", "wrong format"),
        ("destination-instance", changed(INSTANCE, batch={"size": 0}), "batch.size", "too small"),
        ("destination-instance", changed(INSTANCE, audience=[]), "(top level)", "unknown key 'audience'"),
        ("destination-instance", changed(INSTANCE, endpoint="https://x.com/graphql"), "endpoint", "wrong format"),
    ],
)
def test_an_invalid_document_is_rejected_at_its_place(
    schema: str, document: dict[str, Any], place: str, message: str
) -> None:
    [mistake] = mistakes(document, f"segment/{schema}.schema.json")
    assert mistake.place == place
    assert message in mistake.message


def ingested(call: Any) -> bool:
    [found] = read_calls("batch", {"batch": [call]}, received_at=NOON, ids=Ids(1))
    return not isinstance(found, RejectedCall)


ACCEPTED = [
    {"type": "identify", "userId": "u"},
    {"type": "identify", "anonymousId": "a", "userId": None, "traits": None},
    {"type": "identify", "userId": "u", "traits": {"email": 5}, "other": 1},
    {"type": "identify", "userId": "u", "messageId": "m" * 100},
    {"type": "track", "userId": "u", "event": "e", "properties": {}},
    {"type": "track", "anonymousId": "a", "event": "e", "timestamp": "soon"},
    {"type": "page", "userId": "u", "name": None, "category": "c"},
    {"type": "screen", "anonymousId": "a", "properties": None},
    {"type": "group", "userId": "u", "groupId": "g", "traits": {}},
    {"type": "alias", "userId": "u", "previousId": "p"},
]
FAILED = [
    5,
    {},
    {"type": "batch", "userId": "u"},
    {"type": "identify"},
    {"type": "identify", "userId": None, "anonymousId": None},
    {"type": "identify", "userId": 5},
    {"type": "identify", "userId": "u", "anonymousId": ["a"]},
    {"type": "identify", "anonymousId": ""},
    {"type": "identify", "userId": "u", "traits": []},
    {"type": "identify", "userId": "u", "messageId": "m" * 101},
    {"type": "track", "userId": "u"},
    {"type": "track", "userId": "u", "event": ""},
    {"type": "track", "userId": "u", "event": None},
    {"type": "track", "userId": "u", "event": 5},
    {"type": "track", "userId": "u", "event": "e", "properties": "x"},
    {"type": "track", "event": "e"},
    {"type": "page", "userId": "u", "name": 5},
    {"type": "page"},
    {"type": "screen", "userId": "u", "category": {}},
    {"type": "screen", "userId": "u", "properties": []},
    {"type": "group", "userId": "u"},
    {"type": "group", "userId": "u", "groupId": 5},
    {"type": "group", "groupId": "g"},
    {"type": "group", "userId": "u", "groupId": "g", "traits": 1},
    {"type": "alias", "userId": "u"},
    {"type": "alias", "previousId": "p"},
    {"type": "alias", "userId": "u", "previousId": ""},
]


@pytest.mark.parametrize("call", ACCEPTED)
def test_the_schema_accepts_what_is_ingested(call: dict[str, Any]) -> None:
    assert ingested(call)
    assert mistakes({"batch": [call]}, "segment/batch.schema.json") == []


@pytest.mark.parametrize("call", FAILED)
def test_the_schema_rejects_what_fails_on_ingest(call: Any) -> None:
    assert not ingested(call)
    assert mistakes({"batch": [call]}, "segment/batch.schema.json")


@pytest.mark.parametrize(
    "members", [{"messageId": 5}, {"timestamp": 5}, {"sentAt": 5}, {"context": "x"}, {"integrations": []}]
)
def test_the_schema_is_stricter_where_only_the_documentation_is_known(
    members: dict[str, Any],
) -> None:
    call = {"type": "identify", "userId": "u", **members}
    assert ingested(call)
    assert mistakes({"batch": [call]}, "segment/batch.schema.json")


def usable(mapping: object) -> bool:
    try:
        check_mapping(mapping)
    except MappingError:
        return False
    return True


def fits(mapping: object) -> bool:
    return not mistakes(mapping, "segment/mapping.schema.json")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"@path": "$.a"}, True),
        ({"@path": {"@path": "$.a"}}, True),
        ({"@path": 5}, False),
        ({"@path": {"a": 1}}, False),
        ({"@path": {}}, False),
        ({"@pth": "$.a"}, False),
        ({"@path": "$.a", "_metadata": 1}, True),
        ({"@path": "$.a", "x": 1}, False),
        ({"@path": "$.a", "@template": "x"}, False),
        ({"_metadata": {"@pth": 1}}, False),
        ({"a": {"b": {"@pth": 1}}}, False),
        ([{"@pth": 1}], True),
        ({"@literal": {"a": {"@pth": 1}}}, True),
        ({"@literal": {"@pth": 1}}, False),
        ({"@excludeWhenNull": {"a": {"@pth": 1}}}, True),
        ({"@if": {}}, True),
        ({"@if": {"exists": {"@pth": 1}}}, False),
        ({"@if": {"exists": {"a": {"@pth": 1}}}}, False),
        ({"@if": {"blank": {"@pth": 1}}}, False),
        ({"@if": {"@path": "$.a"}}, False),
        ({"@if": "x"}, False),
        ({"@case": {}}, True),
        ({"@case": {"operator": 5}}, False),
        ({"@case": {"operator": "sideways", "value": "x"}}, True),
        ({"@case": {"value": 5}}, False),
        ({"@replace": {"pattern": "x", "value": "y"}}, True),
        ({"@replace": {"pattern": "", "value": "y"}}, False),
        ({"@replace": {"pattern": "12345678901", "value": "y"}}, False),
        ({"@replace": {"pattern": "x"}}, False),
        ({"@replace": {"pattern": "x", "value": "y", "replacement": None}}, False),
        ({"@replace": {"pattern": "x", "value": "y", "replacement": "12345678901"}}, False),
        ({"@replace": {"pattern": "x", "value": "y", "global": "true"}}, False),
        ({"@replace": {"pattern": "x", "value": "y", "pattern2": "12345678901"}}, True),
        ({"@replace": {"pattern": {"@path": "$.a"}, "value": "y"}}, False),
        ({"@arrayPath": ["$.a"]}, True),
        ({"@arrayPath": ["$.a", {"b": {"@path": "$.c"}}, 5]}, True),
        ({"@arrayPath": ["$.a", {"b": {"@pth": "$.c"}}]}, False),
        ({"@arrayPath": []}, False),
        ({"@arrayPath": [5]}, False),
        ({"@arrayPath": "$.a"}, False),
        ({"@template": 5}, False),
        ({"@liquid": "{{ a }}"}, True),
        ({"@liquid": {"@path": "$.a"}}, False),
        ({"@flatten": {"value": 1}}, True),
        ({"@flatten": {"separator": 1, "value": 1}}, False),
        ({"@flatten": {"separator": "."}}, False),
        ({"@json": {"mode": "ENCODE", "value": 1}}, True),
        ({"@json": {"mode": "encoded", "value": 1}}, False),
        ({"@json": {"mode": "encode"}}, False),
        ({"@json": {"mode": "encode", "value": {"a": {"@pth": 1}}}}, False),
        ({"@merge": {"objects": [], "direction": "LEFT"}}, True),
        ({"@merge": {"objects": []}}, True),
        ({"@merge": {"objects": [{"a": {"@pth": 1}}]}}, False),
        ({"@merge": {"objects": ["x"]}}, False),
        ({"@merge": {"objects": {}}}, False),
        ({"@merge": {"objects": [], "direction": "up"}}, False),
        ({"@transform": {"apply": {"@path": "$.a"}, "mapping": {"b": 1}}}, True),
        ({"@transform": {"apply": {"@path": "$.a"}}}, False),
        ({"@transform": {"apply": "x", "mapping": {}}}, False),
    ],
)
def test_the_mapping_schema_and_the_engine_s_validation_agree(value: object, expected: bool) -> None:
    assert usable({"v": value}) is expected
    assert fits({"v": value}) is expected


names = st.sampled_from(
    [
        *("@if", "@case", "@replace", "@arrayPath", "@path", "@template", "@literal", "@flatten", "@json", "@merge"),
        *("@transform", "@excludeWhenNull", "@liquid", "@x", "_metadata", "exists", "then", "else", "blank", "value"),
        *("operator", "pattern", "replacement", "separator", "mode", "objects", "direction", "apply", "mapping", "a"),
    ]
)
scalars = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x", "$.a", "left", "encode"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(names, values, max_size=3))
def test_the_mapping_schema_and_the_engine_s_validation_agree_on_anything(mapping: dict[str, Any]) -> None:
    assert fits(mapping) is usable(mapping)
