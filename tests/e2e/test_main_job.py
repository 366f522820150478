"""An audience event becomes a profile in a segment, through the HTTP endpoints of one emulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from emulator import Emulator, load_workspace

VIP_BY_ID = {"field": "segment_engage_audience_id", "operator": "equals", "value": "aud_local_vip"}
VIP_BY_NAME = {"field": "segment_engage_audience_name", "operator": "equals", "value": "vip_customers"}


@pytest.fixture(params=["in process", "over a socket"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with Emulator() as emulator:
        if request.param == "in process":
            transport = httpx.WSGITransport(app=emulator.app)
            yield httpx.Client(transport=transport, base_url="http://127.0.0.1")
        else:
            with httpx.Client(base_url=emulator.start(), trust_env=False) as client:
                yield client


def identify(client: httpx.Client, user: str, **traits: Any) -> None:
    answer = client.post("/v1/identify", json={"userId": user, "traits": traits}, auth=("segment-local", ""))
    assert (answer.status_code, answer.json()) == (200, {"success": True})


def graphql(client: httpx.Client, query: str, token: str = "sa-local-write") -> dict[str, Any]:
    answer = client.post("/graphql", json={"query": query}, headers={"authorization": f"Bearer {token}"})
    body: dict[str, Any] = answer.json()
    return body


def visible(client: httpx.Client) -> list[str]:
    body = graphql(client, '{ cdpProfiles(advertiserId: "1001") { profiles { nodes { email } } } }')
    return sorted(node["email"] for node in body["data"]["cdpProfiles"]["profiles"]["nodes"])


def segment(client: httpx.Client, rule: dict[str, Any]) -> dict[str, Any]:
    body = {"advertiserId": "1001", "name": "VIPs", "rule": rule}
    created = client.post("/_emulator/segments", json=body).raise_for_status().json()
    found: dict[str, Any] = client.get(f"/_emulator/segments/{created['id']}").raise_for_status().json()
    return found


def test_a_vip_becomes_a_profile_in_both_segments(client: httpx.Client) -> None:
    identify(client, "u1", email="Ada@Example.com", first_name="Ada", total_spent=900)
    identify(client, "u2", email="bob@example.com", first_name="Bob", total_spent=10)
    assert visible(client) == ["ada@example.com"]
    for rule in (VIP_BY_ID, VIP_BY_NAME):
        found = segment(client, rule)
        assert (found["size"], found["members"]) == (1, ["ada@example.com"])


def test_leaving_the_audience_leaves_the_segment_and_keeps_the_profile(client: httpx.Client) -> None:
    identify(client, "u1", email="ada@example.com", total_spent=900)
    identify(client, "u1", total_spent=1)
    assert visible(client) == ["ada@example.com"]
    assert segment(client, VIP_BY_ID)["size"] == 0


def test_a_vip_without_an_email_is_rejected_by_segment_with_a_reason(client: httpx.Client) -> None:
    identify(client, "u1", first_name="Grace", total_spent=900)
    refused = client.get("/_emulator/deliveries?outcome=rejected").json()["deliveries"]
    assert {delivery["message"] for delivery in refused} == {"The root value is missing the required field 'email'."}
    assert len(refused) == 2
    assert visible(client) == []


def test_a_quote_in_a_trait_fails_the_batch_and_lists_its_events(client: httpx.Client) -> None:
    identify(client, "u1", email="ada@example.com", first_name='Ada "the first"', total_spent=900)
    [batch] = client.get("/_emulator/batches?failed=true").json()["batches"]
    assert batch["reason"] == "GRAPHQL_ERRORS"
    assert "Syntax Error" in batch["error"]
    assert batch["locations"]
    assert batch["segmentReports"] == "delivered"
    assert len(batch["events"]) == 2
    assert visible(client) == []


def test_a_record_without_an_email_sent_directly_is_rejected(client: httpx.Client) -> None:
    body = graphql(
        client,
        'mutation { upsertProfiles(input: {advertiserId: "1001", externalProvider: "segment_io",'
        ' profiles: "[{\\"userId\\": \\"u9\\"}]"}) { userErrors { message path } } }',
    )
    assert body == {"data": {"upsertProfiles": {"userErrors": []}}}
    [rejection] = client.get("/_emulator/rejections").json()["rejections"]
    assert rejection["reason"] == "MISSING_EMAIL"
    assert rejection["record"] == {"userId": "u9"}
    assert len(rejection["requestId"]) == 32


MEMBER_BY_ID_ONLY = """mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",
  profiles: [{userId: "u1", audienceId: "a", action: "enter"}]}) { userErrors { message } } }"""


@pytest.mark.parametrize(
    ("api_version", "always", "with_pending", "counted"),
    [
        ("2026-06", ["MISSING_EMAIL"], ["MISSING_EMAIL"], {"rejections": {"MISSING_EMAIL": 1}, "waiting": {}}),
        ("2024-12", [], ["WAITS_FOR_PROFILE"], {"rejections": {}, "waiting": {"WAITS_FOR_PROFILE": 1}}),
    ],
)
def test_a_member_without_an_email_is_listed_with_a_reason(
    api_version: str, always: list[str], with_pending: list[str], counted: dict[str, Any]
) -> None:
    with Emulator(load_workspace().with_options(api_version=api_version)) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        assert graphql(client, MEMBER_BY_ID_ONLY) == {"data": {"upsertProfiles": {"userErrors": []}}}
        for query, reasons in (("", always), ("?pending=true", with_pending)):
            found = client.get(f"/_emulator/rejections{query}").json()["rejections"]
            assert [each["reason"] for each in found] == reasons
        counts = client.get("/_emulator/counts").json()["stackadapt"]
        assert {name: counts[name] for name in counted} == counted


def test_a_deletion_and_an_upload_say_what_they_led_to(client: httpx.Client) -> None:
    graphql(
        client,
        'mutation { deleteRawProfile(input: {advertiserId: 1001, email: "Ada@example.com"}) { clientMutationId } }',
    )
    [deletion] = client.get("/_emulator/deletions?email=ada@example.com").json()["deletions"]
    assert (deletion["deleted"], deletion["suppressed"]) == (False, False)
    assert client.get("/_emulator/deletions?externalId=u1").json() == {"deletions": []}
    graphql(
        client,
        """mutation { createUserUploadedProfilesWithJson(input: {advertiserId: 1001, profiles: [{email: "a"}],
        mappingSchema: [{incomingKey: "email", destinationKey: "email", label: "E", type: STRING, isPii: true}]
        }) { clientMutationId } }""",
    )
    [upload] = client.get("/_emulator/uploads?advertiserId=1001").json()["uploads"]
    assert (upload["status"], upload["failure"], upload["records"]) == ("ERROR", None, {"rejected": 1})


def test_profiles_become_visible_when_the_latency_has_passed() -> None:
    workspace = load_workspace().with_options(latency="4h")
    with Emulator(workspace) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        identify(client, "u1", email="ada@example.com", total_spent=900)
        assert visible(client) == []
        client.post("/_emulator/clock/advance", json={"hours": 3.9}).raise_for_status()
        assert visible(client) == []
        client.post("/_emulator/clock/advance", json={"minutes": 6}).raise_for_status()
        assert visible(client) == ["ada@example.com"]


def test_reset_deletes_all_data(client: httpx.Client) -> None:
    identify(client, "u1", email="ada@example.com", total_spent=900)
    segment(client, VIP_BY_ID)
    client.post("/_emulator/reset").raise_for_status()
    assert visible(client) == []
    assert client.get("/_emulator/segments").json() == {"segments": []}
    assert client.get("/_emulator/deliveries").json() == {"deliveries": []}
    identify(client, "u1", email="ada@example.com", total_spent=900)
    assert visible(client) == ["ada@example.com"]


def test_two_emulators_share_nothing() -> None:
    with Emulator() as first, Emulator() as second:
        clients = [
            httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
            for emulator in (first, second)
        ]
        identify(clients[0], "u1", email="ada@example.com", total_spent=900)
        assert (visible(clients[0]), visible(clients[1])) == (["ada@example.com"], [])


def test_a_destination_with_an_endpoint_sends_over_a_socket() -> None:
    with Emulator() as provider:
        default = load_workspace()
        destination = replace(default.destinations[0], endpoint=f"{provider.start()}/graphql")
        with Emulator(replace(default, destinations=(destination,))) as segment_only:
            client = httpx.Client(transport=httpx.WSGITransport(app=segment_only.app), base_url="http://127.0.0.1")
            identify(client, "u1", email="ada@example.com", total_spent=900)
            assert visible(client) == []
        assert [profile["email"] for profile in provider.stackadapt.profiles()] == ["ada@example.com"]


def test_an_unreachable_endpoint_is_retried_on_the_clock() -> None:
    default = load_workspace()
    destination = replace(default.destinations[0], endpoint="http://127.0.0.1:9/graphql")
    with Emulator(replace(default, destinations=(destination,))) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        identify(client, "u1", email="ada@example.com", total_spent=900)
        outcomes = {row["outcome"] for row in client.get("/_emulator/deliveries").json()["deliveries"]}
        assert outcomes == {"retrying"}
        client.post("/_emulator/clock/advance", json={"hours": 5}).raise_for_status()
        outcomes = {row["outcome"] for row in client.get("/_emulator/deliveries").json()["deliveries"]}
        assert outcomes == {"failed"}


def test_data_in_a_folder_survives_a_restart(tmp_path: Any) -> None:
    with Emulator(data=tmp_path) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        identify(client, "u1", email="ada@example.com", total_spent=900)
        kept = segment(client, VIP_BY_ID)
    with Emulator(data=tmp_path) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        assert visible(client) == ["ada@example.com"]
        assert client.get(f"/_emulator/segments/{kept['id']}").json()["size"] == 1
