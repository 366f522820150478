"""How often profiles with conditions on events are computed, and how much is stored and asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy

from emulator import statements
from tests.segment.conftest import OpenWithCondition, SegmentEnv
from tests.segment.event_conditions import ORDER, remembered, track, turns


def statements_of(segment_env: SegmentEnv, work: Callable[[], Any]) -> list[tuple[str, Any]]:
    """What is asked of the database meanwhile, each statement, without the names of schemas, with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((re.sub(r"\b\w+\.(segment_)", r"\1", statement), parameters))

    def prepared(connection: Any, text: str, values: Any, **options: Any) -> Any:
        # A prepared statement reaches the driver without SQLAlchemy.
        note(None, None, text, values)
        return executed(connection, text, values, **options)

    engine, executed = segment_env.sandbox.store._engine, statements._execute
    sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(statements, "_execute", prepared)
        work()
    sqlalchemy.event.remove(engine, "before_cursor_execute", note)
    return asked


def test_few_events_per_span_are_kept_for_a_later_window(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "between": ["1d", "2d"]})
    for _ in range(2):
        batch = [
            {"type": "track", "userId": "u1", "event": ORDER, "timestamp": f"2026-03-01T11:{n:02}:00Z"}
            for n in range(60)
        ]
        segment_env.segment.ingest("batch", {"batch": batch})
    assert len(remembered(segment_env)) == 4
    segment_env.advance(days=4)
    entered, left = (at for at, _ in turns(segment_env))
    assert (entered, left) == ("2026-03-02T11:00:00+00:00", "2026-03-03T11:59:00+00:00")


@pytest.mark.parametrize("times", [1, 50])
def test_a_clock_jump_computes_profiles_only_when_an_outcome_changes(open_with: OpenWithCondition, times: int) -> None:
    segment_env = open_with({"event": ORDER, "between": ["1d", "2d"]})
    for minutes in range(times):
        track(segment_env, timestamp=(segment_env.sandbox.clock.now() - timedelta(minutes=minutes)).isoformat())
    looked = [
        text
        for text, _ in statements_of(segment_env, lambda: segment_env.advance(days=4))
        if "FROM segment_performed" in text
    ]
    assert [entered for _, entered in turns(segment_env)] == [True, False]
    assert len([text for text in looked if text.startswith("SELECT")]) == 2


def test_a_call_applies_the_effect_of_time_once(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "within": "1d"})
    for work in (
        lambda: track(segment_env),
        lambda: segment_env.segment.set_membership("vip_customers", entered=True, user_id="u1"),
    ):
        asked = statements_of(segment_env, work)
        assert len([text for text, _ in asked if "WHERE segment_due.at <=" in text]) == 1


def test_events_of_many_profiles_are_deleted_in_statements_of_bounded_size(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "operator": "at_least", "value": 100, "within": "1d"})
    for user in range(12):
        batch = [{"type": "track", "userId": f"u{user}", "event": ORDER} for _ in range(100)]
        segment_env.segment.ingest("batch", {"batch": batch})
    assert len(remembered(segment_env)) == 1_200
    asked = statements_of(segment_env, lambda: segment_env.advance(days=2))
    assert remembered(segment_env) == []
    assert max(len(parameters) for text, parameters in asked if text.startswith("DELETE")) <= 512
