"""The faces of an endpoint, and the story of a person, against an emulator in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.errors import InputError
from emulator.harness.client import (
    ClockClient,
    Endpoint,
    NoControl,
    SegmentClient,
    StackAdaptClient,
    failures_at,
    timeline_of,
)
from emulator.harness.client.segment import made_user_id
from emulator.harness.client.stackadapt import GraphQLRefused
from emulator.workspace import parse_workspace
from emulator.workspace_file import read

WRONG_ADVERTISER = (
    'mutation { upsertProfiles(input: {advertiserId: 77, externalProvider: "segmentio", '
    'profiles: "[{\\"email\\": \\"ada@example.com\\"}]"}) { userErrors { message } } }'
)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with (
        Emulator() as emulator,
        httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1") as client,
    ):
        yield Endpoint(client=client, token="sa-local-write", advertiser_id="1001", write_key="segment-local")


@pytest.fixture
def segment(endpoint: Endpoint) -> SegmentClient:
    return SegmentClient(endpoint)


@pytest.fixture
def stackadapt(endpoint: Endpoint) -> StackAdaptClient:
    return StackAdaptClient(endpoint)


def test_a_call_becomes_a_profile_in_a_segment(segment: SegmentClient, stackadapt: StackAdaptClient) -> None:
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    rule = {"field": "segment_engage_audience_id", "operator": "equals", "value": "aud_local_vip"}
    assert stackadapt.segment(rule)["members"] == ["ada@example.com"]
    assert [profile["email"] for profile in stackadapt.profiles()] == ["ada@example.com"]
    assert stackadapt.graphql("{ cdpProfiles(advertiserId: 1001) { size } }") == {"cdpProfiles": {"size": 1}}


def test_somebody_given_by_e_mail_alone_gets_the_same_user_id_each_time(segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com")
    segment.exit_audience("vip_customers", email="ADA@example.com ")
    assert {delivery["userId"] for delivery in segment.deliveries()} == {made_user_id("ada@example.com")}


def test_an_e_mail_leads_to_the_person_who_has_it(segment: SegmentClient) -> None:
    segment.identify("u1", {"email": "ada@example.com"})
    segment.enter_audience("vip_customers", email="ada@example.com")
    assert {(delivery["userId"], delivery["outcome"]) for delivery in segment.deliveries()} == {("u1", "sent")}


def test_what_the_control_api_refuses_is_raised_here(segment: SegmentClient) -> None:
    with pytest.raises(InputError, match="Did you mean 'vip_customers'"):
        segment.enter_audience("vip_customer", email="ada@example.com")


def test_an_answer_without_data_is_refused_with_its_messages(stackadapt: StackAdaptClient) -> None:
    with pytest.raises(GraphQLRefused, match="emial"):
        stackadapt.graphql("{ user { emial } }")


def test_the_clock_moves_by_text_and_by_units(endpoint: Endpoint) -> None:
    clock = ClockClient(endpoint)
    before = clock.freeze()
    assert (clock.advance("4h") - before).total_seconds() == 4 * 3600
    assert (clock.advance(minutes=30) - before).total_seconds() == 4.5 * 3600
    assert clock.now - before == timedelta(hours=4.5)
    assert clock.resume() >= before + timedelta(hours=4.5)


def test_faults_strike_and_the_journal_knows(stackadapt: StackAdaptClient) -> None:
    stackadapt.add_fault("status", status=503, times=1)
    assert stackadapt.post("{ user { email } }").status_code == 503
    assert stackadapt.verify(operation="user", status=503, times=1)["verified"] is True
    assert [entry["outcome"] for entry in stackadapt.journal()] == ["refused"]


def test_an_endpoint_without_control_api_says_what_is_missing(endpoint: Endpoint) -> None:
    bare = Endpoint(client=endpoint.client, token="t", advertiser_id="1", controlled=False)
    with pytest.raises(NoControl, match="control API"):
        StackAdaptClient(bare).profiles()
    with pytest.raises(NoControl, match="no Segment"):
        SegmentClient(bare).identify("u1")


def test_the_story_of_somebody_who_arrived(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com", user_id="u1")
    story = timeline_of(endpoint, email="ada@example.com")
    assert story.arrived
    assert "identify to 'StackAdapt Acme': sent" in str(story)
    assert "record (enter vip_customers): visible" in str(story)
    assert "in vip_customers (aud_local_vip)" in str(story)


def test_the_story_of_somebody_without_e_mail_ends_at_the_mapping(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", user_id="u1")
    story = timeline_of(endpoint, user_id="u1")
    assert not story.arrived
    assert "rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'." in str(story)
    assert "none is visible" in str(story)


def test_the_story_of_a_quote_says_what_segment_would_report(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com", traits={"first_name": 'A"da'})
    story = str(timeline_of(endpoint, email="ada@example.com"))
    assert "failed, GRAPHQL_ERRORS: Syntax Error" in story
    assert "(Segment would report this as delivered)" in story


def test_the_story_of_a_refused_mutation_quotes_its_user_errors(
    endpoint: Endpoint, stackadapt: StackAdaptClient
) -> None:
    stackadapt.post(WRONG_ADVERTISER)
    story = str(timeline_of(endpoint, email="ada@example.com"))
    assert "upsertProfiles: userErrors, 200; Advertiser 77 could not be found." in story


def test_a_story_since_another_has_only_what_is_new(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com")
    before = timeline_of(endpoint, email="ada@example.com")
    segment.exit_audience("vip_customers", email="ada@example.com")
    story = timeline_of(endpoint, email="ada@example.com").since(before)
    assert [delivery["event"] for delivery in story.deliveries] == [None, "Audience Exited"]
    assert [record["record"]["action"] for record in story.records] == ["exit", "exit"]
    assert len(story.profiles) == 1


def test_the_story_of_a_stranger_says_that_there_is_none(endpoint: Endpoint) -> None:
    assert "nothing was emitted about them" in str(timeline_of(endpoint, email="nobody@example.com"))


def test_the_story_of_somebody_in_no_audience_says_that_segment_knows_them(
    endpoint: Endpoint, segment: SegmentClient
) -> None:
    segment.identify("u1", {"email": "ada@example.com"})
    story = str(timeline_of(endpoint, email="ada@example.com"))
    assert story.startswith("ada@example.com (u1)\n")
    assert "Segment     knows them as u1, for whom no audience's condition holds: nothing to send" in story
    assert "nothing was emitted" not in story


def test_the_story_of_a_member_of_whom_nothing_is_new_names_the_audience(
    endpoint: Endpoint, segment: SegmentClient
) -> None:
    segment.enter_audience("vip_customers", user_id="u1")
    before = timeline_of(endpoint, user_id="u1")
    assert "knows them as u1, who is in vip_customers: nothing to send" in str(
        timeline_of(endpoint, user_id="u1").since(before)
    )


@pytest.mark.parametrize("who", [{"email": "ada@example.com"}, {"user_id": "u1"}], ids=str)
def test_the_story_of_somebody_deleted_says_so(endpoint: Endpoint, segment: SegmentClient, who: dict[str, str]) -> None:
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    segment.identify("u2", {"email": "bob@example.com", "total_spent": 900})
    assert "asks to delete them" not in str(timeline_of(endpoint, **who))
    segment.delete("u1")
    story = str(timeline_of(endpoint, **who))
    assert "GraphQL     deleteProfilesWithExternalIds: accepted, 200 (asks to delete them)" in story
    assert "nothing was emitted" not in story
    assert "asks to delete them" not in str(timeline_of(endpoint, email="bob@example.com", user_id="u2"))


def test_troubles_say_whose_they_are_and_counted_ones_without_an_address(
    endpoint: Endpoint, segment: SegmentClient
) -> None:
    for user_id in ("u1", "u2", "eve@example.com", "u3", "u4"):
        segment.identify(user_id, {"total_spent": 900})
    lines = list(failures_at(endpoint).lines(most=20))
    assert [line.rpartition("(user ")[2] for line in lines if "identify" in line] == [
        "u1)", "u2)", "eve@example.com)", "u3)", "u4)",
    ]  # fmt: skip
    [counted, _] = failures_at(endpoint).counted(most=9)
    assert counted.startswith("  5 x  Segment     ")
    assert counted.endswith("(user u1, u2, *** and 2 more)")


@pytest.fixture
def other_endpoint() -> Iterator[HTTPServer]:
    """Somebody else's endpoint: it answers every request with `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.server.answer)))  # type: ignore[attr-defined]
            self.end_headers()
            self.wfile.write(self.server.answer)  # type: ignore[attr-defined]

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ([], "failed, NOT_GRAPHQL"),
        ("x", "failed, NOT_GRAPHQL"),
        ({"data": None, "errors": None}, "sent"),
        ({"errors": "bad"}, "sent"),
        ({"errors": ["bad"]}, "sent"),
        ({"errors": [{"locations": [{"line": "1"}]}]}, "failed, GRAPHQL_ERRORS: None"),
        ({"data": {"upsertProfiles": {"userErrors": None}}}, "sent"),
        ({"data": [{"upsertProfiles": {}}]}, "sent"),
    ],
)
def test_an_answer_of_any_shape_can_be_told_of(other_endpoint: HTTPServer, answer: object, outcome: str) -> None:
    other_endpoint.answer = json.dumps(answer).encode()  # type: ignore[attr-defined]
    document = deepcopy(dict(read(fixture("workspace.yaml"))))
    document["destinations"][0]["endpoint"] = f"http://127.0.0.1:{other_endpoint.server_port}/graphql"
    with (
        Emulator(parse_workspace(document)) as emulator,
        httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1") as client,
    ):
        endpoint = Endpoint(client=client, token="sa-local-write", advertiser_id="1001", write_key="segment-local")
        SegmentClient(endpoint).identify("ada", {"email": "ada@example.com", "total_spent": 900})
        [told] = [line for line in timeline_of(endpoint, email="ada@example.com").lines() if "identify" in line]
        assert f": {outcome}" in told
        assert bool(list(failures_at(endpoint).lines(most=9))) == (outcome != "sent")
