"""Requests to the control API in process: the only source of what the pages show."""

from __future__ import annotations

from typing import Any

from flask import current_app, request
from werkzeug.test import TestResponse

from emulator.protocol import SANDBOX_HEADER

Json = Any


class Refused(Exception):
    """The control API answered with an error; `error` is its body."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(str(error))
        self.status = status
        self.error: dict[str, Any] = error if isinstance(error, dict) else {"message": str(error)}


class ControlAPI:
    """Asks as the person who opened the page: with the same cookie, about one sandbox."""

    def __init__(self, sandbox: str) -> None:
        self._headers = {SANDBOX_HEADER: sandbox}
        if cookie := request.headers.get("Cookie"):
            self._headers["Cookie"] = cookie
        self._root = request.host_url
        self._send = current_app.test_client(use_cookies=False).open

    def get(self, path: str, **query: Any) -> Json:
        """The JSON of `GET /_emulator/{path}`; arguments that are None or empty are left out. Raises Refused."""
        return _json_of(self.response(path, **query))

    def response(self, path: str, **query: Any) -> TestResponse:
        """The same with its headers. Raises Refused."""
        given = {name: _text(value) for name, value in query.items() if value not in (None, "")}
        return self._sent("GET", path, query_string=given)

    def post(self, path: str, body: Json) -> Json:
        """The JSON of an operation that only reads, such as `lint`. Raises Refused."""
        return _json_of(self._sent("POST", path, json=body))

    def _sent(self, method: str, path: str, **sent: Any) -> TestResponse:
        response = self._send(f"/_emulator/{path}", method=method, base_url=self._root, headers=self._headers, **sent)
        if response.status_code >= 400:
            raise Refused(response.status_code, _json_of(response))
        return response


def _json_of(response: TestResponse) -> Json:
    return response.get_json(silent=True)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
