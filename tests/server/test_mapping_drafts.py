"""What the form of a mapping asks: fields, samples, and a draft that is checked before it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from emulator import Emulator, load_workspace
from emulator.mapping import Field, generations, load_definition
from emulator.workspace import Workspace
from emulator.workspace_document import document_of

ACME = "StackAdapt Acme"
OF_2024 = '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
DRAFT = {"name": "Draft", "action": "forwardAudienceEvent", "trigger": 'type = "identify" or type = "track"'}


def opened(workspace: Workspace | None = None, **changes: Any) -> Emulator:
    workspace = workspace or load_workspace()
    return Emulator(replace(workspace, destinations=(replace(workspace.destinations[0], **changes),)))


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with opened() as emulator:
        yield emulator


def path(*parts: str) -> str:
    return "/".join(["/_emulator/destinations", *(quote(part, safe="") for part in parts)])


def check(emulator: Emulator, status: int = 200, **body: Any) -> dict[str, Any]:
    response = emulator.client.post(path(ACME, "check"), json=body)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.get_json()
    return found


def repairs(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each["repair"] for each in found["findings"] if "repair" in each]


def repaired(found: Mapping[str, Any]) -> dict[str, Any]:
    """The subscription with every repair applied, as the buttons of the form apply it."""
    subscription = found["subscription"]
    mapping = dict(subscription.get("mapping", {}))
    for repair in repairs(found):
        subscription = {**subscription, **{key: value for key, value in repair.items() if key == "trigger"}}
        mapping |= repair.get("mapping", {})
    return {**subscription, "mapping": {key: value for key, value in mapping.items() if value is not None}}


def flat(fields: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for field in fields:
        yield field
        yield from flat(field["properties"])


def all_fields(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from all_fields(field.properties)


@pytest.mark.parametrize("generation", generations())
def test_the_fields_are_those_of_the_definition(generation: str) -> None:
    definition = load_definition(generation)
    with opened(generation=generation) as emulator:
        found = emulator.client.get(path(ACME, "fields")).get_json()
    assert (found["generation"], found["advertiserFrom"]) == (generation, definition.advertiser_from)
    for shown, action in zip(found["actions"], definition.actions.values(), strict=True):
        assert (shown["slug"], shown["title"]) == (action.slug, action.title)
        for one, field in zip(flat(shown["fields"]), all_fields(action.fields), strict=True):
            assert (one["key"], one["label"], one["type"]) == (field.key, field.label, field.type)
            assert (one["required"], one["dynamic"], one["default"]) == (field.required, field.dynamic, field.default)
        hidden = {one["key"] for one in shown["fields"] if one["hidden"]}
        assert {"enable_batching"} <= hidden
        assert not hidden & {"advertiser_id", "marketing_status", "email", "user_id"}
    advertisers = [each for action in found["actions"] for each in action["fields"] if each["key"] == "advertiser_id"]
    assert [each["help"] for each in advertisers] == [
        "The StackAdapt advertiser to add the profile to." for _ in advertisers
    ]
    assert bool(advertisers) == (definition.advertiser_from == "mapping")


@pytest.mark.parametrize("connected", [True, False])
def test_samples_are_what_engage_sends_and_calls_of_an_app(connected: bool) -> None:
    connections = load_workspace().destinations[0].connections if connected else ()
    with opened(connections=connections) as emulator:
        samples = emulator.client.get(path(ACME, "samples")).get_json()["samples"]
    assert [each["name"] for each in samples] == [
        "identify of vip_customers: entering",
        "track of vip_customers: Audience Entered",
        "identify of vip_customers: leaving",
        "track of vip_customers: Audience Exited",
        "identify of an app",
        "track of an app",
    ]
    assert [each["event"]["type"] for each in samples] == ["identify", "track"] * 3
    assert samples[0]["event"]["traits"]["first_name"] == "Ada"


def test_samples_without_any_audience() -> None:
    with opened(replace(load_workspace(), audiences=()), connections=()) as emulator:
        samples = emulator.client.get(path(ACME, "samples")).get_json()["samples"]
    assert samples[0]["event"]["context"]["personas"]["computation_key"] == "sample_audience"


def test_a_draft_shows_each_condition_and_field_and_changes_nothing(emulator: Emulator) -> None:
    before = emulator.client.get("/_emulator/workspace").get_json()["workspace"]
    standard = {"first_name": {"@path": "$.traits.first_name"}, "city": "Paris"}
    mapping = {"marketing_status": "Opted-in", "email": {"@path": "$.traits.email"}, "standard_traits": standard}
    found = check(emulator, subscription={**DRAFT, "mapping": mapping})
    assert found["sample"] is True
    assert found["trigger"] == {
        "text": DRAFT["trigger"],
        "error": None,
        "matched": True,
        "conditions": {
            "operator": "or",
            "passed": True,
            "conditions": [
                {"field": "type", "operator": "=", "value": "identify", "passed": True, "found": "identify"},
                {"field": "type", "operator": "=", "value": "track", "passed": False, "found": "identify"},
            ],
        },
        "obstacle": None,
        "message": None,
    }
    values = {each["path"]: each.get("value") for each in found["fields"]}
    assert values["/email"] == "person@example.com"
    assert (values["/standard_traits/first_name"], values["/standard_traits/city"]) == ("Ada", "Paris")
    assert values["/marketing_status"] == "Opted-in"
    assert found["payload"]["email"] == "person@example.com"
    assert found["message"] is None
    assert "name: Draft" in found["yaml"]
    assert emulator.client.get("/_emulator/workspace").get_json()["workspace"] == before


def test_an_event_that_does_not_match_gets_the_words_of_segment(emulator: Emulator) -> None:
    event = {"type": "page", "name": "Home"}
    found = check(emulator, subscription=DRAFT, event=event)
    assert (found["event"], found["sample"], found["payload"]) == (event, False, None)
    assert found["trigger"]["matched"] is False
    assert found["trigger"]["message"] == "You may not have any subscriptions that match this event."


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("generation", generations())
def test_the_trigger_of_2024_has_a_finding_whose_repair_lets_everyone_through(generation: str, connected: bool) -> None:
    workspace = load_workspace()
    connections = workspace.destinations[0].connections if connected else ()
    settings = {"apiKey": "sa-local-write", "advertiser_id": "1001"}
    draft = {**DRAFT, "enabled": False, "trigger": OF_2024, "mapping": {}}
    with opened(workspace, generation=generation, settings=settings, connections=connections) as emulator:
        found = check(emulator, subscription=draft)
        assert "T002" in [each["code"] for each in found["findings"]]
        better = check(emulator, subscription=repaired(found))
        assert "T002" not in [each["code"] for each in better["findings"]]
        for sample in emulator.client.get(path(ACME, "samples")).get_json()["samples"][:4]:
            assert check(emulator, subscription=repaired(found), event=sample["event"])["trigger"]["matched"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"trigger": 'type = "track'}, "T001"),
        ({"trigger": 'type == "track"'}, "T004"),
        ({"trigger": 'type = "track"'}, "T002"),
        ({"trigger": 'type = "identify" and userId = "u1" or type = "track"'}, "T003"),
        ({"mapping": {"no_such_field": 1}}, "M003"),
        ({"mapping": {"event_type": "", "marketing_status": "Opted-in"}}, "M004"),
        ({"mapping": {"email": {"@path": "$.traits.email"}}}, "M005"),
        ({"mapping": {"marketing_status": "Opted in"}}, "M010"),
    ],
)
def test_a_repair_removes_its_finding(emulator: Emulator, change: dict[str, Any], code: str) -> None:
    found = check(emulator, subscription={**DRAFT, **change})
    assert [each for each in found["findings"] if each["code"] == code and "repair" in each]
    better = check(emulator, subscription=repaired(found))
    assert code not in [each["code"] for each in better["findings"]]


def test_conditions_replace_the_trigger(emulator: Emulator) -> None:
    conditions = {"operator": "and", "conditions": [{"field": "event", "operator": "=", "value": "Audience Entered"}]}
    found = check(emulator, subscription=DRAFT, conditions=conditions)
    assert found["subscription"]["trigger"] == found["trigger"]["text"] == 'event = "Audience Entered"'


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"conditions": {"operator": "and", "conditions": [{"field": "kind"}]}}, "conditions[0].field"),
        ({"conditions": {"operator": "xor", "conditions": []}}, "conditions.operator"),
        ({"subscription": {"name": "Draft"}}, "subscription"),
        ({"subscription": {**DRAFT, "trigger": 5}}, "draft: destinations[0].subscriptions[1].trigger"),
        ({"subscription": {**DRAFT, "mapping": []}}, "draft: destinations[0].subscriptions[1].mapping"),
        ({"event": []}, "event"),
    ],
)
def test_what_is_wrong_with_a_draft_has_its_place(emulator: Emulator, body: dict[str, Any], place: str) -> None:
    assert check(emulator, 400, **{"subscription": DRAFT, **body})["where"] == place


def test_an_unknown_destination_is_named(emulator: Emulator) -> None:
    for method, part in (("get", "fields"), ("get", "samples"), ("post", "check")):
        body = {"json": {"subscription": DRAFT}} if method == "post" else {}
        response = getattr(emulator.client, method)(path("StackAdapt Acne", part), **body)
        assert response.status_code == 404
        assert "StackAdapt Acme" in response.get_json()["hint"]


@pytest.mark.parametrize("name", ["a/b", "a//b", "a/check", "50% & more?", "<script>", "Zoë 😀"])
def test_names_of_any_kind_work(name: str) -> None:
    with opened(name=name) as emulator:
        assert emulator.client.get(path(name, "fields")).status_code == 200
        assert emulator.client.get(path(name, "samples")).status_code == 200
        assert emulator.client.post(path(name, "check"), json={"subscription": DRAFT}).status_code == 200


def test_a_draft_is_tested_before_it_is_saved(emulator: Emulator) -> None:
    name = emulator.sandbox.workspace.destinations[0].subscriptions[0].name
    tested = emulator.client.post(
        path(ACME, "subscriptions", name, "test"), json={"draft": {**DRAFT, "trigger": 'type = "page"'}}
    ).get_json()
    assert (tested["matched"], tested["end"]["outcome"]) == (False, "notSent")
    assert document_of(emulator.sandbox.workspace)["destinations"][0]["subscriptions"][0]["name"] == name


def test_explain_tries_another_trigger_at_a_disabled_subscription(emulator: Emulator) -> None:
    address = "/_emulator/workspace/destinations/StackAdapt%20Acme/subscriptions"
    assert emulator.client.post(address, json={**DRAFT, "enabled": False}).status_code == 201
    body = {"event": {"type": "page"}, "subscription": "Draft", "trigger": 'type = "identify"'}
    (found,) = emulator.client.post("/_emulator/explain", json=body).get_json()["explanations"]
    assert (found["subscription"], found["stopped"]) == ("Draft", "trigger")
    (condition,) = found["trigger"]["conditions"]["conditions"]
    assert (condition["condition"], condition["passed"], condition["found"]) == ('type = "identify"', False, "page")
    assert emulator.client.post("/_emulator/explain", json={**body, "subscription": "Drift"}).status_code == 404
