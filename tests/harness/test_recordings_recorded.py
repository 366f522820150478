"""A recording keeps requests and responses without personal data and tokens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InputError, UserMistake
from emulator.harness.recordings import Exchange, Recording, read_exchanges
from emulator.harness.recordings.pseudonyms import Pseudonyms

AT = datetime(2026, 6, 14, 12, tzinfo=UTC)
TOKEN = "sa-very-secret"
MUTATION = "mutation($p: String!) { upsertProfiles(input: {advertiserId: 1, profiles: $p}) { userErrors { message } } }"


def kept(path: Path, request: str, response: str = "{}", *, token: str | None = TOKEN, **more: Any) -> Exchange:
    recording = Recording(path, upstream="http://127.0.0.1/graphql", key="k")
    try:
        return recording.keep(
            at=AT,
            token=token,
            accept="application/json",
            request=request,
            response=response,
            **{"status": 200, "headers": {}, **more},
        )
    finally:
        recording.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchanges.jsonl"


def test_an_address_has_one_pseudonym_at_any_depth_and_in_any_case(path: Path) -> None:
    profiles = json.dumps([{"email": "Ada@Lovelace.org", "note": json.dumps({"again": "ada@lovelace.org"})}])
    inline = f"mutation {{ upsertProfiles(input: {{profiles: {json.dumps(profiles)}}}) {{ userErrors {{ path }} }} }}"
    kept(
        path,
        json.dumps({"query": inline, "variables": {"p": profiles, "list": ["ada@lovelace.org"]}}),
        json.dumps({"data": {"ada@lovelace.org": None}, "errors": [{"message": "ADA@LOVELACE.ORG: no."}]}),
    )
    written = path.read_bytes()
    assert b"lovelace" not in written.lower()
    found = {part[:12] for part in written.decode().split("person-")[1:]}
    assert len(found) == 1
    assert written.count(b"person-") == 7


def test_pseudonyms_depend_on_the_address_and_the_recording() -> None:
    first, second = Pseudonyms("one"), Pseudonyms("two")
    assert first.in_text("ada@x.org") != first.in_text("grace@x.org")
    assert first.in_text("ada@x.org") != second.in_text("ada@x.org")
    assert first.in_text("ada@x.org") == Pseudonyms("one").in_text("ADA@x.org")


def test_a_pseudonym_is_left_as_it_is() -> None:
    once = Pseudonyms("one").in_text("ada@x.org")
    assert Pseudonyms("two").in_text(once) == once


@pytest.mark.parametrize(
    "written",
    [
        "ada+tag@x.org",
        "o'hara@x.co.uk",
        "mailto:ada@x.org",
        "<ada@x.org>",
        r"\nada@x.org",
        r"ada\u0040x.org",
        "ada%40x.org",
        "ünï@bücher.example",
        r"\u00fcni@x.org",
        "a@b.co,c@d.co",
    ],
)
def test_addresses_are_found_however_they_are_written(written: str) -> None:
    safe = Pseudonyms("k").in_text(written)
    assert "x.org" not in safe
    assert "x.co.uk" not in safe
    assert "b.co" not in safe
    assert "d.co" not in safe
    assert "cher" not in safe
    assert "@example.com" in safe


@given(st.emails(), st.integers(0, 3))
def test_no_address_survives_any_depth_of_json(address: str, depth: int) -> None:
    text = address
    for _ in range(depth):
        text = json.dumps({"email": text, "other": 1})
    safe = Pseudonyms("k").in_value({"profiles": text})["profiles"]
    assert address.lower().split("@")[1] not in safe.lower().replace("example.com", "")
    inner = safe
    for _ in range(depth):
        inner = json.loads(inner)["email"]
    assert inner.endswith("@example.com")


def test_personal_fields_keep_their_shape_only(path: Path) -> None:
    person = {"first_name": 'Ada "A"', "phone": "+1 555 0100", "birth_date": "1990-06-15", "postal_code": 12345}
    kept(path, json.dumps({"query": MUTATION, "variables": {"p": json.dumps([person]), "total_spent": 900, **person}}))
    [(_, exchange)] = read_exchanges(path)
    assert isinstance(exchange.request, dict)
    variables = exchange.request["variables"]
    assert json.loads(variables["p"])[0]["first_name"] == variables["first_name"] == 'Xxx "X"'
    assert (variables["phone"], variables["birth_date"]) == ("+1 111 1111", "1111-11-11")
    assert (variables["postal_code"], variables["total_spent"]) == (1, 900)
    assert json.loads(variables["p"])[0]["postal_code"] == 1
    assert exchange.request["query"] == MUTATION


def _spelled(words: list[str], style: str) -> str:
    camel = words[0] + "".join(word.title() for word in words[1:])
    return {
        "snake": "_".join(words),
        "camel": camel,
        "Pascal": "".join(word.title() for word in words),
        "kebab": "-".join(words),
        "CONSTANT": "_".join(words).upper(),
        "dotted": f"traits.{camel}",
        "numbered": f"{camel}2",
        "spaced": " ".join(words).title(),
    }[style]


STYLES = ("snake", "camel", "Pascal", "kebab", "CONSTANT", "dotted", "numbered", "spaced")
FIELDS = (
    *("first name", "last name", "full name", "phone", "mobile phone", "street", "city", "postal code", "birth date"),
    *("address line1", "home address", "api token", "write key", "password", "access token", "client secret"),
)
VALUE = st.text("abcdefghijklmnopqrstuvwxyzABCDEFÅÉøß", min_size=12, max_size=20)


@st.composite
def people(draw: st.DrawFn) -> tuple[dict[str, Any], list[str]]:
    """A person, with fields of any spelling and depth, and what must not be in a recording."""
    secrets: list[str] = []
    person: dict[str, Any] = {}
    for field in draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6, unique=True)):
        secrets.append(draw(VALUE))
        name = _spelled(field.split(), draw(st.sampled_from(STYLES)))
        person[name] = secrets[-1]
        if draw(st.booleans()):
            person = {"nested": person, "list": [dict(person)]}
    domain = draw(st.sampled_from(["localhost", "intranet", "mail.example.org", "LOCALHOST", "[127.0.0.1]"]))
    secrets.append(draw(VALUE))
    person[draw(st.sampled_from(["email", "Email", "contact", "user.email"]))] = f"{secrets[-1]}@{domain}"
    return person, secrets


@given(people(), st.booleans())
def test_nothing_of_a_person_remains_however_a_field_is_spelled(
    person: tuple[dict[str, Any], list[str]], text: bool
) -> None:
    fields, secrets = person
    body = {"profiles": json.dumps([fields])} if text else {"profiles": [fields], "audienceName": "vip_customers"}
    kept = json.dumps(Pseudonyms("k").in_value(body), ensure_ascii=False)
    kept += Pseudonyms("k").in_text(json.dumps({"query": json.dumps(fields)}, ensure_ascii=False))
    assert [secret for secret in secrets if secret in kept] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("audienceName", "vip_customers"), ("nextToken", "WyJ4Il0"), ("action", "enter"), ("line", 3)),
        *(("name", "VIPs"), ("status", "OPTED_IN"), ("tokenInfo", {"name": "CI"}), ("incomingKey", "first_name")),
    ],
)
def test_what_is_not_personal_is_kept(field: str, value: Any) -> None:
    assert Pseudonyms("k").in_value({field: value}) == {field: value}
    text = json.dumps({field: value})
    assert Pseudonyms("k").in_text(text) == text


def test_a_name_beside_an_email_is_personal() -> None:
    person = {"email": "ada@localhost", "name": "Ada Lovelace", "address": {"line1": "Sesame 5", "unit": "Top 7"}}
    kept = Pseudonyms("k").in_value(person)
    assert (kept["name"], kept["address"]) == ("Xxx Xxxxxxxx", {"line1": "Xxxxxx 1", "unit": "Xxx 1"})
    assert "Lovelace" not in Pseudonyms("k").in_text(json.dumps(person))


@pytest.mark.parametrize(
    "written", ["Bearer abcdef012345", "bearer  abcdef012345", "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"]
)
def test_a_second_token_is_hidden_by_its_form(path: Path, written: str) -> None:
    kept(path, json.dumps({"note": f"with {written}"}), json.dumps({"errors": [{"message": f"no {written}"}]}))
    assert "abcdef" not in path.read_text()
    assert "eyJ" not in path.read_text()


def test_a_kept_header_that_has_a_token_is_hidden(path: Path) -> None:
    kept(path, "{}", headers={"X-RateLimit-Token": "abcdef012345", "X-RateLimit-Limit": "5"})
    assert "abcdef" not in path.read_text()
    assert '"5"' in path.read_text()


def test_a_directive_is_no_address() -> None:
    document = "query($a: Boolean!) { name@include(if: $a) other@skip(if: $a) }"
    assert Pseudonyms("k").in_text(document) == document


def test_tokens_are_removed_and_labelled(path: Path) -> None:
    recording = Recording(path, upstream="u", key="k")
    for token in (TOKEN, "another-secret", TOKEN, None):
        recording.keep(
            at=AT,
            token=token,
            accept="application/json",
            request=json.dumps({"query": f'{{ a(b: "{token}") }}', "extra": token}),
            status=401,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Set-Cookie": "s=1"},
            response=f'{{"errors": [{{"message": "who is {TOKEN}?"}}]}}',
        )
    recording.close()
    assert TOKEN.encode() not in path.read_bytes()
    assert b"another-secret" not in path.read_bytes()
    assert [exchange.token for _, exchange in read_exchanges(path)] == ["token-1", "token-2", "token-1", None]
    assert {name for _, exchange in read_exchanges(path) for name in exchange.headers} == {"content-type"}


def test_tokens_are_removed_in_their_json_and_url_forms(path: Path) -> None:
    token = 'abc/de"f+gh='
    request = json.dumps({"query": f"{{ a(b: {json.dumps(token)}) }}", "variables": {"t": token}})
    kept(path, request, json.dumps({"at": f"https://x.example/?token={quote(token, safe='')}"}), token=token)
    written = path.read_text()
    for part in ("abc/de", "f+gh", "abc%2Fde"):
        assert part not in written


@pytest.mark.parametrize("body", ["", "[1]", "no json: ada@x.org", '{"query": "a", "query": "b"}', "[" * 2000])
def test_a_body_that_is_not_a_json_object_is_kept_as_a_string(path: Path, body: str) -> None:
    kept(path, body, body)
    [(_, exchange)] = read_exchanges(path)
    assert exchange.request == exchange.response == Pseudonyms("k").in_text(body)


def test_a_deep_body_is_kept_as_a_string(path: Path) -> None:
    body = '{"a":' * 300 + "1" + "}" * 300
    assert kept(path, body).request == body


def test_a_recording_is_private_and_never_overwritten(path: Path) -> None:
    kept(path, "{}")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UserMistake, match="exists already"):
        Recording(path, upstream="u", key="k")
    with pytest.raises(InputError, match="cannot write"):
        Recording(path.parent / "no" / "folder.jsonl", upstream="u", key="k")


def test_a_truncated_last_line_is_omitted(path: Path) -> None:
    kept(path, "{}")
    line = path.read_text()
    path.write_text(line + line[:40])
    assert [number for number, _ in read_exchanges(path)] == [1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "invalid format of a recorded exchange"),
        ('{"format": 2}', "invalid format of a recorded exchange"),
        ('{"format": 1}', "has no at, token, status, headers, request, response"),
        (
            '{"format":1,"at":"soon","token":null,"status":200,"headers":{},"request":{},"response":{}}',
            "invalid 'at' of a recorded exchange. Found: 'soon'. Allowed: a time with its zone",
        ),
    ],
)
def test_an_invalid_line_is_an_error_with_its_number(path: Path, line: str, message: str) -> None:
    path.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=rf"exchanges.jsonl:2: .*{message}"):
        list(read_exchanges(path))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("at", value) for value in (None, 5, "2026-06-14T12:00:00", "9999-12-31T23:59:59-14:00")),
        *(("upstream", value) for value in (None, 5)),
        *(("token", value) for value in (5, ["t"], "tök", "a\nb")),
        *(("accept", value) for value in (None, 5, [], "*/*; é", "a\r\nb")),
        *(("status", value) for value in (None, "200", True, 2.5)),
        *(("headers", value) for value in (None, [], {"content-type": 5})),
        *((name, value) for name in ("request", "response") for value in (None, [], "text")),
        *((name, value) for name in ("requestText", "responseText") for value in (None, {})),
    ],
)
def test_a_field_of_a_wrong_type_is_an_error_with_its_line(path: Path, field: str, value: Any) -> None:
    kept(path, "{}")
    line = json.loads(path.read_text())
    path.write_text(json.dumps(line) + "\n" + json.dumps({**line, field: value}) + "\n")
    with pytest.raises(InputError, match=rf"exchanges.jsonl:2: invalid '{field}' of a recorded exchange\."):
        list(read_exchanges(path))


def test_the_time_is_linear_in_the_length_of_the_text() -> None:
    """A crafted body takes seconds at most."""
    safe = Pseudonyms("k")
    for piece in ("a.", "a@", "\\u0041", 'first_name: "', '"phone":"', "@a.", '\\"'):
        safe.in_text(piece * (200_000 // len(piece)))
