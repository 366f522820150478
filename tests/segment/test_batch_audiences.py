"""Batch audiences: computed every eight hours from the first call on, whatever happens between."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.events import MembershipChanged
from emulator.harness.checks import lint
from emulator.segment.conditions.compile import has_time_window
from emulator.segment.engage.computations import computation_of
from emulator.workspace import parse_workspace
from tests.segment.conftest import NOON, OpenEnv, SegmentEnv

WINDOW = {"event": "Order Completed", "within": "1d"}
NEXT = "2026-03-01T20:00:00.000Z"


def batch(document: dict[str, Any], condition: dict[str, Any] | None = None, **also: Any) -> dict[str, Any]:
    """The workspace with its audience computed in batches."""
    changed = deepcopy(document) | also
    changed["audiences"][0] |= {"computation": "batch"} | ({} if condition is None else {"condition": condition})
    return changed


def members(env: SegmentEnv) -> list[str]:
    return [member["userId"] for member in env.segment.members("vip_customers")]


def changes(env: SegmentEnv) -> list[tuple[float, bool]]:
    """The changes of membership: hours since noon, and whether it was entering."""
    return [((each.at - NOON) / timedelta(hours=1), each.entered) for each in env.heard(MembershipChanged)]


def test_people_enter_and_leave_only_every_eight_hours(open_env: OpenEnv, document: dict[str, Any]) -> None:
    env = open_env(batch(document))
    env.identify("u1", email="ada@example.com", total_spent=900)
    env.advance(hours=7, minutes=59)
    assert (members(env), env.payloads()) == ([], [])
    env.advance(minutes=1)
    assert members(env) == ["u1"]
    env.identify("u1", total_spent=1)
    env.advance(hours=7)
    assert members(env) == ["u1"]
    env.advance(hours=1)
    assert members(env) == []
    assert changes(env) == [(8, True), (16, False)]


def test_who_meets_the_condition_only_in_between_never_enters(open_env: OpenEnv, document: dict[str, Any]) -> None:
    env = open_env(batch(document, {"event": "Order Completed", "within": "3h"}))
    env.segment.ingest("track", {"userId": "u1", "event": "Order Completed"})
    env.advance(hours=9)
    assert changes(env) == []


def test_a_window_that_closes_is_noticed_at_the_next_computation(open_env: OpenEnv, document: dict[str, Any]) -> None:
    env = open_env(batch(document, {"event": "Order Completed", "within": "9h"}))
    env.segment.ingest("track", {"userId": "u1", "event": "Order Completed"})
    env.advance(hours=30)
    assert changes(env) == [(8, True), (16, False)]


STEPS = st.one_of(
    st.tuples(st.just("advance"), st.integers(1, 11)), st.tuples(st.just("set"), st.sampled_from([900, 1]))
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_the_members_are_those_of_the_last_computation(
    open_env: OpenEnv, document: dict[str, Any], steps: list[tuple[str, int]]
) -> None:
    env = open_env(batch(document))
    env.identify("u1", total_spent=1)
    spent, hours, expected = 1, 0, False
    for kind, value in steps:
        if kind == "set":
            spent = value
            env.identify("u1", total_spent=value)
        else:
            expected = spent >= 500 if (hours + value) // 8 > hours // 8 else expected
            hours += value
            env.advance(hours=value)
        assert bool(members(env)) == expected


def test_the_schedule_outlives_a_restart(open_env: OpenEnv, document: dict[str, Any], tmp_path: Path) -> None:
    first = open_env(batch(document), store=tmp_path / "s.db")
    first.identify("u1", total_spent=900)
    first.advance(hours=3)
    again = open_env(batch(document), store=tmp_path / "s.db")
    again.advance(hours=7)
    assert members(again) == []
    again.advance(hours=1)
    assert members(again) == ["u1"]


def test_computing_by_hand_does_not_wait(open_env: OpenEnv, document: dict[str, Any]) -> None:
    env = open_env(batch(document))
    env.identify("u1", total_spent=900)
    assert env.segment.compute("vip_customers") == {"profiles": 1, "entered": 1, "left": 0, "events": 2}
    assert members(env) == ["u1"]


def test_a_person_added_by_hand_stays_until_the_next_computation(open_env: OpenEnv, document: dict[str, Any]) -> None:
    env = open_env(batch(document))
    env.segment.set_membership("vip_customers", entered=True, user_id="u1")
    env.advance(hours=7)
    assert members(env) == ["u1"]
    env.advance(hours=1)
    assert members(env) == []


def test_a_new_email_of_a_member_does_not_wait(open_env: OpenEnv, document: dict[str, Any]) -> None:
    env = open_env(batch(document))
    env.identify("u1", total_spent=900)
    env.advance(hours=8)
    env.identify("u1", email="ada@example.com")
    assert [payload["traits"].get("email") for payload in env.payloads() if payload["type"] == "identify"] == [
        None,
        "ada@example.com",
    ]


def test_the_explanation_names_the_next_computation(open_env: OpenEnv, document: dict[str, Any]) -> None:
    env = open_env(batch(document))
    env.identify("u1", total_spent=900)
    [explained] = env.segment.explain_audiences(user_id="u1")
    assert explained["nextComputation"] == NEXT
    assert explained["failed"] == [f"the condition holds, and the batch audience is computed at {NEXT}"]
    env.advance(hours=8)
    env.identify("u1", total_spent=1)
    [explained] = env.segment.explain_audiences(user_id="u1")
    assert explained["failed"][-1] == "leaves when the batch audience is computed at 2026-03-02T04:00:00.000Z"
    assert env.segment.audiences()[0]["computation"] == "batch"


@pytest.mark.parametrize(
    ("condition", "timed"),
    [
        ({"trait": "total_spent", "operator": "at_least", "value": 500}, False),
        ({"trait": "d", "operator": "within_last", "value": "7d"}, False),
        ({"event": "E"}, False),
        (WINDOW, True),
        ({"event": "E", "between": ["30d", "90d"]}, True),
        ({"all": [{"event": "E"}, {"any": [{"not": WINDOW}]}]}, True),
    ],
)
def test_realistic_timing_computes_audiences_with_a_time_window_in_batches(
    document: dict[str, Any], condition: dict[str, Any], timed: bool
) -> None:
    assert has_time_window(condition) == timed
    document["audiences"][0]["condition"] = condition
    for timing in ("instant", "realistic"):
        for own in (None, "batch", "realtime"):
            audience = {**document["audiences"][0], **({} if own is None else {"computation": own})}
            workspace = parse_workspace({**document, "timing": timing, "audiences": [audience]})
            found = computation_of(workspace, workspace.audiences[0])
            assert found == (own or ("batch" if timed and timing == "realistic" else "realtime"))
            codes = [(finding.code, finding.severity) for finding in lint(workspace) if finding.code == "D012"]
            assert codes == ([("D012", "note")] if timed and found == "realtime" else [])
