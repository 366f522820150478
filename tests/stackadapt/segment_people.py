"""People with properties and audiences, and rules about them."""

from __future__ import annotations

from typing import Any

from tests.stackadapt.conftest import column

TYPES = {
    "tier": "STRING",
    "spent": "NUMBER",
    "active": "BOOLEAN",
    "since": "DATE",
    "seen": "DATETIME",
    "tags": "STRING_LIST",
}
COLUMNS = [column(key, data_type) for key, data_type in TYPES.items()]


def person(name: str, *audiences: str, **properties: Any) -> list[dict[str, Any]]:
    email = f"{name}@example.com"
    entered = [
        {"email": email, "audienceId": f"aud_{audience}", "audienceName": audience, "action": "enter"}
        for audience in audiences
    ]
    return [{"email": email, **properties}, *entered]


def asks(field: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {})}
