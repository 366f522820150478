"""Pages of the console as HTML, and what fills them."""

from __future__ import annotations

from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import Client, TestResponse

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "\u202eright to left",
    "x" * 10_000,
    "👩‍🚀",
    "a@b.c'\"`",
]
EMAIL = "ada@example.com"
WRITING = "segment-local"


class Page(HTMLParser):
    """The elements of a page, each with its attributes; the text of all."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def send(client: Client, **call: Any) -> None:
    headers = {"Authorization": "Basic " + b64encode(f"{WRITING}:".encode()).decode()}
    assert client.post("/v1/identify", json=call, headers=headers).status_code == 200


def enter(client: Client, user: str, audience: str = "vip_customers") -> None:
    assert client.post(f"/_emulator/audiences/{audience}/enter", json={"userId": user}).status_code == 200


def get(client: Client, path: str) -> TestResponse:
    return client.get(path, headers=BROWSER)


def page(client: Client, path: str, status: int = 200) -> Page:
    response = get(client, path)
    assert response.status_code == status, response.text
    assert response.mimetype == "text/html"
    return Page(response.text)


def address(path: str) -> str:
    return f"/console/{path}" if path else "/"
