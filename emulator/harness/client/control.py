"""The control API of an emulator, `/_emulator/*`, and what it says when it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from emulator.addresses import shown
from emulator.errors import InputError, UserMistake

_PAGE = 1000


class Control:
    """Asks the control API through an `httpx.Client`; a refusal is raised as if it had happened here."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """`GET /_emulator/<path>`; a query argument that is None is left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._asked("GET", path, params=given)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """`POST /_emulator/<path>` with a JSON body."""
        return self._asked("POST", path, json=body)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`PUT /_emulator/<path>` with a JSON body."""
        return self._asked("PUT", path, json=body)

    def delete(self, path: str) -> None:
        """`DELETE /_emulator/<path>`."""
        self._asked("DELETE", path)

    def pages(self, path: str, key: str, **query: Any) -> Iterator[Any]:
        """Every item of a list that comes in pages."""
        offset = 0
        while page := self.get(path, limit=_PAGE, offset=offset, **query)[key]:
            yield from page
            offset += len(page)

    def _asked(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        answer = self._client.request(method, f"/_emulator/{path}", **content)
        refused = refusal_in(answer)
        if refused is not None:
            raise refused
        body: dict[str, Any] = answer.json() if answer.content else {}
        return body


def refusal_in(answer: httpx.Response) -> UserMistake | None:
    """What the emulator says when it refuses, as an error; None for a success."""
    if answer.is_success:
        return None
    answer.read()
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict) or "message" not in told:
        return UserMistake(f"this is no emulator: it answers {answer.status_code}", where=shown(answer.url))
    return InputError(told["message"], **{key: told.get(key) for key in ("where", "found", "allowed", "hint")})
