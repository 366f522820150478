"""`grade`: what each point sees in made journals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.errors import InputError, UnknownName
from emulator.harness.documentation import headings_of
from emulator.harness.grade import (
    NAMES,
    POINTS,
    Case,
    Grade,
    SentRequest,
    as_markdown,
    chosen,
    generated_people,
    graded,
    known_before,
    lines_of_grade,
    people_in_file,
    runs_for,
)
from tests.harness.grade.made_runs import (
    ADA,
    BOB,
    BUSY,
    DOWN,
    FAILED,
    LOST,
    NOT_SEEN,
    PASSED,
    REFUSED,
    SECRET,
    USER_ERRORS,
    paused,
    read,
    recorded,
    result,
    run,
    sent,
)


@pytest.mark.parametrize(("point", "failure"), [("retry-429", BUSY), ("retry-5xx", DOWN)])
def test_repeats(point: str, failure: Mapping[str, Any]) -> None:
    failing = [sent(number, **failure) for number in (1, 2, 3)]
    other = sent(9, records=[{"email": BOB}], document="another")
    assert result(point, run(sent(1))) == NOT_SEEN
    assert result(point, run(sent(1, **(DOWN if failure is BUSY else BUSY)), sent(2))) == NOT_SEEN
    assert result(point, run(failing[0], sent(2))) == PASSED
    assert result(point, run(failing[0], sent(2, document="x", records=[{"email": ADA.upper()}]))) == PASSED
    assert result(point, run(failing[0], other, sent(10))) == PASSED
    # The repeat got through; that it was then refused is another point.
    assert result(point, run(failing[0], sent(2, **USER_ERRORS), code=1)) == PASSED
    assert result(point, run(*failing, code=1)) == PASSED
    assert result(point, recorded(*failing)) == PASSED
    assert result(point, run(*failing)) == FAILED
    assert result(point, run(*failing, code=None, stopped=True)) == FAILED
    assert result(point, run(*failing[:2], code=1)) == FAILED
    assert result(point, run(failing[0], code=1)) == FAILED
    assert result(point, run(failing[0], other)) == FAILED
    # Another request of the same operation that was accepted is none of its repeats.
    assert result(point, run(sent(1, records=[{"email": BOB}], document="b"), failing[1], sent(3))) == PASSED


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([(0.1, 0.2, 0.4, 0.8)], PASSED),
        ([(0.1, 0.16)], PASSED),
        ([(0.5, 0.3, 1.0, 0.9), (0.1, 0.7, 0.3, 2.0)], PASSED),
        ([(0.5, 0.5, 0.5, 0.5)], FAILED),
        ([(0.8, 0.4, 0.2)], FAILED),
        ([(0.0, 0.001, 0.002, 0.01)], FAILED),
        ([(0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.1)], FAILED),
        ([(0.5,)], NOT_SEEN),
        ([()], NOT_SEEN),
    ],
)
def test_growing_pauses(pauses: Sequence[Sequence[float]], expected: str) -> None:
    assert result("growing-pauses", *(paused(*each) for each in pauses)) == expected
    assert result("growing-pauses", *(paused(*each, failed=DOWN) for each in pauses)) == expected


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([(0.1, 0.2, 0.4), (0.1, 0.25, 0.4)], PASSED),
        ([(1.0,), (1.1,)], PASSED),
        ([(0.1, 0.2, 0.4), (0.11, 0.2, 0.41)], FAILED),
        ([(100.0,), (100.9,)], FAILED),
        ([(0.0, 0.0, 0.0), (0.001, 0.0, 0.05)], FAILED),
        ([(0.1, 0.2)], NOT_SEEN),
        ([(0.1, 0.2), ()], NOT_SEEN),
    ],
)
def test_jitter(pauses: Sequence[Sequence[float]], expected: str) -> None:
    assert result("jitter", *(paused(*each, name=str(place)) for place, each in enumerate(pauses))) == expected


def test_pauses_after_another_status_are_not_compared() -> None:
    fixed = [paused(0.3, 0.3, name="429"), paused(0.8, 0.8, failed=DOWN, name="503")]
    assert result("jitter", *fixed) == NOT_SEEN
    assert result("jitter", *fixed, paused(0.3, 0.3, name="429-again")) == FAILED
    assert result("jitter", *fixed, paused(0.2, 0.3, name="429-again")) == PASSED


def test_pauses_that_a_response_asked_for_are_no_pauses_of_the_client() -> None:
    asked = paused(1.0, 1.0, 1.0, failed={**BUSY, "wait": 1.0})
    assert (result("growing-pauses", asked), result("jitter", asked, asked)) == (NOT_SEEN, NOT_SEEN)


@pytest.mark.parametrize(("pause", "expected"), [(2.0, PASSED), (1.96, PASSED), (5.0, PASSED), (1.9, FAILED)])
def test_retry_after(pause: float, expected: str) -> None:
    assert result("retry-after", paused(pause, failed={**BUSY, "wait": 2.0})) == expected
    assert result("retry-after", paused(pause)) == NOT_SEEN
    assert result("retry-after", run(sent(1, wait=2.0, **BUSY), code=1)) == NOT_SEEN


def test_time_limit() -> None:
    late, again = sent(1, at=1.0, late=30.0), sent(2, at=9.0)
    assert result("time-limit", run(sent(1), seconds=90)) == NOT_SEEN
    assert result("time-limit", run(sent(1, late=29.0), seconds=90)) == NOT_SEEN
    assert result("time-limit", recorded(late, again)) == NOT_SEEN
    assert result("time-limit", run(late, again, seconds=90)) == PASSED
    assert result("time-limit", run(late, code=1, seconds=9)) == PASSED
    assert result("time-limit", run(late, sent(2, at=31.0, document="another"), seconds=31.5)) == FAILED
    assert result("time-limit", run(late, sent(2, at=32.0), seconds=33)) == FAILED
    assert result("time-limit", run(late, code=None, stopped=True, seconds=60)) == FAILED
    # Stopped before it could show that it gives up.
    assert result("time-limit", run(late, code=None, stopped=True, seconds=20)) == NOT_SEEN


def test_stop_4xx() -> None:
    refused = sent(1, **REFUSED)
    assert result("stop-4xx", run(sent(1))) == NOT_SEEN
    assert result("stop-4xx", paused(0.1), paused(0.1, failed={**BUSY, "status": 408})) == NOT_SEEN
    assert result("stop-4xx", run(refused, code=1)) == PASSED
    assert result("stop-4xx", recorded(refused)) == PASSED
    assert result("stop-4xx", run(refused)) == FAILED
    assert result("stop-4xx", run(refused, sent(2, **REFUSED), code=1)) == FAILED
    assert result("stop-4xx", run(refused, sent(2, document='{"syncId": "2"}', **REFUSED), code=1)) == FAILED


def test_user_errors() -> None:
    refused = sent(1, **USER_ERRORS)
    assert result("user-errors", run(sent(1))) == NOT_SEEN
    assert result("user-errors", recorded(refused)) == NOT_SEEN
    assert result("user-errors", run(refused, sent(2))) == NOT_SEEN
    assert result("user-errors", run(refused, code=3)) == PASSED
    assert result("user-errors", run(refused)) == FAILED


def test_lost_response() -> None:
    lost = sent(1, **LOST)
    assert result("lost-response", run(sent(1), read(2, **LOST))) == NOT_SEEN
    assert result("lost-response", run(lost, sent(2))) == PASSED
    assert result("lost-response", run(lost, code=1)) == PASSED
    assert result("lost-response", recorded(lost)) == NOT_SEEN
    assert result("lost-response", run(lost)) == FAILED
    assert result("lost-response", run(lost, sent(2, document=lost.document.replace('"1"', '"2"')))) == FAILED
    create = {"operations": ("createProfileList",), "records": []}
    assert result("lost-response", run(sent(1, **create, **LOST), sent(2, **create))) == FAILED


@pytest.mark.parametrize(
    ("document", "other", "named"),
    [
        ('{"variables": {"syncId": "1"}}', '{"variables": {"syncId": "2"}}', "syncId"),
        (r'{"query": "{a(syncId: \"x1\")}"}', r'{"query": "{a(syncId: \"x2\")}"}', "syncId"),
        ('{"variables": {"input": {"at": 12}}}', '{"variables": {"input": {"at": 13}}}', "at"),
        ("a", "b", "document"),
    ],
)
def test_what_differs_in_a_repeat_is_named(document: str, other: str, named: str) -> None:
    case = Case(runs=[run(sent(1, document=document, **LOST), sent(2, document=other))])
    (found,) = graded(case, chosen(["lost-response"]))
    assert found.evidence[0].text == f"sent again with another {named}"


def page(count: int, **parts: Any) -> dict[str, Any]:
    return {"nodes": [{"email": ADA}] * count, **parts}


MORE = {"pageInfo": {"hasNextPage": True, "endCursor": "Y3Vy/c29y"}}
LAST = {"pageInfo": {"hasNextPage": False}}
NEXT = read(2, document=r'{"variables": {"after": "Y3Vy\/c29y"}}')


@pytest.mark.parametrize(
    ("data", "following", "expected"),
    [
        ({"advertisers": page(100, **MORE)}, [NEXT], PASSED),
        ({"advertisers": page(100, **MORE)}, [], FAILED),
        ({"advertisers": page(50, **MORE)}, [read(2)], FAILED),
        ({"advertisers": page(100, pageInfo={"hasNextPage": True})}, [NEXT], FAILED),
        ({"advertisers": page(100)}, [NEXT], FAILED),
        ({"advertisers": {"edges": [{}] * 100}}, [], FAILED),
        ({"tokenInfo": {"scopesByAdvertiser": page(100)}}, [], FAILED),
        ({"advertisers": page(1, **MORE)}, [], NOT_SEEN),
        ({"advertisers": page(99)}, [], NOT_SEEN),
        ({"advertisers": page(100, **LAST)}, [], NOT_SEEN),
        ({"cdpProfiles": {"nextToken": "Y3Vy/c29y", "profiles": page(100)}}, [NEXT], PASSED),
        ({"cdpProfiles": {"nextToken": "Y3Vy/c29y", "profiles": page(100, **LAST)}}, [], FAILED),
        ({"cdpProfiles": {"profiles": page(100, **LAST)}}, [], FAILED),
        ({"cdpProfiles": {"nextToken": None, "profiles": page(100)}}, [], NOT_SEEN),
        ({"cdpProfiles": {"nextToken": None, "profiles": page(50, **MORE)}}, [], FAILED),
        ({"cdpProfiles": None}, [], NOT_SEEN),
        (None, [], NOT_SEEN),
    ],
)
def test_paging(data: Any, following: Sequence[SentRequest], expected: str) -> None:
    assert result("paging", run(read(1, data), *following)) == expected
    assert result("paging", recorded(read(1, data), *following)) == expected
    assert result("paging", run(read(1, data), *following, code=1)) == NOT_SEEN


ALIASED = """query ($t: String) { mine: cdpProfiles(advertiserId: 1, filterBy: {paginationToken: $t}) { ...Page } }
fragment Page on CDPProfiles { next: nextToken all: profiles { items: nodes { e: email } } }"""


@pytest.mark.parametrize(
    ("token", "following", "expected"),
    [("Y3Vy/c29y", [NEXT], PASSED), ("Y3Vy/c29y", [], FAILED), (None, [], NOT_SEEN)],
)
def test_paging_under_aliases(token: str | None, following: Sequence[SentRequest], expected: str) -> None:
    data = {"mine": {"next": token, "all": {"items": [{"e": ADA}] * 100}}}
    first = read(1, data, document=json.dumps({"query": ALIASED}))
    assert result("paging", run(first, *following)) == expected


def test_batch_limit() -> None:
    def people(number: int) -> list[dict[str, str]]:
        return [{"email": f"{index}@example.com"} for index in range(number)]

    assert result("batch-limit", run(sent(1, records=people(1000)))) == NOT_SEEN
    assert result("batch-limit", run(sent(1, records=people(1000)), sent(2))) == PASSED
    assert result("batch-limit", run(sent(1, records=people(1001)))) == FAILED
    assert result("batch-limit", run(sent(1, document="x" * (4 * 1024 * 1024 + 1)))) == FAILED
    assert result("batch-limit", run(sent(1, records=[], operations=(), mutates=False, status=413))) == FAILED


def test_read_token() -> None:
    assert result("read-token", run(sent(1))) == NOT_SEEN
    assert result("read-token", run(read(1, operations=("tokenInfo",)))) == NOT_SEEN
    assert result("read-token", run(read(1, can_write=None))) == NOT_SEEN
    assert result("read-token", run(read(1, can_write=False), sent(2))) == PASSED
    assert result("read-token", run(read(1, can_write=False), read(2))) == FAILED


def test_consent() -> None:
    consents = {ADA: True, BOB: False}
    bob = sent(2, records=[{"email": BOB.title()}])
    assert result("consent", run(sent(1))) == NOT_SEEN
    assert result("consent", run(sent(1, records=[{"email": "eve@example.com"}])), consents=consents) == NOT_SEEN
    assert result("consent", run(sent(1)), consents=consents) == PASSED
    assert result("consent", run(sent(1), bob), consents=consents) == FAILED
    assert result("consent", run(sent(1)), consents={ADA: True}) == NOT_SEEN


def everything() -> Grade:
    """A grade with each result, about people whose emails and a token were shown."""
    case = Case(
        runs=[run(sent(1, **REFUSED), code=1, output=f"{ADA} {SECRET}")],
        consents={ADA: False},
        secrets={"the token": SECRET},
    )
    return Grade(runs=case.runs, points=graded(case))


def test_a_report_says_how_many_points_passed_and_shows_no_secret() -> None:
    grade = everything()
    shown = grade.as_dict()
    Draft202012Validator(contract_json("grade.schema.json")).validate(shown)
    assert (grade.score, shown["passed"], shown["failed"], shown["notSeen"]) == (25, 1, 3, 11)
    text = "\n".join(lines_of_grade(grade))
    for report in (text, as_markdown(grade), json.dumps(shown)):
        assert (ADA in report, SECRET in report) == (False, False)
    assert text.endswith("score 25: 1 passed, 3 failed, 11 not seen")
    assert "run, #1 at 1.00 s: upsertProfiles: 400, not sent again, and the command exited with code 1" in text
    assert "| `stop-4xx` | passed |" in as_markdown(grade)


def test_without_a_point_that_was_seen_there_is_no_score() -> None:
    grade = Grade(runs=[], points=graded(Case(runs=[])))
    assert (grade.score, grade.as_dict()["notSeen"]) == (None, len(POINTS))


def test_the_page_has_each_point_and_the_heading_to_read() -> None:
    assert {point.read for point in POINTS} <= {heading.anchor for heading in headings_of("grade")}


def test_points_are_chosen_by_name_and_bring_their_runs() -> None:
    assert [point.name for point in chosen(None)] == [*NAMES]
    assert [each.name for each in runs_for(chosen(["jitter", "retry-429"]))] == ["plain", "429", "429-again"]
    assert [each.name for each in runs_for(chosen(["consent"]))] == ["plain"]
    assert len(runs_for(chosen(["token-leak"]))) == len(runs_for(POINTS)) == 9
    with pytest.raises(UnknownName, match="Did you mean 'retry-429'"):
        chosen(["retry-42"])


def test_generated_people_are_more_than_a_batch_and_others_than_those_known_before() -> None:
    people = generated_people()
    assert sorted(people.consents.values()).count(False) == 50
    assert len(people.consents) == 1300
    assert not people.consents.keys() & set(known_before())
    few = people.few().consents
    assert (list(few.values()).count(True), list(few.values()).count(False)) == (20, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("email,name\na@b.co,A\n", "line 1: the file has no column 'consent'"),
        ("email,consent\n", "the file has no people"),
        ("email,consent\na@b.co,maybe\n", "line 2: unknown consent. Found: 'maybe'. Known: yes, no"),
        ("email,consent\nadam,yes\n", "line 2: this is not an email address. Found: 'adam'"),
        ("email,consent\na@b.co\n", "line 2: the row has 1 cells, the header 2"),
        ('email,consent\n"a@b.co,yes\n', "this is not CSV"),
    ],
)
def test_a_file_of_people_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        people_in_file(path)
    assert message in str(caught.value)
