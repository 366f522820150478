"""Exporting profiles as lines and importing them, under the rules for records."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator
from emulator.stackadapt.profiles.file_formats import LONGEST_LINE
from emulator.stackadapt.profiles.import_export import PROFILES_AT_ONCE

TOKEN = {"authorization": "Bearer sa-local-write"}
MAP = "mutation($m: ProfileMappingInput!) { upsertProfileMapping(input: $m) { userErrors { message path } } }"


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


def declare(client: Client, **types: str) -> None:
    columns = [
        {"incomingKey": key, "destinationKey": key, "label": key, "type": data_type, "isPii": False}
        for key, data_type in types.items()
    ]
    mapping = {"advertiserId": "1001", "mappableType": "segment_io", "mappingSchemaV2": columns}
    answer = client.post("/graphql", json={"query": MAP, "variables": {"m": mapping}}, headers=TOKEN)
    assert (answer.json or {})["data"]["upsertProfileMapping"]["userErrors"] == []


def take(client: Client, text: str | bytes, *, name: str = "jsonl", advertiser: str | None = "1001") -> dict[str, Any]:
    query = {"format": name} | ({"advertiserId": advertiser} if advertiser else {})
    answer = client.post("/_emulator/profiles/import", data=text, query_string=query)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json or {}
    return result


def jsonl(*profiles: Any) -> str:
    return "".join(json.dumps(profile) + "\n" for profile in profiles)


def exported(client: Client, name: str = "jsonl", **query: str) -> str:
    answer = client.get("/_emulator/profiles/export", query_string={"format": name, **query})
    assert answer.status_code == 200, answer.text
    return answer.text


def profiles(client: Client) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(client).splitlines()]


FULL: dict[str, Any] = {
    "advertiserId": "1001",
    "email": "ada@example.com",
    "marketingStatus": "OPTED_OUT",
    "externalIds": [{"provider": "segmentio", "id": "u1"}, {"provider": "shop", "id": "s1"}],
    "audiences": [{"provider": "segmentio", "id": "aud_1", "name": "vip"}],
    "properties": {"first_name": 'Ada, "the" first\nof her name', "score": 7.5, "member": True, "tags": ["a", "b"]},
}


def test_json_lines_are_lossless(client: Client) -> None:
    assert take(client, jsonl(FULL))["imported"] == 1
    assert profiles(client) == [FULL]
    with Emulator() as other:
        take(other.client, exported(client), advertiser=None)
        assert exported(other.client) == exported(client)


def test_csv_is_read_back_by_declared_type(client: Client) -> None:
    types = {"score": "NUMBER", "member": "BOOLEAN", "tags": "STRING_LIST"}
    declare(client, **types)
    take(client, jsonl(FULL, {"email": "bob@example.com", "properties": {"email2": "x", "properties.a": "y"}}))
    text = exported(client, "csv")
    heading = next(csv.reader(io.StringIO(text)))
    assert heading[:5] == ["advertiserId", "email", "marketingStatus", "externalIds", "audiences"]
    assert "properties.properties.a" in heading
    with Emulator() as other:
        declare(other.client, **types)
        assert take(other.client, text, name="csv", advertiser=None)["imported"] == 2
        assert profiles(other.client) == profiles(client)


FORMULAS = ["=1+1", "+1 555 0100", "-5", "@SUM(A1)", "\t=1", "'=1", "''+1", "'quoted'", "=", "5", "a=b", " =1", "'"]


def test_no_cell_of_csv_is_a_formula_and_every_text_is_read_back(client: Client) -> None:
    columns = {f"p{number}": text for number, text in enumerate(FORMULAS)}
    person = {"email": "+ada@example.com", "properties": {**columns, "=key": "x", "'-key": "y", "score": -7.5}}
    declare(client, **dict.fromkeys([*columns, "=key", "'-key"], "STRING"), score="NUMBER")
    assert take(client, jsonl(person))["imported"] == 1
    text = exported(client, "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["score"] == "-7.5"
    cells = [*rows[0], *(cell for name, cell in rows[0].items() if name != "score")]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert (rows[0]["p5"], rows[0]["p7"], rows[0]["p10"]) == ("''=1", "'quoted'", "a=b")
    with Emulator() as other:
        declare(other.client, **dict.fromkeys([*columns, "=key", "'-key"], "STRING"), score="NUMBER")
        assert take(other.client, text, name="csv", advertiser=None)["imported"] == 1
        assert profiles(other.client) == profiles(client)


def test_csv_from_a_spreadsheet_is_imported(client: Client) -> None:
    text = "\ufeffemail,first_name,tier\r\nAda@Example.com,Ada,gold\r\n\r\nbob@example.com,,\r\n"
    assert take(client, text.encode(), name="csv")["imported"] == 2
    first, second = profiles(client)
    assert (first["email"], first["properties"]) == ("ada@example.com", {"first_name": "Ada", "tier": "gold"})
    assert second["properties"] == {}


def test_invalid_lines_are_counted_and_listed(client: Client) -> None:
    lines = [
        '{"email": "ada@example.com"}',
        "not json",
        "[]",
        '{"userId": "u1"}',
        '{"email": "ada@@example.com"}',
        "",
        '{"email": "b@example.com", "advertiserId": "999"}',
        '{"email": "b@example.com", "propertys": {}}',
        '{"email": "b@example.com", "marketingStatus": "MAYBE"}',
        '{"email": "b@example.com", "externalIds": ["u1"]}',
        '{"email": "b@example.com", "properties": []}',
        '{"email": "b@example.com", "audiences": [{"provider": "p", "id": "", "name": "n"}]}',
    ]
    result = take(client, "\n".join(lines))
    assert (result["read"], result["imported"], result["rejected"]) == (11, 1, 10)
    assert [(error["line"], error["reason"], error.get("key")) for error in result["errors"]] == [
        (2, "UNREADABLE_LINE", None),
        (3, "UNREADABLE_LINE", None),
        (4, "MISSING_EMAIL", "email"),
        (5, "INVALID_EMAIL", "email"),
        (7, "UNKNOWN_ADVERTISER", "advertiserId"),
        (8, "UNREADABLE_LINE", "propertys"),
        (9, "UNREADABLE_LINE", "marketingStatus"),
        (10, "UNREADABLE_LINE", "externalIds"),
        (11, "UNREADABLE_LINE", "properties"),
        (12, "UNREADABLE_LINE", "audiences"),
    ]
    assert [profile["email"] for profile in profiles(client)] == ["ada@example.com"]


def test_a_value_that_cannot_be_read_as_declared_is_left_out_with_a_warning(client: Client) -> None:
    declare(client, score="NUMBER")
    result = take(client, jsonl({"email": "ada@example.com", "properties": {"score": "many", "tier": "gold"}}))
    assert result["imported"] == 1
    assert [(warning["line"], warning["key"]) for warning in result["warnings"]] == [(1, "score")]
    assert profiles(client)[0]["properties"] == {"tier": "gold"}


def test_an_existing_profile_is_merged_and_its_opt_out_remains(client: Client) -> None:
    take(client, jsonl(FULL))
    again = {"email": "ADA@example.com", "marketingStatus": "OPTED_IN", "properties": {"tier": "gold"}}
    take(client, jsonl(again))
    (profile,) = profiles(client)
    assert profile["marketingStatus"] == "OPTED_OUT"
    assert profile["properties"] == {**FULL["properties"], "tier": "gold"}


def test_a_record_that_opts_in_someone_who_opted_out_gets_a_warning(client: Client) -> None:
    take(client, jsonl(FULL))
    document = """mutation {
      upsertProfileMapping(
        input: {advertiserId: 1001, mappableType: "segmentio", isOptedIn: true, mappingSchemaV2: []}
      ) { userErrors { message } }
      upsertProfiles(
        input: {advertiserId: 1001, externalProvider: "segmentio", profiles: [{email: "ada@example.com"}]}
      ) { userErrors { message } } }"""
    client.post("/graphql", json={"query": document}, headers={"authorization": "Bearer sa-local-write"})
    assert profiles(client)[0]["marketingStatus"] == "OPTED_OUT"
    (record,) = (client.get("/_emulator/records").json or {})["records"]
    assert record["warnings"] == [{"code": "STATUS_KEPT", "key": "marketing_status", "status": "OPTED_OUT"}]


def test_all_problems_are_counted_and_the_first_are_listed(client: Client) -> None:
    result = take(client, jsonl(*({"email": f"bad{n}"} for n in range(2_500))))
    assert (result["rejected"], len(result["errors"])) == (2_500, 1_000)
    assert [error["line"] for error in result["errors"]] == list(range(1, 1_001))


def test_an_export_of_several_pages_is_complete_and_can_be_limited_to_an_advertiser(client: Client) -> None:
    many = [{"email": f"p{n}@example.com", "advertiserId": "1001" if n % 2 else "1002"} for n in range(2_500)]
    assert take(client, jsonl(*many), advertiser=None)["imported"] == 2_500
    assert len(exported(client).splitlines()) == 2_500
    assert len(exported(client, "csv").splitlines()) == 2_501
    own = exported(client, advertiserId="1002").splitlines()
    assert {json.loads(line)["advertiserId"] for line in own} == {"1002"}
    assert len(own) == 1_250


def test_bytes_that_are_not_text_are_rejected_on_their_line(client: Client) -> None:
    assert take(client, b'{"email": "a@example.com"}\n\xff\xfe\n')["rejected"] == 1
    result = take(client, b"email,name\nb@example.com,\xff\n", name="csv")
    assert (result["imported"], result["warnings"][0]["line"]) == (1, 2)
    result = take(client, b'email\n"unfinished\n', name="csv")
    assert result["errors"][0]["reason"] == "UNREADABLE_LINE"


BROKEN = (
    b"email,city\r\n"
    b"ada@example.com,Paris\r\n"
    b'bob@example.com,"Saint "Denis" Ville"\n'
    b"cy@example.com,Lyon,69000\n"
    b"dan@example.com\n"
    b" \n"
    b'eve@example.com,"never closed\n'
    b"fay@example.com,Nice\r"
    b"gus@example.com,\x00\n"
    b"hal@example.com,Orl\xe9ans\n"
    b'ida@example.com,"two\nlines"\n'
    b"joe@example.com," + b"x" * 140_000 + b"\n"
    b"kim@example.com," + b"x" * LONGEST_LINE + b"\n"
    b",Metz\n"
    b"liz@example.com,Brest"
)


def test_a_bad_row_of_csv_is_named_and_the_rest_is_imported(client: Client) -> None:
    result = take(client, BROKEN, name="csv")
    assert [(each["line"], each["message"]) for each in result["errors"]] == [
        (3, "The line is not CSV: a cell in quotes ends before ','; write a quote inside a cell twice."),
        (4, "The line has 3 cells, the header 2."),
        (5, "The line has 1 cells, the header 2."),
        (7, "The line is not CSV: a quote opens a cell and nothing closes it."),
        (13, "The line is not CSV: a cell is longer than 131072 characters."),
        (14, "The line is too long."),
        (15, "The record has no email, and its external id belongs to no profile."),
    ]
    assert [(each["line"], each["key"]) for each in result["warnings"]] == [(9, "city"), (10, "city")]
    emails = {profile["email"][:3]: profile["properties"].get("city") for profile in profiles(client)}
    assert emails == {"ada": "Paris", "fay": "Nice", "gus": None, "hal": None, "ida": "two\nlines", "liz": "Brest"}
    assert (result["read"], result["imported"], result["rejected"]) == (13, 6, 7)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_recognised_by_the_column_of_the_emails(client: Client, delimiter: str) -> None:
    text = delimiter.join(("email", "city,state", "tier")) + "\n" + delimiter.join(("ada@example.com", "Paris", "gold"))
    assert take(client, f"{text}\n", name="csv")["imported"] == 1
    assert profiles(client)[0]["properties"] == {"city,state": "Paris", "tier": "gold"}


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("Emails;City\na@example.com;x\n", "line 1", ["no column 'email'", "Emails, City", "'Emails' to 'email'"]),
        ("\nname\nx\ny\n", "line 2", ["no column 'email'", "name", "the column of the emails"]),
        ("email,email\n", "line 1", ["more than one column 'email'"]),
        ("email,tier,properties.tier\n", "header", ["a column twice", "tier"]),
        ('email,"open\nada@example.com,x\n', "line 1", ["no column 'email'"]),
        (b"email,pr\xe9nom\na@example.com,x\n", "header", ["not UTF-8 text", "Save it as UTF-8."]),
        ("email,city\n".encode("utf-16"), "body", ["UTF-16", "PowerShell"]),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_once(
    client: Client, text: str | bytes, where: str, said: list[str]
) -> None:
    answer = client.post("/_emulator/profiles/import?format=csv&advertiserId=1001", data=text)
    assert (answer.status_code, (answer.json or {})["where"]) == (400, where)
    assert all(each in answer.text for each in said), answer.text
    assert profiles(client) == []


def test_a_column_without_a_name_is_empty_or_its_row_is_named(client: Client) -> None:
    result = take(client, "email,,\na@example.com,,\nb@example.com,x,\n", name="csv")
    assert (result["imported"], result["errors"][0]["line"]) == (1, 3)
    assert "'x' is in a column without a name" in result["errors"][0]["message"]


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_a_gzipped_file_is_imported_to_its_last_member(client: Client, name: str) -> None:
    text = "email\na@example.com\nb@example.com\n" if name == "csv" else jsonl({"email": "a@x.de"}, {"email": "b@x.de"})
    packed = gzip.compress(text[:11].encode()) + gzip.compress(text[11:].encode())
    assert take(client, packed, name=name)["imported"] == 2


def test_a_file_that_is_damaged_in_the_middle_imports_nothing(client: Client) -> None:
    # Random digits, so that the compressed file is longer than what is read at once.
    chance = random.Random(1)
    text = jsonl(*({"email": f"{chance.getrandbits(64)}@example.com"} for _ in range(3 * PROFILES_AT_ONCE)))
    packed = gzip.compress(text.encode())
    answer = client.post("/_emulator/profiles/import?advertiserId=1001", data=packed[:-9])
    assert (answer.status_code, "damaged" in answer.text) == (400, True), answer.text
    assert client.get("/_emulator/profiles").json == {"profiles": []}


def test_a_line_of_json_that_is_too_long_is_one_error(client: Client) -> None:
    result = take(client, jsonl({"email": "a" * 2 * LONGEST_LINE}, {"email": "b@example.com"}))
    assert (result["read"], result["imported"], result["rejected"]) == (2, 1, 1)
    assert result["errors"][0]["line"] == 1


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("query", "where"), [({"format": "xml"}, "format"), ({"advertiserId": "7"}, "advertiserId")])
def test_an_unknown_format_or_advertiser_is_refused(
    client: Client, method: str, query: dict[str, str], where: str
) -> None:
    path = "/_emulator/profiles/export" if method == "get" else "/_emulator/profiles/import"
    answer = getattr(client, method)(path, query_string=query)
    assert (answer.status_code, (answer.json or {})["where"]) == (400, where)


def test_imported_profiles_match_segments_by_audience_and_property(client: Client) -> None:
    take(client, jsonl(FULL, {"email": "bob@example.com"}))
    for rule in (
        {"field": "segment_engage_audience_id", "operator": "equals", "value": "aud_1"},
        {"field": "tags", "operator": "equals", "value": "b"},
    ):
        body = {"advertiserId": "1001", "name": "s", "rule": rule}
        assert (client.post("/_emulator/segments", json=body).json or {})["members"] == ["ada@example.com"]
