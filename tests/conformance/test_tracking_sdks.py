"""Segment's published tracking SDKs with the emulator as their host.

The audience of the default workspace has all users with `total_spent` of at least 500; its advertiser is 1001.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from .clients import Call, track, track_in_a_page
from .packages import ANALYTICS_NEXT, ANALYTICS_NODE
from .served import ADVERTISER, WRITE_KEY, ServedEmulator

AUDIENCE_ID, AUDIENCE_KEY = "aud_local_vip", "vip_customers"
USERS = 500
WITHOUT_EMAIL = 50
COUNT = f'{{ cdpProfiles(advertiserId: "{ADVERTISER}") {{ size }} }}'

# Makes calls with an SDK (host, write key, calls) and returns its errors.
Sdk: TypeAlias = Callable[[str, str, Sequence[Call]], list[str]]


def python_sdk(host: str, write_key: str, calls: Sequence[Call], **options: Any) -> list[str]:
    """Makes calls with `segment-analytics-python`; returns the errors that it reported or logged."""
    client_module = pytest.importorskip("segment.analytics.client", reason="segment-analytics-python is not installed")
    warnings = Warnings()
    logging.getLogger().addHandler(warnings)
    try:
        client = client_module.Client(
            write_key, host=host, on_error=lambda error, _items: warnings.texts.append(str(error)), **options
        )
        for method, given in calls:
            queued, _message = getattr(client, method)(**{_PYTHON_NAMES.get(key, key): given[key] for key in given})
            assert queued
        client.shutdown()
    finally:
        logging.getLogger().removeHandler(warnings)
    return warnings.texts


_PYTHON_NAMES = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "groupId": "group_id",
    "previousId": "previous_id",
    "messageId": "message_id",
}


class Warnings(logging.Handler):
    """Collects warnings and errors of all loggers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.name}: {record.getMessage()}")


def python_sdk_with_gzip(host: str, write_key: str, calls: Sequence[Call]) -> list[str]:
    return python_sdk(host, write_key, calls, gzip=True)


every_sdk = pytest.mark.parametrize(
    "sdk",
    [
        pytest.param(python_sdk, id="segment-analytics-python"),
        pytest.param(python_sdk_with_gzip, id="segment-analytics-python with gzip"),
        pytest.param(track, id="analytics-node", marks=pytest.mark.node(ANALYTICS_NODE)),
    ],
)


def person(number: int) -> tuple[str, dict[str, Any]]:
    """User id and traits. Every second user is a VIP, every tenth has no email."""
    email = {} if number % 10 == 0 else {"email": f"user{number}@example.com"}
    return f"user{number}", {**email, "first_name": f"User {number}", "total_spent": 900 if number % 2 == 0 else 20}


PEOPLE = [person(number) for number in range(USERS)]
VIPS = [traits for _, traits in PEOPLE if traits["total_spent"] >= 500]
REACHABLE = sorted(traits["email"] for traits in VIPS if "email" in traits)


def test_the_test_users_have_these_counts() -> None:
    assert sum("email" not in traits for _, traits in PEOPLE) == WITHOUT_EMAIL
    assert (len(PEOPLE), len(VIPS), len(REACHABLE)) == (USERS, 250, 200)


@every_sdk
def test_500_identified_users_become_profiles_and_segments_of_the_right_size(served: ServedEmulator, sdk: Sdk) -> None:
    identifies = [("identify", {"userId": user_id, "traits": traits}) for user_id, traits in PEOPLE]
    assert sdk(served.url, WRITE_KEY, identifies) == []

    counts = served.get("/_emulator/counts")
    assert counts["segment"]["calls"] == {"accepted": USERS, "failed": {}}
    [audience] = served.get("/_emulator/audiences")["audiences"]
    assert (audience["key"], audience["size"]) == (AUDIENCE_KEY, len(VIPS))
    # Each VIP's entry is an identify and a track.
    assert counts["segment"]["outcomes"] == {"sent": 2 * 200, "rejected": 2 * 50}
    assert counts["segment"]["reasons"] == {"rejected": {"PAYLOAD_VALIDATION_FAILED": 2 * 50}}

    assert served.query(COUNT)["cdpProfiles"]["size"] == len(REACHABLE)
    assert len(served.profiles("user2@example.com")) == 1
    assert served.profiles("user1@example.com") == [], "not in the audience"
    assert served.members(served.create_segment("segment_engage_audience_id", AUDIENCE_ID)) == REACHABLE
    assert served.members(served.create_segment("segment_engage_audience_name", AUDIENCE_KEY)) == REACHABLE
    letters = served.get("/_emulator/dead-letters?limit=1000")["deadLetters"]
    assert {letter["userId"] for letter in letters} == {
        user_id for user_id, traits in PEOPLE if traits["total_spent"] >= 500 and "email" not in traits
    }


@every_sdk
def test_every_method_is_accepted(served: ServedEmulator, sdk: Sdk) -> None:
    calls: list[Call] = [
        ("identify", {"userId": "u", "traits": {"email": "u@example.com"}}),
        ("track", {"userId": "u", "event": "Order Completed", "properties": {"total": 9.5}}),
        ("page", {"userId": "u", "name": "Home", "properties": {"url": "https://example.com/"}}),
        ("screen", {"anonymousId": "a", "name": "Start"}),
        ("group", {"userId": "u", "groupId": "g", "traits": {"plan": "enterprise"}}),
        ("alias", {"userId": "u", "previousId": "a"}),
    ]
    assert sdk(served.url, WRITE_KEY, calls) == []
    assert served.get("/_emulator/counts")["segment"]["calls"] == {"accepted": len(calls), "failed": {}}


@pytest.mark.node(ANALYTICS_NEXT)
def test_a_page_of_another_origin_reaches_the_audience_with_the_browser_sdk(served: ServedEmulator) -> None:
    calls: list[Call] = [
        ("identify", {"userId": "u", "traits": {"email": "u@example.com", "total_spent": 900}}),
        ("track", {"event": "Order Completed", "properties": {"total": 9.5}}),
        ("page", {"name": "Home"}),
        ("screen", {"name": "Start"}),
        ("group", {"groupId": "g", "traits": {"plan": "enterprise"}}),
        ("alias", {"userId": "v", "previousId": "u"}),
    ]
    assert track_in_a_page(served.url, WRITE_KEY, calls) == []
    assert served.get("/_emulator/counts")["segment"]["calls"] == {"accepted": len(calls), "failed": {}}
    assert served.members(served.create_segment("segment_engage_audience_id", AUDIENCE_ID)) == ["u@example.com"]


@pytest.mark.node(ANALYTICS_NEXT)
def test_the_browser_sdk_reports_an_unknown_write_key(served: ServedEmulator) -> None:
    assert track_in_a_page(served.url, "wrong", [("page", {"name": "Home"})]) != []


@every_sdk
def test_a_message_sent_twice_counts_once(served: ServedEmulator, sdk: Sdk) -> None:
    once: Call = ("track", {"userId": "u", "event": "Order Completed", "messageId": "order-1"})
    assert sdk(served.url, WRITE_KEY, [once]) == []
    assert sdk(served.url, WRITE_KEY, [once]) == []
    assert served.get("/_emulator/counts")["segment"]["calls"] == {"accepted": 1, "failed": {"duplicate": 1}}


@every_sdk
def test_an_sdk_reports_an_unknown_write_key(served: ServedEmulator, sdk: Sdk) -> None:
    assert sdk(served.url, "wrong", [("identify", {"userId": "u", "traits": {}})]) != []
    assert served.get("/_emulator/counts")["segment"]["calls"]["accepted"] == 0
