"""The condition that a column contains a string, with regard to case, in each dialect."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class _Position(GenericFunction[int]):
    """Where a string contains another, from 1, or 0; with regard to case, unlike LIKE in SQLite."""

    type = Integer()
    name = "instr"
    inherit_cache = True


@compiles(_Position, "postgresql")
def _position_in_postgresql(element: _Position, compiler: Any, **options: Any) -> str:
    return f"strpos{compiler.process(element.clause_expr, **options)}"


def contains_text(column: Any, text: Any) -> ColumnElement[bool]:
    """Whether a column contains a string anywhere."""
    return _Position(column, text) > 0
