"""Deliveries are found by indexes, so that a search takes as long in a large store as in a small one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.segment.conftest import SegmentEnv

SEARCHES = {
    "user id": {"user_id": "u1"},
    "email": {"email": "ada@example.com"},
    "message id": {"message_id": "personas_1"},
    "queued": {"outcome": "queued", "destination": "StackAdapt Acme"},
    "failed": {"outcome": "failed"},
}


@pytest.fixture
def executed() -> Iterator[list[tuple[str, Any]]]:
    """The statements of SQLAlchemy and their parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_others: Any) -> None:
        found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("search", [*SEARCHES, "dead letters"])
def test_deliveries_are_searched_by_indexes(
    segment_env: SegmentEnv, executed: list[tuple[str, Any]], search: str
) -> None:
    if segment_env.sandbox.store.shared:
        pytest.skip("PostgreSQL scans a small table, whatever indexes it has")
    segment_env.identify(email="ada@example.com", total_spent=900)
    executed.clear()
    if search in SEARCHES:
        segment_env.segment.deliveries(**SEARCHES[search])
    else:
        segment_env.segment.dead_letters()
    statement, parameters = next(pair for pair in executed if "FROM segment_deliveries" in pair[0])
    with segment_env.sandbox.store.begin() as transaction:
        plan = transaction.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert [row.detail for row in plan if row.detail.startswith("SCAN")] == []
