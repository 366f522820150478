"""The endpoint: which requests are refused, in which order, with which body."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from emulator.events import GraphQLExchanged
from emulator.stackadapt import Limits
from emulator.workspace import Token
from tests.stackadapt.conftest import READ, START, Make, Service

USER = "{ user { email } }"
INTROSPECTION = "{ __schema { queryType { name } } }"


def message(response: Any) -> str:
    return str(response.json["errors"][0]["message"])


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


def nested(depth: int) -> str:
    inner = "{ id }"
    for _ in range((depth - 3) // 2):
        inner = "{ nodes { advertiser " + inner + " } }"
    return "{ tokenInfo { scopesByAdvertiser " + inner + " } }"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (nested(41), "nested 41 fields deep; at most 15"),
        ("{" + " ".join(f"a{n}: user {{ email }}" for n in range(101)) + "}", "101 aliases; at most 100"),
        ("{ user {" + " email" * 1000 + "} }", "1001 selections; at most 1000"),
    ],
)
def test_a_document_beyond_a_limit_is_refused(service: Service, document: str, expected: str) -> None:
    response = service.post({"query": document})
    assert response.status_code == 400
    assert expected in message(response)
    assert response.json["errors"][0]["extensions"] == {"emulator": True}


def test_the_size_of_nested_fragments_is_checked_quickly(service: Service) -> None:
    chain = "".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }} " for n in range(60))
    response = service.post({"query": f"{{ user {{ ...F0 }} }} {chain} fragment F60 on User {{ email }}"})
    assert response.json["data"]["user"]["email"]


@pytest.mark.parametrize(
    "document", ["{" * 50_000, "{ user(a: " + "[" * 50_000, "{ user { email } } " + "# \n" * 300_000]
)
def test_a_document_that_would_exhaust_the_parser_is_a_syntax_error(service: Service, document: str) -> None:
    response = service.post({"query": document})
    assert response.status_code in (200, 400)
    assert message(response).startswith("Syntax Error: ")


def test_a_syntax_error_has_the_wording_of_graphql_js_and_a_location(service: Service) -> None:
    response = service.post({"query": "{ user {\n  email )\n} }"})
    assert response.status_code == 200
    assert response.json == {
        "errors": [{"message": 'Syntax Error: Expected Name, found ")".', "locations": [{"line": 2, "column": 9}]}]
    }


def test_an_empty_selection_is_a_syntax_error(service: Service) -> None:
    assert message(service.post({"query": "{ user { } }"})) == 'Syntax Error: Expected Name, found "}".'


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ useer { email } }", 'Cannot query field "useer" on type "Query". Did you mean "user"?'),
        (
            "{ cdpProfiles { size } }",
            'Field "cdpProfiles" argument "advertiserId" of type "ID!" is required, but it was not provided.',
        ),
        (
            'mutation { upsertProfiles(input: {advertiserId: 1, externalProvider: "s", profiles: "", foo: 1}) { x } }',
            'Field "foo" is not defined by type "UpsertProfilesInput".',
        ),
        (
            'mutation { upsertProfiles(input: {advertiserId: 1, profiles: "[]"}) { x } }',
            'Field "UpsertProfilesInput.externalProvider" of required type "String!" was not provided.',
        ),
        (
            "mutation { upsertProfiles(input: {advertiserId: null}) { x } }",
            'Expected value of type "ID!", found null.',
        ),
        (
            'mutation { upsertProfiles(input: "it\'s") { x } }',
            'Expected value of type "UpsertProfilesInput!", found "it\'s".',
        ),
        ("{ tokenInfo(x: 1) { name } }", 'Unknown argument "x" on field "Query.tokenInfo".'),
    ],
)
@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("*/*", 200), ("application/graphql-response+json", 400)],
)
def test_a_validation_error_has_the_wording_of_graphql_js(
    service: Service, document: str, expected: str, accept: str, status: int
) -> None:
    response = service.post({"query": document}, headers={"Accept": accept})
    assert response.status_code == status
    assert expected in [error["message"] for error in response.json["errors"]]
    assert response.json["errors"][0]["locations"]
    assert "data" not in response.json
    assert response.mimetype == (accept if accept != "*/*" else "application/json")


@pytest.mark.parametrize(("accept", "status"), [("*/*", 200), ("application/graphql-response+json", 400)])
def test_a_missing_query_is_refused(service: Service, accept: str, status: int) -> None:
    for body in ({}, {"query": None}):
        response = service.post(body, headers={"Accept": accept})
        assert response.status_code == status
        assert response.json == {"errors": [{"message": "Must provide query string."}]}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/graphql-response+json"])
@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        (
            "query($n: Int) { advertisers(first: $n) { totalCount } }",
            {"n": "12"},
            'Variable "$n" got invalid value "12"; Int cannot represent non-integer value: "12"',
        ),
        (
            "query($id: ID!) { advertiser(id: $id) { name } }",
            {},
            'Variable "$id" of required type "ID!" was not provided.',
        ),
        (
            "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { path } } }",
            {"u": {"advertiserId": {"a": [True, None]}, "externalProvider": "", "profiles": ""}},
            (
                'Variable "$u" got invalid value { a: [true, null] } at "u.advertiserId"; '
                "ID cannot represent value: { a: [true, null] }"
            ),
        ),
    ],
)
def test_wrong_variables_are_refused_with_status_400(
    service: Service, accept: str, document: str, variables: dict[str, Any], expected: str
) -> None:
    response = service.post({"query": document, "variables": variables}, headers={"Accept": accept})
    assert response.status_code == 400
    assert message(response) == expected
    assert "data" not in response.json


def test_a_null_that_only_the_execution_finds_has_the_wording_of_graphql_js(service: Service) -> None:
    document = 'query($a: ID = "1") { advertisers(filterBy: {ids: [$a]}) { totalCount } }'
    response = service.post({"query": document, "variables": {"a": None}})
    assert response.json == {
        "data": None,
        "errors": [
            {
                "message": 'Argument "filterBy" has invalid value {ids: [$a]}.',
                "locations": [{"line": 1, "column": 45}],
                "path": ["advertisers"],
            }
        ],
    }


@pytest.mark.parametrize("name", [None, "C", ""])
def test_the_operation_is_selected_by_name(service: Service, name: str | None) -> None:
    document = "query A { user { email } } query B { account { currency } }"
    assert service.post({"query": document, "operationName": "B"}).json == {"data": {"account": {"currency": "USD"}}}
    response = service.post({"query": document, "operationName": name})
    assert response.status_code == 400
    assert message(response) == "Could not determine what operation to execute."


def test_a_subscription_is_refused(service: Service) -> None:
    response = service.post({"query": "subscription { user { email } }"})
    assert message(response) == "Schema is not configured to execute subscription operation."


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


def test_a_column_is_counted_in_utf_16_units(service: Service) -> None:
    response = service.post({"query": '{ advertiser(id: "\U0001f600") { nope } }'})
    assert response.json["errors"][0]["locations"] == [{"line": 1, "column": 26}]


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


def test_any_path_below_graphql_accepts_requests(service: Service) -> None:
    assert service.post({"query": USER}, path="/graphql/anything/else").status_code == 200
