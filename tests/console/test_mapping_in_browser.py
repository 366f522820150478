"""The form of a mapping in a real browser: conditions and FQL, fields and JSON, findings and fixes, test and save."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from emulator.server.emulator import Emulator
from tests.console.browser_pages import follow, inaccessible, is_wider_than_the_window
from tests.console.browser_pages import opened as browsing
from tests.console.test_mapping_pages import ACME, SYNC, form
from tests.server.test_mapping_drafts import OF_2024, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OF_AUDIENCES = 'event = "Audience Entered" or event = "Audience Exited"'
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>\u202eright to left ' + "x" * 10_000


def path_of(name: str, destination: str = ACME) -> str:
    return f"/_emulator/workspace/destinations/{quote(destination, safe='')}/subscriptions/{quote(name, safe='')}"


def add(emulator: Emulator, name: str, destination: str = ACME, **item: Any) -> None:
    """A new mapping, as *New Mapping* adds it: disabled."""
    given = {"name": name, "action": "forwardAudienceEvent", "trigger": 'type = "identify" or type = "track"', **item}
    address = path_of(name, destination).rpartition("/")[0]
    assert emulator.client.post(address, json=given).status_code == 201


def saved(emulator: Emulator, name: str) -> dict[str, Any]:
    item: dict[str, Any] = emulator.client.get(path_of(name)).get_json()["item"]
    return item


def shown(page: Page, text: str) -> Page:
    """The page once it says of the trigger what it has in it."""
    page.locator("#match").filter(has_text=text).wait_for()
    return page


def conditions(page: Page) -> list[list[str]]:
    """What the fields of each condition have, and its result."""
    read = "items => items.map(li => [...li.querySelectorAll('select, input')].map(each => each.value)"
    found: list[list[str]] = page.locator("li.condition").evaluate_all(
        f"{read}.concat(li.querySelector('span:last-child').textContent))"
    )
    return found


def test_the_trigger_of_2024_with_its_finding_and_its_fix_then_fields_test_and_save(browser: Browser) -> None:
    with opened(generation="3.387.0", settings={"apiKey": "sa-local-write"}, connections=()) as emulator:
        add(emulator, "Forward", mapping={"advertiser_id": "9"})
        with browsing(browser, emulator) as go:
            page = shown(go(form(ACME, "Forward")), "yes")
            page.get_by_role("textbox", name="Trigger", exact=True).fill(OF_2024)
            fix = page.locator("#trigger-findings").get_by_role("button")
            fix.wait_for()
            assert conditions(page) == [
                ["type", "=", "track", 'no · found "identify"'],
                ["type", "=", "identify", 'yes · found "identify"'],
                ["event", "=", "Audience Entered", "no · found nothing"],
                ["event", "=", "Audience Exited", "no · found nothing"],
            ]
            assert "never matches identify events" in page.locator("#trigger-findings").inner_text()
            fix.click()
            fix.wait_for(state="detached")
            assert page.get_by_role("textbox", name="Trigger", exact=True).input_value() == OF_2024.replace(
                ") and (", ") or ("
            )
            # The advertiser comes first, from the list of StackAdapt.
            first = page.locator("li.field").first
            assert "Unknown advertiser '9'" in first.inner_text()
            first.get_by_label("Static value").select_option("Acme Outfitters (1001)")
            first.locator(".preview").filter(has_text='"1001"').wait_for()
            assert "Unknown advertiser" not in first.inner_text()
            page.get_by_role("button", name="Test Mapping").click()
            page.locator("#result table").wait_for()
            assert "Disabled: it sends nothing until it is enabled" in page.locator("#result").inner_text()
            follow(page.get_by_role("button", name="Save", exact=True))
            page.get_by_text("This mapping is disabled: nothing is sent.").wait_for()
            follow(page.get_by_role("button", name="Enable it"))
            page.get_by_role("button", name="Disable").wait_for()
        item = saved(emulator, "Forward")
    assert (item["trigger"], item["mapping"]) == (OF_2024.replace(") and (", ") or ("), {"advertiser_id": "1001"})
    assert item.get("enabled", True) is True


def test_conditions_are_built_by_keys_alone_and_become_fql(browser: Browser) -> None:
    from playwright.sync_api import expect

    with opened() as emulator, browsing(browser, emulator) as go:
        page = shown(go(form()), "yes")
        trigger, before = page.get_by_role("textbox", name="Trigger", exact=True), 'type = "identify" or type = "track"'
        page.get_by_role("button", name="Add Group").focus()
        page.keyboard.press("Enter")
        expect(trigger).to_have_value(f"{before} or ({OF_AUDIENCES})")
        page.get_by_role("button", name="Add Condition").last.focus()
        page.keyboard.press("Enter")
        # The new condition has the focus: its field, then the name within it.
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.get_by_label("Name within it").wait_for()
        for text in ("plan", "", "gold"):
            page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.keyboard.press("Tab")
        expect(trigger).to_have_value(f'{before} or ({OF_AUDIENCES}) or properties.plan = "gold"')
        expect(page.locator("li.condition")).to_have_count(5)
        assert conditions(page)[-1] == ["properties", "plan", "=", "gold", "text", "no · found nothing"]


def test_mistakes_are_answered_in_place(browser: Browser) -> None:
    with opened() as emulator, browsing(browser, emulator) as go:
        page = shown(go(form()), "yes")
        trigger = page.get_by_role("textbox", name="Trigger", exact=True)
        trigger.fill('type = "track')
        page.get_by_text("The trigger cannot be parsed. Segment reports").wait_for()
        page.locator("#trigger-findings").get_by_role("button").click()
        shown(page, "yes")
        trigger.fill('type = "page" and event = "A" or event = "B"')
        page.get_by_text("This FQL cannot be shown as conditions.").wait_for()
        assert "both `and` and `or`" in page.locator("#conditions").inner_text()
        trigger.fill('event = "Audience Entered"')
        page.get_by_label("Generate sample event").select_option("track of an app")
        page.locator("li.condition", has_text="Order Completed").wait_for()
        shown(page, "You may not have any subscriptions that match this event.")
        assert conditions(page) == [["event", "=", "Audience Entered", 'no · found "Order Completed"']]
        page.get_by_label("Event, as JSON").fill('{"type": ')
        page.get_by_text("This is not the JSON of an event").wait_for()
        page.get_by_label("Event, as JSON").fill('{"type": "identify", "traits": {}}')
        page.get_by_text("Required, and this event has no value there").first.wait_for()
        trigger.fill('event = "Audience Entered"')
        page.locator("li.condition").get_by_label("Field").select_option("traits")
        page.get_by_text("Enter the name of the event trait to look at, such as email.").wait_for()
        trigger.fill("")
        page.get_by_text("The trigger is empty").wait_for()


def test_fields_and_json_are_the_same_mapping(browser: Browser) -> None:
    with opened() as emulator, browsing(browser, emulator) as go:
        page = shown(go(form()), "yes")
        row = page.locator('li.field[data-path="user_id"]')
        assert row.locator(".chips").inner_text() == "coalesce( userId , anonymousId )"
        row.get_by_label("Source of user_id").select_option("Event variables")
        row.get_by_label("Event variable", exact=True).fill("messageId")
        row.get_by_label("Event variable", exact=True).press("Tab")
        row.locator(".preview").filter(has_text="personas_").wait_for()
        page.get_by_text("JSON", exact=True).last.click()
        area = page.get_by_label("Mapping, over the defaults")
        mapping = json.loads(area.input_value())
        assert mapping["user_id"] == {"@path": "$.messageId"}
        area.fill(json.dumps({**mapping, "user_id": {"@literal": "me"}}))
        row.locator(".preview").filter(has_text='"me"').wait_for()
        row.get_by_role("button", name="Reset to default").click()
        row.locator(".preview").filter(has_text='"u1"').wait_for()
        assert "user_id" not in json.loads(area.input_value())
        city = page.locator('li.field[data-path="standard_traits.city"]')
        city.get_by_label("Source of standard_traits.city").select_option("Static values")
        city.get_by_label("Static value").fill("Paris")
        city.get_by_label("Static value").press("Tab")
        city.locator(".preview").filter(has_text="Paris").wait_for()
        assert json.loads(area.input_value())["standard_traits"]["city"] == "Paris"
        status = page.locator('li.field[data-path="marketing_status"]')
        status.get_by_label("Source of marketing_status").select_option("Not mapped")
        status.get_by_role("button", name="Use Indeterminate").click()
        status.locator(".preview").filter(has_text='"Indeterminate"').wait_for()
        assert json.loads(area.input_value())["marketing_status"] == "Indeterminate"
        page.get_by_role("button", name="Send test record").click()
        page.get_by_text("The profile would be visible at StackAdapt.").wait_for()
        assert saved(emulator, SYNC)["mapping"] != json.loads(area.input_value())


def test_changes_are_marked_and_asked_about_until_they_are_saved(browser: Browser) -> None:
    with opened() as emulator, browsing(browser, emulator, asked_to_leave=1) as go:
        page = shown(go(form()), "yes")
        mark, trigger = page.locator("#unsaved"), page.get_by_role("textbox", name="Trigger", exact=True)
        before = trigger.input_value()
        assert not mark.is_visible()
        trigger.fill('type = "track"')
        assert mark.is_visible()
        trigger.fill(before)
        assert not mark.is_visible()
        # By a script: a condition becomes the trigger.
        page.get_by_role("button", name="Remove condition").first.click()
        mark.wait_for()
        follow(page.get_by_role("link", name="Mappings", exact=True).first)
        assert "/destinations/mappings?" in page.url
        page = shown(go(form()), "yes")
        page.get_by_role("button", name="Remove condition").first.click()
        follow(page.get_by_role("button", name="Save them"))
        page.get_by_text("✓ Saved.").wait_for()
        assert not mark.is_visible()
        follow(page.get_by_role("link", name="Mappings", exact=True).first)
        assert "/destinations/mappings?" in page.url
        assert saved(emulator, SYNC)["trigger"] == 'type = "track"'


def test_hostile_values_run_no_script_and_break_no_layout(browser: Browser) -> None:
    mapping = {"user_id": HOSTILE, "email": {"@path": "$.type"}, HOSTILE: {"@template": HOSTILE}}
    with opened() as emulator:
        add(emulator, HOSTILE[:200], trigger=f"name = '{HOSTILE[:20]}'", mapping=mapping)
        with browsing(browser, emulator) as go:
            page = go(form(ACME, HOSTILE[:200]))
            page.locator("#match").filter(has_text="·").wait_for()
            page.get_by_label("Event, as JSON").fill(json.dumps({"type": HOSTILE, "traits": {HOSTILE: HOSTILE}}))
            page.locator("li.condition, #conditions ul").first.wait_for()
            page.locator('li.field[data-path="email"] .preview').filter(has_text="img").wait_for()
            assert page.locator("main img").count() == 0
            assert not is_wider_than_the_window(page)
            assert inaccessible(page) == []
