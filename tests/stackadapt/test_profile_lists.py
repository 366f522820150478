"""Profile lists: created, renamed, filled manually, by mappings and by uploads, and used as a filter."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.stackadapt.tables import LIST_MEMBERS
from tests.stackadapt.conftest import Make, Service, column

KEEP = """mutation($i: ProfileListInput!) { createProfileList(input: $i) {
  userErrors { message path } profileList { id name size advertiser { id } createdAt updatedAt } } }"""
CHANGE = """mutation($i: UpdateProfileListProfilesInput!) { updateProfileListProfiles(input: $i) {
  userErrors { message path } } }"""
DELETE = 'mutation { deleteProfileList(input: {id: "1"}) { userErrors { message } } }'
LISTS = """query($first: Int, $after: String) { advertiser(id: 1001) { profileLists(first: $first, after: $after) {
  totalCount pageInfo { endCursor hasNextPage }
  nodes { id name size updatedAt campaignsCount orchestrationFlowsCount programmaticCampaigns { totalCount }
    integrations { nodes { integrationId source } } } } } }"""
ON_LIST = (
    "query($f: ProfileFilters) { cdpProfiles(advertiserId: 1001, filterBy: $f) { size profiles { nodes { email } } } }"
)


def make_list(service: Service, name: str = "VIPs", **given: Any) -> Any:
    answer = service.run(KEEP, i={"advertiserId": "1001", "name": name, **given})["createProfileList"]
    assert answer["userErrors"] == []
    return answer["profileList"]


def change(service: Service, *, ids: tuple[str, ...] = ("1",), add: Any = (), remove: Any = ()) -> Any:
    given = {"advertiserId": "1001", "ids": list(ids)}
    given |= {"addProfilesRawEmail": list(add), "removeProfilesRawEmail": list(remove)}
    return service.run(CHANGE, i=given)["updateProfileListProfiles"]["userErrors"]


def lists(service: Service, **page: Any) -> Any:
    return service.run(LISTS, **page)["advertiser"]["profileLists"]


def found(service: Service, **filters: Any) -> list[str]:
    nodes = service.run(ON_LIST, f=filters)["cdpProfiles"]["profiles"]["nodes"]
    return [node["email"] for node in nodes]


def kept(service: Service) -> list[tuple[int, str]]:
    """List and email of every member, including those without a profile."""
    with service.sandbox.store.begin() as transaction:
        return [tuple(row) for row in transaction.execute(LIST_MEMBERS.select())]


def erase(service: Service, email: str, *, compliance: bool) -> None:
    given = {"advertiserId": "1001", "emails": [email], "isComplianceRequest": compliance}
    document = "mutation($i: DeleteRawProfilesInput!) { deleteRawProfiles(input: $i) { userErrors { message } } }"
    assert service.run(document, i=given)["deleteRawProfiles"]["userErrors"] == []


def test_a_list_is_created_and_renamed(service: Service) -> None:
    made = make_list(service)
    service.pass_time(hours=1)
    renamed = make_list(service, "Best", id=made["id"])
    assert (made["name"], renamed["name"], renamed["id"], made["size"]) == ("VIPs", "Best", made["id"], "0")
    assert renamed["createdAt"] == made["createdAt"] < renamed["updatedAt"]
    assert renamed["advertiser"] == {"id": "1001"}


def test_members_are_added_to_and_removed_from_several_lists(service: Service) -> None:
    service.sync({"email": "ann@example.com"}, {"email": "bob@example.com"})
    make_list(service)
    make_list(service, "Others")
    assert change(service, ids=("1", "2"), add=[" ANN@example.com", "bob@example.com"]) == []
    assert change(service, ids=("2",), remove=["ann@example.com"]) == []
    assert found(service, listId="1") == ["ann@example.com", "bob@example.com"]
    assert found(service, listId="2") == ["bob@example.com"]
    assert found(service, excludeListId="2") == ["ann@example.com"]
    assert found(service, listId="1", excludeListId="2") == ["ann@example.com"]
    assert [node["size"] for node in lists(service)["nodes"]] == ["2", "1"]


def test_an_address_without_a_profile_becomes_a_member_once_it_has_one(service: Service) -> None:
    make_list(service)
    change(service, add=["ann@example.com"])
    assert (lists(service)["nodes"][0]["size"], found(service, listId="1")) == ("0", [])
    service.sync({"email": "ann@example.com"})
    assert (lists(service)["nodes"][0]["size"], found(service, listId="1")) == ("1", ["ann@example.com"])


def test_member_changes_are_delayed_by_the_latency(make_service: Make) -> None:
    service = make_service(latency="1h")
    make_list(service)
    service.sync({"email": "ann@example.com"})
    change(service, add=["ann@example.com"])
    service.pass_time(minutes=59)
    assert found(service, listId="1") == []
    service.pass_time(minutes=1)
    assert found(service, listId="1") == ["ann@example.com"]
    assert lists(service)["nodes"][0]["updatedAt"] == "2026-03-01T13:00:00.000Z"


def test_a_mapping_fills_a_list_and_appears_among_its_integrations(service: Service) -> None:
    service.map_profiles(column("email"), profileListName="From Segment")
    service.upsert({"email": "ann@example.com"}, {"email": "broken"})
    (shown,) = lists(service)["nodes"]
    assert (shown["name"], shown["size"]) == ("From Segment", "1")
    assert shown["integrations"]["nodes"] == [{"integrationId": "1", "source": "SEGMENT_IO"}]
    service.map_profiles(column("email"), profileListName="From Segment")
    service.upsert({"email": "bob@example.com"})
    service.map_profiles(column("email"))
    service.upsert({"email": "cat@example.com"})
    assert found(service, listId="1") == ["ann@example.com", "bob@example.com"]


def test_appending_to_a_mapping_keeps_its_list(service: Service) -> None:
    made = make_list(service)
    service.map_profiles(column("email"), profileListId=made["id"])
    document = "mutation($m: ProfileMappingInput!) { appendProfileMapping(input: $m) { userErrors { message } } }"
    service.run(document, m={"advertiserId": "1001", "mappableType": "segment_io", "mappingSchemaV2": [column("x")]})
    service.upsert({"email": "ann@example.com"})
    assert found(service, listId=made["id"]) == ["ann@example.com"]


def test_deleting_a_list_keeps_its_profiles_and_accepts_later_records(service: Service) -> None:
    make_list(service)
    service.map_profiles(column("email"), profileListId="1")
    service.upsert({"email": "ann@example.com"})
    assert service.run(DELETE)["deleteProfileList"]["userErrors"] == []
    service.upsert({"email": "bob@example.com"})
    assert lists(service)["totalCount"] == 0
    assert found(service) == ["ann@example.com", "bob@example.com"]
    assert make_list(service)["id"] == "2"


def test_deleted_profiles_leave_every_list(service: Service) -> None:
    make_list(service)
    service.sync({"email": "ann@example.com", "userId": "u1"}, {"email": "bob@example.com"})
    change(service, add=["ann@example.com", "bob@example.com", "cat@example.com"])
    service.run(
        'mutation { a: deleteProfilesWithExternalIds(input: {externalIds: ["u1"], externalProvider: "segmentio"}) '
        "{ clientMutationId } b: deleteRawProfiles(input: {advertiserId: 1001, isComplianceRequest: true, "
        'emails: ["bob@example.com", "cat@example.com"]}) { clientMutationId } }'
    )
    change(service, add=["cat@example.com"])
    service.sync({"email": "ann@example.com"}, {"email": "cat@example.com"})
    assert found(service, listId="1") == []


def test_a_profile_recreated_after_deletion_is_on_no_list(service: Service) -> None:
    make_list(service)
    service.sync({"email": "ann@example.com"})
    change(service, add=["ann@example.com"])
    erase(service, "ann@example.com", compliance=False)
    service.sync({"email": "ann@example.com"})
    assert found(service) == ["ann@example.com"]
    assert found(service, listId="1") == []


def test_only_visible_records_fill_a_list(service: Service) -> None:
    service.sync({"email": "ann@example.com"}, {"email": "bob@example.com"})
    erase(service, "bob@example.com", compliance=True)
    service.map_profiles(column("email"), profileListName="From Segment")
    service.sandbox.faults.add({"fault": "partial", "email": "ann@example.com"})
    service.upsert({"email": "ann@example.com"}, {"email": "bob@example.com"}, {"email": "cat@example.com"})
    assert [outcome for outcome, _ in service.outcomes()[2:]] == ["rejected", "suppressed", "visible"]
    assert kept(service) == [(1, "cat@example.com")]


def test_suppressed_people_are_added_to_no_list(service: Service) -> None:
    make_list(service)
    erase(service, "ann@example.com", compliance=True)
    change(service, add=["ann@example.com", "bob@example.com"])
    assert kept(service) == [(1, "bob@example.com")]


def test_a_deletion_does_not_change_lists_of_other_advertisers(service: Service) -> None:
    for advertiser in ("1001", "1002"):
        service.map_profiles(column("email"), advertiser=advertiser, profileListName="VIPs")
        service.upsert({"email": "ann@example.com"}, advertiser=advertiser)
    erase(service, "ann@example.com", compliance=True)
    assert kept(service) == [(2, "ann@example.com")]


def test_lists_are_paged(service: Service) -> None:
    for number in range(5):
        make_list(service, f"list {number}")
    first = lists(service, first=2)
    service.run(DELETE)
    rest = lists(service, first=5, after=first["pageInfo"]["endCursor"])
    assert [node["name"] for node in first["nodes"] + rest["nodes"]] == [f"list {number}" for number in range(5)]
    assert first["nodes"][0]["programmaticCampaigns"] == {"totalCount": 0}
    assert (first["nodes"][0]["campaignsCount"], first["nodes"][0]["orchestrationFlowsCount"]) == ("0", "0")


def test_a_list_belongs_to_one_advertiser(service: Service) -> None:
    make_list(service, advertiserId="1002")
    assert lists(service)["totalCount"] == 0
    assert service.run('{ advertiser(id: 1001) { profileList(profileListId: "1") { id } } }') == {
        "advertiser": {"profileList": None}
    }
    assert change(service, add=["ann@example.com"])[0]["path"] == ["input", "ids"]
    assert service.map_profiles(column("email"), profileListId="1")[0]["path"] == ["input", "profileListId"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"ids": ()}, "ids"),
        ({"ids": ("9",)}, "ids"),
        ({"ids": ("1", "nonsense")}, "ids"),
        ({"add": ["a@example.com"], "remove": ["A@example.com"]}, "removeProfilesRawEmail"),
        ({"remove": ["x"]}, "removeProfilesRawEmail"),
    ],
)
def test_an_invalid_member_change_is_a_user_error(service: Service, given: Any, path: str) -> None:
    make_list(service)
    assert [error["path"] for error in change(service, **given)] == [["input", path]]


def test_a_client_that_asks_for_more_than_a_page_gets_a_hundred_and_must_ask_again(service: Service) -> None:
    for number in range(130):
        make_list(service, f"List {number}")
    asked = lists(service, first=500)
    assert (len(asked["nodes"]), asked["totalCount"], asked["pageInfo"]["hasNextPage"]) == (100, 130, True)
    rest = lists(service, first=500, after=asked["pageInfo"]["endCursor"])
    assert (len(rest["nodes"]), rest["pageInfo"]["hasNextPage"]) == (30, False)
