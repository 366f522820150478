"""Connection test, choices and *Send test event* over HTTP, for every generation and for names of any kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from emulator import Emulator, load_workspace
from emulator.clock import Clock
from emulator.mapping import generations
from emulator.sandbox import Sandbox
from emulator.segment.delivery.subscriptions import definition_of
from emulator.stackadapt.tables import STACKADAPT
from emulator.workspace import Destination, Workspace, parse_workspace
from emulator.workspace_document import document_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = "StackAdapt Acme"
OF_2024 = ("3.361.0", "3.387.0")
NAMES = [
    "a/b",
    "/a",
    "a/",
    "a//b",
    "/",
    "a/test",
    "a/subscriptions/b",
    "a/subscriptions/b/test",
    "..",
    "../..",
    "Zoë 😀",
    "50% & more?",
    "a#b;c=d+e",
    "%2F",
    "line\nbreak",
    " ",
    "'; DROP TABLE x; --",
    "<script>alert(1)</script>",
]


def opened(change: Callable[[Workspace], Workspace]) -> Emulator:
    return Emulator(change(replace(load_workspace(), seed=1)), clock=Clock(frozen_at=NOON))


def with_destination(**changes: Any) -> Callable[[Workspace], Workspace]:
    def change(workspace: Workspace) -> Workspace:
        return replace(workspace, destinations=(replace(workspace.destinations[0], **changes),))

    return change


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with opened(lambda workspace: workspace) as emulator:
        yield emulator


def of_generation(generation: str) -> Callable[[Workspace], Workspace]:
    """The default workspace with a destination instance as that generation has it."""

    def change(workspace: Workspace) -> Workspace:
        first = workspace.destinations[0]
        definition = definition_of(replace(first, generation=generation))
        in_mapping = definition.advertiser_from == "mapping"
        settings = {"apiKey": first.settings["apiKey"], **({} if in_mapping else {"advertiser_id": "1001"})}
        subscription = first.subscriptions[0]
        mapping = {**subscription.mapping, **({"advertiser_id": "1001"} if in_mapping else {})}
        one = replace(subscription, mapping=mapping)
        version = "2024-12" if in_mapping else workspace.api_version
        changed = with_destination(generation=generation, settings=settings, subscriptions=(one,))(workspace)
        return replace(changed, api_version=version)

    return change


def path(*parts: str) -> str:
    return "/".join(["/_emulator/destinations", *(quote(part, safe="") for part in parts)])


def test_event(emulator: Emulator, *names: str, **body: Any) -> dict[str, Any]:
    destination = emulator.sandbox.workspace.destinations[0]
    destination_name, name = names or (destination.name, destination.subscriptions[0].name)
    response = emulator.client.post(path(destination_name, "subscriptions", name, "test"), json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


test_event.__test__ = False  # type: ignore[attr-defined]  # pytest reads it


@pytest.mark.parametrize("generation", generations())
def test_the_connection_test_of_every_generation_passes(generation: str) -> None:
    with opened(of_generation(generation)) as emulator:
        found = emulator.client.post(path(ACME, "test")).get_json()
    assert (found["generation"], found["passed"], found["message"]) == (generation, True, None)
    assert [each["value"] for each in found["advertisers"]] == ["1001", "1002"]


def test_a_token_that_may_only_read_fails_and_is_not_shown() -> None:
    with opened(with_destination(settings={"apiKey": "sa-local-read", "advertiser_id": "1001"})) as emulator:
        response = emulator.client.post(path(ACME, "test"))
    assert response.get_json()["passed"] is False
    assert response.get_json()["message"] == "Credentials are invalid:  Please verify your GQL Token or contact support"
    assert "sa-local-read" not in response.text


@pytest.mark.parametrize(
    ("token", "status", "advice"),
    [
        ("sa-local-write", 200, None),
        ("sa-local-read", 200, "The token may write to no advertiser: use one with the scope WRITE."),
        ("wrong", 401, "StackAdapt does not know this token, or it has expired: copy a valid one."),
        ("", 401, "Enter a GraphQL token of StackAdapt."),
        ("no\nheader", None, "Check the endpoint and the characters of the token: no request was answered."),
    ],
)
def test_settings_are_tested_before_they_are_saved(
    emulator: Emulator, token: str, status: int | None, advice: str | None
) -> None:
    before = emulator.client.get("/_emulator/workspace").get_json()
    response = emulator.client.post(path(ACME, "test"), json={"settings": {"apiKey": token}})
    found = response.get_json()
    assert (found["passed"], found["advice"]) == (advice is None, advice)
    assert (found["answer"] and found["answer"]["status"]) == status
    assert (found["sent"] is None) == (status is None)
    assert not token or token not in response.text
    if found["sent"]:
        assert "scopesByAdvertiser" in found["sent"]["query"]
    assert emulator.client.get("/_emulator/workspace").get_json() == before


def test_the_catalog_has_every_generation_with_its_actions(emulator: Emulator) -> None:
    entries = emulator.client.get("/_emulator/catalog").get_json()["destinations"]
    assert [each["generation"] for each in entries] == [*reversed(generations())]
    for each in entries:
        of_2024 = each["generation"] in OF_2024
        titles = ["Forward Profile", "Forward Audience Event"] if of_2024 else ["Sync Audience"]
        assert [action["title"] for action in each["actions"]] == titles
        assert each["apiVersions"] == (["2025-05", "2024-12"] if of_2024 else ["2026-06"])
        assert each["advertiserFrom"] == ("mapping" if of_2024 else "settings")
        assert each["sourceCalls"] == of_2024
        assert ("advertiser_id" in [setting["key"] for setting in each["settings"]]) != of_2024


def test_an_endpoint_without_a_server_fails_with_the_published_error() -> None:
    with opened(with_destination(endpoint="http://127.0.0.1:9/graphql")) as emulator:
        found = emulator.client.post(path(ACME, "test")).get_json()
    assert found["passed"] is False
    assert "127.0.0.1:9" in found["message"]


@pytest.mark.parametrize("generation", generations())
@pytest.mark.parametrize(("search", "many"), [("", True), ("1001", True), ("nothing has this", False)])
def test_choices_are_found_by_id_and_by_name(generation: str, search: str, many: bool) -> None:
    with opened(of_generation(generation)) as emulator:
        names = {each.id: each.name for each in emulator.sandbox.workspace.advertisers}
        asked = path(ACME, "choices", "advertiser_id")
        found = emulator.client.get(asked, query_string={"search": search}).get_json()
        assert found["dynamic"] is (generation in OF_2024)
        assert found["error"] is None
        assert bool(found["choices"]) is many
        assert all(names[each["value"]] == each["label"] for each in found["choices"])
        for each in found["choices"]:
            again = emulator.client.get(asked, query_string={"search": each["label"].upper()}).get_json()
            assert each in again["choices"]


def test_choices_of_a_wrong_token_are_the_published_error() -> None:
    with opened(with_destination(settings={"apiKey": "wrong", "advertiser_id": "1001"})) as emulator:
        found = emulator.client.get(path(ACME, "choices", "advertiser_id")).get_json()
    assert found["choices"] == []
    assert found["error"]["message"]


@pytest.mark.parametrize("generation", generations())
def test_the_sample_event_of_every_generation_becomes_a_record(generation: str) -> None:
    with opened(of_generation(generation)) as emulator:
        found = test_event(emulator)
    assert (found["sample"], found["kept"], found["matched"], found["calls"]) == (True, False, True, 1)
    assert found["mappings"] == {"matched": 1, "enabled": 1}
    assert found["payload"] is not None
    assert found["request"]["headers"]["authorization"] == "Bearer ***"
    assert found["request"]["document"].startswith("mutation")
    assert found["response"]["status"] == 200
    assert (found["outcome"], found["segmentReports"]) == ("sent", "delivered")
    assert len(found["records"]) == 1
    # The audience events of 2024 carry no email, so that no profile becomes visible.
    assert found["end"]["outcome"] == ("pending" if generation in OF_2024 else "visible")


def rows(sandbox: Sandbox) -> dict[str, Any]:
    with sandbox.store.begin() as connection:
        return {table.name: connection.execute(table.select()).all() for table in STACKADAPT.sorted_tables}


def test_nothing_is_left_behind_unless_it_is_kept(emulator: Emulator) -> None:
    emulator.segment.ingest("identify", {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}})
    before, cursor = rows(emulator.sandbox), emulator.sandbox.journal.cursor()
    assert test_event(emulator)["end"]["outcome"] == "visible"
    assert rows(emulator.sandbox) == before
    assert emulator.sandbox.journal.cursor() == cursor
    kept = test_event(emulator, keep=True)
    assert kept["kept"] is True
    assert emulator.stackadapt.profiles(email="person@example.com")


def test_the_copy_has_the_profiles_that_a_record_attaches_to(emulator: Emulator) -> None:
    def pending(user: str) -> str:
        event = {
            "type": "identify",
            "userId": user,
            "messageId": "m1",
            "traits": {"email": f"{user}@example.com", "vip_customers": True},
            "context": {
                "personas": {"computation_class": "audience", "computation_id": "aud_1", "computation_key": "k"}
            },
        }
        outcome: str = test_event(emulator, event=event)["end"]["outcome"]
        return outcome

    emulator.segment.ingest("identify", {"userId": "u1", "traits": {"email": "u1@example.com", "total_spent": 900}})
    assert pending("u1") == "visible"
    query = (
        'mutation { deleteRawProfiles(input: {advertiserId: 1001, emails: ["u1@example.com"], '
        "isComplianceRequest: true}) { userErrors { message } } }"
    )
    emulator.client.post("/graphql", json={"query": query}, headers={"authorization": "Bearer sa-local-write"})
    assert pending("u1") == "suppressed"


def test_the_latency_of_the_copy_is_waited_for() -> None:
    def slow(workspace: Workspace) -> Workspace:
        return replace(workspace, ingestion=replace(workspace.ingestion, latency="4h"))

    with opened(slow) as emulator:
        assert test_event(emulator)["end"]["outcome"] == "visible"
        assert emulator.sandbox.clock.now() == NOON
        assert test_event(emulator, keep=True)["end"]["outcome"] == "queued"


def test_an_event_that_the_trigger_does_not_match_is_not_sent(emulator: Emulator) -> None:
    found = test_event(emulator, event={"type": "page"})
    assert (found["matched"], found["calls"], found["request"], found["payload"]) == (False, 0, None, None)
    assert found["mappings"] == {"matched": 0, "enabled": 1}
    assert (found["outcome"], found["reason"], found["segmentReports"]) == (
        "discarded",
        "NO_MATCHING_MAPPING",
        "filtered",
    )
    assert found["end"]["outcome"] == "notSent"


def test_an_invalid_payload_names_the_field(emulator: Emulator) -> None:
    found = test_event(emulator, event={"type": "identify", "userId": "u1", "traits": {}})
    assert (found["matched"], found["calls"], found["end"]["outcome"]) == (True, 0, "notSent")
    assert found["reason"] == "PAYLOAD_VALIDATION_FAILED"
    assert "email" in found["message"]


def test_what_stackadapt_refuses_is_delivered_according_to_segment(emulator: Emulator) -> None:
    emulator.sandbox.faults.add({"fault": "userErrors", "operation": "upsertProfiles", "times": 1})
    found = test_event(emulator)
    assert (found["outcome"], found["reason"], found["segmentReports"]) == ("failed", "USER_ERRORS", "delivered")
    # The fault was used up in the copy only.
    assert emulator.sandbox.faults.rules()[0].remaining == 1


def test_an_endpoint_of_one_s_own_is_not_called_unless_it_is_kept() -> None:
    with opened(with_destination(endpoint="http://127.0.0.1:9/graphql")) as emulator:
        assert test_event(emulator)["end"]["outcome"] == "visible"
        kept = test_event(emulator, keep=True)
    assert (kept["outcome"], kept["reason"], kept["response"]) == ("retrying", "ECONNREFUSED", None)
    assert kept["end"]["outcome"] == "retrying"


def test_a_disabled_mapping_can_be_tested() -> None:
    def off(workspace: Workspace) -> Workspace:
        first = replace(workspace.destinations[0].subscriptions[0], enabled=False)
        return with_destination(subscriptions=(first,))(workspace)

    with opened(off) as emulator:
        found = test_event(emulator)
    assert (found["enabled"], found["mappings"]["enabled"]) == (False, 0)


def test_a_test_event_goes_past_the_destination_filters(emulator: Emulator) -> None:
    document = document_of(emulator.sandbox.workspace)
    drop = {"title": "Everything", "if": "type != null", "actions": [{"type": "DROP"}]}
    document["destinations"][0]["filters"] = [drop]
    with opened(lambda _: parse_workspace(document)) as filtering:
        assert test_event(filtering)["end"]["outcome"] == "visible"


def test_a_raw_call_that_fits_the_trigger_is_the_sample_where_engage_sends_nothing() -> None:
    with opened(with_destination(connections=(), step_connections=())) as emulator:
        assert test_event(emulator)["event"]["messageId"] == "sample-identify"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_may_be_any_text(name: str) -> None:
    def named(workspace: Workspace) -> Workspace:
        first: Destination = workspace.destinations[0]
        return with_destination(name=name, subscriptions=(replace(first.subscriptions[0], name=name),))(workspace)

    with opened(named) as emulator:
        assert emulator.client.post(path(name, "test")).status_code == 200
        assert emulator.client.get(path(name, "choices", "advertiser_id")).status_code == 200
        assert test_event(emulator, name, name)["end"]["outcome"] == "visible"


@pytest.mark.parametrize("name", [*NAMES, "stackadapt acme", "x" * 5000])
def test_an_unknown_name_is_404_and_names_the_known_ones(emulator: Emulator, name: str) -> None:
    first = emulator.sandbox.workspace.destinations[0].subscriptions[0].name
    for where, asked in (
        ("destination", path(name, "test")),
        ("destination", path(name, "subscriptions", first, "test")),
        ("subscription", path(ACME, "subscriptions", name, "test")),
    ):
        response = emulator.client.post(asked, json={})
        assert response.status_code == 404, asked
        assert response.get_json()["where"] == where
        assert response.get_json()["allowed"] in (ACME, first)


@pytest.mark.parametrize("field", ["advertiser", "api key", "a%2Fb", "Zo%C3%AB"])
def test_an_unknown_field_is_404(emulator: Emulator, field: str) -> None:
    response = emulator.client.get(f"{path(ACME)}/choices/{field}")
    assert response.status_code == 404


BAD_BODIES: list[tuple[Any, str]] = [
    ({"event": []}, "event"),
    ({"event": "x"}, "event"),
    ({"event": None}, "event"),
    ({"keep": "yes"}, "keep"),
    ({"evnt": {}}, "evnt"),
]


@pytest.mark.parametrize(("body", "where"), BAD_BODIES)
def test_a_wrong_body_is_named(emulator: Emulator, body: Any, where: str) -> None:
    first = emulator.sandbox.workspace.destinations[0].subscriptions[0].name
    response = emulator.client.post(path(ACME, "subscriptions", first, "test"), json=body)
    assert (response.status_code, response.get_json()["where"]) == (400, where)


@pytest.mark.parametrize(
    "event", [{}, {"type": 7}, {"context": None, "type": "identify"}, {"traits": {"email": "\x00"}}]
)
def test_any_event_has_an_answer(emulator: Emulator, event: dict[str, Any]) -> None:
    assert test_event(emulator, event=event)["end"]["outcome"] in ("notSent", "rejected", "visible", "failed")


def test_a_changed_workspace_is_read_at_each_request(emulator: Emulator) -> None:
    changed = document_of(emulator.sandbox.workspace)["destinations"]
    changed[0]["name"] = "Other"
    assert emulator.client.patch("/_emulator/workspace", json={"destinations": changed}).status_code == 200
    assert emulator.client.post(path(ACME, "test")).status_code == 404
    assert emulator.client.post(path("Other", "test")).status_code == 200
    assert test_event(emulator)["end"]["outcome"] == "visible"
    explained = emulator.client.post("/_emulator/explain", json={"event": {"type": "page"}, "destination": "Other"})
    assert explained.status_code == 200
    assert emulator.client.get("/_emulator/funnel", query_string={"destination": "Other"}).status_code == 200
