"""What a response means for the events of its batch."""

from __future__ import annotations

import json

import pytest
from graphql import GraphQLSyntaxError, parse

from tests.segment.conftest import SegmentEnv
from tests.segment.delivered_events import SYNTAX_ERROR, enter, said

REFUSED = json.dumps(
    {"data": {"upsertProfiles": {"userErrors": [{"message": "Unknown advertiser", "path": ["input", "advertiserId"]}]}}}
)


def test_a_document_with_graphql_errors_fails_although_segment_reports_it_delivered(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(200, SYNTAX_ERROR)]
    enter(segment_env, 2)
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["outcome"], batch["reason"], batch["segmentReports"]) == ("failed", "GRAPHQL_ERRORS", "delivered")
    assert batch["error"] == 'Syntax Error: Unexpected Name "Ace".'
    assert batch["locations"] == [{"line": 18, "column": 40}]
    assert batch["nextAt"] is None
    for delivery in segment_env.segment.deliveries():
        assert (delivery["outcome"], delivery["reason"]) == ("failed", "GRAPHQL_ERRORS")
        assert (delivery["segmentReports"], delivery["status"]) == ("delivered", 200)
        assert delivery["messageId"] in batch["events"]
        assert delivery["messageId"] in batch["summary"]
    assert "line 18 column 40" in batch["summary"]


def test_one_quote_in_a_trait_breaks_the_document_of_the_whole_batch(segment_env: SegmentEnv) -> None:
    calls = [
        {
            "type": "identify",
            "userId": f"u{n}",
            "traits": {"email": f"u{n}@b.co", "first_name": name, "total_spent": 900},
        }
        for n, name in enumerate(["Ada", 'Bob "Ace"', "Cyd"])
    ]
    segment_env.segment.ingest("batch", {"batch": calls})
    with pytest.raises(GraphQLSyntaxError):
        parse(segment_env.transport.documents()[0])


def test_half_of_a_surrogate_pair_in_a_response_becomes_the_replacement_character(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(200, r'{"errors":[{"message":"bad name: Ada \ud83d"}]}')]
    enter(segment_env, 1)
    assert segment_env.outcomes() == ["failed"] * 2
    assert {row["message"] for row in segment_env.segment.deliveries()} == {"bad name: Ada \ufffd"}
    assert [batch["error"] for batch in segment_env.segment.batches()] == ["bad name: Ada \ufffd"]
    segment_env.segment.process_due()
    assert len(segment_env.transport.requests) == 1


def test_user_errors_in_a_200_fail_the_batch_too(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(200, REFUSED)]
    enter(segment_env, 1)
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"]) == ("USER_ERRORS", "delivered")
    assert batch["error"] == "upsertProfiles: Unknown advertiser (input.advertiserId)"
    assert segment_env.outcomes() == ["failed"] * 2


@pytest.mark.parametrize(("status", "reported"), [(200, "delivered"), (299, "delivered"), (300, "failed")])
def test_segment_takes_every_status_from_200_to_299_for_success(
    segment_env: SegmentEnv, status: int, reported: str
) -> None:
    segment_env.transport.answers = [said(status, "no GraphQL")]
    enter(segment_env, 1)
    [batch] = segment_env.segment.batches(failed=True)
    assert batch["segmentReports"] == reported


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null"])
def test_a_200_without_a_graphql_body_fails(segment_env: SegmentEnv, text: str) -> None:
    segment_env.transport.answers = [said(200, text)]
    enter(segment_env, 1)
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"]) == ("NOT_GRAPHQL", "delivered")


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 422, 501])
def test_a_final_status_fails_the_batch_at_once(segment_env: SegmentEnv, status: int) -> None:
    segment_env.transport.answers = [said(status, "no", "Because")]
    enter(segment_env, 1)
    segment_env.advance(hours=5)
    assert len(segment_env.transport.requests) == 1
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["reason"], batch["error"], batch["status"]) == (str(status), f"{status} Because", status)
    assert (batch["segmentReports"], batch["response"]) == ("failed", "no")
