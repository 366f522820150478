"""Segment's published tracking SDKs, unchanged, against the running emulator's `/v1/batch`.

The default workspace's audience is everybody with `total_spent` of at least 500, and goes to advertiser 1001.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .clients import track
from .packages import ANALYTICS_NODE
from .served import WRITE_KEY, ServedEmulator

VIPS = "aud_local_vip"

PEOPLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ann", {"email": "ann@example.com", "first_name": "Ann", "total_spent": 900}),
    ("bob", {"email": "bob@example.com", "first_name": "Bob", "total_spent": 20}),
    ("cy", {"email": "cy@example.com", "first_name": "Cy", "total_spent": 500}),
    ("dee", {"first_name": "Dee", "total_spent": 700}),
)


def identify_with_python(host: str) -> list[str]:
    """Identifies everybody with `segment-analytics-python`; answers the errors it reported."""
    analytics = pytest.importorskip("segment.analytics.client", reason="segment-analytics-python is not installed")
    errors: list[str] = []
    client = analytics.Client(
        WRITE_KEY, host=host, max_retries=0, on_error=lambda error, _items: errors.append(str(error))
    )
    for user_id, traits in PEOPLE:
        client.identify(user_id, traits)
    client.shutdown()
    return errors


def identify_with_node(host: str) -> list[str]:
    """Identifies everybody with `@segment/analytics-node`; answers the errors it reported."""
    return track(host, WRITE_KEY, [{"userId": user_id, "traits": traits} for user_id, traits in PEOPLE])


@pytest.mark.parametrize(
    "identify",
    [
        pytest.param(identify_with_python, id="segment-analytics-python"),
        pytest.param(identify_with_node, id="analytics-node", marks=pytest.mark.node(ANALYTICS_NODE)),
    ],
)
def test_people_identified_with_an_sdk_reach_the_segment_of_their_audience(
    served: ServedEmulator, identify: Callable[[str], list[str]]
) -> None:
    assert identify(served.url) == []
    assert served.members(served.create_segment("segment_engage_audience_id", VIPS)) == [
        "ann@example.com",
        "cy@example.com",
    ]
    assert len(served.profiles("ann@example.com")) == 1
    assert served.profiles("bob@example.com") == []
    refused = served.get("/_emulator/deliveries?outcome=rejected")["deliveries"]
    assert {delivery["userId"] for delivery in refused} == {"dee"}
