"""`lint` and `validate` find what keeps an emulator from starting with a workspace."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.errors import UserMistake
from emulator.harness.checks import check_document, lint
from emulator.harness.checks.document_kinds import kind_named
from emulator.harness.checks.finding import of_mistake
from emulator.harness.event_files import Document
from emulator.workspace import parse_workspace

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())


def changed(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DEFAULT), **members}


def with_condition(**condition: Any) -> dict[str, Any]:
    return changed(audiences=[*DEFAULT["audiences"], {"id": "aud_x", "key": "x", "name": "X", "condition": condition}])


def with_destination(**members: Any) -> dict[str, Any]:
    return changed(destinations=[{**DEFAULT["destinations"][0], **members}])


def with_journey(**entry: Any) -> dict[str, Any]:
    return changed(journeys=[{"id": "j", "name": "J", "entry": entry, "steps": [{"key": "j__a", "name": "A"}]}])


SUBSCRIPTION = DEFAULT["destinations"][0]["subscriptions"][0]


@pytest.mark.parametrize(
    ("document", "place", "message"),
    [
        (with_condition(audience="vips"), "audience 'x': condition", "unknown audience"),
        (with_condition(audience="x"), "audience 'x': condition", "cycle"),
        (
            with_condition(trait="total", operator="at_least"),
            "audience 'x': condition.value",
            "invalid value for 'at_least'",
        ),
        (
            with_condition(event="A", where=[{"property": "p", "operator": "at_least", "value": "50"}]),
            "audience 'x': condition.where[0].value",
            "invalid value for 'at_least'",
        ),
        (with_condition(event="A", between=["90d", "30d"]), "audience 'x': condition.between", "ends before it starts"),
        (with_condition(event="A", between=["1d", "2d"], within="1d"), "audience 'x': condition", "one window"),
        (with_condition(event="A", within=f"{'9' * 20}d"), "audience 'x': condition.within", "too long"),
        (with_journey(audience="vips"), "journey 'j': entry", "unknown audience"),
        (changed(faults=[{"fault": "partial", "milliseconds": 3}]), "faults[0].milliseconds", "unknown partial option"),
        (changed(apiVersion="2027-01"), "apiVersion", "unknown API version"),
        (with_destination(generation="3.51.0"), "destination 'StackAdapt Acme': generation", "unknown generation"),
        (
            with_destination(subscriptions=[SUBSCRIPTION] * 2),
            "destination 'StackAdapt Acme': subscriptions",
            "same name",
        ),
        (
            with_destination(subscriptions=[SUBSCRIPTION | {"action": "forwardProfile"}]),
            "destination 'StackAdapt Acme', subscription 'Sync Audience': action",
            "unknown action",
        ),
    ],
)
def test_a_workspace_that_no_emulator_starts_with_is_a_finding(
    document: dict[str, Any], place: str, message: str
) -> None:
    with pytest.raises(UserMistake, match=message) as refused:
        Emulator(parse_workspace(document))
    assert refused.value.where == place
    expected = of_mistake(refused.value, place)
    [of_lint] = [finding for finding in lint(parse_workspace(document)) if finding.code == "W001"]
    assert list(check_document(Document(file="x", value=document)).findings) == lint(parse_workspace(document))
    assert (of_lint.severity, of_lint.place, of_lint.message) == ("error", place, expected.message)
    assert (of_lint.found, of_lint.allowed, of_lint.fix) == (expected.found, expected.allowed, expected.fix)


def test_a_workspace_that_an_emulator_starts_with_has_no_finding_about_it() -> None:
    assert "W001" not in {finding.code for finding in lint(parse_workspace(DEFAULT))}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (changed(tokens=[DEFAULT["tokens"][0] | {"expiresAt": "soon"}]), "expiresAt"),
        (with_destination(batch={"age": f"{'9' * 20}d"}), "destination 'StackAdapt Acme': batch.age"),
    ],
)
def test_validate_finds_what_is_refused_when_the_workspace_is_read(document: dict[str, Any], place: str) -> None:
    with pytest.raises(UserMistake):
        parse_workspace(document)
    [finding] = check_document(Document(file="x", value=document), kind_named("workspace")).findings
    assert finding.place.endswith(place)


IGNORED = "The engine ignores it silently."
ANY_ACTION = (
    "standard_traits, custom_properties_mode, custom_traits, custom_user_properties, user_id, event_type, "
    "marketing_status, enable_batching, traits_or_props, segment_computation_class, segment_computation_id, "
    "segment_computation_key, email, traits, previous_id, advertiser_id"
)


def instance(**changes: Any) -> dict[str, Any]:
    """The destination instance of the default workspace, with a mapping of a wrong field."""
    [changed] = copy.deepcopy(DEFAULT["destinations"])
    changed["subscriptions"][0]["mapping"] = {"emial": {"@path": "$.traits.email"}}
    return {**changed, **changes}


def mapping_of(**fields: Any) -> dict[str, Any]:
    return {"email": {"@path": "$.traits.email"}, **fields}


UNKNOWN_FIELDS = [
    (mapping_of(), "mapping", []),
    # A field of an old generation only.
    (mapping_of(advertiser_id="1001"), "mapping", []),
    (
        mapping_of(marketing_sttus="Opted-in", zzzz=1),
        "mapping",
        [
            ("marketing_sttus", "No action of any generation has a field 'marketing_sttus'.",
             "Did you mean 'marketing_status'?"),
            ("zzzz", "No action of any generation has a field 'zzzz'.", "Remove the field."),
        ],
    ),
    (
        instance(),
        "destination-instance",
        [("subscriptions[0].mapping.emial", "The action has no field 'emial'.", "Did you mean 'email'?")],
    ),
    (instance(generation="9.9.9"), "destination-instance", []),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "expected"), UNKNOWN_FIELDS)
def test_an_unknown_field_of_a_mapping_gets_the_nearest_one(
    value: dict[str, Any], kind: str, expected: list[tuple[str, str, str]]
) -> None:
    checked = check_document(Document(file="x.json", line=None, index=None, value=value), kind_named(kind))
    found = [(each.code, each.severity, each.place, each.message, each.why, each.fix) for each in checked.findings]
    assert found == [("M011", "error", place, message, IGNORED, fix) for place, message, fix in expected]
    if kind == "mapping":
        assert {each.allowed for each in checked.findings} <= {ANY_ACTION}


def test_an_unknown_field_in_a_workspace_is_one_finding() -> None:
    document = {**DEFAULT, "destinations": [instance()]}
    checked = check_document(Document(file="x.json", line=None, index=None, value=document))
    assert [each.code for each in checked.findings if each.place.endswith("emial")] == ["M003"]
