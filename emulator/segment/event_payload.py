"""The JSON of stored events, put together by the database from a form and a content."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Text, cast, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from emulator.segment.event_contents import AFTER_ID, BEFORE_ID
from emulator.segment.tables import CONTENTS, EVENTS, FORMS

# The events with their forms and contents.
EMITTED = EVENTS.join(FORMS, EVENTS.c.form_id == FORMS.c.id).join(CONTENTS, EVENTS.c.content_id == CONTENTS.c.id)

_TEXT = (
    literal(BEFORE_ID, Text)
    + EVENTS.c.message_id
    + literal(AFTER_ID, Text)
    + FORMS.c.before_traits
    + CONTENTS.c.traits
    + FORMS.c.before_email
    + CONTENTS.c.email
    + FORMS.c.before_identity
    + CONTENTS.c.identity
    + FORMS.c.before_times
    + CONTENTS.c.times
)


class _Payload(ColumnElement[str]):
    """The JSON of an event: bytes from SQLite, since a damaged file may hold some that are no text."""

    inherit_cache = True
    type = Text()


@compiles(_Payload)
def _as_text(_element: _Payload, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(_TEXT, **options)


@compiles(_Payload, "sqlite")
def _as_bytes(_element: _Payload, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(cast(_TEXT, LargeBinary), **options)


PAYLOAD = _Payload().label("payload")
