"""The console in a real browser: what it loads, its keys, its buttons, light and dark."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from emulator.cli import cli
from emulator.console.screens import SCREENS
from emulator.harness.client import StackAdaptClient, in_process
from emulator.server.emulator import Emulator
from tests.console.browser_pages import COLORS, follow, inaccessible, is_wider_than_the_window, opened
from tests.console.views import FULLEST, address

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCHEMES = ["light", "dark"]
PATHS = {screen.name: address(screen.path) for screen in SCREENS if not screen.under}
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>' + "x" * 300


def send(emulator: Emulator, user: str, **traits: object) -> None:
    headers = {"Authorization": "Basic " + b64encode(b"segment-local:").decode()}
    answer = emulator.client.post("/v1/identify", json={"userId": user, "traits": traits}, headers=headers)
    assert answer.status_code == 200


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        started.client.post("/_emulator/clock/freeze")
        send(started, "ada", email="ada@example.com", total_spent=700, nickname=HOSTILE)
        send(started, HOSTILE, email="hostile@example.com")
        send(started, "grace", total_spent=700)
        started.client.post("/_emulator/clock/advance", json={"hours": 5})
        yield started


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_is_accessible_and_fits_the_window(browser: Browser, emulator: Emulator, scheme: str) -> None:
    with opened(browser, emulator, scheme, ignore_status=True) as go:
        for path in FULLEST:
            page = go(path)
            assert inaccessible(page, COLORS if scheme == "dark" else None) == [], path
            assert not is_wider_than_the_window(page), path
            back = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (back == "rgb(255, 255, 255)") == (scheme == "light")


def test_every_screen_is_reached_by_its_link_and_fits_a_phone(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/")
        page.set_viewport_size({"width": 400, "height": 800})
        for name, path in PATHS.items():
            follow(page.get_by_role("navigation").get_by_role("link", name=name, exact=True))
            assert page.url == emulator.url + path
            assert page.get_by_role("heading", level=1).inner_text() == name
            assert not is_wider_than_the_window(page), name


def test_why_someone_is_missing_is_found_by_keys_alone(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/person")
        page.keyboard.press("/")
        page.keyboard.type("grace")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/person?person=grace")
        page.get_by_text("Did not arrive").wait_for()
        page.get_by_role("link", name="PAYLOAD_VALIDATION_FAILED").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/reasons#PAYLOAD_VALIDATION_FAILED")


def test_escape_closes_the_details(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/requests")
        page.locator("tbody a").first.click()
        page.wait_for_url("**/console/requests?trace=*")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "search"
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") != "search"
        page.keyboard.press("Escape")
        page.wait_for_url("**/console/requests")


def test_a_segment_is_created_and_has_the_size_that_the_api_gives(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/segments")
        follow(page.get_by_role("link", name="Create Segment"))
        page.get_by_label("Name", exact=True).fill("VIP")
        page.get_by_label("Rule").select_option("Segment Engage Audience Name")
        page.get_by_label("Value").fill("vip_customers")
        follow(page.get_by_role("button", name="Submit"))
        follow(page.get_by_role("link", name="VIP"))
        members = page.get_by_role("complementary", name="Segment")
        segment = emulator.client.get("/_emulator/segments/1").json
        assert f"Members ({segment['size']})" in members.inner_text()
        assert segment["members"] == ["ada@example.com"]


def test_the_clock_moves_and_says_what_is_next(browser: Browser, emulator: Emulator) -> None:
    emulator.client.post("/_emulator/audiences/vip_customers/exit", json={"userId": "ada"})
    with opened(browser, emulator) as go:
        page = go("/console/profiles")
        before = emulator.client.get("/_emulator/clock").json["now"]
        follow(page.get_by_role("button", name="+4 h"))
        after = page.locator("#clock time").get_attribute("datetime")
        assert after == emulator.client.get("/_emulator/clock").json["now"]
        assert after is not None
        assert after > before


def test_what_happens_meanwhile_is_counted_and_moves_nothing(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/profiles?all=on")
        shown = page.locator("main").inner_text()
        send(emulator, "linus", email="linus@example.com")
        page.get_by_role("button", name="new").wait_for()
        assert page.get_by_role("button", name="1 new").is_visible()
        assert page.locator("main").inner_text() == shown


def test_an_error_of_an_action_is_shown_and_its_fields_are_kept(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator, refused=400) as go:
        page = go("/console/segments?create=on")
        page.get_by_label("Name", exact=True).fill("VIP")
        page.get_by_label("Value").fill("vip_customers")
        page.evaluate("document.querySelector('[name=\"rule/operator\"]').value = 'unknown'")
        page.get_by_role("button", name="Submit").click()
        page.get_by_role("alert").filter(has_text="operator").wait_for()
        assert page.get_by_label("Name", exact=True).input_value() == "VIP"
        assert emulator.client.get("/_emulator/segments").json["segments"] == []


def test_the_name_of_a_field_is_a_place_in_the_body(browser: Browser, emulator: Emulator) -> None:
    read = """async (names) => {
      const { requestOf } = await import("/console/static/requests.js");
      const form = document.createElement("form");
      for (const name of names) form.append(Object.assign(document.createElement("input"), { name, value: name }));
      return requestOf(form).body;
    }"""
    with opened(browser, emulator) as go:
        body = go("/").evaluate(read, ["a/1001/b", "a/1002", "2", "list/[0]/x", "list/[1]", "~1/0", "c/0"])
    assert body == {
        "a": {"1001": {"b": "a/1001/b"}, "1002": "a/1002"},
        "2": "2",
        "list": [{"x": "list/[0]/x"}, "list/[1]"],
        "/": {"0": "~1/0"},
        "c": {"0": "c/0"},
    }


def test_what_a_form_sends_can_be_copied(browser: Browser, emulator: Emulator, tmp_path: Path) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/segments?create=on")
        page.get_by_label("Name", exact=True).fill('It\'s "VIP" $(echo)')
        page.get_by_label("Value").fill("vip_customers")
        form = page.locator("form.act", has=page.get_by_role("button", name="Submit"))
        form.get_by_text("Copy as").click()

        def copied(kind: str) -> str:
            form.get_by_role("button", name=kind).click()
            form.locator("pre").wait_for()
            return form.locator("pre").inner_text()

        subprocess.run(copied("curl"), shell=True, check=True, capture_output=True)
        namespace: dict[str, Any] = {}
        exec(copied("pytest"), namespace)
        with in_process(emulator.app) as endpoint:
            namespace["test_as_in_the_console"](StackAdaptClient(endpoint))
        scenario = tmp_path / "scenario.yaml"
        scenario.write_text(copied("scenario"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["verify", str(scenario), "--target", emulator.url], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    names = [segment["name"] for segment in emulator.client.get("/_emulator/segments").json["segments"]]
    assert names == ['It\'s "VIP" $(echo)'] * 2
