"""Whatever comes in, and from however many sides: an answer, and one outcome for every event."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.segment.tracking.calls import BATCHES, CALLS
from tests.segment.conftest import SegmentEnv

KEYS = ["userId", "anonymousId", "groupId", "previousId", "event", "traits", "properties", "context", "type", "name"]
KEYS += ["messageId", "timestamp", "sentAt", "batch", "integrations", "email", "total_spent", "first_name"]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars | st.sampled_from([*CALLS, "u1", "a@b.co", "2026-01-01T00:00:00Z", 900]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from([*CALLS, *BATCHES]), body=st.dictionaries(st.sampled_from(KEYS), values, max_size=8))
def test_any_json_object_is_accepted(segment_env: SegmentEnv, route: str, body: dict[str, Any]) -> None:
    before = segment_env.segment.counts()["calls"]
    receipt = segment_env.segment.ingest(route, body)
    after = segment_env.segment.counts()["calls"]
    assert after["accepted"] - before["accepted"] == receipt.accepted
    assert sum(after["failed"].values()) - sum(before["failed"].values()) == len(receipt.failed)
    assert "queued" not in segment_env.segment.counts()["outcomes"]


@pytest.mark.parametrize("in_file", [False, True], ids=["in memory", "in a file"])
def test_concurrent_senders_lose_and_duplicate_nothing(
    open_env: Any, document: dict[str, Any], tmp_path: Path, in_file: bool
) -> None:
    document["destinations"][0]["batch"] = {"size": 3, "age": "0s"}
    segment_env = open_env(document, store=tmp_path / "s.sqlite" if in_file else None)

    def send(sender: int) -> None:
        for number in range(20):
            segment_env.identify(f"u{sender}-{number}", email=f"{sender}.{number}@example.com", total_spent=900)

    threads = [Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert segment_env.segment.counts()["outcomes"] == {"sent": 160}
    carried = Counter(message_id for batch in segment_env.segment.batches() for message_id in batch["events"])
    assert set(carried.values()) == {1}
    assert len(carried) == 160
    assert sum(document.count("@example.com") for document in segment_env.transport.documents()) == 160
