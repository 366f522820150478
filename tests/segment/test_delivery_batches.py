"""Which events a batch has, and how long it waits for more."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import orjson
from graphql import parse

from tests.segment.conftest import OpenEnv, SegmentEnv
from tests.segment.delivered_events import destination, enter


def enter_large(segment_env: SegmentEnv, count: int, *, first: int = 0) -> None:
    """So many people enter, with two events of some 30 KB each; a call takes no more than 500 KB."""
    people = [
        {
            "type": "identify",
            "userId": f"u{n}",
            "traits": {"email": f"u{n}@b.co", "first_name": "x" * 30_000, "total_spent": 900},
        }
        for n in range(first, first + count)
    ]
    for start in range(0, count, 15):
        segment_env.segment.ingest("batch", {"batch": people[start : start + 15]})


def test_events_of_one_request_are_sent_in_one_batch(segment_env: SegmentEnv) -> None:
    enter(segment_env, 3)
    assert len(segment_env.transport.requests) == 1
    assert segment_env.outcomes() == ["sent"] * 6
    [batch] = segment_env.segment.batches()
    assert batch["events"] == [delivery["messageId"] for delivery in segment_env.segment.deliveries()]
    assert (batch["outcome"], batch["status"], batch["attempts"], batch["locations"]) == ("sent", 200, 1, [])


def test_the_request_is_the_mapping_engine_s(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    [(headers, body)] = segment_env.transport.requests
    assert headers["authorization"] == "Bearer sa-local-write"
    assert headers["content-type"] == "application/json"
    document = json.loads(body)["query"]
    parse(document)
    assert "upsertExternalAudienceMapping" in document
    assert document.count("ada@example.com") == 2


def test_the_mapping_is_merged_over_the_published_defaults(open_env: OpenEnv, document: Any) -> None:
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", first_name="Ada", street="1 Main St", total_spent=900)
    assert "1 Main St" in segment_env.transport.documents()[0]


def test_without_defaults_only_the_mapping_applies(open_env: OpenEnv, document: Any) -> None:
    destination(document)["subscriptions"][0]["defaults"] = False
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    assert segment_env.outcomes() == ["rejected"] * 2
    assert "segment_computation_key" in segment_env.segment.deliveries()[0]["message"]


def test_a_batch_has_at_most_its_size_of_events(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 4, "age": "0s"}
    segment_env = open_env(document)
    enter(segment_env, 5)
    assert [len(batch["events"]) for batch in segment_env.segment.batches()] == [4, 4, 2]
    assert segment_env.outcomes() == ["sent"] * 10


def test_a_batch_has_at_most_4_megabytes(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1m"}
    segment_env = open_env(document)
    enter_large(segment_env, 75)
    segment_env.advance(minutes=1)
    first, second = segment_env.segment.batches()
    assert len(first["events"]) + len(second["events"]) == 150
    sizes = {row["messageId"]: len(orjson.dumps(row["payload"])) for row in segment_env.segment.deliveries(limit=1000)}
    limit = 4 * 1024 * 1024
    assert sum(sizes[message] for message in first["events"]) <= limit
    assert sum(sizes[message] for message in [*first["events"], second["events"][0]]) > limit
    assert first["events"] + second["events"] == list(sizes)


def test_a_batch_that_is_full_by_bytes_does_not_wait(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1h"}
    segment_env = open_env(document)
    enter_large(segment_env, 60)
    assert segment_env.transport.requests == []
    enter_large(segment_env, 15, first=60)
    [batch] = segment_env.segment.batches()
    waiting = segment_env.outcomes().count("queued")
    assert len(batch["events"]) + waiting == 150
    assert 0 < waiting < 20


def test_a_batch_waits_until_it_is_old_enough(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1m"}
    segment_env = open_env(document)
    enter(segment_env, 1)
    assert segment_env.outcomes() == ["queued"] * 2
    segment_env.advance(seconds=30)
    enter(segment_env, 1, first=1)
    segment_env.advance(seconds=29.9)
    assert segment_env.transport.requests == []
    assert segment_env.segment.deliveries(outcome="queued") == segment_env.segment.deliveries()
    segment_env.advance(seconds=0.1)
    assert [len(batch["events"]) for batch in segment_env.segment.batches()] == [4]


def test_a_full_batch_does_not_wait(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 4, "age": "1m"}
    segment_env = open_env(document)
    enter(segment_env, 3)
    assert Counter(segment_env.outcomes()) == {"sent": 4, "queued": 2}
