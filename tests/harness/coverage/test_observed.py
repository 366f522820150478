"""What a sandbox has exercised: each kind of item, covered by what it names and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator import Emulator
from emulator.harness.coverage import Coverage
from emulator.harness.coverage.observed import observed
from emulator.workspace import load_workspace, parse_workspace
from emulator.workspace_document import document_of

TOKEN = {"authorization": "Bearer sa-local-write"}
Act = Callable[[Emulator], object]


def workspace(**changes: Any) -> dict[str, Any]:
    """The default workspace; `mapping` and `trigger` are those of its subscription."""
    document = document_of(load_workspace())
    [destination] = document["destinations"]
    [subscription] = destination["subscriptions"]
    for name in ("mapping", "trigger", "enabled"):
        if name in changes:
            subscription[name] = changes.pop(name)
    return {**document, **changes}


def covered_by(act: Act, document: dict[str, Any] | None = None) -> Coverage:
    with Emulator(None if document is None else parse_workspace(document)) as emulator:
        act(emulator)
        emulator.services.process_due()
        return observed(emulator.services)


def items(coverage: Coverage, group: str, section: str | None = None) -> dict[str, bool]:
    return {
        item: covered
        for each, found in coverage.items[group].items()
        if section is None or each.name == section
        for item, covered in found.items()
    }


def enter(**traits: Any) -> Act:
    return lambda emulator: emulator.segment.set_membership(
        "vip_customers", entered=True, user_id="u1", email="ada@example.com", traits=traits
    )


def leave(emulator: Emulator) -> None:
    emulator.segment.set_membership("vip_customers", entered=False, user_id="u1", email="ada@example.com")


def ask(document: str, **variables: Any) -> Act:
    def act(emulator: Emulator) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        answer: dict[str, Any] = emulator.client.post("/graphql", json=body, headers=TOKEN).json
        return answer

    return act


def both(*acts: Act) -> Act:
    def act(emulator: Emulator) -> None:
        for each in acts:
            each(emulator)

    return act


def nothing(_: Emulator) -> None:
    """Does nothing."""


def test_a_sandbox_without_calls_covers_nothing() -> None:
    found = covered_by(nothing)
    assert found.rate().covered == 0
    assert found.rate().total > 20
    assert found.rate("operations").covered == found.rate("reasons").covered == found.rate("ledger").covered == 0


TRIGGER = 'type = "identify" or event = "Audience Entered"'
EACH_CONDITION = {
    f"{number}. {text}: {value}"
    for number, text in ((1, 'type = "identify"'), (2, 'event = "Audience Entered"'))
    for value in ("true", "false")
}


@pytest.mark.parametrize(
    ("act", "missing"),
    [
        (nothing, EACH_CONDITION),
        # An identify and a track, as Engage sends them.
        (enter(), set()),
        (leave, {'2. event = "Audience Entered": true'}),
    ],
    ids=["nothing", "entered", "left"],
)
def test_each_condition_is_covered_by_what_makes_it_true_and_false(act: Act, missing: set[str]) -> None:
    found = items(covered_by(act, workspace(trigger=TRIGGER)), "triggers")
    assert found.keys() == EACH_CONDITION
    assert {item for item, covered in found.items() if not covered} == missing


def test_an_event_that_a_filter_drops_comes_to_no_trigger() -> None:
    document = workspace(trigger=TRIGGER)
    drop = {"title": "No identifies", "if": 'type = "identify"', "actions": [{"type": "DROP"}]}
    document["destinations"][0]["filters"] = [drop]
    found = items(covered_by(enter(), document), "triggers")
    assert {item for item, covered in found.items() if covered} == {
        '1. type = "identify": false',
        '2. event = "Audience Entered": true',
    }


def test_a_disabled_mapping_has_nothing_to_cover() -> None:
    found = covered_by(enter(), workspace(enabled=False))
    assert not found.items["triggers"]
    assert not found.items["mappings"]
    assert not found.items["fields"]


def test_an_invalid_mapping_and_an_unreadable_trigger_cover_nothing() -> None:
    found = covered_by(enter(), workspace(mapping={"email": {"@path": 5}}, trigger='type = "track'))
    assert not items(found, "triggers")
    assert not any(items(found, "mappings").values())


PATH = {"@path": "$.traits.city"}
OTHER = {"@path": "$.traits.state"}


@pytest.mark.parametrize(
    ("mapping", "traits", "chosen", "left"),
    [
        ({"@if": {"exists": PATH, "then": PATH, "else": OTHER}}, {"city": "Paris"}, ["f then"], ["f else"]),
        ({"@if": {"exists": PATH, "then": PATH, "else": OTHER}}, {"state": "Texas"}, ["f else"], ["f then"]),
        # Chosen, but without a value.
        ({"@if": {"exists": PATH, "then": PATH, "else": OTHER}}, {}, [], ["f then", "f else"]),
        ({"@if": {"exists": PATH, "then": PATH}}, {}, ["f else"], ["f then"]),
        ({"@if": {"exists": PATH, "then": PATH}}, {"city": "Paris"}, ["f then"], ["f else"]),
        ({"@if": {"blank": PATH, "then": "yes", "else": "no"}}, {"city": "Paris"}, ["f then"], ["f else"]),
        (
            {"@if": {"exists": PATH, "then": PATH, "else": {"@if": {"exists": OTHER, "then": OTHER, "else": "none"}}}},
            {"state": "Texas"},
            ["f else then"],
            ["f then", "f else else"],
        ),
        ({"@case": {"operator": "lower", "value": PATH}}, {"city": "Paris"}, ["f value"], []),
        ({"@case": {"operator": "lower", "value": PATH}}, {}, [], ["f value"]),
        (
            {"@merge": {"direction": "right", "objects": [{"@path": "$.context"}, PATH]}},
            {},
            ["f 0"],
            ["f 1"],
        ),
        (
            {"@json": {"mode": "encode", "value": {"a": PATH, "b": OTHER}}},
            {"city": "Paris"},
            ["f value.a"],
            ["f value.b"],
        ),
        (["x", PATH], {"city": "Paris"}, [], []),
    ],
)
def test_each_arm_of_a_mapping_is_covered_by_its_value(
    mapping: object, traits: dict[str, str], chosen: list[str], left: list[str]
) -> None:
    document = workspace(mapping={"city": mapping}, trigger='type = "identify"')
    found = items(covered_by(enter(**traits), document), "mappings")
    own = {
        item.replace("city", "f", 1).partition(" (")[0]: covered
        for item, covered in found.items()
        if item.startswith("city ")
    }
    assert own == {**dict.fromkeys(chosen, True), **dict.fromkeys(left, False)}


def test_a_field_is_covered_by_a_value_and_members_of_objects_are_fields() -> None:
    found = items(covered_by(enter(city="Paris")), "fields")
    assert found["standard_traits.city"]
    assert not found["standard_traits.country"]
    assert found["email"]
    assert found["marketing_status"]


@pytest.mark.parametrize(
    ("act", "covered"),
    [(nothing, []), (enter(), ["entered"]), (leave, ["left"]), (both(enter(), leave), ["entered", "left"])],
)
def test_entering_and_leaving_are_covered_apart(act: Act, covered: list[str]) -> None:
    found = items(covered_by(act), "audiences")
    assert found == {f"vip_customers: {change}": change in covered for change in ("entered", "left")}


def identify(**traits: Any) -> Act:
    return lambda emulator: emulator.segment.ingest("identify", {"userId": "u1", "traits": traits})


def test_a_trait_is_read_by_conditions_identifiers_and_event_settings() -> None:
    found = items(covered_by(identify(email="a@example.com", total_spent=1, city="Paris", plan="pro")), "sent")
    assert found == {"traits.email": True, "traits.total_spent": True, "traits.city": True, "traits.plan": False}


@pytest.mark.parametrize(
    ("mapping", "source", "read"),
    [
        ({"city": {"@path": "$.properties.coupon"}}, "Website", True),
        ({"city": {"@template": "{{properties.coupon}}"}}, "Website", True),
        ({"city": {"@path": "$.properties"}}, "Website", True),
        ({"city": {"@path": "$.properties.coupons"}}, "Website", False),
        # Engage's events have no property of a call.
        ({"city": {"@path": "$.properties.coupon"}}, None, False),
    ],
)
def test_a_property_is_read_by_the_mappings_that_get_the_call(mapping: Any, source: str | None, read: bool) -> None:
    document = workspace(mapping=mapping)
    [destination] = document["destinations"]
    [subscription] = destination["subscriptions"]
    subscription["defaults"] = False
    if source is not None:
        destination["source"] = source
    call = {"userId": "u1", "event": "Order Completed", "properties": {"coupon": "X"}}
    found = covered_by(lambda emulator: emulator.segment.ingest("track", call), document)
    assert items(found, "sent", "track 'Order Completed' of Website") == {"properties.coupon": read}


UPSERT = """mutation ($profiles: JSON!) {
  upsertProfileMapping(input: {advertiserId: 1001, mappableType: "segment_io", isOptedIn: true, mappingSchemaV2: [
    {incomingKey: "email", destinationKey: "email", label: "Email", type: STRING, isPii: true}
  ]}) { userErrors { message } }
  upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io", profiles: $profiles}) { %s }
}"""


def upsert(selected: str = "userErrors { message }", **record: Any) -> Act:
    return ask(UPSERT % selected, profiles=json.dumps([record]))


def test_a_key_of_a_record_is_read_when_a_mapping_names_it() -> None:
    found = covered_by(upsert(email="a@example.com", plan="pro"))
    assert items(found, "sent", "records of upsertProfiles") == {"email": True, "plan": False}
    assert items(found, "reasons")["UNMAPPED_KEY"]


def test_a_client_that_does_not_select_user_errors_never_reads_them() -> None:
    assert items(covered_by(upsert()), "responses", "mutation upsertProfiles") == {"userErrors": True}
    found = covered_by(upsert("clientMutationId", email="a@example.com"))
    assert items(found, "responses", "mutation upsertProfiles") == {"userErrors": False}
    assert items(found, "responses", "mutation upsertProfileMapping") == {"userErrors": True}


def test_the_document_of_the_destination_is_no_client() -> None:
    found = covered_by(enter())
    assert items(found, "operations")["mutation upsertProfiles"]
    assert not items(found, "responses")


ASKED, NEXT = "whether there is another page", "the next page"
FIRST = "query ($after: String) { advertisers(first: 1, after: $after) { nodes { id } %s } }"
SEEN = {ASKED: True, NEXT: False}
INFO = "pageInfo { more: hasNextPage end: endCursor }"


def every_page(emulator: Emulator) -> None:
    answer = ask(FIRST % INFO)(emulator)
    ask(FIRST % INFO, after=answer["data"]["advertisers"]["pageInfo"]["end"])(emulator)


def next_page(document: str, *, in_variable: bool) -> Act:
    """The first page, and a request with its cursor: for CURSOR in the document, or in the variable `after`."""

    def act(emulator: Emulator) -> None:
        cursor = ask(FIRST % INFO)(emulator)["data"]["advertisers"]["pageInfo"]["end"]
        ask(document.replace("CURSOR", cursor), **({"after": cursor} if in_variable else {}))(emulator)

    return act


AFTER = """{ advertisers(filterBy: {nameOrIdContains: NAME}, first: 1, after: "CURSOR") {
    nodes { id } pageInfo { endCursor } } }"""
NAMES = ('""', '"a \\" b"', '"\\\\"', f'"{"x" * 600}"')


@pytest.mark.parametrize(
    ("document", "in_variable", "fetched"),
    [
        (FIRST % INFO, True, True),
        (FIRST % INFO, False, False),
        *((AFTER.replace("NAME", name), False, True) for name in NAMES),
        (AFTER.replace("CURSOR", "xCURSOR").replace("NAME", '""'), False, False),
        ("# CURSOR\n{ advertisers(first: 1) { nodes { id } pageInfo { endCursor } } }", False, False),
    ],
)
def test_a_page_is_fetched_by_its_cursor_as_a_string_of_a_later_request(
    document: str, in_variable: bool, fetched: bool
) -> None:
    found = items(covered_by(next_page(document, in_variable=in_variable)), "responses", "query advertisers")
    assert found[NEXT] is fetched


def next_profiles(emulator: Emulator) -> None:
    for number in (1, 2):
        upsert(email=f"{number}@example.com")(emulator)
    emulator.services.process_due()
    document = """query ($token: String) { cdpProfiles(advertiserId: 1001, filterBy: {
            limit: 1, paginationToken: $token
        }) { nextToken profiles { nodes { marketingStatus } pageInfo { hasNextPage } } } }"""
    answer = ask(document)(emulator)
    ask(document, token=answer["data"]["cdpProfiles"]["nextToken"])(emulator)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (ask(FIRST % ""), {ASKED: False}),
        (ask(FIRST % INFO), SEEN),
        (
            ask("{ advertisers(first: 1) { edges { node { id } } pageInfo { hasNextPage } } }"),
            {ASKED: True, NEXT: False},
        ),
        (every_page, {ASKED: True, NEXT: True}),
        # A page that is not full is the last one.
        (ask("{ advertisers { nodes { id } } }"), {}),
        (
            ask(
                "{ ...all } fragment all on Query { advertisers(first: 1) { ...ids } } "
                "fragment ids on AdvertiserConnection { nodes { id } }"
            ),
            {ASKED: False},
        ),
        (ask("{ advertisers(first: 1) { totalCount } }"), {}),
    ],
    ids=["not asked", "not fetched", "by edges", "all", "one page", "in fragments", "no items"],
)
def test_a_list_is_read_when_its_next_page_is_fetched(act: Act, expected: dict[str, bool]) -> None:
    assert items(covered_by(act), "responses", "query advertisers") == expected


def test_pages_by_token_are_read_too() -> None:
    found = items(covered_by(next_profiles), "responses", "query cdpProfiles")
    assert found == {NEXT: True, f"profiles: {ASKED}": True}


def test_arguments_are_covered_in_literals_and_variables() -> None:
    document = "query ($id: ID!, $by: ProfileFilters) { cdpProfiles(advertiserId: $id, filterBy: $by) { size } }"
    found = items(covered_by(ask(document, id="1001", by={"email": "a@example.com"})), "arguments")
    assert {item for item, covered in found.items() if covered} == {"advertiserId", "filterBy.email"}
    literal = '{ cdpProfiles(advertiserId: 1001, filterBy: {limit: 5, filterDomains: ["a"]}) { size } }'
    found = items(covered_by(ask(literal)), "arguments")
    assert {item for item, covered in found.items() if covered} == {
        "advertiserId",
        "filterBy.limit",
        "filterBy.filterDomains",
    }
    absent = (
        "query ($id: ID! = 1001, $email: String) { cdpProfiles(advertiserId: $id, filterBy: {email: $email}) { size } }"
    )
    found = items(covered_by(ask(absent)), "arguments")
    assert {item for item, covered in found.items() if covered} == {"advertiserId"}


def test_arguments_inside_of_an_operation_and_values_of_enums_are_items_of_their_own() -> None:
    document = """{ advertisers(first: 1) { nodes { lists: profileLists(first: 2) { nodes { id } } } }
        customSegments(sortBy: {field: NAME, order: ASC}) { nodes { id } } }"""
    found = covered_by(ask(document))
    assert items(found, "arguments", "Advertiser.profileLists") == {
        "after": False,
        "before": False,
        "first": True,
        "last": False,
    }
    assert items(found, "arguments", "query customSegments")["sortBy.order = ASC"]
    assert not items(found, "arguments", "query customSegments")["sortBy.order = DESC"]
    # It is not selected: its arguments are not in use.
    assert not items(found, "arguments", "Advertiser.profileList")
    nested = """mutation { dataHubWebhookApi { upsertProfiles(integration: "x",
        input: {data: [], requestId: "r"}) { status } } }"""
    assert items(covered_by(ask(nested)), "arguments", "DataHubWebhookApiMutation.upsertProfiles")


def with_fault(fault: str, **options: Any) -> Act:
    def act(emulator: Emulator) -> None:
        emulator.client.post("/_emulator/faults", json={"fault": fault, **options})
        ask("{ tokenInfo { name } }")(emulator)

    return act


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (ask("{ tokenInfo { name } }"), "accepted"),
        (with_fault("status", status=429), "status 429"),
        (with_fault("status", status=503), "status 5xx"),
        (with_fault("status", status=400), None),
        (with_fault("notJson", status=200), "not GraphQL"),
    ],
)
def test_outcomes_are_those_of_the_operations_in_use(act: Act, outcome: str | None) -> None:
    found = items(covered_by(act), "outcomes", "query tokenInfo")
    assert {item for item, covered in found.items() if covered} == ({outcome} if outcome else set())
    assert "userErrors" not in found


def test_each_root_field_of_a_document_has_its_own_outcome() -> None:
    document = """mutation { a: deleteRawProfile(input: {advertiserId: 1001, email: "x"}) { userErrors { message } }
        upsertProfiles(input: {advertiserId: 999, externalProvider: "segment_io", profiles: "[]"}) {
            why: userErrors { message } } }"""
    found = covered_by(ask(document))
    assert items(found, "outcomes", "mutation upsertProfiles")["userErrors"]
    assert not items(found, "outcomes", "mutation deleteRawProfile")["not GraphQL"]


JSON = "application/json"
NO_REQUEST = (b"{", b"[]", b'{"query": 5}', b'{"query": "{ user { email } }", "variables": [1]}')
NO_VARIABLES = b'{"query": "{ user { email } }", "variables": [1]}'


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"query": 5}', b'{"query": "{"}', b'{"query": "{ nothing }"}', NO_VARIABLES]
)
def test_requests_that_are_not_of_the_schema_use_nothing(body: bytes) -> None:
    found = covered_by(lambda emulator: emulator.client.post("/graphql", data=body, headers=TOKEN, content_type=JSON))
    assert found.rate("operations").covered == 0
    assert [each.name for each in found.items["outcomes"]] == ["requests refused before they ran"]
    refused = [item for item, covered in items(found, "outcomes").items() if covered]
    assert refused == (["the body is not a GraphQL request"] if body in NO_REQUEST else [])


def test_reason_codes_of_records_count_whoever_sent_them() -> None:
    found = covered_by(upsert(first_name="Ada"))
    assert [item for item, covered in items(found, "reasons").items() if covered] == ["MISSING_EMAIL", "UNMAPPED_KEY"]


def test_events_that_the_journal_has_dropped_are_noted() -> None:
    def act(emulator: Emulator) -> None:
        journal = emulator.sandbox.journal
        journal._capacity = 3
        for _ in range(5):
            ask("{ tokenInfo { name } }")(emulator)

    assert covered_by(nothing).notes == set()
    [note] = covered_by(act).notes
    assert "has dropped its oldest events" in note
