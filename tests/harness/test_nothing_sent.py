"""`lint` and `validate` find why a workspace sends nothing: what is missing, disabled, not connected or not allowed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.generator.workspace import workspace_document
from emulator.harness.checks import check_document, lint
from emulator.harness.checks.finding import CHECKS, ERROR, WARNING, WORKSPACE, Finding
from emulator.harness.event_files import Document
from emulator.workspace import parse_workspace

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())
WITH_EMAIL = {"trait": "email", "operator": "exists"}
SOURCE, STAND_BY = {"name": "App", "writeKey": "app"}, {"name": "Old", "writeKey": "old", "enabled": False}
STEP = {"key": "cart__reminded", "name": "Reminded"}
JOURNEY = {"id": "j", "name": "Cart", "entry": {"event": "Cart Modified"}, "steps": [STEP]}
OF_AUDIENCES = 'context.personas.computation_class = "audience"'
SILENT = {"sendTrack": False, "sendIdentify": False}
Change = Callable[[dict[str, Any]], Any]


def changed(*changes: Change) -> dict[str, Any]:
    """The default workspace, without what `lint` finds in it, after the changes."""
    document = copy.deepcopy(DEFAULT)
    document["destinations"][0]["subscriptions"][0]["mapping"]["standard_traits"] = {}
    document["audiences"][0]["condition"] = WITH_EMAIL
    for change in changes:
        change(document)
    return document


def having(**members: Any) -> Change:
    """Members of the workspace replaced."""
    return lambda document: document.update(members)


def instance(**members: Any) -> Change:
    """Members of its only destination instance replaced."""
    return lambda document: document["destinations"][0].update(members)


def subscription(**members: Any) -> Change:
    return lambda document: document["destinations"][0]["subscriptions"][0].update(members)


def connection(**members: Any) -> Change:
    return lambda document: document["destinations"][0]["audiences"][0].update(members)


def again(**members: Any) -> Change:
    """A second destination instance, a copy of the first one with members replaced."""
    return lambda document: document["destinations"].append(
        {**copy.deepcopy(document["destinations"][0]), "name": "Second", **members}
    )


def twice(**members: Any) -> Change:
    """A second subscription, a copy of the first one with members replaced."""
    return lambda document: document["destinations"][0]["subscriptions"].append(
        {**copy.deepcopy(document["destinations"][0]["subscriptions"][0]), "name": "Again", **members}
    )


def audience(key: str, condition: dict[str, Any] = WITH_EMAIL) -> Change:
    return lambda document: document["audiences"].append(
        {"id": f"aud_{key}", "key": key, "name": key, "condition": condition}
    )


def condition(written: dict[str, Any]) -> Change:
    return lambda document: document["audiences"][0].update(condition=written)


def connect(key: str) -> Change:
    return lambda document: document["destinations"][0]["audiences"].append({"key": key})


def token(**members: Any) -> Change:
    return lambda document: document["tokens"][0].update(members)


def settings(**members: str) -> Change:
    return lambda document: document["destinations"][0]["settings"].update(members)


def as_text(finding: Finding) -> str:
    head = f"{finding.code} {finding.severity} {finding.place}: {finding.message}"
    return "\n".join((head, *filter(None, (finding.why, finding.fix))))


def texts(*changes: Change) -> list[str]:
    return [as_text(finding) for finding in lint(parse_workspace(changed(*changes)))]


def one(head: str, why: str, fix: str) -> list[str]:
    return [f"{head}\n{why}\n{fix}"]


NO_SOURCE = one(
    "D001 error sources: The workspace has no source.",
    "Segment accepts calls only with the write key of a source, so no profile is ever created.",
    "Add a source: {name: Website, writeKey: segment-local}.",
)
CASES: dict[str, tuple[list[Change], list[str]]] = {
    "everything works": ([], []),
    "no source": ([having(sources=[])], NO_SOURCE),
    "no sources key": ([lambda document: document.pop("sources")], NO_SOURCE),
    "the only source is disabled": (
        [lambda document: document["sources"][0].update(enabled=False)],
        one(
            "D001 error sources[0].enabled: Every source is disabled: 'Website'.",
            "Segment drops every call, so no profile is ever created.",
            "Set enabled: true on a source.",
        ),
    ),
    "every source is disabled": (
        [having(sources=[STAND_BY, {**SOURCE, "enabled": False}])],
        one(
            "D001 error sources: Every source is disabled: 'Old', 'App'.",
            "Segment drops every call, so no profile is ever created.",
            "Set enabled: true on a source.",
        ),
    ),
    "one of two sources is disabled": (
        [having(sources=[SOURCE, STAND_BY])],
        one(
            "D002 warning sources[1].enabled: The source 'Old' is disabled.",
            "Segment drops its calls.",
            "Set enabled: true, or remove the source.",
        ),
    ),
    "the disabled source is the only one of every instance": (
        [having(sources=[SOURCE, STAND_BY]), instance(source="Old")],
        one(
            "D002 error sources[1].enabled: The source 'Old' is disabled.",
            "Segment drops its calls. No other calls reach 'StackAdapt Acme'.",
            "Set enabled: true, or remove the source.",
        ),
    ),
    "the disabled source is the only one of an instance": (
        [having(sources=[SOURCE, STAND_BY]), again(source="Old")],
        one(
            "D002 warning sources[1].enabled: The source 'Old' is disabled.",
            "Segment drops its calls. No other calls reach 'Second'.",
            "Set enabled: true, or remove the source.",
        ),
    ),
    "a filter that is no FQL": (
        [instance(filters=[{"title": "Staff", "if": "type ==", "actions": [{"type": "DROP"}]}])],
        one(
            "F001 error destinations[0].filters[0].if: The filter 'Staff' cannot be parsed: the query is no FQL: a "
            "value is expected before '='.",
            "Segment drops every event for 'StackAdapt Acme' rather than send what the filter may have been meant to "
            "keep back.",
            "Write text in quotes and = for equality: type = 'track' and contains(event, 'Order').",
        ),
    ),
    "a source and an audience": (
        [instance(source="Website"), subscription(trigger=OF_AUDIENCES)],
        one(
            "F005 note destinations[0].source: 'StackAdapt Acme' is connected to the source 'Website' and to an "
            "audience.",
            "In Segment an audience cannot be connected to an instance that is connected to a source.",
            "Give the source a destination instance of its own.",
        ),
    ),
    "consent without calls": (
        [instance(consent={"categories": ["ads"]})],
        one(
            "F006 warning destinations[0].consent: 'StackAdapt Acme' has categories of consent, and gets events of "
            "Engage only.",
            "Events of Engage have no consent object, so that they are sent without any consent.",
            "Put the consent in the audience's condition: {trait: consent_ads, operator: equals, value: true}.",
        ),
    ),
    "no destination instance": (
        [having(destinations=[])],
        one(
            "D003 error destinations: The workspace has no destination instance.",
            "Engage has nowhere to send an audience to.",
            "Add a destination instance with settings, audiences and subscriptions.",
        ),
    ),
    "the destination instance is disabled, with all that it has": (
        [instance(enabled=False), subscription(enabled=False), connection(**SILENT)],
        one(
            "D004 error destinations[0].enabled: The destination instance 'StackAdapt Acme' is disabled.",
            "It sends nothing: its events are discarded (DESTINATION_DISABLED).",
            "Set enabled: true, or remove the destination instance.",
        ),
    ),
    "the destination instance is disabled, and its trigger matches nothing": (
        [instance(enabled=False), subscription(trigger='type = "page"')],
        one(
            "D004 error destinations[0].enabled: The destination instance 'StackAdapt Acme' is disabled.",
            "It sends nothing: its events are discarded (DESTINATION_DISABLED).",
            "Set enabled: true, or remove the destination instance.",
        ),
    ),
    "one of two destination instances is disabled": (
        [again(enabled=False)],
        one(
            "D004 warning destinations[1].enabled: The destination instance 'Second' is disabled.",
            "It sends nothing: its events are discarded (DESTINATION_DISABLED).",
            "Set enabled: true, or remove the destination instance.",
        ),
    ),
    "no subscription": (
        [instance(subscriptions=[])],
        one(
            "D005 error destinations[0].subscriptions: The destination instance 'StackAdapt Acme' has no subscription.",
            "Without a subscription nothing is sent: the events are discarded (NO_SUBSCRIPTION).",
            "Add a subscription with an action, a trigger and a mapping.",
        ),
    ),
    "the only subscription is disabled": (
        [subscription(enabled=False)],
        one(
            "D005 error destinations[0].subscriptions[0].enabled: Every subscription of 'StackAdapt Acme' is disabled.",
            "Without an enabled subscription nothing is sent: the events are discarded (SUBSCRIPTION_DISABLED).",
            "Set enabled: true on a subscription.",
        ),
    ),
    "every subscription of one of two instances is disabled": (
        [again(), subscription(enabled=False), twice()],
        one(
            "D005 warning destinations[0].subscriptions: Every subscription of 'StackAdapt Acme' is disabled.",
            "Without an enabled subscription nothing is sent: the events are discarded (SUBSCRIPTION_DISABLED).",
            "Set enabled: true on a subscription.",
        ),
    ),
    "one of two subscriptions is disabled, and its trigger matches nothing": (
        [twice(enabled=False, trigger='type = "page"')],
        one(
            "D006 warning destinations[0].subscriptions[1].enabled: The subscription 'Again' of 'StackAdapt Acme' "
            "is disabled.",
            "It sends nothing: its events are discarded (SUBSCRIPTION_DISABLED).",
            "Set enabled: true, or remove the subscription.",
        ),
    ),
    "nothing is connected, so no audience is": (
        [instance(audiences=[])],
        one(
            "D007 error destinations[0].audiences: No audience or journey step is connected to 'StackAdapt Acme'.",
            "Engage sends it no event.",
            "Add {key: vip_customers} to its audiences.",
        ),
    ),
    "nothing is connected to one of two": (
        [again(audiences=[]), audience("new")],
        one(
            "D007 warning destinations[1].audiences: No audience or journey step is connected to 'Second'.",
            "Engage sends it no event.",
            "Add {key: new} to its audiences.",
        ),
    ),
    "nothing is connected in a workspace with journeys alone": (
        [instance(audiences=[]), having(audiences=[], journeys=[JOURNEY])],
        one(
            "D007 error destinations[0].audiences: No audience or journey step is connected to 'StackAdapt Acme'.",
            "Engage sends it no event.",
            "Add {key: cart__reminded} to its journeySteps.",
        ),
    ),
    "there is nothing to connect": (
        [instance(audiences=[]), having(audiences=[])],
        one(
            "D007 error destinations[0].audiences: No audience or journey step is connected to 'StackAdapt Acme'.",
            "Engage sends it no event.",
            "Declare an audience under audiences, and add its key to the audiences of the destination instance.",
        ),
    ),
    "a connection sends no type": (
        [connection(**SILENT)],
        one(
            "D008 error destinations[0].audiences[0]: The connection of 'vip_customers' to 'StackAdapt Acme' has "
            "sendTrack and sendIdentify off.",
            "Engage sends no event when someone enters or leaves the audience.",
            "Set sendTrack: true or sendIdentify: true, or both.",
        ),
    ),
    "a connection sends no type, and a journey step is connected": (
        [connection(**SILENT), having(journeys=[JOURNEY]), instance(journeySteps=[{"key": STEP["key"]}])],
        one(
            "D008 warning destinations[0].audiences[0]: The connection of 'vip_customers' to 'StackAdapt Acme' has "
            "sendTrack and sendIdentify off.",
            "Engage sends no event when someone enters or leaves the audience.",
            "Set sendTrack: true or sendIdentify: true, or both.",
        ),
    ),
    "one type is enough": ([connection(sendTrack=False)], []),
    "an audience is not connected": (
        [audience("new")],
        one(
            "D009 warning audiences[1]: The audience 'new' is connected to no destination instance.",
            "Nothing is sent when someone enters or leaves it.",
            "Add {key: new} to the audiences of a destination instance.",
        ),
    ),
    "an audience that another one refers to need not be connected": (
        [audience("part"), condition({"all": [WITH_EMAIL, {"any": [{"not": {"audience": "part"}}]}]})],
        [],
    ),
    "a journey is not connected": (
        [having(journeys=[JOURNEY])],
        one(
            "D010 warning journeys[0]: No step of the journey 'Cart' is connected to a destination instance.",
            "Nothing is sent when someone joins or leaves the journey.",
            "Add {key: cart__reminded} to the journeySteps of a destination instance.",
        ),
    ),
    "people without an email enter": (
        [audience("part"), connect("part"), condition({"any": [WITH_EMAIL, {"event": "A"}]})],
        one(
            "D011 note audiences[0].condition: The condition of the audience 'vip_customers' does not require "
            "an email.",
            "People without one enter it too: the mapping or StackAdapt rejects them, and no profile appears.",
            "Combine it with {trait: email, operator: exists} under all.",
        ),
    ),
    "an audience with a time window in real time": (
        [condition({"all": [WITH_EMAIL, {"event": "A", "within": "7d"}]})],
        one(
            "D012 note audiences[0]: The audience 'vip_customers' has a time window and is computed in real time.",
            "Segment computes such an audience every eight hours: people enter and leave it later there.",
            "Add computation: batch to the audience, or timing: realistic to the workspace.",
        ),
    ),
    "the audience that it refers to requires the email": ([audience("part"), condition({"audience": "part"})], []),
    "people without an email enter an audience that sends nothing": (
        [connection(**SILENT), condition({"event": "A"})],
        one(
            "D008 error destinations[0].audiences[0]: The connection of 'vip_customers' to 'StackAdapt Acme' has "
            "sendTrack and sendIdentify off.",
            "Engage sends no event when someone enters or leaves the audience.",
            "Set sendTrack: true or sendIdentify: true, or both.",
        ),
    ),
    "two mistakes are two findings, errors first": (
        [having(sources=[]), audience("new")],
        [
            *NO_SOURCE,
            *one(
                "D009 warning audiences[1]: The audience 'new' is connected to no destination instance.",
                "Nothing is sent when someone enters or leaves it.",
                "Add {key: new} to the audiences of a destination instance.",
            ),
        ],
    ),
    "an unknown token, once for two subscriptions": (
        [settings(apiKey="nope"), twice()],
        one(
            "S004 error destinations[0].settings.apiKey: StackAdapt does not know this token.",
            "Every request is answered with 401, which Segment does not retry.",
            "Use one of the workspace's tokens.",
        ),
    ),
    "a token without WRITE": (
        [settings(apiKey="sa-local-read")],
        one(
            "S005 error destinations[0].settings.apiKey: The token 'Local read only' may not write to advertiser 1001.",
            "StackAdapt answers 200 with userErrors, which the destination ignores: Segment reports the events as "
            "delivered, and no profile appears.",
            "Use a token with the scope WRITE for that advertiser.",
        ),
    ),
    "an expired token": (
        [token(expiresAt="2020-01-01T00:00:00Z")],
        one(
            "S006 error destinations[0].settings.apiKey: The token 'Local read and write' has expired.",
            "Every request is answered with 401, which Segment does not retry.",
            "Use a token that is still valid, or change its expiresAt.",
        ),
    ),
    "a generation that the API version does not take": (
        [having(apiVersion="2025-05")],
        one(
            "S007 error destinations[0].generation: API version 2025-05 does not take what generation 3.517.0 sends.",
            "StackAdapt answers every request with an error and status 200: Segment reports the events as delivered, "
            "and no profile appears.",
            "Set apiVersion to 2026-06, or the generation to 3.387.0 or 3.361.0.",
        ),
    ),
    "a token that expires later": ([token(expiresAt="9999-01-01T00:00:00Z")], []),
    "an unknown advertiser, whatever the token may do": (
        [settings(advertiser_id="1003")],
        one(
            "S003 error destinations[0].settings.advertiser_id: Unknown advertiser '1003'.",
            "The workspace declares no advertiser with this ID.",
            "Copy the ID from StackAdapt's URL, after advertiser=. Did you mean '1002'?",
        ),
    ),
    "an advertiser by name": (
        [settings(advertiser_id="acme outfitters")],
        one(
            "S002 error destinations[0].settings.advertiser_id: The advertiser ID 'acme outfitters' is not a number.",
            "It is written into the document without quotes, so StackAdapt rejects anything but a number.",
            "Write '1001', the ID of 'Acme Outfitters'.",
        ),
    ),
    "an advertiser by another name": (
        [settings(advertiser_id="Initech")],
        one(
            "S002 error destinations[0].settings.advertiser_id: The advertiser ID 'Initech' is not a number.",
            "It is written into the document without quotes, so StackAdapt rejects anything but a number.",
            "Copy the ID from StackAdapt's URL, after advertiser=.",
        ),
    ),
    "a token and an advertiser of another service": (
        [instance(endpoint="http://127.0.0.1:9/graphql"), settings(apiKey="nope", advertiser_id="77")],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES)
def test_each_mistake_is_one_finding(changes: list[Change], expected: list[str]) -> None:
    assert texts(*changes) == expected


def test_every_check_of_a_workspace_is_tested() -> None:
    """Those of sources and identifiers have a test of their own."""
    checks = {check.code for check in CHECKS.values() if WORKSPACE in check.subjects and check.code[0] not in "RI"}
    assert checks <= {text[:4] for _, expected in CASES.values() for text in expected}


@pytest.mark.parametrize(
    "name", ["no source", "a connection sends no type", "an unknown token, once for two subscriptions"]
)
def test_validate_finds_the_same(name: str) -> None:
    changes, expected = CASES[name]
    found = check_document(Document(file="x", value=changed(*changes))).findings
    assert [as_text(finding) for finding in found] == expected


@pytest.mark.parametrize("seed", range(20))
def test_a_generated_workspace_can_send(seed: int) -> None:
    document = workspace_document(seed, advertisers=1 + seed % 3, audiences=1 + seed, destinations=1 + seed % 5)
    found = [finding for finding in lint(parse_workspace(document)) if finding.severity in (ERROR, WARNING)]
    assert found == []
