"""Uploads inline, from a file in the folder and from an upload target, never from the network."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from emulator.stackadapt import Limits
from emulator.stackadapt.rules.profile_input import UnreadableFile, read_file
from tests.stackadapt.conftest import Make, Service, column

INLINE = """mutation($i: UserUploadedProfilesWithJSONInput!) { answer: createUserUploadedProfilesWithJson(input: $i) {
  mappableId userErrors { message path } userUploadedProfiles { id filename advertiser { id }
    profileMapping { id name mappableId mappableType mappingSchema } } } }"""
FILE = """mutation($i: UserUploadedProfilesInput!) { answer: createUserUploadedProfiles(input: $i) {
  mappableId userErrors { message path } userUploadedProfiles { filename } } }"""
STATUS = "query($m: ID!) { profileMappingStatus(advertiserId: 1001, mappableId: $m) }"
COLUMNS = [column("mail", destinationKey="email"), column("tier"), column("id", destinationKey="external_id")]
PEOPLE = [{"mail": "Ann@example.com", "tier": "gold", "id": "7"}, {"mail": "bob@example.com"}]


def upload(service: Service, *profiles: Any, **given: Any) -> Any:
    sent = {"advertiserId": "1001", "mappingSchema": COLUMNS, "profiles": list(profiles), **given}
    return service.run(INLINE, i=sent)["answer"]


def upload_file(service: Service, url: str, **given: Any) -> Any:
    return service.run(FILE, i={"advertiserId": "1001", "mappingSchemaV2": COLUMNS, "url": url, **given})["answer"]


def status(service: Service, answer: Any) -> Any:
    return service.run(STATUS, m=answer["mappableId"])["profileMappingStatus"]


def test_an_inline_upload_creates_profiles_under_its_own_mapping(service: Service) -> None:
    answer = upload(service, *PEOPLE, profileOwnedStatus="PROSPECT", profileListName="Imported")
    uploaded = answer["userUploadedProfiles"]
    assert answer["mappableId"] == uploaded["id"] == uploaded["profileMapping"]["mappableId"]
    assert uploaded["filename"] == uploaded["profileMapping"]["name"]
    assert len(uploaded["profileMapping"]["mappingSchema"]) == 3
    profile = service.profile("ann@example.com")
    assert profile["properties"] == {"tier": "gold"}
    assert (profile["marketingStatus"], profile["sources"]) == ("PROSPECT", ["USER_UPLOADED"])
    assert profile["externalIds"] == ["7"]
    assert service.run('{ advertiser(id: 1001) { profileList(profileListId: "1") { name size } } }') == {
        "advertiser": {"profileList": {"name": "Imported", "size": "2"}}
    }


def test_control_keys_of_audience_records_are_ignored_in_an_upload(service: Service) -> None:
    answer = upload(
        service, {"userId": "u1", "action": "enter", "audienceId": "a"}, {"mail": "a@example.com", "userId": "u"}
    )
    assert service.outcomes() == [("rejected", "MISSING_EMAIL"), ("visible", None)]
    assert service.profile("a@example.com")["externalIds"] == []
    assert status(service, answer) == "SUCCESS"


def test_an_upload_uses_no_other_mapping(service: Service) -> None:
    upload(service, *PEOPLE)
    upload(service, {"mail": "cat@example.com", "tier": "x"}, mappingSchema=[column("mail", destinationKey="email")])
    assert service.profile("cat@example.com")["properties"] == {}
    service.upsert({"email": "dan@example.com", "tier": "x"})
    assert service.profile("dan@example.com")["properties"] == {}


@pytest.mark.parametrize(
    ("profiles", "end"),
    [
        (PEOPLE, "SUCCESS"),
        ([{"mail": "x"}, *PEOPLE], "SUCCESS"),
        ([{"mail": "x"}], "ERROR"),
        ([], "SKIPPED"),
        ([{"mail": "gone@example.com"}], "SKIPPED"),
    ],
)
def test_the_status_goes_from_processing_to_the_outcome_of_the_records(
    make_service: Make, profiles: Any, end: str
) -> None:
    service = make_service(latency="1h")
    service.run(
        "mutation { deleteRawProfile(input: {advertiserId: 1001, isComplianceRequest: true, "
        'email: "gone@example.com"}) { clientMutationId } }'
    )
    answer = upload(service, *profiles)
    assert status(service, answer) == "PROCESSING"
    service.pass_time(hours=1)
    assert status(service, answer) == end
    assert service.run("{ profileMappingStatus(advertiserId: 1002, mappableId: 1) }") == {"profileMappingStatus": None}


def test_a_mapping_can_have_the_mappable_id_of_a_later_upload(service: Service) -> None:
    given = {"mappableType": "USER_UPLOADED", "mappableId": "1"}
    assert service.map_profiles(column("email"), **given) == []
    assert service.run(STATUS, m="1") == {"profileMappingStatus": "SUCCESS"}
    assert status(service, upload(service, *PEOPLE)) == "SUCCESS"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "uploads"
    files.mkdir()
    (files / "people.csv").write_text('\ufeffmail,tier,id\nAnn@example.com,"go,ld",7\n\nbob@example.com,,\n')
    (files / "people.json").write_text(json.dumps(PEOPLE))
    (files / "broken.csv").write_text("mail,tier\na@example.com\n")
    (files / "large.json").write_text(" " * 5_000 + "[]")
    (tmp_path / "secret.json").write_text(json.dumps(PEOPLE))
    (files / "link.json").symlink_to(tmp_path / "secret.json")
    return files


@pytest.mark.parametrize(("name", "tier"), [("people.csv", "go,ld"), ("people.json", "gold")])
def test_a_file_in_the_folder_is_ingested(make_service: Make, folder: Path, name: str, tier: str) -> None:
    service = make_service(uploads=folder)
    for url in (name, (folder / name).as_uri()):
        answer = upload_file(service, url)
        assert answer["userErrors"] == []
        assert answer["userUploadedProfiles"] == {"filename": name}
        assert status(service, answer) == "SUCCESS"
    assert service.profile("ann@example.com")["properties"] == {"tier": tier}
    assert service.profile("bob@example.com")["properties"] == {}


def test_a_file_without_profiles_ends_in_error(make_service: Make, folder: Path) -> None:
    service = make_service(uploads=folder, limits=Limits(profiles=1))
    for name in ("broken.csv", "people.json"):
        answer = upload_file(service, name)
        assert answer["userErrors"] == []
        assert status(service, answer) == "ERROR"
    assert service.stackadapt.counts()["profiles"] == 0
    assert [(each["status"], each["failure"]) for each in service.stackadapt.uploads()] == [
        ("ERROR", "line 2 has 1 cells, the header 2"),
        ("ERROR", "At most 1 profiles can be sent at once; found 2."),
    ]


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (
            "mail;tier\na@example.com;x\n",
            "the header has one column, 'mail;tier': separate columns with commas, not semicolons",
        ),
        ('mail,tier\na@example.com,"x" y\n', "line 2 is not CSV: a cell in quotes ends before ','"),
        ('mail,"tier\n', "line 1 is not CSV: a quote opens a cell and nothing closes it"),
        ("mail,tier\n".encode("utf-16"), "it is UTF-16 text, not UTF-8"),
        (b"mail,tier\na@example.com,\xe9\n", "it is not UTF-8 text: line 2, column 15 has the byte 0xE9"),
    ],
)
def test_why_a_file_cannot_be_read_is_listed_once(
    make_service: Make, tmp_path: Path, text: str | bytes, failure: str
) -> None:
    (tmp_path / "people.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    service = make_service(uploads=tmp_path)
    assert status(service, upload_file(service, "people.csv")) == "ERROR"
    (listed,) = service.stackadapt.uploads()
    assert listed["failure"].startswith(failure)
    assert listed["records"] == {}


def test_uploads_are_listed_with_the_outcomes_of_their_records(make_service: Make) -> None:
    service = make_service(latency="1h")
    answer = upload(service, *PEOPLE, {"mail": "x"})
    upload(service, advertiserId="1002")
    (first, second) = service.stackadapt.uploads()
    shown = {
        "id": answer["mappableId"],
        "advertiserId": "1001",
        "filename": answer["userUploadedProfiles"]["filename"],
        "status": "PROCESSING",
        "failure": None,
        "records": {"queued": 3},
        "requestId": service.stackadapt.records()[0]["requestId"],
        "receivedAt": "2026-03-01T12:00:00.000Z",
    }
    assert first == shown
    assert (second["advertiserId"], second["records"]) == ("1002", {})
    service.pass_time(hours=1)
    (first,) = service.stackadapt.uploads("1001")
    assert first == {**shown, "status": "SUCCESS", "records": {"visible": 2, "rejected": 1}}
    assert [each["status"] for each in service.stackadapt.uploads(limit=1, offset=1)] == ["SKIPPED"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.com/people.csv", "nothing from the network"),
        ("file://host/people.csv", "nothing from the network"),
        ("file://localhost.host/people.csv", "nothing from the network"),
        ("file://LOCALHOST/missing.csv", "no file in the folder"),
        ("../secret.json", "no file in the folder"),
        ("/etc/passwd", "no file in the folder"),
        ("link.json", "no file in the folder"),
        ("%2e%2e/secret.json", "no file in the folder"),
        ("a%00b", "no file in the folder"),
        (".", "no file in the folder"),
        ("missing.csv", "no file in the folder"),
        ("a" * 500, "no file in the folder"),
        ("file:///" + "a" * 500 + "/b", "no file in the folder"),
        ("people.csv/" * 100, "no file in the folder"),
        ("file://[x", "cannot be read as a URL"),
        ("//[", "cannot be read as a URL"),
        ("large.json", "larger than 4096 bytes"),
        ("", "url of a file is required"),
    ],
)
def test_no_other_file_is_read(make_service: Make, folder: Path, url: str, message: str) -> None:
    service = make_service(uploads=folder, limits=Limits(body_bytes=4096))
    (error,) = upload_file(service, url)["userErrors"]
    assert message in error["message"]
    assert error["path"] == ["input", "url"]


def test_without_a_folder_the_error_names_the_option(service: Service) -> None:
    (error,) = upload_file(service, "people.csv")["userErrors"]
    assert "--uploads" in error["message"]


TARGETS = """mutation($i: CreateUploadTargetsInput!) { createUploadTargets(input: $i) {
  targets { url resourceUrl parameters { name value } } userErrors { message } } }"""


def target(service: Service) -> Any:
    wanted = {"filename": "people.csv", "mimeType": "text/csv", "resourceType": "CDP_PROFILES"}
    (made,) = service.run(TARGETS, i={"regionIndependent": [wanted]})["createUploadTargets"]["targets"]
    return made


def send(service: Service, made: Any, content: bytes, **form: str) -> int:
    fields = {each["name"]: each["value"] for each in made["parameters"]} | form
    data = {**fields, "file": (BytesIO(content), "any")}
    return service.http.post(made["url"], data=data).status_code


def test_a_file_goes_to_a_target_and_is_named_by_its_resource_url(service: Service) -> None:
    made = target(service)
    (error,) = upload_file(service, made["resourceUrl"])["userErrors"]
    assert "No file was sent" in error["message"]
    assert send(service, made, b"mail,tier\nann@example.com,gold\n") == 204
    answer = upload_file(service, made["resourceUrl"])
    assert answer["userUploadedProfiles"] == {"filename": "people.csv"}
    assert service.profile("ann@example.com")["properties"] == {"tier": "gold"}


def test_a_target_refuses_a_wrong_key_and_binary_content(service: Service) -> None:
    made = target(service)
    assert send(service, made, b"mail\n", key="guessed") == 400
    assert send(service, made, b"\xff\xfe") == 400
    assert service.http.post(made["url"], data={"key": "x"}).status_code == 400
    assert service.http.post("/uploads/nowhere/", data={}).status_code == 400
    assert "No file was sent" in upload_file(service, made["resourceUrl"])["userErrors"][0]["message"]


def test_a_file_that_is_too_large_is_refused(make_service: Make) -> None:
    service = make_service(limits=Limits(body_bytes=2_000))
    assert send(service, target(service), b"x" * 3_000) == 413


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "neither the suffix .csv nor .json"),
        ("a.json", "{", "not JSON"),
        ("a.json", "[" * 100_000, "not JSON"),
        ("a.json", "[1]", "array of objects"),
        ("a.csv", "", "no header"),
        ("a.csv", "a,a\n", "the same name"),
        ("a.csv", "a,b\n1,2,3\n", "line 2 has 3 cells, the header 2"),
        ("a.csv", 'a\n"x"y\n', "line 2 is not CSV"),
    ],
)
def test_an_unreadable_file_says_why(name: str, text: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_file(name, text)
