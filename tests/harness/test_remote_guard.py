"""Requests to other hosts need a permission, and those that may change data a second one."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import httpx
import pytest

from emulator.addresses import address, is_loopback, shown
from emulator.errors import InputError, UserMistake
from emulator.harness.remote_guard import GuardedTransport, Permission, change_in, is_production

NOTHING = Permission()
READS = Permission(remote=True)
EVERYTHING = Permission(remote=True, writes=True)
JSON = {"content-type": "application/json"}
SANDBOX = "https://sandbox.stackadapt.com/public/graphql"
PRODUCTION = "https://api.stackadapt.com/graphql"
QUERY = {"query": "query { tokenInfo { name } }"}
MUTATION = {
    "query": 'mutation { deleteRawProfile(input: {advertiserId: 1, email: "a@b.co"}) { userErrors { message } } }'
}

Sent = list[httpx.Request]


def guarded(permission: Permission) -> tuple[httpx.Client, Sent, list[str]]:
    """A client behind the guard, with the requests that were sent and the announcements."""
    sent: Sent = []
    announced: list[str] = []

    def far_end(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    transport = GuardedTransport(permission, announce=announced.append, through=httpx.MockTransport(far_end))
    return httpx.Client(transport=transport, follow_redirects=True), sent, announced


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback_names_and_addresses_are_recognized(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost.evil.com", "evil-localhost", "127.0.0.1.nip.io", "127.0.0.1.", "localtest.me", "127.1"),
        *("2130706433", "0x7f.0.0.1", "0.0.0.0", "10.0.0.1", "::", "::2", "::ffff:10.0.0.1", "", "api.stackadapt.com"),
    ],
)  # fmt: skip
def test_similar_names_are_other_hosts(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "production"),
    [
        ("api.stackadapt.com", True),
        ("API.StackAdapt.com.", True),
        ("mcp.stackadapt.com", True),
        ("stackadapt.com", True),
        ("api.segment.io", True),
        ("events.eu1.segmentapis.com", True),
        ("sandbox.stackadapt.com", False),
        ("notstackadapt.com", False),
        ("stackadapt.com.example.org", False),
        ("staging.example.org", False),
    ],
)
def test_the_vendors_hosts_are_production_but_for_the_sandbox(host: str, production: bool) -> None:
    assert is_production(host) is production


@pytest.mark.parametrize(
    ("document", "change"),
    [
        ("{ user { email } }", None),
        ("query A { user { email } } fragment F on User { email }", None),
        ("mutation { upsertProfiles }", "mutation upsertProfiles"),
        ("query A { a } mutation B { x: m, ...F } fragment F on Mutation { y }", "mutation m, y"),
        ("subscription { s }", "subscription s"),
        ("# query\nmutation { m }", "mutation m"),
        ('{ a(b: "', "a document that cannot be parsed"),
        ("", "a document that cannot be parsed"),
        ("{" * 100_000, "a document that cannot be parsed"),
        ("fragment F on User { email }", "a document without an operation"),
    ],
)  # fmt: skip
def test_a_document_that_is_not_a_query_may_change_data(document: str, change: str | None) -> None:
    assert change_in(document) == change


def test_this_machine_needs_no_permission_and_is_not_announced() -> None:
    client, sent, announced = guarded(NOTHING)
    for url in ("http://127.0.0.1:8585/graphql", "http://localhost/v1/track", "http://[::1]:9/graphql"):
        client.post(url, json=MUTATION)
    assert (len(sent), announced) == (3, [])


def test_reading_another_host_needs_a_permission() -> None:
    client, sent, _ = guarded(NOTHING)
    with pytest.raises(UserMistake, match="--allow-remote"):
        client.post(SANDBOX, json=QUERY)
    assert sent == []


def test_another_host_is_announced_once_without_secrets() -> None:
    client, sent, announced = guarded(READS)
    for _ in range(2):
        client.post("https://me:secret@sandbox.stackadapt.com/public/graphql?key=secret", json=QUERY)
    assert len(sent) == 2
    assert announced == ["sending requests to https://sandbox.stackadapt.com/public/graphql, another host: reads only"]


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", SANDBOX, json.dumps(MUTATION)),
        ("POST", SANDBOX, '{"query": "mutation { m }", "query": "{ a }"}'),
        ("POST", SANDBOX, '{"query": "{ a }", "query": "mutation { m }"}'),
        ("POST", SANDBOX, '{"query": "{ a }", "Query": "mutation { m }"}'),
        ("POST", SANDBOX, '{"query": "query A { a }", "OPERATIONNAME": "A"}'),
        ("POST", SANDBOX, '{"query": "{ a }", "variable\\u017f": {}}'),
        ("POST", f"{SANDBOX}?QUERY=mutation%20%7B%20m%20%7D", json.dumps(QUERY)),
        ("GET", f"{SANDBOX}?Query=mutation%20%7B%20m%20%7D", ""),
        ("POST", SANDBOX, '{"variables": {"query": "{ a }"}}'),
        ("POST", SANDBOX, '[{"query": "{ a }"}]'),
        ("POST", SANDBOX, '{"extensions": {"persistedQuery": {"sha256Hash": "0"}}}'),
        ("POST", SANDBOX, "mutation { m }"),
        ("POST", SANDBOX, ""),
        ("POST", f"{SANDBOX}?query=mutation%20%7B%20m%20%7D", json.dumps(QUERY)),
        ("GET", f"{SANDBOX}?query=mutation%20%7B%20m%20%7D", ""),
        ("GET", SANDBOX, json.dumps(MUTATION)),
        ("PUT", "https://staging.example.org/_emulator/snapshot", "x"),
        ("DELETE", "https://staging.example.org/_emulator/journal", ""),
        ("POST", "https://staging.example.org/v1/track", '{"event": "e"}'),
    ],
)
def test_a_request_that_may_change_data_needs_a_permission(method: str, url: str, body: str) -> None:
    client, sent, _ = guarded(READS)
    with pytest.raises(UserMistake, match="--allow-writes"):
        client.request(method, url, content=body, headers=JSON)
    assert sent == []
    allowed, sent, _ = guarded(EVERYTHING)
    allowed.request(method, url, content=body, headers=JSON)
    assert [request.content for request in sent] == [body.encode()]


@pytest.mark.parametrize(
    ("headers", "reads"),
    [
        ({"content-type": "application/json"}, True),
        ({"content-type": "Application/JSON; charset=UTF-8"}, True),
        ({"content-type": 'application/graphql+json;charset="utf-8"'}, True),
        ({"content-type": "application/json; charset=utf-16"}, False),
        ({"content-type": "application/json, application/x-www-form-urlencoded"}, False),
        ({"content-type": "application/x-www-form-urlencoded"}, False),
        ({"content-type": "multipart/form-data; boundary=x"}, False),
        ({"content-type": "text/plain"}, False),
        ({}, False),
        ({"content-type": "application/json", "content-encoding": "gzip"}, False),
    ],
)
def test_only_plain_json_is_taken_for_a_query(headers: dict[str, str], reads: bool) -> None:
    client, sent, _ = guarded(READS)
    if reads:
        client.post(SANDBOX, content=json.dumps(QUERY), headers=headers)
    else:
        with pytest.raises(UserMistake, match="--allow-writes"):
            client.post(SANDBOX, content=json.dumps(QUERY), headers=headers)
    assert len(sent) == reads


@pytest.mark.parametrize(
    "body",
    [
        b"query=%7B+a+%7D&query=mutation",
        b'{"query": "{ a }", "mutation": "mutation { m }"}',
        b'{"query": "{ a }", "extensions": {}}',
        b'{"query": "{ a }", "variables": {"a": NaN}}',
        b'{"query": "{ a }", "variables": {"a": 1, "a": 2}}',
        b'{"query": "{ a \xff }"}',
        b'\xef\xbb\xbf{"query": "{ a }"}',
        '{"query": "{ a }"}'.encode("utf-16"),
    ],
)
def test_a_body_that_servers_read_in_several_ways_needs_a_permission(body: bytes) -> None:
    client, sent, _ = guarded(READS)
    with pytest.raises(UserMistake, match="--allow-writes"):
        client.post(SANDBOX, content=body, headers=JSON)
    assert sent == []


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (PRODUCTION, MUTATION),
        ("https://API.STACKADAPT.COM./graphql", MUTATION),
        ("https://api\u3002stackadapt\u3002com/graphql", MUTATION),
        ("https://api.segment.io/v1/track", {"event": "e"}),
        ("https://events.eu1.segmentapis.com/v1/batch", {"batch": []}),
    ],
)
def test_a_production_host_is_never_written_to(url: str, body: dict[str, Any]) -> None:
    client, sent, announced = guarded(EVERYTHING)
    with pytest.raises(UserMistake, match="production hosts are never written to"):
        client.post(url, json=body)
    assert (sent, announced) == ([], [])


def test_a_production_host_may_be_read() -> None:
    client, sent, announced = guarded(EVERYTHING)
    client.post(PRODUCTION, json=QUERY)
    assert len(sent) == 1
    assert announced == [f"sending requests to {PRODUCTION}, another host: reads only"]


def test_the_case_of_names_in_variables_is_ignored() -> None:
    client, sent, _ = guarded(READS)
    client.post(SANDBOX, json={"query": "{ a }", "variables": {"Query": "q"}, "operationName": None})
    assert len(sent) == 1


def test_a_redirect_does_not_bypass_the_guard() -> None:
    def far_end(request: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"location": PRODUCTION})

    transport = GuardedTransport(EVERYTHING, announce=lambda _: None, through=httpx.MockTransport(far_end))
    with (
        httpx.Client(transport=transport, follow_redirects=True) as client,
        pytest.raises(UserMistake, match="production hosts are never written to"),
    ):
        client.post(SANDBOX, json=MUTATION)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8585", "ftp://localhost/", "http://", "graphql", "http://[::1", "https://xn--a/"]
)
def test_an_invalid_address_is_an_error(url: str) -> None:
    with pytest.raises(InputError):
        address(url)


@pytest.mark.parametrize("userinfo", ["me:secret", "secret", ":secret", "me%40x:secret"])
def test_an_address_with_user_and_password_is_an_error_without_them(userinfo: str) -> None:
    with pytest.raises(InputError, match="They would replace the token or write key") as raised:
        address(f"https://{userinfo}@h.example:8443/graphql?key=secret")
    assert "secret" not in str(raised.value)
    assert "https://***@h.example:8443'" in str(raised.value)


def test_an_address_is_shown_without_secrets() -> None:
    assert (
        shown(httpx.URL("https://me:secret@h.example:8443/graphql?token=secret#secret"))
        == "https://h.example:8443/graphql"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("clock", "show"),
        ("clock", "advance", "4h"),
        ("snapshot", "save", "never.snapshot.gz"),
    ],
)
def test_a_command_for_a_running_emulator_stays_on_this_machine(
    call: Callable[..., CompletedProcess[str]], arguments: tuple[str, ...]
) -> None:
    refused = call(*arguments, "--url", "https://emulator.example.org")
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: https://emulator.example.org: this is another host, and nothing was sent. "
        "Allowed: 127.0.0.1, localhost, [::1]. Add --allow-remote to allow it.\n"
    )


def test_a_command_that_changes_another_host_needs_the_second_flag(call: Callable[..., CompletedProcess[str]]) -> None:
    url = ("--url", "https://emulator.example.org", "--allow-remote")
    refused = call("clock", "advance", "4h", *url)
    assert (refused.returncode, "--allow-writes" in refused.stderr) == (2, True)


def test_a_command_never_writes_to_production(call: Callable[..., CompletedProcess[str]]) -> None:
    url = ("--url", "https://api.stackadapt.com", "--allow-remote", "--allow-writes")
    refused = call("clock", "freeze", *url)
    assert (refused.returncode, "production hosts" in refused.stderr) == (2, True)
