"""`plan`: the people of files and sandboxes, and those of whom nothing comes."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from emulator.errors import InputError
from emulator.harness.plan import (
    CallsOf,
    as_markdown,
    lines_of_plan,
    people_in_file,
    people_known,
)
from emulator.workspace import load_workspace, parse_workspace
from tests.harness.plan.planned_changes import (
    BUILT_IN,
    PEOPLE,
    Change,
    narrow,
    other_consent,
    planned,
    second_audience,
)


def written(path: Path, text: str) -> CallsOf:
    path.write_text(text, encoding="utf-8")
    return people_in_file(path, [load_workspace()])


def test_rows_of_a_file_are_people(tmp_path: Path) -> None:
    text = "user_id, email,total_spent,postal_code\nu1,a@example.com,612.5,02134\n,b@example.com,700,\nu3,,1,\n"
    population = written(tmp_path / "people.csv", text)
    assert (population.text, population.calls) == ("people.csv", 3)
    assert [*population.make()] == [
        {
            "type": "identify",
            "userId": "u1",
            "traits": {"email": "a@example.com", "total_spent": 612.5, "postal_code": "02134"},
        },
        {"type": "identify", "anonymousId": "b@example.com", "traits": {"email": "b@example.com", "total_spent": 700}},
        {"type": "identify", "userId": "u3", "traits": {"total_spent": 1}},
    ]
    assert planned(narrow, population=population).old.profiles == 2


def test_calls_of_a_file_are_run_as_they_are(tmp_path: Path) -> None:
    call = {"type": "identify", "userId": "u1", "traits": {"email": "a@example.com", "total_spent": 900}}
    population = written(tmp_path / "calls.jsonl", f"{json.dumps(call)}\n")
    assert [*population.make()] == [call]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column for an identifier"),
        ("name\nAda\n", r"people.csv, line 1: the file has no column for an identifier\. Found: 'name'"),
        ("user_id,email\n", "the file has no people"),
        ("user_id,email\nu1\n", "line 2: the row has 1 cells, the header 2"),
        ("user_id,email\n,\n", "line 2: the row has neither a user id nor an email"),
        *(
            (f"user_id,total_spent\nu1,{cell}\n", f"line 2, column total_spent: a condition .* number. Found: '{cell}'")
            for cell in ("much", "nan", "1e999", "1_000")
        ),
        ("user_id;email\nu1;a\n", "Found: 'user_id;email'.* Separate the columns by commas"),
        ("email,email\na,b\n", "line 1: two columns are named 'email'. Give each column a name of its own"),
        ("email,\na,b\n", "line 1: a column has no name"),
        (f"email,note\na,{'x' * 33_000}\n", "line 2: Segment takes no such call: batch.0. is larger than 32 KB"),
        ('user_id,email\n"u1,a\n', "this is not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        written(tmp_path / "people.csv", text)


def test_calls_that_segment_refuses_are_counted_by_its_code() -> None:
    person = {"email": "a@example.com", "total_spent": 900}
    calls = [{"type": "identify", "traits": person}, {"type": "identify", "userId": "u", "traits": person}]
    plan = planned(lambda _: None, population=CallsOf(text="two", calls=2, make=lambda: calls, at=PEOPLE.at))
    assert plan.as_dict()["old"]["callsRefused"] == {"total": 1, "byReason": {"no_user_anon_id": 1}}
    assert "  calls refused                      1 → 1" in [*lines_of_plan(plan)]
    assert "| calls refused | 1 | 1 |" in as_markdown(plan)
    assert (plan.new.profiles, plan.warning) == (1, None)


def test_calls_are_sent_in_bodies_that_segment_takes() -> None:
    calls = [
        {"type": "identify", "userId": f"u{number}", "traits": {"email": f"{number}@example.com", "note": "é" * 15_000}}
        for number in range(20)
    ]
    plan = planned(second_audience, population=CallsOf(text="large", calls=20, make=lambda: calls, at=PEOPLE.at))
    assert (plan.new.profiles, dict(plan.new.refused)) == (20, {})


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (
            {"userId": "u", "traits": {"email": "a@example.com"}},
            "a@example.com: audience, CONDITION_FALSE: .*total_spent is missing.* What to do: Send the traits",
        ),
        ({"userId": "u"}, "u: audience, CONDITION_FALSE: .*total_spent is missing"),
        (
            {"userId": "u", "traits": {"total_spent": 900}},
            "u: mapping, PAYLOAD_VALIDATION_FAILED: .*email.* What to do: Send what the mapping needs",
        ),
        ({"anonymousId": "a"}, "Segment sent no event about them. What to do: Give people who meet the condition"),
        (
            {"userId": "u", "traits": 7},
            "Segment refused all calls, 1 as traits_not_object: .*not an object. What to do: Send",
        ),
        (
            {"traits": {"email": "a@example.com"}},
            "Segment refused all calls, 1 as no_user_anon_id: The call has neither .* What to do: Send `userId` or",
        ),
    ],
)
def test_people_of_whom_no_profile_comes_are_no_proof(call: Any, cause: str) -> None:
    calls = [{"type": "identify", **call}]
    plan = planned(other_consent, population=CallsOf(text="one", calls=1, make=lambda: calls, at=PEOPLE.at))
    said = f"Neither workspace has a profile, so these people show nothing of the change. {cause}"
    assert re.match(said, plan.warning or ""), plan.warning
    assert plan.warning in [*lines_of_plan(plan)]
    assert "No profile changes" not in as_markdown(plan)


def no_audience(document: dict[str, Any]) -> None:
    document["audiences"] = document["destinations"][0]["audiences"] = []


def of_batches(document: dict[str, Any]) -> None:
    document["audiences"][0]["computation"] = "batch"


@pytest.mark.parametrize(
    ("spent", "entered", "change", "members"),
    [
        # A person who was put in stays in, and one who was taken out stays out, on both sides.
        (1, True, narrow, (1, 1)),
        (900, False, narrow, (0, 0)),
        # What the condition says is computed again.
        (900, True, narrow, (1, 0)),
        (900, True, no_audience, (1, 0)),
        # No audience, no membership.
        (1, True, no_audience, (1, 0)),
    ],
)
def test_memberships_that_were_set_are_carried_over(
    spent: int, entered: bool, change: Change, members: tuple[int, int]
) -> None:
    with Emulator() as emulator:
        emulator.segment.ingest("batch", {"batch": [person("ada", spent), person("eve", 1)]})
        emulator.segment.set_membership("vip_customers", entered=entered, user_id="ada")
        known = people_known(emulator.services)

    plan = planned(change, population=known)
    sizes = {(each.advertiser_id, each.field): (each.old, each.new) for each in plan.segments}
    assert sizes["1001", "segment_engage_audience_name"] == members


def person(name: str, spent: int) -> dict[str, Any]:
    traits = {"email": f"{name}@example.com", "total_spent": spent}
    return {"type": "identify", "userId": name, "traits": traits}


def test_a_membership_of_a_batch_audience_ends_with_its_next_computation() -> None:
    document = copy.deepcopy(BUILT_IN)
    of_batches(document)
    with Emulator(parse_workspace(document)) as emulator:
        emulator.segment.ingest("batch", {"batch": [person("ada", 1)]})
        emulator.segment.set_membership("vip_customers", entered=True, user_id="ada")
        assert people_known(emulator.services).members == ()


def test_the_people_of_a_sandbox_are_their_traits_and_events() -> None:
    with Emulator() as emulator:
        calls = [*PEOPLE.make()]
        emulator.segment.ingest("batch", {"batch": calls})
        known = people_known(emulator.services)
    assert known.calls == len(calls)
    assert known.text == "40 people of sandbox 'default'"
    plan = planned(lambda _: None, population=known)
    assert plan.old.profiles == planned(lambda _: None).old.profiles
