"""The page *Upgrade* of a destination: the differences that `POST /_emulator/upgrade-check` answers."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from emulator.server.emulator import Emulator
from tests.console.pages import get, page
from tests.harness.upgrade.workspaces import of_2025

PATH = "/console/destinations/upgrade?destination=StackAdapt+Acme"
ADA = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}


def test_the_page_shows_the_differences_and_their_level() -> None:
    with Emulator(of_2025()) as emulator:
        emulator.segment.ingest("batch", {"batch": [ADA]})
        made_anew = get(emulator.client, f"{PATH}&to=3.517.0&mappings=new").text
        saved = get(emulator.client, f"{PATH}&to=3.517.0").text
    assert "3.497.0 → 3.517.0: loses data · profiles 1 → 1" in made_anew
    assert "property: total_spent removed" in made_anew
    assert "Set custom_properties_mode to" in made_anew
    assert "3.497.0 → 3.517.0: harmless · profiles 1 → 1" in saved


def test_what_cannot_be_checked_says_why(client: Client) -> None:
    assert "Upgrade to" in page(client, PATH).text
    assert "the sandbox knows no people. Send it events first" in page(client, f"{PATH}&to=3.517.0").text
    assert "unknown generation" in page(client, f"{PATH}&to=4").text


@pytest.mark.parametrize(("to", "command"), [("", "3.517.0"), ("&to=3.497.0", "3.497.0"), ("&to=4;ls", "3.517.0")])
def test_the_page_has_the_command_that_takes_generated_people(client: Client, to: str, command: str) -> None:
    assert f"stackadapt-emulator upgrade-check {command} --workspace workspace.yaml" in page(client, PATH + to).text
