"""What is sent for a person does not depend on how many workers there are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from emulator.load.people_sequence import PeopleSequence
from emulator.load.person_request import SEGMENT, SIDES, STACKADAPT, PersonRequest
from emulator.workspace import load_workspace


def sent(workers: int, *, count: int = 120, start: int = 0, side: str | None = None) -> list[PersonRequest]:
    people = PeopleSequence(seed=3, workspace=load_workspace(), advertiser="1001", start=start, count=count)
    return [
        request
        for of_side in SIDES
        if side in (None, of_side)
        for worker in range(workers)
        for requests in people.of_worker(of_side, worker=worker, workers=workers)
        for request in requests
    ]


def in_order(requests: list[PersonRequest]) -> list[tuple[int, str, bytes]]:
    return sorted((request.person, request.name, request.body) for request in requests)


@pytest.mark.parametrize("workers", [2, 3, 5, 200])
def test_any_number_of_workers_sends_the_same(workers: int) -> None:
    assert in_order(sent(workers)) == in_order(sent(1))


def test_each_person_is_sent_once_and_to_one_side() -> None:
    sides = [{request.person for request in sent(4, side=side)} for side in SIDES]
    assert sides[0] & sides[1] == set()
    assert sides[0] | sides[1] == set(range(120))
    names = [(request.person, request.name) for request in sent(4)]
    assert len(names) == len(set(names))


def test_a_worker_sends_every_nth_person_in_order() -> None:
    people = PeopleSequence(seed=3, workspace=load_workspace(), advertiser="1001", start=10, count=90)
    persons = [requests[0].person for requests in people.of_worker(SEGMENT, worker=2, workers=4)]
    assert persons == sorted(persons)
    assert {person % 4 for person in persons} == {0}
    assert min(persons) >= 12
    assert max(persons) < 100


def test_a_later_start_continues_the_same_people() -> None:
    assert in_order(sent(2, count=60)) + in_order(sent(3, start=60, count=60)) == in_order(sent(1))


def test_every_call_has_its_own_message_id() -> None:
    bodies = [json.loads(request.body) for request in sent(1, side=SEGMENT)]
    calls = [call for body in bodies for call in body.get("batch", [body])]
    assert len({call["messageId"] for call in calls}) == len(calls)
    assert len(calls) == sum(request.calls for request in sent(1))
    assert {call["type"] for call in calls} == {"identify", "track", "page", "screen", "group"}


def test_both_kinds_of_mutations_are_sent_and_queries() -> None:
    requests = sent(1, side=STACKADAPT)
    assert {request.name: request.records for request in requests} == {
        "upsert, as the destination": 1,
        "upsert, as an API client": 1,
        "page of profiles": 0,
    }


def test_a_workspace_without_a_connected_audience_has_no_documents_of_the_destination() -> None:
    workspace = replace(load_workspace(), destinations=())
    people = PeopleSequence(seed=3, workspace=workspace, advertiser="1001", count=60)
    names = {each.name for sent in people.of_worker(STACKADAPT, worker=0, workers=1) for each in sent}
    assert names == {"upsert, as an API client", "page of profiles"}
