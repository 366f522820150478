"""PostgreSQL's pipeline mode: a statement without a result is sent without waiting for the server.

Each wait takes as long as a small query, and a mutation writes to ten tables. The error of such a statement is raised
by the next one that waits, at the latest before the commit. A statement that SQLAlchemy itself runs ends the mode: it
asks the driver what the statement returns before it waits.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from typing import Any, Final

from sqlalchemy import Connection

from emulator.statements import named

_PIPELINE: Final = "stackadapt_emulator_pipeline"


def begin_pipeline(connection: Connection) -> None:
    """Has the prepared statements of the transaction sent without waiting, where the database and its driver can."""
    if connection.dialect.name != "postgresql":
        return
    from psycopg import Pipeline

    if Pipeline.is_supported():
        driver: Any = connection.connection.driver_connection
        pipeline: AbstractContextManager[object] = driver.pipeline()
        pipeline.__enter__()
        connection.info[_PIPELINE] = pipeline


def end_pipeline(connection: Connection) -> None:
    """Waits for what was sent, if the mode was begun. Raises DBAPIError."""
    pipeline = connection.info.pop(_PIPELINE, None)
    if pipeline is not None:
        driver: Any = connection.dialect.dbapi
        try:
            pipeline.__exit__(None, None, None)
        except driver.Error as error:
            raise named(connection, "a pipeline", error, None) from error


def abandon_pipeline(connection: Connection) -> None:
    """Ends the mode after an error, so that the transaction can be rolled back."""
    if connection.invalidated:
        return
    pipeline = connection.info.pop(_PIPELINE, None)
    if pipeline is not None:
        driver: Any = connection.dialect.dbapi
        with suppress(driver.Error):
            pipeline.__exit__(None, None, None)
