"""The requests that are sent: the destination's own documents for generated people, made by `generate` and `map`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice

from emulator.generator.event_stream import EventStream, members, membership_events
from emulator.generator.job import Job
from emulator.generator.people import Population, identify
from emulator.harness.preview import preview
from emulator.harness.subscription_context import contexts_of
from emulator.workspace import load_workspace
from tests.bench.client import post

TOKEN = "Bearer sa-local-write"
WRITE_KEY = "Basic c2VnbWVudC1sb2NhbDo="  # of the default workspace: segment-local
ADVERTISER = 1001
A_CALL = 100
A_DOCUMENT = 1000
PAGE = (
    "{ cdpProfiles(advertiserId: 1001, filterBy: {limit: 100}) { size nextToken profiles(first: 100) "
    "{ nodes { email marketingStatus sources } } } }"
)
SIZE = "{ cdpProfiles(advertiserId: 1001) { size } }"


def graphql(query: str) -> bytes:
    """A request with a document."""
    return _request(json.dumps({"query": query}))


@cache
def one_profile(count: int, seed: int = 1) -> list[bytes]:
    """So many mutations with one profile each, all different: `generate audience-events | map --json -`."""
    return list(_mutations(count, 1, seed))


@cache
def thousand_profiles(count: int, seed: int = 2) -> list[bytes]:
    """So many mutations with 1,000 profiles each: `map --batch --json` of 1,000 events."""
    return list(_mutations(count, A_DOCUMENT, seed))


def _mutations(count: int, size: int, seed: int) -> Iterator[bytes]:
    workspace = load_workspace()
    contexts = contexts_of(workspace, None)
    job = Job(stream=EventStream(population=_everyone(seed), source=membership_events(workspace)), count=10**9)
    lines = (line for block in job.blocks() for line in job.chunk(block).splitlines())
    events = (event for event in map(json.loads, lines) if event["type"] == "identify")
    for _ in range(count):
        [shown] = preview(list(islice(events, size)), contexts, batch=size > 1)
        assert shown.body is not None, shown.error
        yield _request(shown.body)


def profile_page(first: int, end: int) -> bytes:
    """A mutation with the profiles of these numbers, made faster than mapping makes it, to fill a store."""
    profiles = [
        {"userId": f"u{number}", "email": f"person{number}@example.com", "first_name": f"name {number % 997}"}
        for number in range(first, end)
    ]
    literal = json.dumps(json.dumps(profiles))
    return graphql(
        f'mutation {{ upsertProfiles(input: {{advertiserId: {ADVERTISER}, externalProvider: "segment_io", '
        f"profiles: {literal}}}) {{ userErrors {{ message }} }} }}"
    )


def identify_calls(count: int, seed: int = 3) -> list[bytes]:
    """`/v1/batch` requests with 100 identify calls each, for people with an email who enter the default audience."""
    return batches([json.dumps(identify(person)) for person in islice(_everyone(seed).people(), count)])


def batches(calls: list[str]) -> list[bytes]:
    """`/v1/batch` requests with 100 calls each."""
    return [
        post("/v1/batch", WRITE_KEY, f'{{"batch":[{",".join(calls[first : first + A_CALL])}]}}'.encode())
        for first in range(0, len(calls), A_CALL)
    ]


def _everyone(seed: int) -> Population:
    """People whom the destination gets, all of them."""
    return members(Population(seed=seed, missing_email=0.0, invalid_email=0.0, edge_cases={}))


def _request(body: str) -> bytes:
    return post("/graphql", TOKEN, body.encode())
