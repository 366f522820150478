"""Advertisers that mutations make and change, custom segments, the webhook of integrations, scalars."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.errors import EmulatorDefect
from emulator.stackadapt.graphql.resolvers.scalars import serialize_big_int, serialize_timestamp
from emulator.workspace import Token
from tests.stackadapt.conftest import READ, WRITE, Make, Service, column

CREATE = """mutation($i: AdvertiserInput!) { createAdvertiser(input: $i) { userErrors { message path }
  advertiser { id name description domainExclusions isArchived isInventoryPackagesStrict userMetadata dealIds } } }"""
ALL = "query($f: AdvertiserFilters) { advertisers(filterBy: $f) { nodes { id name isArchived } } }"


def ids(service: Service, token: str = WRITE, **filters: Any) -> list[str]:
    return [node["id"] for node in service.run(ALL, token=token, f=filters)["advertisers"]["nodes"]]


def test_a_new_advertiser_is_accessible_to_the_token_that_created_it(service: Service) -> None:
    given = {
        "name": "Initech",
        "description": "new",
        "domainExclusions": ["example.org"],
        "userMetadata": [{"key": "team", "value": "a"}],
    }
    made = service.run(CREATE, i=given)["createAdvertiser"]["advertiser"]
    assert made == {
        "id": "1003",
        "name": "Initech",
        "description": "new",
        "domainExclusions": ["example.org"],
        "isArchived": False,
        "isInventoryPackagesStrict": None,
        "userMetadata": {"team": "a"},
        "dealIds": None,
    }
    service.sync({"email": "ann@example.com"}, advertiser="1003")
    assert service.profile("ann@example.com", "1003")["email"] == "ann@example.com"
    assert (ids(service), ids(service, READ)) == (["1001", "1002", "1003"], ["1001", "1002"])
    scopes = "{ tokenInfo { scopesByAdvertiser(last: 1) { nodes { advertiser { id } scopes } } } }"
    (last,) = service.run(scopes)["tokenInfo"]["scopesByAdvertiser"]["nodes"]
    assert last == {"advertiser": {"id": "1003"}, "scopes": ["READ", "WRITE"]}
    assert service.stackadapt.segments.create("1003", "x", {"field": "email", "operator": "exists"})["size"] == 1


def test_an_update_changes_only_the_fields_given(service: Service) -> None:
    document = CREATE.replace("createAdvertiser", "updateAdvertiser")
    changed = service.run(document, i={"id": "1001", "description": "shoes"})["updateAdvertiser"]["advertiser"]
    assert (changed["name"], changed["description"]) == ("Acme Outfitters", "shoes")
    emptied = service.run(document, i={"id": "1001", "description": None})["updateAdvertiser"]["advertiser"]
    assert emptied["description"] is None


@pytest.mark.parametrize(
    ("given", "path"), [({"name": " "}, ["input", "name"]), ({"name": "x", "id": "7"}, ["input", "id"])]
)
def test_a_new_advertiser_needs_a_name_and_accepts_no_id(service: Service, given: Any, path: list[str]) -> None:
    response = service.run(CREATE, i=given)["createAdvertiser"]
    assert (response["advertiser"], [error["path"] for error in response["userErrors"]]) == (None, [path])


def test_advertisers_are_archived_together_or_not_at_all_and_restored(service: Service) -> None:
    archive = "mutation($i: [ID]!) { archiveAdvertisers(input: {ids: $i}) { userErrors { path } } }"
    for refused in (["1001", "9"], ["1001"] * 101):
        assert service.run(archive, i=refused)["archiveAdvertisers"]["userErrors"] == [{"path": ["input", "ids"]}]
    assert ids(service, archived=True) == []
    service.run(archive, i=["1001", "1002"])
    assert ids(service, archived=True) == ids(service) == ["1001", "1002"]
    assert ids(service, archived=False) == ids(service, hasCostOrUnarchived=True) == []
    service.run('mutation { restoreAdvertiser(input: {id: "1002"}) { clientMutationId } }')
    assert (ids(service, archived=True), ids(service, archived=False)) == (["1001"], ["1002"])


def test_a_reset_deletes_created_advertisers(service: Service) -> None:
    service.run(CREATE, i={"name": "Initech"})
    service.stackadapt.reset()
    assert ids(service) == ["1001", "1002"]


SEGMENTS = """query($f: CustomSegmentFilters, $s: CustomSegmentSortBy, $first: Int, $after: String) {
  customSegments(filterBy: $f, sortBy: $s, first: $first, after: $after) { totalCount pageInfo { endCursor } nodes {
    __typename id name active size duidSize description expandable phrases createdAt
    advertiserPermissions { advertiserRestricted permittedAdvertisers { nodes { id } } } } } }"""
EVERYONE = {"field": "email", "operator": "exists"}


def custom(service: Service, **variables: Any) -> Any:
    return service.run(SEGMENTS, **variables)["customSegments"]


def test_segments_are_custom_segments_of_rules(service: Service) -> None:
    service.sync({"email": "ann@example.com"})
    service.stackadapt.segments.create("1001", "everyone", EVERYONE)
    assert custom(service)["nodes"] == [
        {
            "__typename": "RuleGroupAudienceCustomSegment",
            "id": "1",
            "name": "everyone",
            "active": True,
            "size": "1",
            "duidSize": None,
            "description": "",
            "expandable": False,
            "phrases": None,
            "createdAt": "2026-03-01T12:00:00.000Z",
            "advertiserPermissions": {
                "advertiserRestricted": True,
                "permittedAdvertisers": {"nodes": [{"id": "1001"}]},
            },
        }
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"ids": ["2", "9"]}, ["2"]),
        ({"nameContains": "B"}, ["1"]),
        ({"types": ["USER_UPLOADED"]}, []),
        ({"providers": ["x"]}, []),
    ],
)
def test_custom_segments_pass_every_filter(service: Service, filters: Any, expected: list[str]) -> None:
    for name in ("ab", "c"):
        service.stackadapt.segments.create("1001", name, EVERYONE)
    assert [node["id"] for node in custom(service, f=filters)["nodes"]] == expected


@pytest.mark.parametrize("field", ["name", "created_at"])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_custom_segments_are_sorted_and_paged(service: Service, field: str, order: str) -> None:
    for name in ("b", "a", "c", "a"):
        service.stackadapt.segments.create("1001", name, EVERYONE)
        service.pass_time(seconds=1)
    expected = sorted([("b", 1), ("a", 2), ("c", 3), ("a", 4)], key=lambda pair: pair if field == "name" else pair[1:])
    sort = {"field": field, "order": order}
    first = custom(service, s=sort, first=2)
    rest = custom(service, s=sort, after=first["pageInfo"]["endCursor"])
    shown = [(node["name"], int(node["id"])) for node in first["nodes"] + rest["nodes"]]
    assert shown == (expected[::-1] if order == "DESC" else expected)


def test_segments_of_unreadable_advertisers_are_hidden(make_service: Make) -> None:
    service = make_service(tokens=(Token(secret="sa-two", name="two", scopes={"1002": frozenset({"READ"})}),))
    service.stackadapt.segments.create("1001", "x", EVERYONE)
    assert service.run(SEGMENTS, token="sa-two")["customSegments"]["totalCount"] == 0


HUB = """mutation($n: String!, $i: DataHubWebhookApiUpsertDataHubProfilesRequestInput) {
  dataHubWebhookApi { upsertProfiles(integration: $n, input: $i) { status requestId } } }"""
GIVEN = {"requestId": "r1", "subAdvertiserId": 1001, "integrationId": 1, "data": [{"email": "a@example.com", "t": 5}]}


def test_an_integration_sends_profiles_under_its_own_mapping(service: Service) -> None:
    service.map_profiles(column("email"), column("t", "NUMBER"), mappableType="shopify", mappableId="7")
    service.map_profiles(column("email"), mappableType="shopify")
    response = service.run(HUB, n="SHOPIFY", i=GIVEN)["dataHubWebhookApi"]["upsertProfiles"]
    assert response == {"status": "accepted", "requestId": "r1"}
    profile = service.profile("a@example.com")
    assert (profile["properties"], profile["sources"]) == ({"t": 5}, ["SHOPIFY"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"integrationId": 9}, "no integration 9"),
        ({"integrationId": -1}, "no integration -1"),
        ({"subAdvertiserId": 5}, "Advertiser 5 could not be found"),
        ({"subAdvertiserId": 1002}, "no integration 1"),
        ({"data": [None]}, "array of objects"),
        (None, "input is required"),
    ],
)
def test_invalid_input_of_an_integration_is_an_error_and_the_field_null(
    service: Service, change: Any, message: str
) -> None:
    service.map_profiles(column("email"), mappableType="shopify")
    given = None if change is None else {**GIVEN, **change}
    response = service.post({"query": HUB, "variables": {"n": "shopify", "i": given}}).json
    assert response["data"] == {"dataHubWebhookApi": {"upsertProfiles": None}}
    assert message in response["errors"][0]["message"]
    assert service.outcomes() == []


def test_a_property_names_the_connections_that_fill_it_and_their_source(service: Service) -> None:
    append = "mutation($m: ProfileMappingInput!) { appendProfileMapping(input: $m) { userErrors { message } } }"
    for kind in ("segment_io", "shopify"):
        service.run(append, m={"advertiserId": "1001", "mappableType": kind, "mappingSchemaV2": [column("tier")]})
    service.run(append, m={"advertiserId": "1001", "mappableType": "shopify", "mappingSchemaV2": [column("zone")]})
    document = """{ advertiser(id: 1001) { cdpProfilePropertiesConnection(last: 2) {
      nodes { key source connectionIds } } } }"""
    assert service.run(document)["advertiser"]["cdpProfilePropertiesConnection"]["nodes"] == [
        {"key": "tier", "source": "SHOPIFY", "connectionIds": ["1", "2"]},
        {"key": "zone", "source": "SHOPIFY", "connectionIds": ["2"]},
    ]


@pytest.mark.parametrize("value", ["1", 1.5, True, None])
def test_a_big_int_is_an_integer(value: Any) -> None:
    assert serialize_big_int(2**70) == str(2**70)
    with pytest.raises(EmulatorDefect):
        serialize_big_int(value)


@pytest.mark.parametrize("value", ["2026-03-01", "soon", 5])
def test_a_timestamp_is_an_iso_string(value: Any) -> None:
    assert serialize_timestamp("2026-03-01T12:00:00.000Z") == "2026-03-01T12:00:00.000Z"
    with pytest.raises(EmulatorDefect):
        serialize_timestamp(value)


PROFILES_SENT = """mutation($p: JSON!) { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",
  profiles: $p}) { userErrors { message } } }"""


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (PROFILES_SENT.replace("($p: JSON!)", "").replace("$p", '[{email: "a@example.com", n: -1e999}]'), "{}"),
        (PROFILES_SENT, '{"p": [{"email": "a@example.com", "n": 1e999}]}'),
        (PROFILES_SENT, '{"p": "[{\\"email\\": \\"a@example.com\\", \\"n\\": 1e999}]"}'),
    ],
    ids=["literal", "variable", "string"],
)
def test_a_number_too_large_for_a_double_is_null_as_javascript_writes_it(
    service: Service, document: str, variables: str
) -> None:
    response = service.post(f'{{"query": {json.dumps(document)}, "variables": {variables}}}')
    assert response.json == {"data": {"upsertProfiles": {"userErrors": []}}}
    (record,) = service.stackadapt.records()
    assert record["record"] == {"email": "a@example.com", "n": None}
