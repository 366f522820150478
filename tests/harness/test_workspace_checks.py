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
