"""What the control API shows of StackAdapt's Customer Data: pages of profiles, histories, segments before they are
created, lists, uploads, the catalogue of properties, refused records.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator.server.emulator import Emulator
from emulator.stackadapt.rules.records import STATUSES

NAME = "segment_engage_audience_name"
UPLOAD = """mutation($i: UserUploadedProfilesWithJSONInput!) { createUserUploadedProfilesWithJson(input: $i) {
  userErrors { message } } }"""
CHANGE = """mutation($i: UpdateProfileListProfilesInput!) { updateProfileListProfiles(input: $i) {
  userErrors { message } } }"""
UPSERT = """mutation($i: UpsertProfilesInput!) { upsertProfiles(input: $i) { userErrors { message } } }"""
COLUMN = {"incomingKey": "mail", "destinationKey": "email", "label": "mail", "type": "STRING", "isPii": True}


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        yield emulator.client


def get(client: Client, path: str, **query: Any) -> Any:
    response = client.get(f"/_emulator/{path}", query_string=query)
    assert response.status_code == 200, response.text
    return response.json


def identify(client: Client, user: str, **traits: Any) -> None:
    headers = {"Authorization": "Basic " + b64encode(b"segment-local:").decode()}
    call = {"userId": user, "traits": {"total_spent": 700, **traits}}
    assert client.post("/v1/identify", json=call, headers=headers).status_code == 200


def later(client: Client) -> None:
    client.post("/_emulator/clock/advance", json={"hours": 5})


def graphql(client: Client, document: str, **given: Any) -> None:
    token = get(client, "sandboxes/default")["tokens"]
    secret = next(iter(token.values()))
    headers = {"Authorization": f"Bearer {secret}"}
    answer = client.post(
        "/graphql", json={"query": document, "variables": {"i": {"advertiserId": "1001", **given}}}, headers=headers
    ).json
    assert "errors" not in answer, answer
    assert next(iter(answer["data"].values()))["userErrors"] == []


def rule(value: str, **more: Any) -> dict[str, Any]:
    return {"field": NAME, "operator": "equals", "value": value, **more}


def import_people(client: Client, number: int) -> list[str]:
    emails = [f"p{index:02}@example.com" for index in range(number)]
    lines = "".join(f'{{"email": "{email}"}}\n' for email in emails)
    assert client.post("/_emulator/profiles/import?advertiserId=1001&format=jsonl", data=lines).status_code == 200
    return emails


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9])
def test_profiles_are_paged_forwards_and_backwards_to_the_same_pages(client: Client, size: int) -> None:
    emails = import_people(client, 8)
    pages, query = [], {"after": 0}
    while True:
        page = get(client, "profiles", limit=size, **query)
        pages.append(page)
        if page["next"] is None:
            break
        query = {"after": page["next"]}
    assert [each["email"] for page in pages for each in page["profiles"]] == emails
    back = pages[-1]
    for page in pages[-2::-1]:
        back = get(client, "profiles", limit=size, before=back["previous"])
        assert back["next"] == page["next"]
        assert [each["email"] for each in back["profiles"]][-len(page["profiles"]) :] == [
            each["email"] for each in page["profiles"]
        ]
    assert back["previous"] is None


def test_profiles_are_found_by_external_id(client: Client) -> None:
    identify(client, "ada", email="ada@example.com")
    identify(client, "bob", email="bob@example.com")
    for query in ({}, {"after": 0}, {"before": 99}):
        found = get(client, "profiles", externalId="bob", **query)["profiles"]
        assert [each["email"] for each in found] == ["bob@example.com"]


def test_the_history_of_a_profile_says_what_each_record_changed(client: Client) -> None:
    identify(client, "ada", email="ada@example.com", first_name="Ada")
    later(client)
    identify(client, "ada", first_name="Adele")
    client.post("/_emulator/audiences/vip_customers/exit", json={"userId": "ada"})
    later(client)
    history = get(client, "profiles/history", advertiserId="1001", email="ADA@example.com")["history"]
    records = get(client, "records", email="ada@example.com")["records"]
    assert [{name: each[name] for name in each if name != "changed"} for each in history] == records
    first, *_, last = [each["changed"] for each in history if each["changed"]]
    assert {"key": "first_name", "before": None, "after": "Ada", "dropped": False} in first
    assert {"key": "first_name", "before": "Ada", "after": "Adele", "dropped": False} in last
    assert {"key": "action", "before": "enter", "after": "exit", "dropped": False} in last
    assert get(client, "profiles/history", advertiserId="1002", email="ada@example.com")["history"] == []
    page = get(client, "profiles/history", advertiserId="1001", email="ada@example.com", limit=1, offset=1)
    assert page["history"] == history[1:2]


def test_a_preview_is_what_the_created_segment_has(client: Client) -> None:
    identify(client, "ada", email="ada@example.com")
    for value in ("vip_customers", "vip_custmers", "nothing like it"):
        body = {"advertiserId": "1001", "rule": rule(value)}
        preview = client.post("/_emulator/segments/preview", json=body)
        assert preview.status_code == 200
        assert get(client, "segments")["segments"] == []
        created = client.post("/_emulator/segments", json={**body, "name": "x"}).json
        assert preview.json == {name: created[name] for name in preview.json}
        client.delete(f"/_emulator/segments/{created['id']}")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"advertiserId": "9", "rule": rule("x")}, "advertiserId"),
        ({"advertiserId": "1001", "rule": {}}, "rule.field"),
        ({"advertiserId": "1001", "rule": rule("x", operator="is")}, "rule.operator"),
        ({"advertiserId": "1001"}, "rule"),
    ],
)
def test_a_preview_refuses_what_cannot_be_created(client: Client, body: Any, where: str) -> None:
    refused = client.post("/_emulator/segments/preview", json=body)
    assert (refused.status_code, refused.json["where"].split("/")[-1]) in ((400, where), (400, "preview"))
    assert {refused.status_code} == {client.post("/_emulator/segments", json={**body, "name": "x"}).status_code}


def test_values_of_a_rule_are_those_that_records_brought(client: Client) -> None:
    def values(field: str) -> Any:
        return get(client, "segments/values", advertiserId="1001", field=field)["values"]

    assert values(NAME) == ["vip_customers"]
    client.patch("/_emulator/workspace", json={"ingestion": {"latency": "4h"}})
    record = '[{"email": "a@example.com", "action": "enter", "audienceId": "aud_crm", "audienceName": "crm_list"}]'
    graphql(client, UPSERT, externalProvider="segmentio", profiles=record)
    assert values("External Audience Name") == ["crm_list", "vip_customers"]
    assert values("Segment Engage Audience ID") == ["aud_crm", "aud_local_vip"]
    later(client)
    assert values(NAME) == ["crm_list", "vip_customers"]
    assert values("marketing_status") == sorted(STATUSES)
    assert values("email") == values("city") == []
    client.post(
        "/_emulator/profiles/import?advertiserId=1001&format=jsonl",
        data='{"email": "b@example.com", "properties": {"city": "Toronto"}}\n',
    )
    assert values("city") == ["Toronto"]


def test_a_list_shows_its_members_with_and_without_a_profile(client: Client) -> None:
    people = [{"mail": "ann@example.com"}, {"mail": "bob@example.com"}]
    graphql(client, UPLOAD, mappingSchema=[COLUMN], profiles=people, profileListName="Imported")
    later(client)
    graphql(client, CHANGE, ids=["1"], addProfilesRawEmail=["cy@example.com"], removeProfilesRawEmail=[])
    later(client)
    (listed,) = get(client, "lists", advertiserId="1001")["lists"]
    assert (listed["name"], listed["size"], listed["emails"]) == ("Imported", 2, 3)
    assert get(client, "lists", advertiserId="1002")["lists"] == []
    one = get(client, "lists/1")
    assert {name: one[name] for name in listed} == listed
    assert [(each["email"], each["visible"]) for each in one["members"]] == [
        ("ann@example.com", True),
        ("bob@example.com", True),
        ("cy@example.com", False),
    ]
    assert get(client, "lists/1", limit=1, offset=2)["members"] == one["members"][2:]
    assert client.get("/_emulator/lists/2").json["allowed"] == "1"


def test_an_upload_shows_its_columns_and_its_refused_rows(client: Client) -> None:
    graphql(client, UPLOAD, mappingSchema=[COLUMN], profiles=[{"mail": "ann@example.com"}, {"mail": "no-address"}])
    later(client)
    (listed,) = get(client, "uploads")["uploads"]
    one = get(client, f"uploads/{listed['id']}")
    assert {name: one[name] for name in listed} == listed
    assert [column["incoming_key"] for column in one["columns"]] == ["mail"]
    refused = get(client, "records", requestId=one["requestId"], outcome="rejected")["records"]
    assert [(each["record"], each["reason"]) for each in refused] == [({"mail": "no-address"}, "INVALID_EMAIL")]
    assert client.get("/_emulator/uploads/7").json["allowed"] == "1"


def test_the_catalogue_counts_profiles_and_names_dropped_keys(client: Client) -> None:
    identify(client, "ada", email="ada@example.com", first_name="Ada")
    later(client)
    record = '[{"email": "ada@example.com", "shoe_size": 38}, {"email": "bob@example.com", "shoe_size": 40, "hat": 1}]'
    graphql(client, UPSERT, externalProvider="segmentio", profiles=record)
    later(client)
    found = get(client, "properties", advertiserId="1001")
    profiles = get(client, "profiles", advertiserId="1001")["profiles"]
    by_key = {each["key"]: each for each in found["properties"]}
    for key, each in by_key.items():
        having = [one for one in profiles if key == "email" or key in one["properties"]]
        assert each["profiles"] == len(having)
    assert by_key["first_name"]["source"] == "GLOBAL"
    assert found["counted"]["profiles"] == len(profiles)
    assert {each["key"]: each["records"] for each in found["dropped"]} == {"shoe_size": 2, "hat": 1}
    assert all(each["warning"]["code"] == "UNMAPPED_KEY" for each in found["dropped"])
    assert get(client, "properties", advertiserId="1002")["counted"] == {"profiles": 0, "records": 0}


def test_rejections_are_found_by_person(client: Client) -> None:
    record = '[{"email": "no-address", "userId": "n1"}, {"email": "a@example.com"}, {"userId": "n2"}]'
    graphql(client, UPSERT, externalProvider="segmentio", profiles=record)
    later(client)
    for person, reasons in (
        ("no-address", ["INVALID_EMAIL"]),
        ("n1", ["INVALID_EMAIL"]),
        ("n2", ["MISSING_EMAIL"]),
        ("x", []),
    ):
        found = get(client, "rejections", email=person)["rejections"]
        assert [each["reason"] for each in found] == reasons
