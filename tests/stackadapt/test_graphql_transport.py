"""Requests to `/graphql` over HTTP: authentication, bodies, methods and media types."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from emulator.events import GraphQLExchanged
from emulator.stackadapt import Limits
from emulator.workspace import Token
from tests.stackadapt.conftest import START, Make, Service
from tests.stackadapt.graphql_requests import USER, message

INTROSPECTION = "{ __schema { queryType { name } } }"


def test_anonymous_introspection_gets_the_observed_body(service: Service) -> None:
    response = service.post({"query": INTROSPECTION}, token=None)
    assert response.status_code == 401
    trace_id = response.json["errors"][0]["extensions"]["traceId"]
    assert re.fullmatch(r"[0-9a-f]{32}", trace_id)
    assert response.json == {
        "errors": [
            {
                "message": "Schema introspection requires authentication.",
                "extensions": {"traceId": trace_id},
            }
        ]
    }


def test_introspection_in_a_fragment_is_introspection_too(service: Service) -> None:
    document = 'query { ...S } fragment S on Query { __type(name: "User") { name } }'
    response = service.post({"query": document}, token=None)
    assert message(response) == "Schema introspection requires authentication."


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        (None, {}),
        ("sa-wrong", {}),
        (None, {"Authorization": "Bearer"}),
        (None, {"Authorization": "Basic sa-local-write"}),
        (None, {"X-Authorization": "sa-local-write"}),
    ],
)
@pytest.mark.parametrize("document", [USER, "{ __typename }", "{ nonsense"])
def test_a_request_without_a_valid_token_is_unauthorized(
    service: Service, token: str | None, headers: dict[str, str], document: str
) -> None:
    response = service.post({"query": document}, token=token, headers=headers)
    assert response.status_code == 401
    (error,) = response.json["errors"]
    assert error["extensions"]["emulator"] is True
    assert re.fullmatch(r"[0-9a-f]{32}", error["extensions"]["traceId"])


def test_an_expired_token_is_unauthorized(make_service: Make) -> None:
    token = Token(secret="sa-old", name="old", scopes={}, expires_at=START + timedelta(hours=1))
    service = make_service(tokens=(token,))
    assert service.post({"query": USER}, token="sa-old").status_code == 200
    service.pass_time(hours=1)
    assert service.post({"query": USER}, token="sa-old").status_code == 401
    exchange = service.sandbox.journal.entries(GraphQLExchanged)[-1]
    assert (exchange.token_name, exchange.refusal, exchange.credential) == ("old", "expired_token", "sha256:072906b9")


def test_the_body_check_runs_before_authentication_and_names_the_first_bad_key(service: Service) -> None:
    envelope = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
    response = service.post(envelope, token=None, path="/graphql/mcp")
    assert response.status_code == 400
    assert response.get_data(as_text=True) == (
        '{"errors":[{"message":"Unexpected parameter \\"jsonrpc\\" in the request body."}]}'
    )


def test_an_unknown_key_with_a_null_value_is_ignored(service: Service) -> None:
    assert service.post({"query": USER, "id": None, "extensions": {}}).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{not json", "POST body sent invalid JSON."),
        ("", "POST body sent invalid JSON."),
        (b"\xff\xfe", "POST body sent invalid JSON."),
        ("[" * 100_000, "POST body sent invalid JSON."),
        ('{"query": "{ user { email } }", "variables": {"unused": NaN}}', "POST body sent invalid JSON."),
        ('{"query": "{ user { email } }", "variables": {"unused": [-Infinity]}}', "POST body sent invalid JSON."),
        ('\ufeff{"query": "{ user { email } }"}', "POST body sent invalid JSON."),
        ('{"query": "{ user { email } }"}'.encode("utf-16"), "POST body sent invalid JSON."),
        (b'{"query": "{ user { email } } # \xff"}', "POST body sent invalid JSON."),
        ('{"query": "{ user { email } }"} {}', "POST body sent invalid JSON."),
        ([{"query": USER}], "Batching is not supported."),
        ("7", "POST body is expected to be object but received number"),
        ('"x"', "POST body is expected to be object but received string"),
        ("true", "POST body is expected to be object but received boolean"),
        ("null", "POST body is expected to be object but received null"),
        ({"query": 5}, 'Expected "query" param to be a string, but given number.'),
        ({"query": USER, "variables": []}, 'Expected "variables" param to be empty or an object, but given array.'),
        ({"query": USER, "variables": "{}"}, 'Expected "variables" param to be empty or an object, but given string.'),
        ({"query": USER, "extensions": 1}, 'Expected "extensions" param to be empty or an object, but given number.'),
        ({"query": USER, "operationName": 1}, "Could not determine what operation to execute."),
    ],
)
def test_a_body_that_is_not_a_request_is_refused(service: Service, body: Any, expected: str) -> None:
    response = service.post(body)
    assert response.status_code == 400
    assert response.json == {"errors": [{"message": expected}]}


def test_half_a_surrogate_pair_in_a_variable_is_refused(service: Service) -> None:
    response = service.post('{"query": "{ user { email } }", "variables": {"a": "\\ud800"}}')
    assert response.status_code == 400
    assert response.json["errors"][0]["extensions"] == {"emulator": True}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
def test_other_methods_are_refused_with_json(service: Service, method: str) -> None:
    response = getattr(service.http, method)("/graphql")
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert response.json["errors"][0]["extensions"] == {"emulator": True}


def test_head_is_refused_without_a_body(service: Service) -> None:
    response = service.http.head("/graphql?query={__typename}")
    assert (response.status_code, response.data) == (405, b"")


def test_a_body_beyond_the_limit_is_refused(make_service: Make) -> None:
    service = make_service(limits=Limits(body_bytes=100))
    assert service.post({"query": USER}).status_code == 200
    response = service.post({"query": USER + " " * 100})
    assert response.status_code == 413
    assert "larger than 100 bytes" in message(response)


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("application/graphql-response+json; charset=utf-8", 400, "application/graphql-response+json"),
        ('application/graphql-response+json;charset="UTF-8"', 400, "application/graphql-response+json"),
        ("application/json;q=0.5, application/graphql-response+json;q=0.9", 400, "application/graphql-response+json"),
        ("application/graphql-response+json;q=0.1, application/json;q=0.9", 200, "application/json"),
        ("*/*;q=0.9, application/json;q=0.1", 400, "application/graphql-response+json"),
        ("application/json;q=0, */*", 400, "application/graphql-response+json"),
        ("application/graphql-response+json, */*", 400, "application/graphql-response+json"),
        ("*/*, application/graphql-response+json", 200, "application/json"),
        ("text/html, application/*;q=0.8", 200, "application/json"),
        ("APPLICATION/GraphQL-Response+JSON", 400, "application/graphql-response+json"),
        ("", 200, "application/json"),
    ],
)
def test_the_accept_header_chooses_the_media_type_and_the_status(
    service: Service, accept: str, status: int, media_type: str
) -> None:
    response = service.post({"query": "{ nope }"}, headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (status, media_type)


@pytest.mark.parametrize(
    "accept", ["text/html", "text/event-stream", "application/json;q=0", "application/json;charset=latin1"]
)
def test_a_response_that_the_client_does_not_accept_is_status_406(service: Service, accept: str) -> None:
    response = service.post({"query": USER}, headers={"Accept": accept})
    assert response.status_code == 406
    assert accept in message(response)
    assert response.json["errors"][0]["extensions"] == {"emulator": True}


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "application/graphql", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
        *("APPLICATION/JSON", "application/jsonx", ""),
    ],
)
def test_a_body_of_another_media_type_is_status_415(service: Service, content_type: str) -> None:
    response = service.post({"query": USER}, headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert "send application/json" in message(response)
    assert response.json["errors"][0]["extensions"] == {"emulator": True}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/graphql+json"])
def test_a_body_of_json_may_have_parameters(service: Service, content_type: str) -> None:
    assert service.post({"query": USER}, headers={"Content-Type": content_type}).status_code == 200


def test_any_path_below_graphql_accepts_requests(service: Service) -> None:
    assert service.post({"query": USER}, path="/graphql/anything/else").status_code == 200
