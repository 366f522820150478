"""The page *Grade* of the requests: the points that `POST /_emulator/grade` answers, with links to the requests."""

from __future__ import annotations

import re

from werkzeug.test import Client

from tests.console.pages import EMAIL, HOSTILE, get, page

PATH = "/console/requests/grade"
SEND = """mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",
  profiles: [{email: "%s"}]}) { userErrors { message } } }"""


def post(client: Client, email: str, fault: str | None = None) -> None:
    headers = {"Authorization": "Bearer sa-local-write"} | ({"X-Emulator-Fault": fault} if fault else {})
    client.post("/graphql", json={"query": SEND % email}, headers=headers)


def test_the_page_of_requests_leads_to_their_grade(client: Client) -> None:
    shown = page(client, "/console/requests")
    assert PATH in [link.get("href") for link in shown.all("a")]
    assert "Grade these requests" in shown.text
    assert "No score of 0 requests: 0 passed, 0 failed" in page(client, PATH).text


def test_each_point_has_its_result_and_links_to_the_requests_that_show_it(client: Client) -> None:
    for _ in range(2):
        post(client, EMAIL, "status=400")
    answer = client.post("/_emulator/grade", json={}).get_json()
    shown = page(client, PATH)
    assert f"Score {answer['score']} of 2 requests: {answer['passed']} passed, 1 failed" in shown.text
    results = re.findall(r"[✗✓–] (failed|passed|not seen)", shown.text)
    assert results == sorted(
        (point["result"] for point in answer["points"]), key=["failed", "passed", "not seen"].index
    )
    links = [link.get("href") or "" for link in shown.all("a")]
    [failed] = [point for point in answer["points"] if point["result"] == "failed"]
    assert failed["name"] == "stop-4xx"
    assert "/console/documentation?page=grade#what-is-final" in links
    traces = [trace for each in failed["evidence"] for trace in each["traceIds"]]
    assert len(traces) == 2
    for trace in traces:
        assert f"/console/requests?trace={trace}" in links
        assert "The journal has no such request" not in page(client, f"/console/requests?trace={trace}").text


def test_people_without_consent_are_named_in_the_address(client: Client) -> None:
    post(client, EMAIL)
    path = f"{PATH}?without=eve@example.com%0A%20{EMAIL}%20"
    assert "1 person without consent, such as a…@example.com: #1" in page(client, path).text
    masked = get(client, f"{path}&mask=on").text
    assert "1 person without consent" in masked
    assert EMAIL not in masked
    for value in HOSTILE:
        shown = page(client, f"{PATH}?without={value[:2000]}")
        assert not shown.all("img")
        assert "passed" in shown.text
