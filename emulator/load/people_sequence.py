"""The requests for each person of a seed: of apps and servers to Segment, of clients to StackAdapt.

They depend on the person alone, not on how many workers send them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from emulator.generator.event_stream import MembershipEvents
from emulator.generator.job import encode
from emulator.generator.people import FIRST_CALL, Person, Population, identify
from emulator.harness.preview import preview
from emulator.harness.subscription_context import SubscriptionContext, contexts_of
from emulator.ids import WORD_BITS, Ids
from emulator.load.person_request import SEGMENT, STACKADAPT, PersonRequest
from emulator.segment import audience_routes, integrations
from emulator.timestamps import to_millis
from emulator.workspace import Workspace

# Of the people, whose data comes through Segment; of these, whose calls come in one batch, as the SDKs send them.
_OF_SEGMENT = 0.8
_BATCHED = 0.5
# Of the others, whose data comes in a document as the destination writes it, where there is one.
_OF_DESTINATIONS = 0.5
_OTHER_CALLS: Mapping[str, Mapping[str, Any]] = {
    "page": {"name": "Home", "properties": {"path": "/"}},
    "screen": {"name": "Home", "properties": {"variation": "A"}},
    "group": {"groupId": "customers", "traits": {"plan": "yearly"}},
}
_KEPT = ("email", "first_name", "last_name", "phone", "city", "country", "postal_code")
_UPSERT = "mutation($input: UpsertProfilesInput!) { upsertProfiles(input: $input) { userErrors { message path } } }"
_PAGE = (
    "query($advertiser: ID!) { cdpProfiles(advertiserId: $advertiser, filterBy: {limit: 20})"
    " { profiles(first: 20) { nodes { email marketingStatus } } } }"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSequence:
    """People of a seed from number `start` on, `count` of them or without end (None), and what is sent for each."""

    seed: int
    workspace: Workspace
    advertiser: str
    start: int = 0
    count: int | None = None

    def of_worker(self, side: str, *, worker: int, workers: int) -> Iterator[tuple[PersonRequest, ...]]:
        """What worker number `worker`, counted from 0, sends to one side: people `worker`, `worker + workers`, …"""
        people = Population(seed=self.seed).people(first=self.start + worker)
        drawn = Ids(self.seed).words("load")
        requests = _to_segment if side == SEGMENT else self._to_stackadapt()
        left = None if self.count is None else max(self.count - worker, 0)
        for person in islice(people, 0, left, workers):
            of_side, way, other, *_ = (word / 2**WORD_BITS for word in drawn(person.index))
            if (of_side < _OF_SEGMENT) == (side == SEGMENT):
                yield requests(person, way, other)

    def _to_stackadapt(self) -> Callable[[Person, float, float], tuple[PersonRequest, ...]]:
        routes = tuple(audience_routes(self.workspace, integrations(self.workspace)))
        contexts = contexts_of(self.workspace, None)[:1] if routes else []
        events = MembershipEvents(routes[:1])

        def requests(person: Person, way: float, _: float) -> tuple[PersonRequest, ...]:
            document = _document(person, events, contexts) if contexts and way < _OF_DESTINATIONS else None
            name = "upsert, as an API client" if document is None else "upsert, as the destination"
            body = document or _graphql(_UPSERT, {"input": self._input(person)})
            page = _graphql(_PAGE, {"advertiser": self.advertiser})
            return (
                _to_graphql(person, name, body, records=1),
                _to_graphql(person, "page of profiles", page),
            )

        return requests

    def _input(self, person: Person) -> dict[str, Any]:
        traits = {name: person.traits[name] for name in _KEPT if name in person.traits}
        profiles = json.dumps([{"userId": person.user_id, **traits}])
        return {"advertiserId": self.advertiser, "externalProvider": "segment_io", "profiles": profiles}


def _to_segment(person: Person, way: float, other: float) -> tuple[PersonRequest, ...]:
    first = identify(person)
    names = sorted(_OTHER_CALLS)
    name = names[int(other * len(names))]
    order = {"event": "Order Completed", "properties": {"revenue": person.traits["total_spent"]}}
    calls = [
        first,
        *(_call(first, person, kind, body) for kind, body in (("track", order), (name, _OTHER_CALLS[name]))),
    ]
    if way < _BATCHED:
        return (_to_tracking(person, "batch", {"batch": calls}, calls=len(calls)),)
    return tuple(_to_tracking(person, call["type"], call, calls=1) for call in calls)


def _call(first: Mapping[str, Any], person: Person, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A call of the same user at the same time, with a `messageId` of its own."""
    same = {name: first[name] for name in ("userId", "timestamp", "context")}
    return {"type": kind, "messageId": f"generated-{person.seed}-{person.index}-{kind}", **same, **body}


def _document(person: Person, events: MembershipEvents, contexts: list[SubscriptionContext]) -> bytes | None:
    """The destination's request body for the person who enters an audience; None where it would send nothing."""
    at = to_millis(FIRST_CALL)
    ids = Ids(person.seed).apart("load", person.index)
    for event in events.events(person, entered=True, at=at, ids=ids)[:1]:
        for shown in preview([event], contexts, batch=False):
            return None if shown.body is None else shown.body.encode()
    return None


def _to_tracking(person: Person, name: str, body: Mapping[str, Any], *, calls: int) -> PersonRequest:
    content = encode(body).encode()
    return PersonRequest(person=person.index, name=name, side=SEGMENT, path=f"/v1/{name}", body=content, calls=calls)


def _to_graphql(person: Person, name: str, body: bytes, *, records: int = 0) -> PersonRequest:
    return PersonRequest(person=person.index, name=name, side=STACKADAPT, path="/graphql", body=body, records=records)


def _graphql(query: str, variables: Mapping[str, Any]) -> bytes:
    return encode({"query": query, "variables": variables}).encode()
