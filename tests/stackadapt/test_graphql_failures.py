"""Failures of resolvers and injected faults in responses; the journal of requests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from emulator.events import GraphQLExchanged
from tests.stackadapt.conftest import READ, Service
from tests.stackadapt.graphql_requests import USER, message


def test_an_unexpected_failure_is_masked_logged_and_writes_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from emulator.stackadapt.graphql import executor

    def failing(*_: Any) -> list[Any]:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(executor, "apply_jobs", failing)
    document = (
        'mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",'
        ' profiles: "[{}]"}) { userErrors { message } } }'
    )
    response = service.post({"query": document})
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert message(response) == "Unexpected error."
    trace_id = response.json["errors"][0]["extensions"]["traceId"]
    assert trace_id in caplog.text
    assert "secret detail" in caplog.text
    assert service.stackadapt.counts()["records"]["rejected"] == 0


def test_a_failing_resolver_is_masked_too(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from emulator.stackadapt.graphql.resolvers import profiles

    def broken(*_: Any) -> Any:
        raise KeyError("inner")

    monkeypatch.setattr(profiles, "profile_page", broken)
    response = service.post({"query": "{ cdpProfiles(advertiserId: 1001) { size } }"})
    assert response.status_code == 500
    assert "inner" not in response.text


def test_a_status_fault_replaces_the_response_of_the_service(service: Service) -> None:
    service.sandbox.faults.add({"fault": "status", "status": 429, "operation": "upsertProfiles", "times": 1})
    document = (
        'mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",'
        ' profiles: "[{}]"}) { userErrors { message } } }'
    )
    assert service.post({"query": USER}).status_code == 200
    response = service.post({"query": document})
    assert response.status_code == 429
    assert message(response) == "Too Many Requests"
    assert re.fullmatch(r"[0-9a-f]{32}", response.json["errors"][0]["extensions"]["traceId"])
    assert service.stackadapt.records() == []
    assert service.post({"query": document}).status_code == 200


def test_a_fault_for_every_request_matches_documents_that_cannot_be_parsed(service: Service) -> None:
    service.sandbox.faults.add({"fault": "status", "status": 503})
    assert service.post({"query": "{ nonsense"}).status_code == 503


TWO_MUTATIONS = """
  mutation {
    upsertProfileMapping(input: {advertiserId: 1001, mappableType: "segment_io", mappingSchemaV2: []}) {
      userErrors { message path }
    }
    upsertProfiles(
      input: {advertiserId: 1001, externalProvider: "segment_io", profiles: "[{\\"email\\": \\"a@b.io\\"}]"}
    ) {
      userErrors { message path }
    }
  }
"""


def test_a_user_error_fault_applies_to_the_named_mutation_only(service: Service) -> None:
    service.sandbox.faults.add({"fault": "userErrors", "message": "No.", "operation": "upsertProfiles"})
    response = service.run(TWO_MUTATIONS)
    assert response["upsertProfileMapping"]["userErrors"] == []
    assert response["upsertProfiles"]["userErrors"] == [{"message": "No.", "path": ["input"]}]
    assert service.stackadapt.records() == []


def test_a_user_error_fault_without_a_name_applies_to_every_mutation(service: Service) -> None:
    service.sandbox.faults.add({"fault": "userErrors", "message": "No.", "path": ["input", "x"], "times": 1})
    response = service.run(TWO_MUTATIONS)
    expected = [{"message": "No.", "path": ["input", "x"]}]
    assert [each["userErrors"] for each in response.values()] == [expected, expected]
    assert service.run(TWO_MUTATIONS)["upsertProfiles"]["userErrors"] == []


def test_every_request_is_journalled(service: Service) -> None:
    service.run(TWO_MUTATIONS)
    service.post({"query": "{ user { "}, token=READ)
    service.post({"nonsense": 1})
    service.post({"query": USER}, token=None)
    exchanges = service.sandbox.journal.entries(GraphQLExchanged)
    assert [(each.token_name, each.operations, each.status) for each in exchanges] == [
        ("Local read and write", ("upsertProfileMapping", "upsertProfiles"), 200),
        ("Local read only", (), 200),
        ("Local read and write", (), 400),
        (None, ("user",), 401),
    ]
    assert json.loads(exchanges[0].request)["query"] == TWO_MUTATIONS
    assert json.loads(exchanges[0].response)["data"]["upsertProfiles"] == {"userErrors": []}
    assert len({each.trace_id for each in exchanges}) == 4
    assert all("sa-local" not in repr(each) for each in exchanges)
