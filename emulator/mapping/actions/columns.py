"""The columns that `upsertProfileMapping` declares, from 3.497.0 on: eleven fixed ones, then the custom ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from emulator.mapping.actions.document import graphql_object
from emulator.mapping.javascript.values import trim

Column: TypeAlias = Mapping[str, object]

_WORD_START = re.compile(r"\b\w", re.ASCII)


def column(name: str, label: str, type_: object, *, pii: bool = False) -> Column:
    """A column that keeps its name. An undefined type is left out of the document."""
    return {"incomingKey": name, "destinationKey": name, "label": label, "type": type_, "isPii": pii}


STANDARD_COLUMNS = (
    column("email", "Email", "STRING", pii=True),
    column("first_name", "First Name", "STRING", pii=True),
    column("last_name", "Last Name", "STRING", pii=True),
    column("phone", "Phone", "STRING", pii=True),
    column("address", "Address", "STRING", pii=True),
    column("city", "City", "STRING"),
    column("state", "State", "STRING"),
    column("country", "Country", "STRING"),
    column("postal_code", "Postal Code", "STRING"),
    column("timezone", "Timezone", "STRING"),
    column("birth_date", "Birth Date", "DATE", pii=True),
)
_STANDARD_TEXT = ",".join(graphql_object(standard, bare="type") for standard in STANDARD_COLUMNS)
STANDARD_NAMES = frozenset(str(standard["incomingKey"]) for standard in STANDARD_COLUMNS)
_AUDIENCE_COLUMNS = tuple(
    {"incomingKey": name, "destinationKey": destination, "type": "STRING", "label": label, "isPii": False}
    for name, destination, label in (
        ("audienceId", "external_id", "External Audience ID"),
        ("audienceName", "name", "External Audience Name"),
    )
)
AUDIENCE_COLUMNS_TEXT = "[" + ",".join(graphql_object(audience, bare="type") for audience in _AUDIENCE_COLUMNS) + "]"


def columns_text(custom: Iterable[Column]) -> str:
    """The standard columns and these, as a GraphQL list."""
    return f"[{','.join([_STANDARD_TEXT, *(graphql_object(added, bare='type') for added in custom)])}]"


def custom_column(name: str, type_: object) -> Column:
    """The column of a custom property: `plan_tier` is labelled `Plan Tier`, `audienceTier` `External AudienceTier`."""
    label = _WORD_START.sub(lambda first: first.group().upper(), trim(name.replace("_", " ")))
    return column(name, f"External {label}" if name.startswith("audience") else label, type_)
