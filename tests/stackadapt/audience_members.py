"""Records of members of audiences, as the destination sends them."""

from __future__ import annotations

from typing import Any

from tests.stackadapt.conftest import Service

ANN = "ann@example.com"
BOB = "bob@example.com"


def member(email: str | None, action: str = "enter", **more: Any) -> dict[str, Any]:
    record = {"audienceId": "aud_1", "audienceName": "vip", "action": action, **more}
    return record if email is None else {"email": email, **record}


def audiences(service: Service, email: str) -> list[str]:
    return [audience["name"] for audience in service.profile(email)["audiences"]]
