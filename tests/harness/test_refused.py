"""What timelines, failures and near misses say about requests that were refused, compared as whole texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from hashlib import sha256
from typing import Any

import pytest

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.harness.client import Endpoint, SegmentClient, failures_at, in_process, timeline_of
from emulator.harness.expectations import ExpectingStackAdapt, Unmet
from emulator.workspace import parse_workspace
from emulator.workspace_file import read

ADA = "ada@example.com"
TOKEN, KEY = "sa-wrong-0123456789", "segment-wrong-0123456789"
UPSERT = (
    'mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io", '
    'profiles: "[{\\"email\\": \\"%s\\"}]"}) { userErrors { message } } }'
)
NOTHING = "  Segment     no call of any client came in (was the SDK flushed, and is its host this emulator?)"
INVISIBLE = "  profile     none visible"


def fingerprint(secret: str) -> str:
    return f"sha256:{sha256(secret.encode()).hexdigest()[:8]}"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Emulator() as emulator, in_process(emulator.app) as endpoint:
        endpoint.control.post("clock/freeze")
        yield endpoint


def upsert(endpoint: Endpoint, email: str, token: str | None = TOKEN) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    endpoint.client.post("/graphql", json={"query": UPSERT % email}, headers=headers)


def identify(endpoint: Endpoint, user_id: str | None, key: str = KEY, path: str = "/v1/identify", **body: Any) -> None:
    endpoint.client.post(path, json={"userId": user_id, **body}, auth=(key, ""))


def wrong_token(endpoint: Endpoint) -> None:
    upsert(endpoint, ADA)
    upsert(endpoint, ADA)
    upsert(endpoint, "bob@example.com")
    upsert(endpoint, ADA, token=None)


def unreadable(endpoint: Endpoint) -> None:
    endpoint.client.post("/graphql", content="nonsense", headers={"content-type": "application/json"})
    endpoint.client.get("/graphql")


def wrong_key(endpoint: Endpoint) -> None:
    identify(endpoint, "u1", traits={"email": ADA})
    identify(endpoint, "u2")
    identify(endpoint, "u3", key="")


def wrong_path(endpoint: Endpoint) -> None:
    identify(endpoint, "u2", "segment-local", "/identify")
    endpoint.client.post("/api/graphql", json={"query": UPSERT % ADA})


def others_only(endpoint: Endpoint) -> None:
    for user_id in ("u2", "u3"):
        identify(endpoint, user_id, "segment-local")


def dropped(endpoint: Endpoint) -> None:
    identify(endpoint, None, "segment-local")
    identify(endpoint, "u2", "segment-local", "/v1/track")
    identify(endpoint, "u1", "segment-local", "/v1/track", context={"traits": {"email": ADA}})


def not_an_identifier(endpoint: Endpoint) -> None:
    identify(endpoint, "u1", "segment-local", "/v1/track", event="Order", properties={"email": ADA})


def known(endpoint: Endpoint) -> None:
    wrong_token(endpoint)
    wrong_key(endpoint)
    identify(endpoint, "u1", "segment-local", traits={"email": ADA})


def without_credentials(endpoint: Endpoint) -> None:
    return None


@pytest.mark.parametrize(
    ("happens", "lines"),
    [
        (without_credentials, [ADA, NOTHING]),
        (
            wrong_token,
            [
                ADA,
                NOTHING,
                (
                    f"  GraphQL     3 requests were refused with 401 (unknown token {fingerprint(TOKEN)}), "
                    "2 of them about this person"
                ),
                "  GraphQL     1 request was refused with 401 (no token)",
            ],
        ),
        (
            unreadable,
            [
                ADA,
                NOTHING,
                "  GraphQL     1 request was refused with 400 (POST body sent invalid JSON)",
                "  GraphQL     1 request was refused with 405 (the method is not POST)",
            ],
        ),
        (
            wrong_key,
            [
                ADA,
                (
                    f"  Segment     2 calls were refused: no source has their write key ({fingerprint(KEY)}), "
                    "1 of them about this person"
                ),
                "  Segment     1 call was refused: it has no write key",
            ],
        ),
        (
            wrong_path,
            [
                ADA,
                "  Segment     1 call came in, the last at NOW, none of them about this person",
                (
                    "  Segment     1 call was refused with 404: unknown path '/identify', instead of '/v1/identify' "
                    f"({fingerprint('segment-local')})"
                ),
                "  GraphQL     1 request was refused with 404 (unknown path '/api/graphql', instead of '/graphql')",
            ],
        ),
        (others_only, [ADA, "  Segment     2 calls came in, the last at NOW, none of them about this person"]),
        (
            dropped,
            [
                ADA,
                "  Segment     1 call was dropped on ingest: no_user_anon_id",
                "  Segment     1 call was dropped on ingest: event_not_defined",
            ],
        ),
        (
            not_an_identifier,
            [
                ADA,
                (
                    "  Segment     1 call came in, the last at NOW, 1 of them about this person, "
                    "but no profile has these identifiers"
                ),
            ],
        ),
        (
            known,
            [
                f"{ADA} (u1)",
                "  Segment     known as u1, in no audience: nothing to send",
                "  Segment     vip_customers: total_spent is missing, needs a number ≥ 500",
                f"  Segment     1 call was refused: no source has its write key ({fingerprint(KEY)})",
                (
                    f"  GraphQL     2 requests were refused with 401 (unknown token {fingerprint(TOKEN)}), "
                    "2 of them about this person"
                ),
                "  GraphQL     1 request was refused with 401 (no token)",
            ],
        ),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_a_timeline_without_events_says_what_was_refused(
    endpoint: Endpoint, happens: Callable[[Endpoint], None], lines: list[str]
) -> None:
    happens(endpoint)
    now = endpoint.control.get("clock")["now"]
    assert [*timeline_of(endpoint, email=ADA).lines()] == [*(line.replace("NOW", now) for line in lines), INVISIBLE]


def test_a_timeline_since_another_has_only_what_was_refused_since(endpoint: Endpoint) -> None:
    wrong_token(endpoint)
    wrong_key(endpoint)
    before = timeline_of(endpoint, email=ADA)
    upsert(endpoint, ADA, "sa-another-0123456789")
    assert [*timeline_of(endpoint, email=ADA).since(before).lines()] == [
        ADA,
        NOTHING,
        f"  GraphQL     1 request was refused with 401 (unknown token {fingerprint('sa-another-0123456789')})",
        INVISIBLE,
    ]


def test_the_json_form_has_what_was_refused(endpoint: Endpoint) -> None:
    wrong_token(endpoint)
    wrong_key(endpoint)
    shown = timeline_of(endpoint, email=ADA).as_dict()
    assert (shown["calls"], len(shown["refusedCalls"]), len(shown["refusedRequests"])) == (3, 3, 4)
    assert shown["lastCallAt"] == endpoint.control.get("clock")["now"]
    assert set(shown["refusedRequests"][0]) == {"traceId", "at", "operations", "status", "refusal", "credential"}


def test_failures_include_what_was_refused_or_dropped(endpoint: Endpoint) -> None:
    wrong_token(endpoint)
    wrong_key(endpoint)
    dropped(endpoint)
    for _ in range(2):
        # A duplicate is not a failure: its first copy was accepted.
        identify(endpoint, "u9", "segment-local", messageId="m1")
    assert [*failures_at(endpoint).lines(most=20)] == [
        f"Segment     identify: refused with 400, no source has its write key ({fingerprint(KEY)}) (user u1)",
        f"Segment     identify: refused with 400, no source has its write key ({fingerprint(KEY)}) (user u2)",
        "Segment     identify: refused with 400, it has no write key (user u3)",
        "Segment     identify: dropped on ingest, no_user_anon_id",
        "Segment     track: dropped on ingest, event_not_defined (user u2)",
        "Segment     track: dropped on ingest, event_not_defined (user u1)",
        *(
            f"GraphQL     upsertProfiles: refused with 401, unknown token ({fingerprint(TOKEN)}) (user {email})"
            for email in (ADA, ADA, "bob@example.com")
        ),
        f"GraphQL     upsertProfiles: refused with 401, no token (user {ADA})",
    ]
    assert [*failures_at(endpoint).table(most=4)] == [
        "count  stage    who       what and why",
        f"    3  GraphQL  ***, ***  upsertProfiles: refused with 401, unknown token ({fingerprint(TOKEN)})",
        (f"    2  Segment  u1, u2    identify: refused with 400, no source has its write key ({fingerprint(KEY)})"),
        "    2  Segment  u2, u1    track: dropped on ingest, event_not_defined",
        "    1  Segment  u3        identify: refused with 400, it has no write key",
        "and 2 more kinds",
    ]
    assert len(failures_at(endpoint)) == 10


def test_failures_exclude_what_a_timeline_shows(endpoint: Endpoint) -> None:
    wrong_token(endpoint)
    wrong_key(endpoint)
    assert len(failures_at(endpoint).excluding(timeline_of(endpoint, email=ADA))) == 0


def test_a_refused_request_is_the_nearest_miss(endpoint: Endpoint) -> None:
    stackadapt = ExpectingStackAdapt(endpoint)
    upsert(endpoint, "bob@example.com", endpoint.token)
    upsert(endpoint, ADA)
    upsert(endpoint, "bob@example.com")
    unreadable(endpoint)
    with pytest.raises(Unmet) as failure:
        stackadapt.expect_request(operation="upsertProfiles", email=ADA)
    [first, *near] = str(failure.value).split("\nFailures:")[0].splitlines()
    assert first == (
        "expected at least 1 requests with operation 'upsertProfiles' and email 'ada@example.com'; found 0"
    )
    assert near == [
        "  near miss   upsertProfiles, 200: email is bob@example.com, not ada@example.com",
        f"  near miss   upsertProfiles: refused with 401, unknown token ({fingerprint(TOKEN)})",
        "  near miss   unreadable document: refused with 400, the body is not a GraphQL request",
        "  near miss   unreadable document: refused with 405, the method is not POST",
        f"  near miss   upsertProfiles: refused with 401, unknown token ({fingerprint(TOKEN)})",
    ]


def test_a_refused_request_is_counted_only_by_its_status(endpoint: Endpoint) -> None:
    stackadapt = ExpectingStackAdapt(endpoint)
    upsert(endpoint, ADA, endpoint.token)
    upsert(endpoint, ADA)
    [accepted] = stackadapt.expect_request(operation="upsertProfiles", times=1)
    [refused] = stackadapt.expect_request(operation="upsertProfiles", status=401, times=1)
    assert (accepted["status"], refused["status"]) == (200, 401)
    assert stackadapt.verify(outcome="refused", times=1)["verified"] is True


def test_a_delivery_with_a_wrong_token_is_one_failure() -> None:
    document = deepcopy(dict(read(fixture("workspace.yaml"))))
    document["destinations"][0]["settings"]["apiKey"] = TOKEN
    with Emulator(parse_workspace(document)) as emulator, in_process(emulator.app) as endpoint:
        SegmentClient(endpoint).identify("u1", {"email": ADA, "total_spent": 900})
        lines = [*failures_at(endpoint).lines(most=9)]
        printed = str(timeline_of(endpoint, email=ADA))
    assert len(lines) == 2
    assert all(re.match(r"Segment     \w+ .*to 'StackAdapt Acme': failed, 401", line) for line in lines)
    assert TOKEN not in printed
