"""`upgrade-check`: deletions of people, and every kind of difference with its level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from emulator.harness.plan import CallsOf
from emulator.harness.recorded_cases import Case, Outcome
from emulator.harness.upgrade import (
    built_in,
    lines_of_check,
)
from tests.harness.upgrade.checked_upgrades import (
    CURRENT,
    DELETE,
    NOT_DELETED,
    PEOPLE,
    Row,
    checked,
    edited,
    request,
    rows,
)
from tests.harness.upgrade.workspaces import of_2025

KEPT = ("loses-data", "deletion", "profiles of deleted people", "kept")
DELETION_EDITS: Mapping[str, tuple[list[tuple[str, str]], list[Row]]] = {
    "nothing": ([], []),
    "a hash": ([('syncId: "[0-9a-f]+"', 'syncId: "0"')], []),
    "another provider": (
        [("segment_io", "hubspot")],
        [KEPT, request(f"{DELETE}.input.externalProvider", "changed", "loses-data")],
    ),
    "a provider that StackAdapt does not know": (
        [("segment_io", "another")],
        [NOT_DELETED, KEPT, request(f"{DELETE}.input.externalProvider", "changed", "loses-data")],
    ),
    "an advertiser": (
        [("1001", "1002")],
        [KEPT, request(f"{DELETE}.input.advertiserIds", "changed", "loses-data")],
    ),
    "no advertiser": (
        [("advertiserIds: .1001.,?", "")],
        [request(f"{DELETE}.input.advertiserIds", "removed")],
    ),
    "another person": (
        [('externalIds: ."[^"]+".', 'externalIds: ["synthetic-user-0"]')],
        [KEPT, request(f"{DELETE}.input.externalIds", "changed", "loses-data")],
    ),
    "a root field that StackAdapt does not have": (
        [(DELETE, "deleteProfiles")],
        [NOT_DELETED, KEPT, request("deleteProfiles", "added", "loses-data")],
    ),
    "a document that cannot be read": (
        [("mutation {", "mutation (")],
        [NOT_DELETED, KEPT, request("document", "changed", "loses-data")],
    ),
}


@pytest.mark.parametrize("name", DELETION_EDITS)
def test_each_kind_of_difference_of_deletions_has_its_level(name: str) -> None:
    edits, expected = DELETION_EDITS[name]
    [upgrade] = checked(of_2025(CURRENT), edited(*edits, mode="delete")).upgrades
    assert sorted(rows(upgrade)) == sorted(expected)


def test_a_destination_that_does_not_delete_any_more_loses_the_deletions() -> None:
    def without(cases: Sequence[Case]) -> list[Outcome]:
        outcomes = edited().run(cases)
        return [
            {"results": [{"output": "onDelete not implemented"}]} if case["mode"] == "delete" else outcome
            for case, outcome in zip(cases, outcomes, strict=True)
        ]

    never = replace(built_in(CURRENT), name="without deletions", run=without)
    lost, back = checked(of_2025(CURRENT), never, built_in(CURRENT)).upgrades
    assert sorted(rows(lost)) == sorted([NOT_DELETED, KEPT])
    assert {each.cause for each in lost.findings} == {"it sends no request for a deletion"}
    assert rows(back) == [
        ("changes-data", "delivery", "deletions at 'StackAdapt Acme'", "accepted"),
        ("changes-data", "deletion", "profiles of deleted people", "deleted"),
    ]


def test_ten_of_each_kind_of_user_id_are_deleted_and_others_must_stay() -> None:
    ids = [f"u{number}" for number in range(12)] + ["u@12", "u.13"]
    calls = [
        {"type": "identify", "userId": each, "traits": {"email": f"{number}@example.com", "total_spent": 900}}
        for number, each in enumerate(ids)
    ]
    population = CallsOf(text="some", calls=len(calls), make=lambda: calls, at=PEOPLE.at)
    more = edited((r'externalIds: \[("[^"]+")\]', r'externalIds: [\1, "u11"]'), mode="delete")
    found = checked(of_2025(CURRENT), more, built_in(CURRENT), population=population)
    assert found.deletions == 12
    hit, spared = found.upgrades
    assert (hit.sides[0].deleted, hit.sides[1].deleted) == (12, 13)
    changed = request(f"{DELETE}.input.externalIds", "changed")
    assert rows(hit) == [
        ("loses-data", *changed[1:]),
        ("loses-data", "deletion", "profiles of other people", "deleted"),
    ]
    assert rows(spared) == [
        ("changes-data", *changed[1:]),
        ("changes-data", "deletion", "profiles of other people", "kept"),
    ]
    [other] = [each for each in hit.findings if each.part == "deletion"]
    assert [each["email"] for each in other.examples] == ["11@example.com"]


def test_user_ids_stay_on_their_lines_in_text() -> None:
    call = {"type": "identify", "userId": "u\x9b1", "traits": {"email": "a@example.com", "total_spent": 900}}
    population = CallsOf(text="one", calls=1, make=lambda: [call], at=PEOPLE.at)
    workspace = of_2025(CURRENT)
    found = checked(workspace, edited(("mutation", "mutation ("), mode="delete"), population=population)
    lines = [*lines_of_check(found)]
    assert "    u\\x9b1 delete" in lines
    assert all(line.isprintable() for line in lines)
