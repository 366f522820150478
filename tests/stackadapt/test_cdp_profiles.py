"""`cdpProfiles`: filters, outer pages and inner pages."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.workspace import Token
from tests.stackadapt.conftest import Make, Service, column

QUERY = """query($f: ProfileFilters, $a: ID! = "1001", $first: Int, $after: String) {
  cdpProfiles(advertiserId: $a, filterBy: $f) {
    size nextToken prevToken
    profiles(first: $first, after: $after) {
      totalCount
      nodes { email marketingStatus sources integrations { totalCount nodes { integrationId source } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""


@pytest.fixture
def people(service: Service) -> Service:
    records = [
        {"email": f"p{number}@{'example.com' if number % 2 else 'shop.example.org'}", "tier": str(number)}
        for number in range(10)
    ]
    service.sync(*records, columns=[column("tier")])
    service.upsert({"email": "p1@example.com"}, {"email": "new@sub.example.com"}, provider="shopify")
    return service


def page(service: Service, **filters: Any) -> Any:
    return service.run(QUERY, f=filters)["cdpProfiles"]


def emails(answer: Any) -> list[str]:
    return [node["email"] for node in answer["profiles"]["nodes"]]


def test_profiles_show_status_sources_and_integrations(people: Service) -> None:
    (profile,) = page(people, email=" P1@example.com")["profiles"]["nodes"]
    assert profile == {
        "email": "p1@example.com",
        "marketingStatus": "OPTED_IN",
        "sources": ["SHOPIFY", "SEGMENT_IO"],
        "integrations": {
            "totalCount": 2,
            "nodes": [{"integrationId": None, "source": "SHOPIFY"}, {"integrationId": "1", "source": "SEGMENT_IO"}],
        },
    }


@pytest.mark.parametrize(
    ("filters", "size"),
    [
        ({}, 11),
        ({"email": "unknown@example.com"}, 0),
        ({"filterDomains": ["example.com"]}, 5),
        ({"filterDomains": ["EXAMPLE.com", "sub.example.com"]}, 6),
        ({"filterDomains": ["example_com", "%"]}, 0),
        ({"filterDomains": []}, 0),
        ({"source": "SHOPIFY"}, 2),
        ({"source": "SEGMENT_IO", "filterDomains": ["shop.example.org"]}, 5),
        ({"integrationId": "1"}, 10),
        ({"integrationId": "99"}, 0),
        ({"integrationId": "nonsense"}, 0),
        ({"integrationId": "9" * 30}, 0),
        ({"listId": "1"}, 0),
        ({"excludeListId": "1"}, 11),
        ({"email": None, "source": None}, 11),
    ],
)
def test_profiles_pass_every_filter(people: Service, filters: dict[str, Any], size: int) -> None:
    answer = page(people, **filters)
    assert answer["size"] == size
    assert len(emails(answer)) == size


def test_a_segment_filters_profiles(people: Service) -> None:
    rule = {"field": "tier", "operator": "one_of", "value": ["2", "5"]}
    segment = people.stackadapt.segments.create("1001", "two", rule)
    assert emails(page(people, segmentId=segment["id"])) == ["p2@shop.example.org", "p5@example.com"]
    answer = people.post({"query": QUERY, "variables": {"f": {"segmentId": segment["id"]}, "a": "1002"}})
    assert answer.json["data"] == {"cdpProfiles": None}
    assert answer.json["errors"][0]["path"] == ["cdpProfiles"]


def test_outer_pages_run_both_ways(people: Service) -> None:
    first = page(people, limit=4)
    second = page(people, limit=4, paginationToken=first["nextToken"])
    third = page(people, limit=4, paginationToken=second["nextToken"])
    assert [first["size"], second["size"], third["size"]] == [11] * 3
    assert len({*emails(first), *emails(second), *emails(third)}) == 11
    assert (first["prevToken"], third["nextToken"]) == (None, None)
    back = page(people, limit=4, paginationToken=third["prevToken"])
    assert emails(back) == emails(second)
    assert emails(page(people, limit=4, paginationToken=back["prevToken"])) == emails(first)


def test_inner_pages_divide_one_outer_page(people: Service) -> None:
    answer = people.run(QUERY, f={"limit": 5}, first=3)["cdpProfiles"]["profiles"]
    assert answer["totalCount"] == 5
    assert answer["pageInfo"]["hasNextPage"] is True
    rest = people.run(QUERY, f={"limit": 5}, after=answer["pageInfo"]["endCursor"])["cdpProfiles"]["profiles"]
    assert len(rest["nodes"]) == 2


@pytest.mark.parametrize("filters", [{"limit": -1}, {"paginationToken": "nonsense"}, {"segmentId": "9"}])
def test_an_invalid_filter_is_an_error_and_the_field_null(people: Service, filters: dict[str, Any]) -> None:
    answer = people.post({"query": QUERY, "variables": {"f": filters}})
    assert answer.json["data"] == {"cdpProfiles": None}
    assert answer.json["errors"][0]["extensions"] == {"emulator": True}


def test_profiles_need_read_scope(make_service: Make) -> None:
    writer = Token(secret="sa-writer", name="writer", scopes={"1001": frozenset({"WRITE"})})
    service = make_service(tokens=(writer,))
    for advertiser in ("1001", "5"):
        answer = service.post({"query": QUERY, "variables": {"a": advertiser}}, token="sa-writer")
        assert answer.json["data"] == {"cdpProfiles": None}
        assert f"READ scope for advertiser {advertiser}" in answer.json["errors"][0]["message"]


def test_reads_see_processed_records(service: Service) -> None:
    service.sync({"email": "a@example.com"})
    assert page(service)["size"] == 1
    service.sync({"email": "b@example.com"})
    assert page(service)["size"] == 2


def test_the_inner_pages_have_at_most_a_hundred_profiles(service: Service) -> None:
    service.sync(*({"email": f"person{number}@example.com"} for number in range(130)))
    answer = service.run(QUERY, f={"limit": 500}, first=500)["cdpProfiles"]
    assert (answer["size"], len(answer["profiles"]["nodes"])) == (130, 100)
    cursor = answer["profiles"]["pageInfo"]["endCursor"]
    rest = service.run(QUERY, f={"limit": 500}, first=500, after=cursor)["cdpProfiles"]["profiles"]
    assert len(rest["nodes"]) == 30
