"""Every parameter, member of a body and argument takes values from the edge of what can be written, without a 5xx.

Each gets some of the values, and the next one those that follow: all are in use in every run, in an order that the seed
in the name of a failure gives again.
"""

from __future__ import annotations

import copy
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from graphql import GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLSchema, build_schema, is_leaf_type

from emulator import Emulator
from emulator.artefacts import contract
from emulator.server.control.request_args import document
from emulator.stackadapt.graphql.schema import LATEST
from emulator.stackadapt.relay import cursor_of
from tests.contract.conftest import TOKEN, WRITE_KEY, make_history

# How many values one parameter, member or argument gets.
VALUES_AT_ONE_PLACE = 8
METHODS = ("get", "post", "put", "patch", "delete")
# These wait, and are tested on their own.
WAITING = {("/_emulator/wait", "timeout")}

TEXTS = [
    "",
    "-1",
    str(2**63 - 1),
    str(2**63),
    str(-(2**63) - 1),
    "9" * 400,
    "1e999",
    "\x00",
    "\u202e",
    "💥",
    "%ff",
    "../../etc/passwd",
    "a" * 5000,
    "[" * 2000,
    "{" * 2000,
    "file://[x",
    "//[",
    "0000-00-00",
    "9999-12-31T23:59:59-14:00",
    "999999999d",
]
VALUES = [
    None,
    True,
    -1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**300,
    1.5,
    -0.0,
    [],
    {},
    [None],
    [[[]]],
    {"": None},
    {"a": {"b": [1]}},
    ["x"] * 300,
    "\ud800",
    *TEXTS,
]


class Deck:
    """Deals values: each hand has those that follow the hand before it."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.seed = secrets.randbelow(2**32)
        self._values = cycle(Random(self.seed).sample(values, len(values)))

    def hand(self) -> list[Any]:
        return list(islice(self._values, VALUES_AT_ONE_PLACE))


def _operations() -> Iterator[tuple[str, str]]:
    for path, item in document()["paths"].items():
        yield from ((path, method) for method in METHODS if method in item)


OPERATIONS = list(_operations())


def parameters_of(path: str, method: str) -> list[dict[str, Any]]:
    item = document()["paths"][path]
    return [resolved(each) for each in (*item.get("parameters", ()), *item[method].get("parameters", ()))]


def resolved(schema: Any) -> Any:
    """The schema that a reference names."""
    while "$ref" in schema:
        found = document()
        for key in schema["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        schema = found
    return schema


def an_example(schema: Any) -> Any:
    """A value that a schema is likely to accept, so that the other members do not decide."""
    schema = resolved(schema)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum", "oneOf", "anyOf", "allOf"):
        if schema.get(key):
            first = schema[key][0]
            return first if key in ("examples", "enum") else an_example(first)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: an_example(schema.get("properties", {}).get(name, {})) for name in schema.get("required", ())}
    return {"integer": 1, "number": 1, "boolean": True, "array": []}.get(kind or "string", "1001")


def body_of(path: str, method: str) -> tuple[Any, list[str]]:
    """An example of a body and the names of its members; None for an operation without JSON."""
    media = document()["paths"][path][method].get("requestBody", {}).get("content", {}).get("application/json")
    if media is None:
        return None, []
    schema = resolved(media["schema"])
    members = {
        name for each in (schema, *map(resolved, schema.get("oneOf", ()))) for name in each.get("properties", {})
    }
    example = an_example(schema)
    return example if isinstance(example, dict) else {}, sorted(members)


def send(emulator: Emulator, path: str, method: str, *, named: dict[str, str], query: Any, body: Any) -> int:
    for each in parameters_of(path, method):
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", quote(named.get(each["name"], "1"), safe=""))
    options: dict[str, Any] = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    auth = WRITE_KEY if path.startswith("/v1/") else None
    return emulator.client.open(path, method=method.upper(), query_string=query, auth=auth, **options).status_code


@pytest.fixture(scope="module")
def texts() -> Deck:
    return Deck(TEXTS)


@pytest.fixture(scope="module")
def anything() -> Deck:
    return Deck(VALUES)


@pytest.fixture(scope="module")
def leaves() -> Deck:
    return Deck(LEAVES)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """One for all: what a value leaves behind must not fail the requests after it either."""
    with Emulator() as emulator:
        make_history(emulator)
        yield emulator


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda value: value)
def test_every_parameter_of_the_document(emulator: Emulator, texts: Deck, path: str, method: str) -> None:
    example, _ = body_of(path, method)
    failed = []
    for each in parameters_of(path, method):
        if each["in"] == "header" or (path, each["name"]) in WAITING:
            continue
        needed = {
            other["name"]: str(an_example(other.get("schema", {})))
            for other in parameters_of(path, method)
            if other["in"] == "query" and other.get("required")
        }
        if path == "/_emulator/wait":
            needed["timeout"] = "0s"
        for text in texts.hand():
            named = {each["name"]: text} if each["in"] == "path" else {}
            query = {**needed, **({each["name"]: text} if each["in"] == "query" else {})}
            status = send(emulator, path, method, named=named, query=query, body=example)
            if status >= 500:
                failed.append((each["name"], text[:40], status))
    assert failed == [], f"seed {texts.seed}"


@pytest.mark.parametrize(
    ("path", "method"), [each for each in OPERATIONS if body_of(*each)[1]], ids=lambda value: value
)
def test_every_member_of_every_body(emulator: Emulator, anything: Deck, path: str, method: str) -> None:
    example, members = body_of(path, method)
    failed = []
    for name in members:
        for value in anything.hand():
            status = send(emulator, path, method, named={}, query={}, body={**example, name: value})
            if status >= 500:
                failed.append((name, str(value)[:40], status))
    assert failed == [], f"seed {anything.seed}"


# GraphQL


def _schema() -> GraphQLSchema:
    return build_schema(contract(f"stackadapt/{LATEST}/schema.graphql").read_text())


def position(*elements: Any) -> str:
    """A cursor with elements that the service never puts into one."""
    return urlsafe_b64encode(json.dumps(elements, separators=(",", ":")).encode()).decode().rstrip("=")


CURSORS = [
    cursor
    for name in (
        "cdpProfiles",
        "profiles",
        "advertisers",
        "customSegments/created_at",
        "customSegments/name",
        "campaigns",
    )
    for cursor in (
        *(cursor_of(name, ("after", number)) for number in (0, -1, 2**63 - 1, 2**63, -(2**63) - 1, 10**400)),
        *(cursor_of(name, (number,)) for number in (0, 2**63, 10**400)),
        *(cursor_of(name, (number, number)) for number in (0, 2**63)),
        position(name, "after", 1.5),
        position(name, "after", None),
        position(name, "after", "\x00"),
        position(name, "\x00", "\x00"),
        position(name, "after", [1]),
        position(name, "before", {"a": 1}),
        position(name),
        position(name, *([1] * 1000)),
    )
]
LEAVES = [*VALUES, *CURSORS]

PAGED = "first: 1"
ADVERTISER = "advertiser(id: 1001)"
# Queries with one value, by the type of its variable.
QUERIES = {
    **{
        f"cdpProfiles {name}": (kind, f"cdpProfiles(advertiserId: 1001, filterBy: {{{name}: $v}}) {{ size nextToken }}")
        for name, kind in (
            ("paginationToken", "String"),
            ("limit", "Int"),
            ("email", "String"),
            ("segmentId", "ID"),
            ("listId", "ID"),
            ("excludeListId", "ID"),
            ("integrationId", "ID"),
            ("filterDomains", "[String!]"),
        )
    },
    "cdpProfiles advertiserId": ("ID!", "cdpProfiles(advertiserId: $v) { size }"),
    "advertiser": ("ID!", "advertiser(id: $v) { id }"),
    "profile list": ("ID!", f"{ADVERTISER} {{ profileList(profileListId: $v) {{ id }} }}"),
    "status": ("ID!", "profileMappingStatus(advertiserId: 1001, mappableId: $v)"),
    **{
        f"{place} {argument}": (kind, document_text.replace("PAGE", f"{argument}: $v"))
        for argument, kind in (("first", "Int"), ("last", "Int"), ("after", "String"), ("before", "String"))
        for place, document_text in {
            "advertisers": "advertisers(PAGE) { totalCount pageInfo { endCursor } }",
            "customSegments": "customSegments(PAGE) { totalCount nodes { id size } }",
            "profileLists": f"{ADVERTISER} {{ profileLists(PAGE) {{ totalCount }} }}",
            "properties": f"{ADVERTISER} {{ cdpProfilePropertiesConnection(PAGE) {{ totalCount }} }}",
            "profiles": "cdpProfiles(advertiserId: 1001) { profiles(PAGE) { totalCount } }",
            "integrations": (
                "cdpProfiles(advertiserId: 1001) { profiles { nodes { integrations(PAGE) { totalCount } } } }"
            ),
        }.items()
    },
}


def ask(emulator: Emulator, query: str, variables: Any) -> str | None:
    """What went wrong, if the server failed."""
    content = json.dumps({"query": query, "variables": variables})
    response = emulator.client.post("/graphql", data=content, content_type="application/json", headers=TOKEN)
    if response.status_code >= 500 or "Unexpected error" in response.text:
        return f"{response.status_code} {response.text[:200]}"
    return None


@pytest.mark.parametrize("name", QUERIES)
def test_every_argument_of_a_query(emulator: Emulator, leaves: Deck, name: str) -> None:
    kind, selection = QUERIES[name]
    failed = [
        (str(value)[:40], wrong)
        for value in leaves.hand()
        if (wrong := ask(emulator, f"query($v: {kind}) {{ {selection} }}", {"v": value}))
    ]
    assert failed == [], f"seed {leaves.seed}"


def inputs_with(kind: Any, value: Any, *, depth: int = 0) -> Iterator[Any]:
    """Values of an input type: each has `value` at one leaf, and examples where a member is required."""
    if isinstance(kind, GraphQLNonNull):
        yield from inputs_with(kind.of_type, value, depth=depth)
    elif isinstance(kind, GraphQLList):
        yield from ([inner] for inner in inputs_with(kind.of_type, value, depth=depth))
    elif isinstance(kind, GraphQLInputObjectType):
        needed = {name: sample(field.type) for name, field in kind.fields.items() if needs(field)}
        for name, field in kind.fields.items():
            for inner in inputs_with(field.type, value, depth=depth + 1) if depth < 3 else ():
                yield {**copy.deepcopy(needed), name: inner}
    elif is_leaf_type(kind):
        yield value


def needs(field: Any) -> bool:
    """Whether a member must be there, or nothing behind it would be read."""
    return isinstance(field.type, GraphQLNonNull) or field.ast_node.name.value == "advertiserId"


def sample(kind: Any) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return sample(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [sample(kind.of_type)]
    if isinstance(kind, GraphQLInputObjectType):
        return {name: sample(field.type) for name, field in kind.fields.items() if needs(field)}
    if hasattr(kind, "values"):
        return next(iter(kind.values))
    samples = {"ID": "1001", "String": "segment_io", "Int": 1, "Boolean": True, "Float": 1.5}
    return samples.get(kind.name, {"email": "a@example.com"})


MUTATIONS = sorted(name for name, field in _schema().mutation_type.fields.items() if "input" in field.args)  # type: ignore[union-attr]  # the schema has mutations


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_leaf_of_the_input_of_a_mutation(emulator: Emulator, anything: Deck, name: str) -> None:
    mutation = _schema().mutation_type.fields[name]  # type: ignore[union-attr]  # the schema has mutations
    kind = mutation.args["input"].type
    query = f"mutation($v: {kind}) {{ {name}(input: $v) {{ userErrors {{ message }} }} }}"
    failed = [
        (str(given)[:80], wrong)
        for value in anything.hand()
        for given in inputs_with(kind, value)
        if (wrong := ask(emulator, query, {"v": given}))
    ]
    assert failed == [], f"seed {anything.seed}"
    assert emulator.client.get("/_emulator/journal").status_code == 200
    assert emulator.client.get("/_emulator/records").status_code == 200
    assert emulator.client.get("/_emulator/uploads").status_code == 200
