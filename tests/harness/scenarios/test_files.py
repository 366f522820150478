"""Scenario files: their errors, and the workspace that they describe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.errors import InputError, WorkspaceError
from emulator.harness.scenarios import Scenario, read_scenarios
from emulator.merge_patch import merged
from emulator.workspace import LAST, parse_workspace

Read = Callable[[str], Scenario]

SCENARIO = """
title: A scenario
about: A test.
shows: [kit-paths]
given:
  people:
    ada: {email: ada@example.com}
steps:
  - when:
      - identify: ada
    then:
      profiles: [ada]
"""


@pytest.fixture
def read(scenario: Read) -> Read:
    return scenario


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(contract_json("scenario.schema.json"))


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("title: A scenario", "titel: A scenario", "(top level)", "Did you mean 'title'?"),
        ("about: A test.\n", "", "(top level)", "the key 'about' is missing"),
        ("identify: ada", "identfy: ada", "steps[0].when[0]", "Did you mean 'identify'?"),
        ("identify: ada", "person: ada", "steps[0].when[0]", "one of identify, batch"),
        ("identify: ada", "{identify: ada, advance: 4h}", "steps[0].when[0]", "unknown key 'advance'"),
        ("identify: ada", "enter: vip_customers", "steps[0].when[0]", "the key 'person' is missing"),
        ("identify: ada", "advance: 4 hous", "steps[0].when[0].advance", "90s, 15m, 4h, 2d"),
        ("identify: ada", "compute: vips", "steps[0].when[0].compute", "unknown audience 'vips'. Known: vip_customers"),
        (
            "identify: ada",
            "{compute: vip_customers, resync: true}",
            "steps[0].when[0]",
            "the key 'destination' is missing",
        ),
        ("identify: ada", "control: reset", "steps[0].when[0].control", "Method and path"),
        ("identify: ada", "{control: POST reset, bodi: {}}", "steps[0].when[0]", "Did you mean 'body'?"),
        ("identify: ada", "change: {}", "steps[0].when[0].change", ""),
        ("identify: ada", "change: {workspace: {tokens: []}}", "steps[0].when[0].change: tokens", ""),
        ("identify: ada", "change: {destinations: {}}", "steps[0].when[0].change", "Did you mean 'destination'?"),
        ("identify: ada", "fault: statos", "steps[0].when[0].fault", "Did you mean 'status'?"),
        ("identify: ada", "identify: adda", "steps[0]", "Did you mean 'ada'?"),
        ("identify: ada", "{graphql: '{ user { email } }', token: Local rite}", "steps[0]", "Local read and write"),
        ("profiles: [ada]", "profile: [ada]", "steps[0].then", "Did you mean 'profiles'?"),
        ("profiles: [ada]", "profiles: [{persn: ada}]", "steps[0].then.profiles[0]", "Did you mean 'person'?"),
        ("profiles: [ada]", "profiles: [eve]", "steps[0]", "unknown person 'eve'. Known: ada."),
        ("profiles: [ada]", "deliveries: [{outcome: sended}]", "deliveries[0].outcome", "Did you mean 'sent'?"),
        ("given:\n", "given:\n  latency: soon\n", "given.latency", "Allowed"),
        ("given:\n", "given:\n  workspace: {apiEditon: x}\n", "given: (top level)", "Did you mean 'apiVersion'?"),
        ("given:\n", "given:\n  destination: {batch: {siz: 5}}\n", "destinations[0].batch", "Did you mean 'size'?"),
        ("given:\n", "given:\n  workspace: {destinations: []}\n  destination: {}\n", "destinations", "no destination"),
        (
            "given:\n",
            "given:\n  destination: {audiences: []}\n  audience: {}\n",
            "destinations[0].audiences",
            "no audi",
        ),
        (
            "given:\n",
            "given:\n  destination: {audiences: null}\n  audience: {}\n",
            "audiences",
            "no audience to change",
        ),
        ("given:\n", "given:\n  destination: {subscriptions: x}\n  subscription: {}\n", "subscriptions", "to change"),
        ("given:\n", "given:\n  destination: {audiences: [x]}\n", "audiences[0]", "must be an object"),
        ("given:\n", "given:\n  workspace: {destinations: [x]}\n  destination: {}\n", "destinations[0]", "missing"),
        ("steps:", "stepps:", "(top level)", "Did you mean 'steps'?"),
        (
            "[kit-paths]",
            "[kit-paths, kit-pats]",
            "shows[1]",
            "unknown id of contracts/fidelity.yaml 'kit-pats'. Did you mean 'kit-paths'?",
        ),
        ("identify: ada", "{enter: vip_custmers, person: ada}", "steps[0].when[0].enter", "mean 'vip_customers'?"),
        ("identify: ada", "{exit: vip_custmers, person: ada}", "steps[0].when[0].exit", "mean 'vip_customers'?"),
        (
            "identify: ada",
            "{fault: reset, operation: upsertProfile}",
            "steps[0].when[0].operation",
            "mean 'upsertProfiles'?",
        ),
        ("identify: ada", "{fault: reset, every: 2}", "steps[0].when[0].every", "unknown reset option"),
        (
            "profiles: [ada]",
            "requests: [{operation: upsertProfile}]",
            "requests[0].operation",
            "mean 'upsertProfiles'?",
        ),
        ("profiles: [ada]", "rejections: {MISSING_MAIL: 1}", "steps[0].then.rejections", "mean 'MISSING_EMAIL'?"),
        ("profiles: [ada]", "records: {visble: 1}", "steps[0].then.records", "mean 'visible'?"),
        (
            "profiles: [ada]",
            "audiences: {vips: 1}",
            "steps[0].then.audiences",
            "unknown audience 'vips'. Known: vip_customers.",
        ),
        (
            "profiles: [ada]",
            "segments: [{rule: {field: city, operator: eqals, value: x}, members: []}]",
            "steps[0].then.segments[0].rule.operator",
            "Did you mean 'equals'?",
        ),
        (
            "profiles: [ada]",
            "segments: [{rule: {all: [{not: {field: ctiy, operator: exists}}]}, members: []}]",
            "steps[0].then.segments[0].rule.all[0].not.field",
            "Did you mean 'city'?",
        ),
    ],
)
def test_an_error_names_its_place(read: Read, old: str, new: str, where: str, message: str) -> None:
    with pytest.raises((InputError, WorkspaceError)) as caught:
        read(SCENARIO.replace(old, new))
    assert where in str(caught.value)
    assert message in str(caught.value)


def test_ledger_ids_are_optional(read: Read) -> None:
    assert read(SCENARIO.replace("shows: [kit-paths]\n", "")).shows == ()


def test_a_rule_may_name_a_trait_of_the_scenario(read: Read) -> None:
    rule = "segments: [{rule: {field: shoe_size, operator: exists}, members: []}]"
    text = SCENARIO.replace("profiles: [ada]", rule)
    assert read(text.replace("{email: ada@example.com}", "{email: ada@example.com, traits: {shoe_size: 7}}"))


def test_invalid_yaml_is_reported_with_its_line(read: Read) -> None:
    with pytest.raises(InputError, match="line 3, column 12: "):
        read(SCENARIO.replace("about: A test.", "about: 'A' test."))


def test_a_missing_file_and_a_folder_without_scenarios_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: "):
        read_scenarios([tmp_path / "none.yaml"])
    with pytest.raises(InputError, match="no scenario in this folder"):
        read_scenarios([tmp_path])


def test_folders_are_searched_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "two.yml").write_text(SCENARIO)
    (tmp_path / "a" / "one.yaml").write_text(SCENARIO)
    (tmp_path / "a" / "notes.txt").write_text("not a scenario")
    assert [each.path.name for each in read_scenarios([tmp_path])] == ["two.yml", "one.yaml"]


def test_the_user_id_defaults_to_the_name(read: Read) -> None:
    assert read(SCENARIO).people["ada"].user_id == "ada"


def test_changes_are_merged_into_the_default_workspace(read: Read) -> None:
    changes = """given:
  latency: 4h
  destination: {batch: {size: 7}, settings: {apiKey: sa-local-read}}
  audience: {sendTrack: false}
  subscription: {mapping: {marketing_status: Indeterminate}}
"""
    workspace = parse_workspace(read(SCENARIO.replace("given:\n", changes)).workspace)
    [destination] = workspace.destinations
    assert workspace.ingestion.latency == "4h"
    assert destination.batch_size == 7
    assert destination.settings == {"apiKey": "sa-local-read", "advertiser_id": "1001"}
    assert (destination.connections[0].send_track, destination.connections[0].email) == (False, LAST)
    assert destination.subscriptions[0].mapping["marketing_status"] == "Indeterminate"
    assert "email" in destination.subscriptions[0].mapping


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], {"a": "b"}, {"a": "b"}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_changes_are_merged_as_in_rfc_7396(document: object, patch: object, result: object) -> None:
    assert merged(document, patch) == result


def test_an_unquoted_date_is_a_string(read: Read) -> None:
    changed = SCENARIO.replace("{email: ada@example.com}", "{email: ada@example.com, traits: {birthday: 1990-01-01}}")
    assert read(changed).people["ada"].traits == {"birthday": "1990-01-01"}
