"""Reads about the token and its advertisers, and Relay paging."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.workspace import Advertiser, Token, load_workspace
from tests.stackadapt.conftest import READ, Make, Service, column

MANY = tuple(Advertiser(id=str(number), name=f"Shop {number}") for number in range(1, 8))
TOKENS = (
    Token(
        secret="sa-many",
        name="Many",
        scopes={str(number): frozenset({"READ"}) for number in range(1, 8)} | {"3": frozenset({"WRITE"})},
        expires_at=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
    ),
)


@pytest.fixture
def shops(make_service: Make) -> Service:
    return make_service(workspace=replace(load_workspace(), advertisers=MANY), tokens=TOKENS)


def names(connection: Any) -> list[str]:
    return [node["name"] for node in connection["nodes"]]


def test_token_info_has_what_the_clients_connection_test_needs(service: Service) -> None:
    document = "{ tokenInfo { scopesByAdvertiser { nodes { advertiser { name } scopes } } } }"
    assert service.run(document)["tokenInfo"]["scopesByAdvertiser"]["nodes"] == [
        {"advertiser": {"name": "Acme Outfitters"}, "scopes": ["READ", "WRITE"]},
        {"advertiser": {"name": "Globex Travel"}, "scopes": ["READ", "WRITE"]},
    ]
    nodes = service.run(document, token=READ)["tokenInfo"]["scopesByAdvertiser"]["nodes"]
    assert {scope for node in nodes for scope in node["scopes"]} == {"READ"}


def test_token_info_names_the_advertisers_of_the_token_and_no_others(make_service: Make) -> None:
    one = Token(secret="sa-one", name="One", scopes={"1001": frozenset({"READ"})})
    document = "{ tokenInfo { scopesByAdvertiser { totalCount nodes { advertiser { name } scopes } } } }"
    assert make_service(tokens=(one,)).run(document, token="sa-one")["tokenInfo"]["scopesByAdvertiser"] == {
        "totalCount": 1,
        "nodes": [{"advertiser": {"name": "Acme Outfitters"}, "scopes": ["READ"]}],
    }


def test_token_info_has_name_and_dates(shops: Service) -> None:
    info = shops.run("{ tokenInfo { name createdAt expiresAt } }", token="sa-many")["tokenInfo"]
    assert info == {"name": "Many", "createdAt": "2026-03-01T12:00:00.000Z", "expiresAt": "2027-01-02T03:04:05.000Z"}


def test_user_and_account_are_readable(service: Service) -> None:
    response = service.run("{ user { email } account { id currency } }")
    assert response == {"user": {"email": "integration@example.com"}, "account": {"id": "1", "currency": "USD"}}


def test_an_advertiser_without_read_scope_is_null(shops: Service) -> None:
    document = (
        "{ a: advertiser(id: 1) { id name isArchived } b: advertiser(id: 3) { id } c: advertiser(id: 99) { id } }"
    )
    response = shops.run(document, token="sa-many")
    assert response == {"a": {"id": "1", "name": "Shop 1", "isArchived": False}, "b": None, "c": None}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["1", "2", "4", "5", "6", "7"]),
        ({"ids": ["2", "3", "7"]}, ["2", "7"]),
        ({"ids": []}, []),
        ({"nameOrIdContains": "SHOP 4"}, ["4"]),
        ({"nameOrIdContains": "5"}, ["5"]),
        ({"archived": True}, []),
        ({"archived": False, "hasCostOrUnarchived": True, "ids": ["1"]}, ["1"]),
    ],
)
def test_advertisers_pass_every_filter(shops: Service, filters: dict[str, Any], expected: list[str]) -> None:
    document = "query($f: AdvertiserFilters) { advertisers(filterBy: $f) { totalCount nodes { id } } }"
    response = shops.run(document, token="sa-many", f=filters)["advertisers"]
    assert [node["id"] for node in response["nodes"]] == expected
    assert response["totalCount"] == len(expected)


PAGE = """query($after: String, $before: String, $first: Int, $last: Int) {
  advertisers(after: $after, before: $before, first: $first, last: $last) {
    totalCount nodes { name } edges { cursor node { name } }
    pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
  }
}"""


def test_pages_run_forward(shops: Service) -> None:
    seen, after = [], ""
    for _ in range(3):
        page = shops.run(PAGE, token="sa-many", first=2, after=after)["advertisers"]
        seen += names(page)
        assert page["totalCount"] == 6
        assert page["pageInfo"]["hasPreviousPage"] is bool(after)
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        after = page["pageInfo"]["endCursor"]
    assert seen == ["Shop 1", "Shop 2", "Shop 4", "Shop 5", "Shop 6", "Shop 7"]
    assert page["pageInfo"]["hasNextPage"] is False


def test_pages_run_backward(shops: Service) -> None:
    seen: list[str] = []
    before = None
    for _ in range(3):
        page = shops.run(PAGE, token="sa-many", last=2, before=before)["advertisers"]
        seen = names(page) + seen
        assert page["pageInfo"]["hasNextPage"] is (before is not None)
        before = page["pageInfo"]["startCursor"]
    assert seen == ["Shop 1", "Shop 2", "Shop 4", "Shop 5", "Shop 6", "Shop 7"]
    assert page["pageInfo"]["hasPreviousPage"] is False


def test_an_empty_page_has_no_cursors(shops: Service) -> None:
    page = shops.run(PAGE, token="sa-many", first=0)["advertisers"]
    assert page["nodes"] == []
    assert page["pageInfo"] == {"startCursor": None, "endCursor": None, "hasNextPage": True, "hasPreviousPage": False}


@pytest.mark.parametrize("page", [{"first": -1}, {"last": -5}, {"after": "é"}, {"after": "bm9uZQ"}, {"before": "!"}])
def test_an_invalid_page_argument_is_an_error(shops: Service, page: dict[str, Any]) -> None:
    response = shops.post({"query": PAGE, "variables": page}, token="sa-many")
    assert response.json["data"] is None
    assert response.json["errors"][0]["extensions"] == {"emulator": True}


PROPERTIES = """{ advertiser(id: 1001) { cdpProfilePropertiesConnection(first: 50) {
  totalCount nodes { key label dataType isPii source connectionIds } } } }"""


def properties(service: Service) -> dict[str, Any]:
    nodes = service.run(PROPERTIES)["advertiser"]["cdpProfilePropertiesConnection"]["nodes"]
    return {node.pop("key"): node for node in nodes}


def test_every_advertiser_has_the_built_in_properties(service: Service) -> None:
    found = properties(service)
    assert list(found) == [
        "email",
        "first_name",
        "last_name",
        "phone",
        "address",
        "city",
        "state",
        "country",
        "postal_code",
        "timezone",
        "birth_date",
    ]
    assert found["birth_date"] == {
        "label": "Birth Date",
        "dataType": "DATE",
        "isPii": True,
        "source": "GLOBAL",
        "connectionIds": [],
    }


def test_active_mappings_add_properties_and_replaced_ones_do_not(make_service: Make) -> None:
    service = make_service(latency="1h")
    service.map_profiles(column("email"), column("tier"), column("spent", "NUMBER"))
    assert "tier" not in properties(service)
    service.pass_time(hours=1)
    found = properties(service)
    assert found["tier"]["source"] == "SEGMENT_IO"
    assert found["spent"]["dataType"] == "NUMBER"
    assert found["email"]["source"] == "GLOBAL"
    assert found["email"]["connectionIds"] == found["tier"]["connectionIds"] != []
    service.map_profiles(column("email"))
    service.pass_time(hours=1)
    assert "tier" not in properties(service)
