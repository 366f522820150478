"""`why`: where a person stopped, the reason, and a change that lets the person through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator import Emulator
from emulator.harness.client import in_process, timeline_of
from emulator.workspace import parse_workspace
from tests.harness.why.situations import ADA, Situation, ada, workspace
from tests.harness.why.stops import CONNECTION, STOPS, SUBSCRIPTION, WRITE


@pytest.mark.parametrize(
    ("situation", "stage", "reason", "kinds"), [each[1:] for each in STOPS], ids=[each[0] for each in STOPS]
)
def test_a_stop_is_named_and_its_change_lets_the_person_through(
    situation: Situation, stage: str, reason: str, kinds: list[str]
) -> None:
    with situation.played() as emulator:
        answer = situation.ask(emulator)
    assert (answer["arrived"], answer["stopped"]["stage"], answer["stopped"]["reason"]) == (False, stage, reason)
    assert [change["kind"] for change in answer["changes"]] == kinds, answer["text"]
    for change in answer["changes"]:
        situation = situation.changed(change)
    with situation.played() as emulator:
        answer = situation.ask(emulator)
        assert answer["arrived"], answer["text"]


# Name, situation, stage, reason; whatever is done, nothing that can be sent again is known, or nothing helps.
WITHOUT_CHANGE: list[tuple[str, Situation, str, str, str]] = [
    (
        "no call at all",
        Situation(calls=()),
        "call",
        "NO_CALL",
        "no call of any client came in",
    ),
    (
        "calls about others only",
        Situation(question={"email": "ada@exmaple.com"}),
        "call",
        "NO_CALL",
        "1 call came in, and none of them is about this person",
    ),
    (
        "requests refused with 401",
        Situation(calls=(), records=(WRITE,), token="unknown", question={"userId": "u9"}),
        "call",
        "401",
        "no call about this person came in, and 1 request to StackAdapt was refused with 401",
    ),
]


@pytest.mark.parametrize(
    ("situation", "stage", "reason", "message"),
    [each[1:] for each in WITHOUT_CHANGE],
    ids=[each[0] for each in WITHOUT_CHANGE],
)
def test_what_did_not_come_in_is_said(situation: Situation, stage: str, reason: str, message: str) -> None:
    with situation.played() as emulator:
        answer = situation.ask(emulator)
    stopped = answer["stopped"]
    assert (stopped["stage"], stopped["reason"], stopped["message"]) == (stage, reason, message)
    assert answer["changes"] == []


def test_a_misspelt_email_is_answered_with_the_nearest_one() -> None:
    with Situation().played() as emulator:
        answer = emulator.why(email="ada@exmaple.com")
    assert answer.stop is not None
    assert "Did you mean 'ada@example.com'?" in answer.stop.advice


def test_a_refused_request_of_another_client_is_allowed_with_another_token() -> None:
    situation = Situation(calls=(), records=(WRITE,), token="unknown")
    with situation.played() as emulator:
        answer = situation.ask(emulator)
    assert (answer["stopped"]["stage"], answer["stopped"]["reason"]) == ("request", "401")
    assert [(each["kind"], each["value"]) for each in answer["changes"]] == [("credential", "Local read and write")]
    with replace(situation, token="sa-local-write").played() as emulator:
        assert situation.ask(emulator)["arrived"]


def test_nothing_brings_back_a_person_who_was_deleted_for_good() -> None:
    with Situation().played() as emulator:
        document = """mutation {
          deleteRawProfile(input: {advertiserId: "1001", email: "ada@example.com", isComplianceRequest: true}) {
            __typename
          }
        }"""
        headers = {"authorization": "Bearer sa-local-write"}
        emulator.client.post("/graphql", json={"query": document}, headers=headers)
        emulator.client.post("/v1/identify", json=ada(city="Lyon", email="ada@example.com"), auth=("segment-local", ""))
        emulator.segment.compute("vip_customers", "StackAdapt Acme")
        answer = emulator.why(user_id="u1")
    assert answer.stop is not None
    assert (answer.stop.reason, answer.changes) == ("SUPPRESSED", ())


def test_all_is_well() -> None:
    with Situation().played() as emulator:
        answer = emulator.why(user_id="u1", property="first_name")
    assert (answer.arrived, answer.stop, answer.changes) == (True, None, ())
    assert list(answer.conclusion()) == ["Arrived: the profile has the property 'first_name'."]


def test_a_message_is_followed_by_its_own_id() -> None:
    call = {**ada(first_name='"Ada"'), "messageId": "m-17"}
    with Situation(calls=(call, {**ADA, "userId": "u2"})).played() as emulator:
        answer = emulator.why(message_id="m-17")
    assert answer.stop is not None
    assert (answer.who, answer.stop.reason) == ("ada@example.com (u1)", "GRAPHQL_ERRORS")


def test_the_services_of_the_question_are_only_read() -> None:
    with Situation(calls=(ada(total_spent=1),)).played() as emulator:
        before = (emulator.segment.counts(), emulator.stackadapt.counts(), len(emulator.stackadapt.records()))
        assert emulator.why(user_id="u1").changes
        after = (emulator.segment.counts(), emulator.stackadapt.counts(), len(emulator.stackadapt.records()))
    assert after == before


def test_a_change_is_not_invented_where_the_same_again_would_stop_again() -> None:
    """Every change of an answer was run: with a condition that no profile can meet there is none."""
    never = {"all": [{"trait": "a", "operator": "exists"}, {"trait": "a", "operator": "not_exists"}]}
    with Situation(workspace=workspace(audiences__0__condition=never)).played() as emulator:
        answer = emulator.why(user_id="u1")
    assert answer.stop is not None
    assert (answer.stop.reason, answer.changes) == ("CONDITION_FALSE", ())


def test_the_text_says_where_it_stopped_what_was_found_and_what_to_do() -> None:
    situation = Situation(calls=({**ada(total_spent="900 CAD"), "messageId": "m-1"},))
    with situation.played() as emulator:
        text = situation.ask(emulator)["text"]
    assert (
        text
        == """\
ada@example.com (u1)
  call        identify m-1: accepted
  Engage      known as u1, in no audience
  profile     none visible
Stopped at the audience (CONDITION_FALSE): the profile meets the condition of no audience
  Found: vip_customers: total_spent is "900 CAD" (string), needs a number ≥ 500
  What to do: Send the traits or events that the condition needs.
  Smallest change that lets it through, found by running it again:
    send the identify call with the trait total_spent: 900"""
    )


def test_events_from_before_an_audience_without_historical_data_are_named_as_the_reason() -> None:
    document = workspace(space__keepAllEvents=True)
    with Emulator(parse_workspace(document)) as emulator:
        emulator.client.post("/v1/track", json={"userId": "u1", "event": "Order Completed"}, auth=("segment-local", ""))
        audience = {"key": "new", "id": "aud_new", "name": "New", "condition": {"event": "Order Completed"}}
        emulator.client.post("/_emulator/workspace/audiences", json=audience | {"includeHistory": False})
        emulator.client.post("/_emulator/audiences/new/compute")
        stop = emulator.why(user_id="u1").stop
    assert stop is not None
    assert "new: includeHistory is false, so only events count that came in after" in str(stop.found)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "whose profile is missing is not given"),
        ({"segment": "1"}, "whose profile is missing is not given"),
        ({"userid": "u1"}, "unknown parameter 'userid'"),
        ({"userId": "u1", "segment": "7"}, "unknown segment '7'"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(asked: dict[str, str], message: str) -> None:
    with Situation().played() as emulator:
        response: Any = emulator.client.get("/_emulator/why", query_string=asked)
    assert response.status_code in (400, 404)
    assert response.json["message"].startswith(message)


@pytest.mark.parametrize(
    ("paths", "line"),
    [
        (
            {"destinations": []},
            "the profile is in vip_customers, and the workspace has no destination",
        ),
        (
            {"destinations__0__audiences": []},
            "the profile is in vip_customers, which is connected to no destination",
        ),
        (
            {f"{CONNECTION}sendTrack": False, f"{CONNECTION}sendIdentify": False},
            (
                "the profile is in vip_customers, and Send Identify and Send Track are both off "
                "(destinations[0].audiences[0]: sendIdentify and sendTrack are false)"
            ),
        ),
        ({"destinations__0__enabled": False}, "DESTINATION_DISABLED: destinations[0].enabled is false"),
        ({f"{SUBSCRIPTION}enabled": False}, "SUBSCRIPTION_DISABLED: destinations[0].subscriptions[0].enabled is false"),
        ({"destinations__0__subscriptions": []}, "NO_SUBSCRIPTION: destinations[0].subscriptions is empty"),
    ],
    ids=["no destination", "not connected", "toggles", "destination", "subscription", "no subscription"],
)
def test_the_timeline_names_the_switch(paths: dict[str, Any], line: str) -> None:
    with Situation(workspace=workspace(**paths)).played() as emulator, in_process(emulator.app) as endpoint:
        assert line in str(timeline_of(endpoint, user_id="u1"))


@pytest.mark.parametrize(
    ("situation", "line"),
    [
        (
            Situation(workspace=workspace(audiences__0__computation="batch"), hours=3),
            "vip_customers: the condition holds, and the batch audience is computed at 2026-03-01T20:00:00.000Z",
        ),
        (
            Situation(regulation="SUPPRESS_ONLY"),
            "u1 is suppressed since 2026-03-01T12:00:00.000Z: its calls are dropped",
        ),
    ],
    ids=["batch audience", "suppressed"],
)
def test_the_timeline_says_what_it_waits_for_and_what_is_dropped(situation: Situation, line: str) -> None:
    with situation.played() as emulator, in_process(emulator.app) as endpoint:
        assert line in str(timeline_of(endpoint, user_id="u1"))


@pytest.mark.parametrize("more", [{}, {"context": [1]}, {"context": {"traits": 5}}, {"traits": ["x"]}])
@pytest.mark.parametrize("kind", ["page", "alias"])
def test_a_call_of_a_source_of_any_shape_is_explained(kind: str, more: dict[str, Any]) -> None:
    call = {"type": kind, "userId": "u1", "previousId": "a1", "messageId": "m1", **more}
    document = workspace(destinations__0__source="Website", destinations__0__audiences=[])
    for question in ({"userId": "u1"}, {"messageId": "m1"}):
        situation = Situation(workspace=document, calls=(call,), question=question)
        with situation.played() as emulator:
            assert situation.ask(emulator)["stopped"]["reason"] == "NO_MATCHING_MAPPING"


@pytest.mark.parametrize(
    ("off", "on", "reason"),
    [
        ({"destinations__0__enabled": False}, {}, "DESTINATION_DISABLED"),
        ({f"{SUBSCRIPTION}enabled": False}, {}, "SUBSCRIPTION_DISABLED"),
        ({"destinations__0__subscriptions": []}, {}, "NO_SUBSCRIPTION"),
        ({"destinations__0__enabled": False}, {"destinations__0__enabled": False}, None),
    ],
    ids=["destination", "mapping", "no mapping", "still off"],
)
def test_what_is_switched_on_by_now_is_not_to_be_switched_on(
    off: dict[str, Any], on: dict[str, Any], reason: str | None
) -> None:
    with Situation(workspace=workspace(**off)).played() as emulator:
        assert emulator.client.put("/_emulator/workspace", json=workspace(**on)).status_code == 200
        stopped = (emulator.client.get("/_emulator/why?userId=u1").json or {})["stopped"]
        if reason is None:
            assert stopped["advice"] == "Switch it on."
            return
        assert stopped["reason"] == reason
        assert "by now it is switched on" in stopped["found"]
        assert "compute the audience" in stopped["advice"]
        computed = {"destination": workspace()["destinations"][0]["name"], "resync": True}
        assert emulator.client.post("/_emulator/audiences/vip_customers/compute", json=computed).status_code == 200
        assert (emulator.client.get("/_emulator/why?userId=u1").json or {})["arrived"]
