"""Random calls under random switches: what goes through, and that each is counted once."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.clock import Clock
from emulator.events import CallReceived
from emulator.sandbox import Sandbox
from emulator.segment import FILTERED_AT_SOURCE, Segment
from emulator.segment.tracking.calls import RejectedCall
from emulator.workspace import parse_workspace
from tests.segment.conftest import NOON, RecordingTransport
from tests.segment.tracking_plan import after, workspace_with

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["city", "sku", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)
_properties = st.dictionaries(st.sampled_from(["order_id", "total", "address", "items", "debug", "x"]), _values)
_switches = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            [
                "allowUnplannedEvents",
                "allowUnplannedEventProperties",
                "allowEventOnViolations",
                "allowPropertiesOnViolations",
            ],
            st.booleans(),
        ),
        "commonEventOnViolations": st.sampled_from(["ALLOW", "BLOCK", "OMIT_PROPERTIES"]),
    },
)


@settings(max_examples=150, deadline=None)
@given(properties=_properties, switches=_switches, event=st.sampled_from(["Order Completed", "X"]))
def test_what_goes_through_is_what_came_without_what_the_switches_leave_out(
    properties: dict[str, Any], switches: dict[str, Any], event: str
) -> None:
    result = after(workspace_with({"track": switches}), "track", event=event, properties=properties)
    if isinstance(result, RejectedCall):
        assert False in switches.values() or switches.get("commonEventOnViolations") == "BLOCK"
        assert result.why
        return
    left = result.message["properties"]
    assert left.keys() <= properties.keys()
    if left != properties:
        assert result.notes
        assert result.message["context"]["protocols"].keys() & {"omitted", "omitted_on_violation"}
    if not switches.get("allowUnplannedEventProperties", True):
        assert left.keys() <= ({"order_id", "total", "address", "items"} if event != "X" else set())
    again = after(workspace_with({"track": switches}), "track", event=event, properties=left)
    assert json.dumps(again.message["properties"]) == json.dumps(left), "nothing more is left out the second time"


_calls = st.one_of(
    st.builds(
        lambda event, properties: {"type": "track", "event": event, "properties": properties},
        st.sampled_from(["Order Completed", "X", "Spam"]),
        _properties,
    ),
    st.builds(
        lambda traits: {"type": "identify", "traits": traits},
        st.fixed_dictionaries(
            {}, optional={"email": st.sampled_from(["a@b.co", 5]), "age": st.integers(), "x": _values}
        ),
    ),
    st.builds(lambda name: {"type": "page", "name": name}, st.sampled_from(["Home", 5])),
    st.just({"type": "alias", "previousId": "p"}),
    st.just({"type": "track"}),
)


@settings(max_examples=40, deadline=None)
@given(calls=st.lists(_calls, min_size=1, max_size=8), switches=_switches, traits=st.booleans())
def test_every_call_is_accepted_or_has_a_reason_and_is_counted_once(
    calls: list[dict[str, Any]], switches: dict[str, Any], traits: bool
) -> None:
    schema = {
        "track": switches | {"blockedEvents": ["Spam"]},
        "identify": {"allowUnplannedTraits": traits},
        "forwardingBlockedEventsTo": "Blocked",
    }
    sandbox = Sandbox(parse_workspace(workspace_with(schema)), clock=Clock(frozen_at=NOON))
    with closing(sandbox):
        segment = Segment(sandbox, lambda _destination: RecordingTransport())
        segment.ingest("batch", {"batch": [call | {"userId": "u"} for call in calls]}, source="Web")
        heard = sandbox.journal.entries(CallReceived)
        counts = segment.counts()["calls"]
        known = segment.profiles("u")
    own = [each for each in heard if each.source == "Web"]
    assert len(own) == len(calls)
    assert all(each.accepted or each.reason for each in own)
    assert all(each.message for each in own if each.reason in FILTERED_AT_SOURCE)
    forwarded = len(heard) - len(own)
    assert forwarded == sum(each.reason in FILTERED_AT_SOURCE and each.reason != "event_setting" for each in own)
    assert counts["accepted"] + sum(counts["failed"].values()) == len(calls) + forwarded
    assert bool(known) == any(each.accepted and each.call != "alias" for each in own)
    if known and not traits:
        assert known[0]["traits"].keys() <= {"email", "age"}
