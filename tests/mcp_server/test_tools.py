"""Each tool asked in process: answers, their provenance, and mistakes in arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_text, fixture
from emulator.errors import InputError, UnknownName
from emulator.faults.catalogue import fault_kinds
from emulator.harness.ledger import PROVENANCES, behaviours
from emulator.harness.triggered import LATENCY, NOT_REACHED, REACHED
from emulator.harness.why.answer import STAGES
from emulator.mcp_server import tools
from emulator.mcp_server.sent_event import EVENTS
from emulator.mcp_server.tool_calls import CALLS
from emulator.yaml_files import load_yaml

Ask = Callable[..., dict[str, Any]]
VIP = {"type": "identify", "email": "ada@example.com", "traits": {"total_spent": 900}}
EVENT = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "vip_customers": True}}
# Arguments with which each tool has an answer once VIP has been sent.
ASKED: Mapping[str, Mapping[str, Any]] = {
    "send_event": VIP,
    "why": {"email": "ada@example.com"},
    "explain": {"event": EVENT},
    "test_mapping": {},
    "plan": {"generation": "3.497.0", "people": 5},
    "advance_clock": {"duration": "4h"},
    "set_fault": {"fault": {"fault": "status", "status": 503}},
    "find_requests": {},
    "run_scenarios": {"scenario": "emails/not-sent"},
    "write_scenario": {"email": "ada@example.com"},
    "fidelity_of": {"text": "retry"},
}


def test_each_tool_is_declared_and_called_here() -> None:
    assert list(tools()) == list(CALLS) == list(ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_fits_its_schema_and_says_where_it_comes_from(ask: Ask, name: str) -> None:
    ask("send_event", **VIP)
    answered = ask(name, **ASKED[name])
    origin = answered["provenance"]
    assert origin["sandbox"] == "default"
    assert origin["text"].startswith(f"this emulator's state at {origin['at']}, in the sandbox 'default' of http://")
    assert {row["id"] for row in origin["behaviours"]} >= set(tools()[name].behaviours)


@pytest.mark.parametrize("name", ASKED)
def test_a_declaration_is_valid_and_its_rows_exist(name: str) -> None:
    tool = tools()[name]
    for schema in (tool.input, tool.output):
        Draft202012Validator.check_schema(schema)
        # The interfaces of some models take no others at the top.
        assert schema["type"] == "object"
        assert not {"anyOf", "oneOf", "allOf", "not"} & schema.keys()
    assert set(tool.behaviours) <= {row.id for row in behaviours()}
    assert [key for key, each in tool.input["properties"].items() if not {"description", "enum"} & each.keys()] == []


# Values that only these tools have.
OWN_VALUES = {
    frozenset(EVENTS),
    # Where emulator.harness.explain stops.
    frozenset({"filter", "trigger", "mapping", "validation", None}),
    frozenset({REACHED, LATENCY, NOT_REACHED}),
    frozenset(STAGES),
    frozenset(PROVENANCES),
    frozenset(each["name"] for each in fault_kinds()),
}


def enums(value: Any) -> Iterator[frozenset[Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("enum"), list):
            yield frozenset(value["enum"])
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from enums(item)


def test_listed_values_are_those_of_the_code_or_of_the_control_api() -> None:
    known = OWN_VALUES | {*enums(load_yaml(contract_text("openapi.yaml")))}
    declared = {*enums(load_yaml(contract_text("mcp-tools.yaml")))}
    assert [sorted(map(str, values)) for values in declared - known] == []


def test_the_rows_about_a_reason_are_behind_an_answer_with_it(ask: Ask) -> None:
    answered = ask("test_mapping", trigger='type = "alias"')
    assert answered["answer"]["end"] == {
        "outcome": "notSent",
        "reason": "NO_MATCHING_MAPPING",
        "message": "not subscribed",
    }
    assert "delivery-not-triggered" in {row["id"] for row in answered["provenance"]["behaviours"]}


def test_a_draft_of_a_mapping_is_tested_and_not_saved(ask: Ask) -> None:
    draft = {"email": "no address"}
    assert ask("test_mapping", mapping=draft)["answer"]["end"]["reason"] == "PAYLOAD_VALIDATION_FAILED"
    assert ask("test_mapping")["answer"]["end"]["outcome"] == "visible"


@pytest.mark.parametrize(
    ("given", "result"),
    [
        ({"type": "audience-entered", "audience": "vip_customers"}, "reached"),
        ({"type": "audience-exited", "audience": "vip_customers"}, "reached"),
        ({"type": "identify", "traits": {"total_spent": 900}}, "reached"),
        ({"type": "identify", "traits": {"total_spent": 1}}, "notReached"),
        ({"type": "track", "event": "Order Completed", "properties": {"total": 9}}, "notReached"),
        ({"type": "page", "name": "Home"}, "notReached"),
        ({"type": "group", "group_id": "g1"}, "notReached"),
    ],
)
def test_an_event_of_each_type_is_sent(ask: Ask, given: dict[str, Any], result: str) -> None:
    answer = ask("send_event", email="ada@example.com", **given)["answer"]
    assert answer["result"] == result, answer["text"]


def test_a_plan_shows_who_is_lost(ask: Ask) -> None:
    narrow = fixture("workspace.yaml").read_text(encoding="utf-8").replace("value: 500}", "value: 4000}")
    assert ask("plan", new=narrow, people=20)["answer"]["profiles"]["lost"] > 0
    ask("send_event", **VIP)
    known = ask("plan", new=narrow, known=True)["answer"]
    assert (known["people"]["calls"], known["profiles"]["lost"]) == (1, 1)


def test_a_fault_is_set_and_removed(ask: Ask) -> None:
    assert [rule["fault"] for rule in ask("set_fault", fault={"fault": "reset"})["answer"]["faults"]] == ["reset"]
    replaced = ask("set_fault", clear=True, fault={"fault": "notJson"})["answer"]["faults"]
    assert [rule["fault"] for rule in replaced] == ["notJson"]
    assert ask("set_fault", clear=True)["answer"] == {"faults": []}


def test_the_newest_requests_are_found_and_cut(ask: Ask) -> None:
    for number in range(3):
        ask("send_event", **VIP | {"email": f"{number}@example.com"})
    found = ask("find_requests", person="2@example.com", limit=1, longest=10, show_personal_data=True)["answer"]
    assert found["total"] == 1
    assert found["requests"][0]["request"] == '{"query":"…'
    assert ask("find_requests", limit=2)["answer"]["total"] == 3
    newest = ask("find_requests", limit=1, show_personal_data=True)["answer"]["requests"]
    assert "2@example.com" in newest[0]["request"]


def test_a_case_is_written_and_run(ask: Ask) -> None:
    ask("send_event", **VIP)
    written = ask("write_scenario", email="ada@example.com")["answer"]
    played = ask("run_scenarios", document=written["text"])["answer"]
    assert played["summary"] == {"passed": 1, "failed": 0, "skipped": 0}
    broken = written["text"].replace("total_spent: 900", "total_spent: 1")
    failed = ask("run_scenarios", document=broken)["answer"]
    assert failed["summary"]["failed"] == 1
    assert not all(check["passed"] for check in failed["scenarios"][0]["checks"])


def test_the_ledger_is_searched(ask: Ask) -> None:
    answer = ask("fidelity_of", provenance="assumed", text="retry", limit=2)["answer"]
    assert len(answer["behaviours"]) == 2 < answer["found"] < answer["total"]
    assert {row["provenance"] for row in answer["behaviours"]} == {"assumed"}


@pytest.mark.parametrize(
    ("name", "given", "error", "words"),
    [
        ("wy", {}, UnknownName, "unknown tool 'wy'. Known: send_event, why, explain"),
        ("why", {}, InputError, "why: no person is given. Allowed: email, user_id, message_id."),
        ("why", {"mail": "x"}, InputError, "Did you mean 'email'?"),
        ("why", {"user_id": "x" * 200_000}, InputError, "why: a value does not fit into a URL: "),
        ("why", {"email": 1}, InputError, "why: email: must be a string. Found: 1."),
        ("write_scenario", {"as": "curl"}, InputError, "write_scenario: no person is given"),
        ("write_scenario", {"as": "java", "email": "x"}, InputError, "Allowed: scenario, pytest, curl."),
        ("send_event", {"type": "identify"}, InputError, "send_event: identify: a person is required"),
        ("send_event", {"type": "idntify"}, InputError, "Did you mean 'identify'?"),
        ("send_event", {"type": "track", "email": "x"}, InputError, "'event' is required. Allowed: event, properties."),
        ("send_event", VIP | {"event": "x"}, InputError, "'event' is not for this type. Allowed: traits."),
        (
            "send_event",
            {"type": "audience-entered", "email": "x", "audience": "vip"},
            InputError,
            "vip_customers",
        ),
        ("explain", {}, InputError, "the key 'event' is missing"),
        ("test_mapping", {"destination": "Acme"}, InputError, "StackAdapt Acme"),
        (
            "test_mapping",
            {"destination": "Müller 😀/../x"},
            InputError,
            "unknown destination instance 'Müller 😀/../x'",
        ),
        ("test_mapping", {"subscription": "Synk Audience"}, InputError, "Did you mean 'Sync Audience'?"),
        ("plan", {}, InputError, "plan: one changed workspace is required. Allowed: new or generation."),
        ("plan", {"new": "name: ["}, InputError, "neither YAML nor JSON"),
        ("plan", {"new": {"name": "x"}}, InputError, "the key 'advertisers' is missing"),
        ("plan", {"generation": "3"}, InputError, "3.517.0"),
        ("advance_clock", {"duration": "4 parsecs"}, InputError, "Found: '4 parsecs'. Allowed: Days, hours"),
        ("set_fault", {}, InputError, "set_fault: nothing to do. Allowed: fault, clear or both."),
        ("set_fault", {"fault": {"fault": "status"}}, InputError, "status"),
        ("find_requests", {"limit": 0}, InputError, "find_requests: limit: this number is too small"),
        ("run_scenarios", {"scenario": "a", "document": "b"}, InputError, "run_scenarios: two scenarios"),
        ("run_scenarios", {"scenario": "emails/not-snt"}, InputError, "emails/not-sent"),
        ("fidelity_of", {"area": "x"}, UnknownName, "area: unknown area 'x'. Known: "),
    ],
)
def test_a_mistake_is_answered_with_its_place_and_a_remedy(
    ask: Ask, name: str, given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as raised:
        ask(name, **given)
    assert words in str(raised.value)
