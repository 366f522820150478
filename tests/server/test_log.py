"""The log: each kind of event as a sentence that says who and why, and as JSON."""

from __future__ import annotations

import errno
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator import Emulator
from emulator.events import (
    BatchDelivered,
    CallReceived,
    ClockMoved,
    Event,
    GraphQLExchanged,
    MembershipChanged,
    RecordProcessed,
    WorkspaceChanged,
)
from emulator.server.logs import LogWriter

NOW = datetime(2026, 1, 15, tzinfo=UTC)
RECORD = RecordProcessed(
    at=NOW, trace_id="t1", advertiser_id="1001", outcome="rejected", reason="INVALID_EMAIL", email="ada@@example.com"
)
EXCHANGE = GraphQLExchanged(
    at=NOW,
    trace_id="t1",
    token_name="Local read and write",
    operations=("upsertProfileMapping", "upsertProfiles"),
    status=200,
    request='{"query": "… ada@example.com"}',
    response="{}",
    duration_ms=12.345,
    emails=("ada@example.com",),
)
REFUSED = replace(
    EXCHANGE, token_name=None, emails=(), status=401, refusal="unknown_token", credential="sha256:ab12cd34"
)
CALL = CallReceived(
    at=NOW, source="Website", call="identify", message_id="m1", accepted=True, user_id="u1", email="ada@example.com"
)
UNKNOWN_SOURCE = replace(
    CALL,
    source=None,
    accepted=False,
    status=400,
    reason="unknown_source",
    message="No source has this write key.",
    credential="sha256:ab12cd34",
)
MEMBERSHIP = MembershipChanged(at=NOW, audience_key="vip_customers", profile_id="use_1", entered=True)
BATCH = BatchDelivered(
    at=NOW, destination="StackAdapt Acme", subscription="Sync Audience", outcomes={"sent": 2}, status=200
)
SYNTAX_ERROR = '{"errors": [{"message": "Syntax Error: Unexpected Name \\"ada@example.com\\"."}]}'
NOT_FOUND = '{"data": {"upsertProfiles": {"userErrors": [{"message": "Advertiser 77 could not be found."}]}}}'


def logged(event: Event, log_format: str = "text", *, show_pii: bool = False) -> str:
    stream = io.StringIO()
    LogWriter(log_format, show_pii=show_pii, stream=stream)([event])
    return stream.getvalue()


class Broken(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [Broken(), closed()], ids=["full", "closed"])
def test_a_line_that_cannot_be_written_is_dropped_and_the_request_goes_on(stream: io.StringIO) -> None:
    with Emulator() as emulator:
        emulator.report_to(LogWriter("text", stream=stream))
        body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
        response = emulator.client.post("/v1/identify", json=body, auth=("segment-local", ""))
        assert response.status_code == 200
        assert [each["email"] for each in emulator.stackadapt.profiles()] == ["ada@example.com"]


def test_without_standard_error_there_is_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    LogWriter("text")([CALL])


BY = "POST /graphql by 'Local read and write' about ***: upsertProfileMapping, upsertProfiles"
CASES: list[tuple[Event, str]] = [
    (EXCHANGE, f"INFO {BY} accepted with 200 in 12.3 ms"),
    (replace(EXCHANGE, matched=("latency",)), f"INFO {BY} accepted with 200 in 12.3 ms (latency)"),
    (replace(EXCHANGE, status=503, matched=("status",)), f"WARNING {BY} refused with 503 (status)"),
    (replace(EXCHANGE, status=None, matched=("reset",)), f"WARNING {BY} got no response (reset)"),
    (
        replace(RECORD, email="adaexample.com"),
        "WARNING record of *** at advertiser 1001: rejected, INVALID_EMAIL (request t1)",
    ),
    (
        replace(EXCHANGE, response=NOT_FOUND),
        f"WARNING {BY} answered with 200 and user errors: Advertiser 77 could not be found.",
    ),
    (
        replace(EXCHANGE, operations=(), emails=(), response=SYNTAX_ERROR),
        (
            "WARNING POST /graphql by 'Local read and write': unreadable document answered with 200 and errors: "
            'Syntax Error: Unexpected Name "***".'
        ),
    ),
    (replace(EXCHANGE, response="<html>"), f"WARNING {BY} answered with 200 and no GraphQL response"),
    (REFUSED, "WARNING POST /graphql refused with 401: unknown token (sha256:ab12cd34)"),
    (
        replace(REFUSED, refusal="no_token", credential=None),
        "WARNING POST /graphql refused with 401: no token",
    ),
    (
        replace(REFUSED, refusal="not_bearer"),
        "WARNING POST /graphql refused with 401: the Authorization header has no Bearer token (sha256:ab12cd34)",
    ),
    (
        replace(REFUSED, refusal="expired_token", token_name="Old"),
        "WARNING POST /graphql refused with 401: expired token 'Old' (sha256:ab12cd34)",
    ),
    (
        replace(REFUSED, refusal="method_not_allowed", status=405, method="GET", credential=None),
        "WARNING GET /graphql refused with 405: the method is not POST",
    ),
    (
        replace(
            REFUSED,
            refusal="invalid_body",
            status=400,
            response='{"errors": [{"message": "POST body sent invalid JSON."}]}',
        ),
        "WARNING POST /graphql refused with 400: POST body sent invalid JSON",
    ),
    (
        replace(
            REFUSED,
            refusal="unknown_path",
            status=404,
            path="/api/graphql",
            response="unknown path '/api/graphql', instead of '/graphql'",
        ),
        "WARNING POST /api/graphql refused with 404: unknown path '/api/graphql', instead of '/graphql'",
    ),
    (replace(RECORD, outcome="visible", reason=None), "INFO record of *** at advertiser 1001: visible"),
    (RECORD, "WARNING record of *** at advertiser 1001: rejected, INVALID_EMAIL (request t1)"),
    (
        replace(RECORD, reason="MISSING_EMAIL", email=None),
        "WARNING record without email at advertiser 1001: rejected, MISSING_EMAIL (request t1)",
    ),
    (CALL, "INFO identify of u1 (***) from 'Website': accepted"),
    (replace(CALL, user_id=None), "INFO identify of *** from 'Website': accepted"),
    (replace(CALL, user_id="ada@example.com", email=None), "INFO identify of *** from 'Website': accepted"),
    (replace(CALL, user_id=None, email=None), "INFO identify of an anonymous user from 'Website': accepted"),
    (
        replace(CALL, call="track", accepted=False, reason="event_not_defined"),
        "WARNING track of u1 (***) from 'Website': dropped, event_not_defined",
    ),
    (
        replace(CALL, accepted=False, reason="unplanned", message="'Plan' has no event 'E'"),
        "WARNING identify of u1 (***) from 'Website': dropped, unplanned: 'Plan' has no event 'E'",
    ),
    (
        replace(CALL, notes=("the email 'ada@example.com' is a blocked value", "x")),
        "INFO identify of u1 (***) from 'Website': accepted, 2 notes",
    ),
    (
        replace(CALL, accepted=False, reason="duplicate"),
        "INFO identify of u1 (***) from 'Website': dropped, duplicate",
    ),
    (UNKNOWN_SOURCE, "WARNING identify of u1 (***) refused with 400: no source has this write key (sha256:ab12cd34)"),
    (
        replace(UNKNOWN_SOURCE, user_id=None, email=None, message="malformed JSON", source="Website"),
        "WARNING identify from 'Website' refused with 400: malformed JSON (sha256:ab12cd34)",
    ),
    (MEMBERSHIP, "INFO profile use_1 entered 'vip_customers'"),
    (replace(MEMBERSHIP, user_id="u1", email="ada@example.com"), "INFO u1 (***) entered 'vip_customers'"),
    (replace(MEMBERSHIP, email="ada@example.com"), "INFO *** entered 'vip_customers'"),
    (replace(MEMBERSHIP, entered=False), "INFO profile use_1 left 'vip_customers'"),
    (BATCH, "INFO delivered 2 events to 'StackAdapt Acme': 2 sent"),
    (
        replace(BATCH, outcomes={"discarded": 1}, reasons={"NO_MATCHING_MAPPING": 1}, user_ids=("u1",)),
        "INFO delivered 0 of 1 event to 'StackAdapt Acme': 1 discarded (NO_MATCHING_MAPPING; users u1)",
    ),
    (
        replace(
            BATCH,
            outcomes={"sent": 1, "rejected": 5},
            reasons={"PAYLOAD_VALIDATION_FAILED": 5},
            user_ids=("u1", "ada@example.com", "u3", "u4", "u5"),
        ),
        (
            "WARNING delivered 1 of 6 events to 'StackAdapt Acme': 1 sent, 5 rejected "
            "(PAYLOAD_VALIDATION_FAILED; users u1, ***, u3 and 2 more)"
        ),
    ),
    (
        replace(
            BATCH, outcomes={"failed": 1}, status=403, reasons={"403": 1}, error="403 no access for ada@example.com"
        ),
        "WARNING delivered 0 of 1 event to 'StackAdapt Acme': 1 failed (403): 403 no access for ***",
    ),
    (ClockMoved(at=NOW, action="advanced", seconds=14400.0), "INFO clock advanced by 4h"),
    (ClockMoved(at=NOW, action="frozen"), "INFO clock frozen"),
    (WorkspaceChanged(at=NOW, parts=("sources", "destinations")), "INFO workspace changed: sources, destinations"),
]


@pytest.mark.parametrize(("event", "text"), CASES, ids=[text for _, text in CASES])
def test_a_text_line_says_who_and_why(event: Event, text: str) -> None:
    assert logged(event) == f"2026-01-15T00:00:00.000Z {text}\n"


def test_an_event_is_one_line_whatever_it_contains() -> None:
    event = replace(CALL, user_id="u\n2026 WARNING \x1b[2J\u2028\ud800")
    text = "INFO identify of u\\n2026 WARNING \\x1b[2J\\u2028\ufffd (***) from 'Website': accepted"
    assert logged(event) == f"2026-01-15T00:00:00.000Z {text}\n"
    written = logged(event, "json")
    assert written.count("\n") == 1
    assert json.loads(written)["user_id"] == "u\n2026 WARNING \x1b[2J\u2028\ufffd"


def test_every_kind_of_event_has_a_line() -> None:
    names = {kind.__name__ for kind in Event.__subclasses__()}
    assert {type(event).__name__ for event, _ in CASES} == names


def test_a_json_line_is_one_object() -> None:
    assert json.loads(logged(RECORD, "json")) == {
        "at": "2026-01-15T00:00:00.000Z",
        "level": "WARNING",
        "event": "RecordProcessed",
        "trace_id": "t1",
        "advertiser_id": "1001",
        "outcome": "rejected",
        "reason": "INVALID_EMAIL",
        "email": "***",
    }


@pytest.mark.parametrize("event", [event for event, _ in CASES], ids=str)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_has_an_email_address(event: Event, log_format: str) -> None:
    assert "ada@" not in logged(event, log_format)


def test_email_addresses_are_logged_on_request() -> None:
    assert "record of ada@@example.com at" in logged(RECORD, show_pii=True)
    assert "identify of u1 (ada@example.com) refused" in logged(UNKNOWN_SOURCE, show_pii=True)
    assert "about ada@example.com:" in logged(EXCHANGE, show_pii=True)
    assert json.loads(logged(CALL, "json", show_pii=True))["email"] == "ada@example.com"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        yield emulator


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_has_a_secret_or_a_body(emulator: Emulator, log_format: str) -> None:
    stream = io.StringIO()
    emulator.report_to(LogWriter(log_format, stream=stream))
    secrets = ("sa-wrong-0123456789", "segment-wrong-0123456789", "sa-local-write", "segment-local")
    call: dict[str, Any] = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
    for secret in secrets:
        token = {"authorization": f"Bearer {secret}"}
        for path in ("/graphql", "/graphql/v1", f"/api/{secret}/graphql"):
            emulator.client.post(path, json={"query": "{ user { email } }"}, headers=token)
        emulator.client.post("/graphql", data=f"{secret} ada@example.com", headers=token)
        for path in ("/v1/identify", "/identify", f"/v1/{secret}/identify"):
            emulator.client.post(path, json={**call, "writeKey": secret})
            emulator.client.post(path, json=call, auth=(secret, ""))
    written = stream.getvalue()
    assert written.count("\n") > 40
    assert [secret for secret in (*secrets, "ada@", "total_spent") if secret in written] == []


def _processed(email: str | None, outcome: str = "visible", trace_id: str = "t1") -> RecordProcessed:
    reason = None if outcome == "visible" else "MISSING_EMAIL"
    return RecordProcessed(
        at=RECORD.at, trace_id=trace_id, advertiser_id="1001", outcome=outcome, reason=reason, email=email
    )


TOGETHER = [
    *(_processed(f"p{number}@example.com") for number in range(3)),
    _processed(None, "rejected"),
    _processed("last@example.com"),
    _processed("other@example.com", trace_id="t2"),
]


def test_the_visible_records_of_a_request_are_one_line_and_every_other_has_its_own() -> None:
    stream = io.StringIO()
    LogWriter("text", stream=stream)(TOGETHER)
    assert [line.split(" ", 2)[2] for line in stream.getvalue().splitlines()] == [
        "3 records at advertiser 1001: visible",
        "record without email at advertiser 1001: rejected, MISSING_EMAIL (request t1)",
        "record of *** at advertiser 1001: visible",
        "record of *** at advertiser 1001: visible",
    ]


def test_a_json_line_counts_the_records_that_it_stands_for() -> None:
    stream = io.StringIO()
    LogWriter("json", stream=stream, show_pii=True)(TOGETHER)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["outcome"], line.get("records", 1), line["email"]) for line in lines] == [
        ("visible", 3, None),
        ("rejected", 1, None),
        ("visible", 1, "last@example.com"),
        ("visible", 1, "other@example.com"),
    ]
