from __future__ import annotations

import io
import json
from datetime import UTC, datetime

from emulator.events import GraphQLExchanged, RecordProcessed
from emulator.server.logs import LogWriter

NOW = datetime(2026, 1, 15, tzinfo=UTC)
SETTLED = RecordProcessed(
    at=NOW, trace_id="t1", advertiser_id="1001", outcome="rejected", reason="INVALID_EMAIL", email="ada@@example.com"
)
EXCHANGED = GraphQLExchanged(
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


def logged(event: RecordProcessed | GraphQLExchanged, log_format: str, *, show_pii: bool = False) -> str:
    stream = io.StringIO()
    LogWriter(log_format, show_pii=show_pii, stream=stream)(event)
    return stream.getvalue()


def test_a_text_line_has_the_event_and_its_fields() -> None:
    assert logged(EXCHANGED, "text") == (
        '2026-01-15T00:00:00.000Z GraphQLExchanged trace_id=t1 token_name="Local read and write" '
        "operations=upsertProfileMapping,upsertProfiles status=200 duration_ms=12.3\n"
    )


def test_a_json_line_is_one_object() -> None:
    assert json.loads(logged(SETTLED, "json")) == {
        "at": "2026-01-15T00:00:00.000Z",
        "event": "RecordProcessed",
        "trace_id": "t1",
        "advertiser_id": "1001",
        "outcome": "rejected",
        "reason": "INVALID_EMAIL",
        "email": "***",
    }


def test_emails_are_logged_on_request_only() -> None:
    assert "ada" not in logged(SETTLED, "text") + logged(EXCHANGED, "text") + logged(EXCHANGED, "json")
    assert "email=ada@@example.com" in logged(SETTLED, "text", show_pii=True)
