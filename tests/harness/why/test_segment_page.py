"""Segment's setup page followed step by step, and wrong at each step: what `lint` and `why` say.

"StackAdapt Audiences Destination" and "StackAdapt Data Hub": a token with write access, the advertiser's id, a trigger
of identify or track, an audience with a condition on the email, both events on, the destination enabled, and a segment
on the Segment Engage audience ID or name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from emulator.errors import WorkspaceError
from emulator.harness.checks import lint
from emulator.harness.checks.finding import NOTE
from emulator.workspace import parse_workspace
from tests.harness.why.situations import Situation, ada, workspace

TRIGGER = "destinations__0__subscriptions__0__trigger"
TOGGLES = {"destinations__0__audiences__0__sendTrack": False, "destinations__0__audiences__0__sendIdentify": False}
OF_2024 = '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
WITH_EMAIL = {
    "all": [
        {"trait": "total_spent", "operator": "at_least", "value": 500},
        {"trait": "email", "operator": "exists"},
    ]
}
RIGHT = {"audiences__0__condition": WITH_EMAIL}


def page(**paths: Any) -> dict[str, Any]:
    """The workspace of the page, with one step done wrong."""
    return workspace(**{**RIGHT, **paths})


def codes(document: dict[str, Any]) -> list[str]:
    """The codes of the errors and warnings; notes are no mistakes."""
    return [finding.code for finding in lint(parse_workspace(document)) if finding.severity != NOTE]


# The step, the workspace, what `lint` finds, the person, and where `why` says that she stopped.
WRONG_SETUP: Sequence[tuple[str, dict[str, Any], list[str], str, str]] = [
    ("unknown token", page(destinations__0__settings__apiKey="sa-none"), ["S004"], "request", "401"),
    (
        "token without write",
        page(destinations__0__settings__apiKey="sa-local-read"),
        ["S005"],
        "request",
        "USER_ERRORS",
    ),
    ("another advertiser", page(destinations__0__settings__advertiser_id="77"), ["S003"], "request", "USER_ERRORS"),
    (
        "advertiser by name",
        page(destinations__0__settings__advertiser_id="Acme Outfitters"),
        ["S002"],
        "request",
        "GRAPHQL_ERRORS",
    ),
    (
        "trigger with and",
        page(**{TRIGGER: 'type = "identify" and type = "track"'}),
        ["T002"],
        "trigger",
        "NO_MATCHING_MAPPING",
    ),
    ("toggles off", page(**TOGGLES), ["D008"], "destination", "TOGGLES_OFF"),
    ("destination disabled", page(destinations__0__enabled=False), ["D004"], "destination", "DESTINATION_DISABLED"),
    ("no audience connected", page(destinations__0__audiences=[]), ["D007"], "destination", "NOT_CONNECTED"),
]  # fmt: skip


def test_the_page_followed_as_it_is_written_has_no_findings_and_the_person_arrives() -> None:
    assert codes(page()) == []
    rule = {"field": "Segment Engage Audience ID", "operator": "equals", "value": "aud_local_vip"}
    situation = Situation(workspace=page(), rule=rule, question={"userId": "u1", "segment": "1"})
    with situation.played() as emulator:
        assert situation.ask(emulator)["arrived"]


@pytest.mark.parametrize(
    ("document", "found", "stage", "reason"), [each[1:] for each in WRONG_SETUP], ids=[each[0] for each in WRONG_SETUP]
)
def test_a_wrong_step_is_found_by_lint_and_explained_by_why(
    document: dict[str, Any], found: list[str], stage: str, reason: str
) -> None:
    assert codes(document) == found
    situation = Situation(workspace=document)
    with situation.played() as emulator:
        answer = situation.ask(emulator)
    assert (answer["stopped"]["stage"], answer["stopped"]["reason"]) == (stage, reason)
    assert answer["changes"], answer["text"]


def test_a_missing_token_is_refused_at_the_start_and_an_empty_one_is_found() -> None:
    with pytest.raises(WorkspaceError, match=r"destinations\[0\]\.settings.*apiKey"):
        parse_workspace(page(destinations__0__settings={"advertiser_id": "1001"}))
    assert codes(page(destinations__0__settings={"apiKey": "", "advertiser_id": "1001"})) == ["S004"]


def test_the_trigger_of_the_draft_loses_identify_events_only() -> None:
    document = page(**{TRIGGER: OF_2024})
    assert codes(document) == ["T002"]
    with Situation(workspace=document).played() as emulator:
        assert [each["outcome"] for each in emulator.segment.deliveries()] == ["discarded", "sent"]
        assert emulator.why(user_id="u1").arrived


def test_a_person_without_an_email_enters_where_the_condition_does_not_ask_for_one() -> None:
    """The page asks for a condition on the email, so that such a person never enters."""
    without = Situation(calls=(ada(email=None),))
    with without.played() as emulator:
        (audience,) = emulator.segment.audiences()
        assert any("requires an email" in warning for warning in audience["warnings"])
        assert without.ask(emulator)["stopped"]["reason"] == "PAYLOAD_VALIDATION_FAILED"
    asked = Situation(workspace=page(), calls=(ada(email=None),))
    with asked.played() as emulator:
        answer = asked.ask(emulator)
    assert (answer["stopped"]["reason"], answer["stopped"]["found"]) == (
        "CONDITION_FALSE",
        "vip_customers: email is missing, needs any value",
    )
    assert [change["where"] for change in answer["changes"]] == ["traits.email"]


@pytest.mark.parametrize(
    ("field", "value", "nearest"),
    [
        ("Segment Engage Audience Name", "vip_custmers", "vip_customers"),
        ("Segment Engage Audience Name", "VIP Customers", "vip_customers"),
        ("External Audience Name", "VIP Customers", "vip_customers"),
        ("Segment Engage Audience ID", "aud_local_vpi", "aud_local_vip"),
    ],
)
def test_a_segment_on_a_value_that_no_profile_has_is_warned_about_and_explained(
    field: str, value: str, nearest: str
) -> None:
    rule = {"field": field, "operator": "equals", "value": value}
    situation = Situation(workspace=page(), rule=rule, question={"userId": "u1", "segment": "1"})
    with situation.played() as emulator:
        segment = emulator.client.get("/_emulator/segments/1").json or {}
        answer = situation.ask(emulator)
    assert [each["nearest"] for each in segment["unknownValues"]] == [nearest]
    assert (answer["stopped"]["stage"], answer["stopped"]["reason"]) == ("segment", "RULE_FALSE")
    assert [(change["where"], change["value"]) for change in answer["changes"]] == [("rule.value", nearest)]
