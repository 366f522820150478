"""Every endpoint that reads JSON refuses what is not JSON, and every response is JSON that JavaScript reads."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from math import inf, nan
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from emulator import Emulator, strict_json
from emulator.artefacts import contract
from emulator.server.json_provider import StrictJSONProvider
from emulator.yaml_files import load_yaml

from .conftest import TOKEN, WRITE_KEY

NOT_JSON = {
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": [Infinity]}',
    "-Infinity": b'{"a": {"b": -Infinity}}',
    "not UTF-8": b'{"a": "\xff"}',
    "overlong": b'{"a": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a": 1}'.encode("utf-16-le"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "more behind": b'{"a": 1} {}',
    "a letter behind": b'{"a": 1}x',
    "comma behind": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "comment": b'{"a": 1 /* one */}',
    "line break in text": b'{"a": "\n"}',
    "leading zero": b'{"a": 01}',
    "plus": b'{"a": +1}',
    "hexadecimal": b'{"a": 0x1}',
    "cut off": b'{"a": ',
    "undefined": b'{"a": undefined}',
}
UNUSUAL = (b'{"a": 1e999}', b'{"a": "\\ud800"}', b'{"a": 1, "a": 2}', b"[" * 100_000, b"null", b'{"a": 1e-999}', b"")
PATHS: Mapping[str, Any] = load_yaml(contract("openapi.yaml").read_text(encoding="utf-8"))["paths"]
PARAMETERS = {
    "{initial}": "t",
    "{segmentId}": "1",
    "{audienceKey}": "vip_customers",
    "{destination}": "StackAdapt Acme",
    "{subscription}": "Sync Audience",
    "{part}": "sources",
    "{name}": "Website",
}


def reading_json() -> Iterator[tuple[str, str]]:
    """Method and path of every operation with a JSON body."""
    yield "post", "/graphql"
    for path, item in PATHS.items():
        for method, operation in item.items():
            if method != "parameters" and "application/json" in operation.get("requestBody", {}).get("content", {}):
                yield method, re.sub(r"\{\w+\}", lambda name: PARAMETERS[name[0]], path)


def pages() -> list[str]:
    """The paths that return JSON without being asked for anything."""
    return [
        path
        for path, item in PATHS.items()
        if "{" not in path
        and "application/json" in item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
    ]


def send(emulator: Emulator, method: str, path: str, body: bytes) -> TestResponse:
    credentials: dict[str, Any] = {"auth": WRITE_KEY} if path.startswith("/v1/") else {"headers": TOKEN}
    return emulator.client.open(path, method=method, data=body, content_type="application/json", **credentials)


@pytest.mark.parametrize(("method", "path"), sorted(set(reading_json())))
def test_a_body_that_is_not_json_is_refused(emulator: Emulator, method: str, path: str) -> None:
    for name, body in NOT_JSON.items():
        response = send(emulator, method, path, body)
        assert (name, response.status_code) == (name, 400)
        strict_json.parse(response.data)
        assert any(text in response.text for text in ("not JSON", "malformed JSON", "invalid JSON")), response.text


@pytest.mark.parametrize(("method", "path"), sorted(set(reading_json())))
def test_a_response_to_any_json_is_strict_json(emulator: Emulator, method: str, path: str) -> None:
    for body in UNUSUAL:
        response = send(emulator, method, path, body)
        assert response.status_code < 500
        strict_json.parse(response.data)


def test_every_page_is_strict_json_after_such_requests(emulator: Emulator) -> None:
    document = """mutation($p: JSON!) { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",
      profiles: $p}) { userErrors { message } } }"""
    for value in ("NaN", "1e999", "-Infinity", "-1e999", '"\\ud800"'):
        profile = f'{{"email": "a@example.com", "n": {value}}}'
        for sent in (f"[{profile}]", json.dumps(f"[{profile}]")):
            body = f'{{"query": {json.dumps(document)}, "variables": {{"p": {sent}}}}}'
            send(emulator, "post", "/graphql", body.encode())
        call = f'{{"userId": "u1", "traits": {{"email": "u@example.com", "total_spent": {value}}}}}'
        send(emulator, "post", "/v1/identify", call.encode())
    assert {"/_emulator/journal", "/_emulator/records", "/_emulator/calls"} <= set(pages())
    for page in pages():
        strict_json.parse(emulator.client.get(page, headers=TOKEN).data)


def test_a_line_of_an_import_or_a_snapshot_is_strict_json(emulator: Emulator) -> None:
    client = emulator.client
    path = "/_emulator/profiles/import?advertiserId=1001&format=jsonl"
    for line in (b'{"email": "a@example.com", "properties": {"n": NaN}}', b'{"email": "a@\xff"}'):
        result = client.post(path, data=line).get_json()
        assert [error["reason"] for error in result["errors"]] == ["UNREADABLE_LINE"], line
    assert client.post(path, data='{"email": "a"}'.encode("utf-16")).status_code == 400
    lines = gzip.decompress(client.get("/_emulator/snapshot").data).replace(b'{"table"', b'{"n": NaN, "table"', 1)
    response = client.put("/_emulator/snapshot", data=gzip.compress(lines))
    assert response.status_code == 400
    assert "not JSON" in response.text


def test_an_import_may_begin_with_a_byte_order_mark(emulator: Emulator) -> None:
    line = b'\xef\xbb\xbf{"email": "new@example.com"}'
    result = emulator.client.post("/_emulator/profiles/import?advertiserId=1001&format=jsonl", data=BytesIO(line))
    assert result.status_code == 200
    assert "not JSON" not in result.text


def test_a_number_without_a_form_in_json_is_written_as_null(emulator: Emulator) -> None:
    text = StrictJSONProvider(emulator.app).dumps({"a": [nan, inf, -inf, 1.5], "b": {"c": (inf,)}})
    assert json.loads(text) == {"a": [None, None, None, 1.5], "b": {"c": [None]}}
    assert emulator.app.json.dumps(inf) == "null"


_SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=True) | st.text(max_size=6)
_FLAT = st.dictionaries(st.text(max_size=3), _SCALARS, max_size=3)
_WRITTEN = (_SCALARS | _FLAT | st.lists(_FLAT | _SCALARS, max_size=3) | st.lists(st.lists(_FLAT), max_size=2)).map(
    lambda value: json.dumps(value)
)
_BROKEN = st.tuples(
    _WRITTEN, st.integers(0, 40), st.sampled_from(["", '"', "\\", "\x00", "\ud800", "1e999", ",", "-0"])
)


@settings(max_examples=500, deadline=None)
@given(_WRITTEN | _BROKEN.map(lambda made: made[0][: made[1]] + made[2] + made[0][made[1] :]))
@example('[{"a": 18446744073709551616, "a": -0, "b": 1.0}]')
@example('[{"\\ud800": "\\udfff"}]')
@example("\ufeff{}")
@pytest.mark.parametrize("parse", [strict_json.parse_as_javascript, strict_json.parse_rewritten])
def test_reading_quickly_makes_no_difference(parse: Callable[[str | bytes], Any], text: str) -> None:
    def outcome(read: Callable[[str | bytes], Any], given: str | bytes) -> str:
        try:
            return repr(read(given))
        except (ValueError, RecursionError):
            return "refused"

    for given_text in (text, text.encode("utf-8", "surrogatepass")):
        assert outcome(lambda each: strict_json.parse_quickly(each, parse), given_text) == outcome(parse, given_text)
