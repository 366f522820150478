"""Requests: the numbers are those of the journal, every reason is linked, and one request is shown completely."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import Client

from emulator.console.screens.developer.one_request import pretty
from tests.console.pages import get, page

WRITE = {"authorization": "Bearer sa-local-write"}
UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"


def upsert(client: Client, *records: dict[str, Any]) -> None:
    given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": json.dumps(records)}
    answer = client.post("/graphql", json={"query": UPSERT, "variables": {"u": given}}, headers=WRITE)
    assert answer.status_code == 200


@pytest.fixture
def refused(client: Client) -> Client:
    """One request with three records that end in three ways, and one that a fault answers."""
    upsert(client, {"email": "ada@example.com"}, {"first_name": "Grace"}, {"email": "no address"})
    client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 1})
    client.post("/graphql", json={"query": "{ user { email } }"}, headers=WRITE)
    client.post("/_emulator/clock/advance", json={"hours": 5})
    return client


FILTERS = [
    {},
    {"operation": "upsertProfiles"},
    {"status": "503"},
    {"status": "none"},
    {"outcome": "refused"},
    {"reason": "MISSING_EMAIL"},
    {"reason": "INVALID_EMAIL", "operation": "user"},
    {"fault": "status"},
    {"person": "ada@example.com"},
    {"person": "unknown"},
    {"messageId": "none"},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_the_list_is_what_the_journal_answers(refused: Client, filters: dict[str, str]) -> None:
    total = refused.get("/_emulator/journal", query_string=filters).json["total"]
    response = refused.get("/console/requests", query_string=filters, headers={"Accept": "text/html"})
    assert f"Requests to /graphql ({total})" in response.text


def test_every_reason_of_a_request_is_linked(refused: Client) -> None:
    links = [link.get("href") for link in page(refused, "/console/requests").all("a")]
    for reason in ("MISSING_EMAIL", "INVALID_EMAIL"):
        assert f"/console/reasons#{reason}" in links


def test_one_request_shows_each_record_with_its_end(refused: Client) -> None:
    trace = refused.get("/_emulator/journal").json["entries"][0]["traceId"]
    records = refused.get(f"/_emulator/records?requestId={trace}").json["records"]
    assert [each["outcome"] for each in records] == ["visible", "rejected", "rejected"]
    shown = get(refused, f"/console/requests?trace={trace}").text
    for record in records:
        cells = f'<td dir="auto">{record["outcome"]}</td><td dir="auto">'
        assert cells + (f'<a href="/console/reasons#{record["reason"]}"' if record["reason"] else "") in shown
    assert "/console/person?person=ada%40example.com" in shown


def test_a_request_can_be_copied_as_curl_pytest_and_recorded_exchange(refused: Client) -> None:
    trace = refused.get("/_emulator/journal").json["entries"][0]["traceId"]
    text = page(refused, f"/console/requests?trace={trace}").text
    assert "Authorization: Bearer TOKEN" in text
    assert "def test_as_in_the_console(stackadapt):" in text
    [line] = [each for each in text.splitlines() if '"format": 1' in each]
    exchange = json.loads(line[line.index("{") :])
    assert exchange["status"] == 200
    assert "ada@example.com" not in json.dumps(exchange)


def test_the_test_that_is_copied_runs(refused: Client) -> None:
    entry = refused.get("/_emulator/journal").json["entries"][0]
    text = page(refused, f"/console/requests?trace={entry['traceId']}").text
    code = text[text.index("def test_as_in_the_console") :].partition(f"== {entry['status']}\n")[0]
    sent: list[tuple[Any, ...]] = []

    class StackAdapt:
        def post(self, *given: Any) -> Any:
            sent.append(given)
            return type("Response", (), {"status_code": 200})

    names: dict[str, Any] = {}
    exec(code + "== 200\n", names)
    names["test_as_in_the_console"](StackAdapt())
    body = json.loads(entry["request"])
    assert sent == [(body["query"], body["variables"])]


def test_a_fault_that_acted_is_named_and_linked(refused: Client) -> None:
    trace = refused.get("/_emulator/journal?fault=status").json["entries"][0]["traceId"]
    shown = page(refused, f"/console/requests?trace={trace}")
    assert "Faults that actedstatus" in shown.text.replace("\n", "")
    assert "/console/faults" in [link.get("href") for link in shown.all("a")]


@pytest.mark.parametrize(
    ("query", "criteria"),
    [
        ("operation=upsertProfiles&count=times&number=1", {"operation": "upsertProfiles", "times": 1}),
        ("reason=SUPPRESSED&count=atLeast&number=1", {"reason": "SUPPRESSED", "atLeast": 1}),
        ("status=503&count=atMost&number=0", {"status": 503, "atMost": 0}),
    ],
)
def test_whether_such_requests_were_made(refused: Client, query: str, criteria: dict[str, Any]) -> None:
    answer = refused.post("/_emulator/journal/verify", json=criteria).json
    shown = page(refused, f"/console/requests?{query}")
    assert ("✓ Yes" if answer["verified"] else "✗ No") in shown.text
    assert f"found {answer['found']}" in shown.text
    links = [link.get("href") or "" for link in shown.all("a")]
    for miss in answer["nearest"]:
        assert any(f"trace={miss['traceId']}" in link for link in links)


def test_a_question_without_a_criterion_says_what_to_choose(refused: Client) -> None:
    assert "Choose an operation" in page(refused, "/console/requests?count=times").text


@pytest.mark.parametrize(
    "document", ["", "{", "{ a" + "{ a" * 5000, "x" * 200_000, "\ud800"], ids=lambda each: each[:9]
)
def test_a_document_that_cannot_be_parsed_is_shown_as_it_is(document: str) -> None:
    assert pretty(document) == document


def test_a_document_is_shown_with_lines_of_its_own() -> None:
    assert pretty('mutation { a(b: "x") { c } }') == 'mutation {\n  a(b: "x") {\n    c\n  }\n}'
