"""The clients of an endpoint and the timeline of a user, against an emulator in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from emulator import Emulator, load_workspace
from emulator.artefacts import fixture
from emulator.errors import InputError
from emulator.harness.client import (
    ClockClient,
    Endpoint,
    GraphQLFailed,
    NoControl,
    SegmentClient,
    StackAdaptClient,
    derived_user_id,
    failures_at,
    in_process,
    sandbox_at,
    timeline_of,
)
from emulator.harness.funnel import check_balance
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


def test_a_user_given_by_email_only_gets_the_same_user_id_each_time(segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com")
    segment.exit_audience("vip_customers", email="ADA@example.com ")
    assert {delivery["userId"] for delivery in segment.deliveries()} == {derived_user_id("ada@example.com")}


def test_an_email_selects_the_user_who_has_it(segment: SegmentClient) -> None:
    segment.identify("u1", {"email": "ada@example.com"})
    segment.enter_audience("vip_customers", email="ada@example.com")
    assert {(delivery["userId"], delivery["outcome"]) for delivery in segment.deliveries()} == {("u1", "sent")}


def test_the_funnel_is_read_by_destination_and_time(segment: SegmentClient) -> None:
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    for asked in ({}, {"destination": "StackAdapt Acme", "since": "1h"}):
        found = segment.funnel(**asked)
        assert found["stackadapt"]["visible"]["count"] == 2
        check_balance(found)


def test_errors_of_the_control_api_are_raised(segment: SegmentClient) -> None:
    with pytest.raises(InputError, match="Did you mean 'vip_customers'"):
        segment.enter_audience("vip_customer", email="ada@example.com")


def test_a_response_without_data_raises_its_messages(stackadapt: StackAdaptClient) -> None:
    with pytest.raises(GraphQLFailed, match="emial"):
        stackadapt.graphql("{ user { emial } }")


def test_the_clock_advances_by_a_duration_or_by_units(endpoint: Endpoint) -> None:
    clock = ClockClient(endpoint)
    before = clock.freeze()
    assert (clock.advance("4h") - before).total_seconds() == 4 * 3600
    assert (clock.advance(minutes=30) - before).total_seconds() == 4.5 * 3600
    assert clock.now - before == timedelta(hours=4.5)
    assert clock.resume() >= before + timedelta(hours=4.5)


def test_faults_are_injected_and_journalled(stackadapt: StackAdaptClient) -> None:
    stackadapt.add_fault("status", status=503, times=1)
    assert stackadapt.post("{ user { email } }").status_code == 503
    assert stackadapt.verify(operation="user", status=503, times=1)["verified"] is True
    assert [entry["outcome"] for entry in stackadapt.journal()] == ["refused"]


def test_an_endpoint_without_a_control_api_raises_what_is_missing(endpoint: Endpoint) -> None:
    bare = Endpoint(client=endpoint.client, token="t", advertiser_id="1", controlled=False)
    with pytest.raises(NoControl, match="control API"):
        StackAdaptClient(bare).profiles()
    with pytest.raises(NoControl, match="no Segment service"):
        SegmentClient(bare).identify("u1")


def test_the_timeline_of_a_visible_profile(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com", user_id="u1")
    timeline = timeline_of(endpoint, email="ada@example.com")
    assert timeline.arrived
    assert "identify to 'StackAdapt Acme': sent" in str(timeline)
    assert "record (enter vip_customers): visible" in str(timeline)
    assert "in vip_customers (aud_local_vip)" in str(timeline)


def test_the_timeline_has_a_call_at_every_destination_instance_of_its_source() -> None:
    document = deepcopy(dict(read(fixture("workspace.yaml"))))
    [one] = document["destinations"]
    document["destinations"] = [{**one, "name": name, "source": "Website", "audiences": []} for name in ("A", "B")]
    with Emulator(parse_workspace(document)) as emulator, in_process(emulator.app) as endpoint:
        SegmentClient(endpoint).identify("u1", {"email": "ada@example.com"}, messageId="m1")
        timeline = timeline_of(endpoint, user_id="u1")
    assert [(each["destination"], each["messageId"]) for each in timeline.deliveries] == [("A", "m1"), ("B", "m1")]


def test_the_timeline_of_a_user_without_email_ends_at_the_mapping(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", user_id="u1")
    timeline = timeline_of(endpoint, user_id="u1")
    assert not timeline.arrived
    assert "rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'." in str(timeline)
    assert "none visible" in str(timeline)


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        (
            "reject",
            (
                "rejected, MISSING_EMAIL: The record has no email, and its external id belongs to no profile;"
                " NO_AUDIENCE_MAPPING at 'action'"
            ),
        ),
        (
            "wait",
            (
                "pending, WAITS_FOR_PROFILE: The record has no email and waits for a profile with its external id;"
                " NO_AUDIENCE_MAPPING at 'action', waits for u1"
            ),
        ),
    ],
)
def test_the_timeline_of_a_user_has_the_records_of_other_clients(setting: str, line: str) -> None:
    workspace = load_workspace()
    ingestion = replace(workspace.ingestion, record_without_email=setting)
    with Emulator(replace(workspace, ingestion=ingestion)) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        endpoint = sandbox_at(client)
        document = """mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segmentio",
          profiles: [{userId: "u1", audienceId: "a", action: "enter"}]}) { userErrors { message } } }"""
        StackAdaptClient(endpoint).graphql(document)
        assert str(timeline_of(endpoint, user_id="u1")) == (
            f"(u1)\n  StackAdapt  record (enter): {line}\n  profile     none visible"
        )


def test_the_timeline_of_an_unescaped_quote_includes_what_segment_would_report(
    endpoint: Endpoint, segment: SegmentClient
) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com", traits={"first_name": 'A"da'})
    timeline = str(timeline_of(endpoint, email="ada@example.com"))
    assert "failed, GRAPHQL_ERRORS: Syntax Error" in timeline
    assert "(Segment would report this as delivered)" in timeline


def test_the_timeline_of_a_refused_mutation_includes_its_user_errors(
    endpoint: Endpoint, stackadapt: StackAdaptClient
) -> None:
    stackadapt.post(WRONG_ADVERTISER)
    timeline = str(timeline_of(endpoint, email="ada@example.com"))
    assert "upsertProfiles: userErrors, 200; Advertiser 77 could not be found." in timeline


def test_a_timeline_since_another_contains_only_what_is_new(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email="ada@example.com")
    before = timeline_of(endpoint, email="ada@example.com")
    segment.exit_audience("vip_customers", email="ada@example.com")
    timeline = timeline_of(endpoint, email="ada@example.com").since(before)
    assert [delivery["event"] for delivery in timeline.deliveries] == [None, "Audience Exited"]
    assert [record["record"]["action"] for record in timeline.records] == ["exit", "exit"]
    assert len(timeline.profiles) == 1


def test_the_timeline_of_an_unknown_user_has_no_events(endpoint: Endpoint) -> None:
    assert "no call of any client came in" in str(timeline_of(endpoint, email="unknown@example.com"))


def test_the_timeline_of_a_user_in_no_audience_names_the_user(endpoint: Endpoint, segment: SegmentClient) -> None:
    segment.identify("u1", {"email": "ada@example.com", "total_spent": "900 CAD"})
    assert str(timeline_of(endpoint, email="ada@example.com", user_id="u1")).splitlines() == [
        "ada@example.com (u1)",
        "  Segment     known as u1, in no audience: nothing to send",
        '  Segment     vip_customers: total_spent is "900 CAD" (string), needs a number ≥ 500',
        "  profile     none visible",
    ]


def test_the_timeline_of_a_member_without_new_events_names_the_audience(
    endpoint: Endpoint, segment: SegmentClient
) -> None:
    segment.enter_audience("vip_customers", user_id="u1")
    before = timeline_of(endpoint, user_id="u1")
    assert "known as u1, in vip_customers: nothing to send" in str(timeline_of(endpoint, user_id="u1").since(before))


@pytest.mark.parametrize("who", [{"email": "ada@example.com"}, {"user_id": "u1"}], ids=str)
def test_the_timeline_of_a_deleted_user_includes_the_deletion(
    endpoint: Endpoint, segment: SegmentClient, who: dict[str, str]
) -> None:
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    segment.identify("u2", {"email": "bob@example.com", "total_spent": 900})
    assert "deletion request" not in str(timeline_of(endpoint, **who))
    segment.delete("u1")
    timeline = str(timeline_of(endpoint, **who))
    assert "GraphQL     deleteProfilesWithExternalIds: accepted, 200 (deletion request)" in timeline
    assert "no events" not in timeline
    assert "deletion request" not in str(timeline_of(endpoint, email="bob@example.com", user_id="u2"))


def test_failures_name_the_user_and_their_table_hides_emails(endpoint: Endpoint, segment: SegmentClient) -> None:
    for user_id in ("u1", "u2", "eve@example.com", "u3", "u4"):
        segment.identify(user_id, {"total_spent": 900})
    lines = list(failures_at(endpoint).lines(most=20))
    assert [line.rpartition("(user ")[2] for line in lines if "identify" in line] == [
        "u1)", "u2)", "eve@example.com)", "u3)", "u4)",
    ]  # fmt: skip
    assert [*failures_at(endpoint).table(most=1)] == [
        "count  stage    who                     what and why",
        (
            "    5  Segment  u1, u2, *** and 2 more  identify to 'StackAdapt Acme': rejected, "
            "PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'."
        ),
        "and 1 more kind",
    ]


class OtherEndpoint(HTTPServer):
    """An endpoint that returns `answer` for every request."""

    answer = b""


@pytest.fixture
def other_endpoint() -> Iterator[OtherEndpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(server.answer)))
            self.end_headers()
            self.wfile.write(server.answer)

        def log_message(self, *_: object) -> None:
            """No log."""

    with OtherEndpoint(("127.0.0.1", 0), Handler) as server:
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
def test_a_response_of_any_shape_can_be_printed(other_endpoint: OtherEndpoint, answer: object, outcome: str) -> None:
    other_endpoint.answer = json.dumps(answer).encode()
    document = deepcopy(dict(read(fixture("workspace.yaml"))))
    document["destinations"][0]["endpoint"] = f"http://127.0.0.1:{other_endpoint.server_port}/graphql"
    with (
        Emulator(parse_workspace(document)) as emulator,
        httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1") as client,
    ):
        endpoint = Endpoint(client=client, token="sa-local-write", advertiser_id="1001", write_key="segment-local")
        SegmentClient(endpoint).identify("ada", {"email": "ada@example.com", "total_spent": 900})
        [line] = [each for each in timeline_of(endpoint, email="ada@example.com").lines() if "identify" in each]
        assert f": {outcome}" in line
        assert bool(list(failures_at(endpoint).lines(most=9))) == (outcome != "sent")
