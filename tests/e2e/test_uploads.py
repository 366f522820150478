"""A file of people becomes profiles, from a folder and through an upload target, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import Emulator

TOKEN = {"authorization": "Bearer sa-local-write"}
CREATE = """mutation ($url: String) {
  createUserUploadedProfiles(input: {advertiserId: 1001, url: $url, mappingSchemaV2: [
    {incomingKey: "email", destinationKey: "email", label: "Email", type: STRING, isPii: true}
  ]}) { mappableId userErrors { message path } }
}"""
TARGET = """mutation { createUploadTargets(input: {regionIndependent: [
  {filename: "people.csv", mimeType: "text/csv", resourceType: CDP_PROFILES}
]}) { targets { url resourceUrl parameters { name value } } userErrors { message } } }"""


def graphql(client: httpx.Client, query: str, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    answer = client.post("/graphql", json=body, headers=TOKEN).raise_for_status().json()
    assert "errors" not in answer, answer
    return next(iter(answer["data"].values()))


def emails(client: httpx.Client) -> list[str]:
    return [profile["email"] for profile in client.get("/_emulator/profiles").json()["profiles"]]


def test_a_file_of_the_uploads_folder_becomes_profiles(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email\nada@example.com\n")
    with Emulator(uploads=tmp_path) as emulator, httpx.Client(base_url=emulator.start(), trust_env=False) as client:
        assert graphql(client, CREATE, url="people.csv")["userErrors"] == []
        assert emails(client) == ["ada@example.com"]


@pytest.mark.parametrize("url", ["../secret.csv", "/etc/passwd", "http://127.0.0.1:9/people.csv", "none.csv"])
def test_files_outside_the_folder_are_not_read(tmp_path: Path, url: str) -> None:
    (tmp_path / "secret.csv").write_text("email\nspy@example.com\n")
    folder = tmp_path / "uploads"
    folder.mkdir()
    with Emulator(uploads=folder) as emulator, httpx.Client(base_url=emulator.start(), trust_env=False) as client:
        graphql(client, CREATE, url=url)
        assert emails(client) == []


def test_a_file_sent_to_an_upload_target_becomes_profiles() -> None:
    with Emulator() as emulator, httpx.Client(base_url=emulator.start(), trust_env=False) as client:
        [target] = graphql(client, TARGET)["targets"]
        form = {parameter["name"]: parameter["value"] for parameter in target["parameters"]}
        file = {"file": ("people.csv", b"email\ngrace@example.com\n", "text/csv")}
        client.post(target["url"], data=form, files=file).raise_for_status()
        assert graphql(client, CREATE, url=target["resourceUrl"])["userErrors"] == []
        assert emails(client) == ["grace@example.com"]
