"""`lint` finds filters that lose events, and connected sources whose calls are lost."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.harness.checks import lint
from emulator.workspace import parse_workspace
from tests.harness.why.situations import workspace

Document = dict[str, Any]
DROP = {"type": "DROP"}
NONE_KEPT = {"type": "SAMPLE", "percent": 0}
MEMBERSHIP_ONLY = {"type": "ALLOW_PROPERTIES", "fields": {"traits": ["vip_customers"]}}
OF_2024 = {
    "apiVersion": "2024-12",
    "destinations__0__generation": "3.361.0",
    "destinations__0__subscriptions": [
        {"action": "forwardProfile", "trigger": 'type = "identify"', "mapping": {"advertiser_id": "1001"}}
    ],
}


def codes(document: Document) -> list[tuple[str, str]]:
    """Code and place of what is found about filters and sources."""
    wanted = ("F", "D007")
    return [(each.code, each.place) for each in lint(parse_workspace(document)) if each.code.startswith(wanted)]


def filtered(condition: str, *actions: Document, **paths: Any) -> Document:
    found = [{"title": "Filter", "if": condition, "actions": list(actions or (DROP,))}]
    return workspace(destinations__0__filters=found, **paths)


def removing(*names: str, at: str = "traits") -> Document:
    return {"type": "DROP_PROPERTIES", "fields": {at: list(names)}}


FILTER = "destinations[0].filters[0]"


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (filtered("type == 'track'"), [("F001", f"{FILTER}.if")]),
        (filtered("type = 'track' and"), [("F001", f"{FILTER}.if")]),
        (filtered("type = 'track' or type = 'identify'"), [("F002", FILTER)]),
        (filtered("context.personas.computation_key = 'vip_customers'"), [("F002", FILTER)]),
        (filtered("context.personas.computation_class = 'audience'", NONE_KEPT), [("F002", FILTER)]),
        (filtered("type != null", removing("email"), removing("email", at="context.traits")), [("F003", FILTER)]),
        (filtered("type = 'identify'", MEMBERSHIP_ONLY), [("F003", FILTER)]),
        # Some events are left, or it depends on the profile, or nothing that is needed is removed.
        (filtered("type = 'track'"), []),
        (filtered("event = 'Audience Exited'"), []),
        (filtered("contains(traits.email, 'example') or contains(context.traits.email, 'example')"), []),
        (filtered("!contains(userId, 'staff')"), []),
        (filtered("type != null", {"type": "SAMPLE", "percent": 0.01}), []),
        (filtered("type != null", {"type": "SAMPLE", "percent": 0.01, "path": "userId"}), []),
        (filtered("type != null", removing("first_name")), []),
        (filtered("type = 'track'", removing("email")), []),
    ],
)  # fmt: skip
def test_filters_that_lose_events_are_found(document: Document, found: list[tuple[str, str]]) -> None:
    assert codes(document) == found


def test_a_filter_that_is_disabled_is_not_checked() -> None:
    document = filtered("type ==")
    document["destinations"][0]["filters"][0]["enabled"] = False
    assert codes(document) == []


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            workspace(destinations__0__source="Website"),
            [("F004", "destinations[0].subscriptions[0].trigger"), ("F005", "destinations[0].source")],
        ),
        (
            workspace(destinations__0__source="Website", destinations__0__audiences=[]),
            [("F004", "destinations[0].subscriptions[0].trigger")],
        ),
        (
            workspace(
                destinations__0__source="Website",
                destinations__0__subscriptions__0__trigger='context.personas.computation_class = "audience"',
            ),
            [("F005", "destinations[0].source")],
        ),
        (workspace(**OF_2024, destinations__0__source="Website", destinations__0__audiences=[]), []),
        (workspace(destinations__0__audiences=[]), [("D007", "destinations[0].audiences")]),
        (workspace(destinations__0__consent={"categories": ["ads"]}), [("F006", "destinations[0].consent")]),
        (
            workspace(
                **OF_2024,
                destinations__0__source="Website",
                destinations__0__audiences=[],
                destinations__0__consent={"categories": ["ads"]},
            ),
            [],
        ),
    ],
)
def test_what_a_connected_source_meets_is_found(document: Document, found: list[tuple[str, str]]) -> None:
    assert codes(document) == found
