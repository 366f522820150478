"""Snapshots and sandboxes: what the page lists, a copy of a sandbox, and files that are saved and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from emulator.server.emulator import Emulator
from tests.console.browser_pages import opened
from tests.console.pages import EMAIL, page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def profiles(client: Client, sandbox: str = "default") -> list[str]:
    found = client.get("/_emulator/profiles", headers={"X-Emulator-Sandbox": sandbox}).json["profiles"]
    return [each["email"] for each in found]


def test_a_copy_has_workspace_data_and_time_but_secrets_of_its_own(filled: Client) -> None:
    filled.patch("/_emulator/workspace", json={"latency": "2h"})
    made = filled.post("/_emulator/sandboxes", json={"name": "copy", "copyOf": "default"})
    assert made.status_code == 201, made.text
    own = {"X-Emulator-Sandbox": "copy"}
    assert profiles(filled, "copy") == profiles(filled) == [EMAIL]
    assert filled.get("/_emulator/clock", headers=own).json["now"] == filled.get("/_emulator/clock").json["now"]
    original = filled.get("/_emulator/sandboxes/default").json
    assert not {*made.json["tokens"].values()} & {*original["tokens"].values()}
    assert made.json["tokens"].keys() == original["tokens"].keys()
    assert len(filled.get("/_emulator/segments", headers=own).json["segments"]) == 1
    filled.post("/_emulator/reset", headers=own)
    assert (profiles(filled, "copy"), profiles(filled)) == ([], [EMAIL])


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"name": "copy", "copyOf": "unknown"}, 404),
        ({"name": "default", "copyOf": "default"}, 400),
        ({"name": "copy", "copyOf": "default", "seed": 1}, 400),
        ({"name": "copy", "copyOf": "default", "workspace": {}}, 400),
    ],
    ids=str,
)
def test_a_copy_that_cannot_be_made_leaves_nothing(client: Client, given: dict[str, object], status: int) -> None:
    assert client.post("/_emulator/sandboxes", json=given).status_code == status
    assert [each["name"] for each in client.get("/_emulator/sandboxes").json["sandboxes"]] == ["default"]


def test_the_sandboxes_are_those_of_the_api_and_each_can_be_opened(client: Client) -> None:
    client.post("/_emulator/sandboxes", json={"name": "other", "seed": 7})
    shown = page(client, "/console/snapshots")
    names = [each["name"] for each in client.get("/_emulator/sandboxes").json["sandboxes"]]
    assert f"Sandboxes ({len(names)})" in shown.text
    assert "/console/snapshots?sandbox=other" in [link.get("href") for link in shown.all("a")]
    assert "Delete this sandbox" not in shown.text
    other = page(client, "/console/snapshots?sandbox=other")
    assert "Delete other and its data" in other.text


def test_files_are_saved_and_loaded(browser: Browser, tmp_path: Path) -> None:
    with Emulator() as emulator:
        lines = tmp_path / "people.jsonl"
        lines.write_text(f'{{"email": "{EMAIL}"}}\n')
        with opened(browser, emulator) as go:
            shown = go("/console/snapshots")
            shown.get_by_label("File", exact=True).set_input_files(lines)
            shown.get_by_role("button", name="Import").click()
            shown.locator("#imported").wait_for()
            assert profiles(emulator.client) == [EMAIL]
            with shown.expect_download() as exported:
                shown.get_by_role("button", name="Export CSV").click()
            assert exported.value.suggested_filename == "profiles.csv"
            assert EMAIL in Path(exported.value.path()).read_text()
            with shown.expect_download() as saved:
                shown.get_by_role("button", name="Save snapshot").click()
            file = tmp_path / saved.value.suggested_filename
            saved.value.save_as(file)
            emulator.client.post("/_emulator/reset")
            shown.get_by_label("Snapshot", exact=True).set_input_files(file)
            shown.get_by_label("Replace the data of this sandbox").check()
            with shown.expect_navigation():
                shown.get_by_role("button", name="Load snapshot").click()
            assert profiles(emulator.client) == [EMAIL]
            form = shown.locator("form", has=shown.locator('[name="copyOf"]'))
            form.get_by_label("Name").fill("copy")
            with shown.expect_navigation():
                form.get_by_role("button", name="Copy", exact=True).click()
            assert shown.url.endswith("/console/snapshots?sandbox=copy")
            assert profiles(emulator.client, "copy") == [EMAIL]
