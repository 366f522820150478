"""The control API of an emulator, `/_emulator/*`, and its errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any

from emulator.addresses import shown
from emulator.errors import InputError, UserMistake

if TYPE_CHECKING:
    import httpx

_PAGE = 1000
# Somewhat longer than the server waits.
_LONGEST_WAIT_SECONDS = 70.0


class Control:
    """Calls the control API through an `httpx.Client` and raises its errors as Python errors."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """`GET /_emulator/<path>`; query arguments that are None are omitted."""
        return self._sent("GET", path, params={name: value for name, value in query.items() if value is not None})

    def wait_for(self, kind: str, *, timeout: str, **filters: Any) -> Any:
        """The first `profile`, `rejection`, `delivery`, `record` or `call` that the filters of its list select.

        Waits up to `timeout` of real time, at most 60s; None when there is none by then.
        """
        query = {name: value for name, value in filters.items() if value is not None}
        asked = {"for": kind, "timeout": timeout, **query}
        response = self._client.get("/_emulator/wait", params=asked, timeout=_LONGEST_WAIT_SECONDS)
        if response.status_code == HTTPStatus.REQUEST_TIMEOUT:
            return None
        if refused := refusal_in(response):
            raise refused
        return response.json()[kind]

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """`POST /_emulator/<path>` with a JSON body."""
        return self.request("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The response to a PUT with a JSON body."""
        return self.request("PUT", path, dict(body))

    def delete(self, path: str) -> None:
        """`DELETE /_emulator/<path>`."""
        self.request("DELETE", path)

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The response to any request, which may have a JSON body; `path` may have a query."""
        return self._sent(method, path, **({} if body is None else {"json": body}))

    def pages(self, path: str, key: str, **query: Any) -> Iterator[Any]:
        """Every item of a paginated list."""
        for offset in count(step=_PAGE):
            page = self.get(path, limit=_PAGE, offset=offset, **query)[key]
            yield from page
            # The list shows an item for every one that it has, so a shorter page is the last.
            if len(page) < _PAGE:
                return

    def _sent(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        import httpx

        try:
            response = self._client.request(method, f"/_emulator/{path}", **content)
        except httpx.InvalidURL as error:
            raise InputError(f"a value does not fit into a URL: {error}", where=path, allowed="a shorter one") from None
        if refused := refusal_in(response):
            raise refused
        body: dict[str, Any] = response.json() if response.content else {}
        return body


def refusal_in(response: httpx.Response) -> UserMistake | None:
    """The error that the emulator reports in a response; None for a success."""
    if response.is_success:
        return None
    response.read()
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "message" not in body:
        return UserMistake(
            f"not an emulator: it responded with status {response.status_code}", where=shown(response.url)
        )
    return InputError(body["message"], **{key: body.get(key) for key in ("where", "found", "allowed", "hint")})
