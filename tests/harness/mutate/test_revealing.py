"""Events that reveal mutations: found for every mutation that can be revealed, small, and really different."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.artefacts import fixture
from emulator.harness.mutate import Mutation, chosen, mutations_of, revealing
from emulator.segment.delivery.subscriptions import delivery_targets
from emulator.workspace import parse_workspace
from emulator.workspace_file import read
from tests.harness.mutate.test_mutations import ALL, DEFAULT, either, one, path, workspace

EMAIL_AND_STATUS = {"email": path("$.traits.email"), "marketing_status": "Opted-in"}
# Nothing that is sent depends on them.
NOT_REVEALED = {"custom_properties_mode", "enable_batching"}


def document_for(document: Any, event: Any) -> list[str]:
    """What the mappings of a workspace send for an event."""
    prepared = (each.subscription.prepare([event], batch=False) for each in delivery_targets(parse_workspace(document)))
    return [each.document.text for each in prepared if each.document is not None]


@pytest.mark.parametrize("mutation", ALL, ids=lambda each: f"{each.kind}-{each.place.rpartition('.')[2]}")
def test_every_mutation_of_the_default_workspace_is_revealed(mutation: Mutation) -> None:
    found = revealing(mutation, DEFAULT)
    if mutation.place.rpartition(".")[2] in NOT_REVEALED:
        assert found is None
        return
    assert found is not None
    changed = mutation.applied(DEFAULT)
    of_engage = "sent only" in found.difference
    # What Engage does not send is mapped the same.
    assert (document_for(DEFAULT, found.event) == document_for(changed, found.event)) == (
        of_engage and mutation.place != "destinations[0].enabled"
    )
    assert len(str(found.event)) < 500


@pytest.mark.parametrize(
    ("trigger", "after", "expected"),
    [
        ("properties.total >= 100", "properties.total > 100", {"properties": {"total": 100}}),
        ("traits.plan != null", "traits.plan = null", {}),
        ('event = "A" or event = "B"', 'event = "A"', {"event": "B"}),
    ],
)
def test_values_at_a_boundary_are_tried(trigger: str, after: str, expected: dict[str, Any]) -> None:
    document = workspace(trigger=trigger, mapping=dict(workspace()["destinations"][0]["subscriptions"][0]["mapping"]))
    document["destinations"][0]["subscriptions"][0].update(defaults=True, mapping={"marketing_status": "Opted-in"})
    mutation = next(each for each in mutations_of(document) if each.after == after)
    found = revealing(mutation, document)
    assert found is not None
    event = found.event
    for name, value in expected.items():
        assert event[name] == value or event[name].items() >= value.items()


def test_an_event_of_which_a_document_is_made_comes_before_other_messages() -> None:
    document = read(fixture("newsletter-workspace.yaml"))
    mutation = next(each for each in mutations_of(document) if each.kind == "swap-join")
    found = revealing(mutation, document)
    assert found is not None
    assert found.event["type"] == "identify"
    assert "newsletter" not in found.event["traits"]
    assert found.difference.endswith("→ nothing is sent: the trigger does not match")


def test_a_mutation_that_changes_nothing_has_no_event() -> None:
    # The same value in both arms: it does not matter which of them is left out.
    document = workspace(mapping={"other": either("$.traits.a", path("$.traits.a"))})
    mutations = [each for each in mutations_of(document) if each.kind == "drop-arm"]
    assert [revealing(each, document, events=50) for each in mutations] == [None] * len(mutations)


def test_the_same_seed_finds_the_same_event() -> None:
    mutation = one("drop-arm", "user_id")
    assert revealing(mutation, DEFAULT, seed=1) == revealing(mutation, DEFAULT, seed=1)


@pytest.mark.parametrize("name", ["larger-workspace", "starter-workspace", "trigger-of-2024", "newsletter-workspace"])
def test_a_sample_of_the_mutations_of_other_workspaces_can_be_searched(name: str) -> None:
    document = read(fixture(f"{name}.yaml"))
    found = [revealing(each, document, events=60) for each in chosen(mutations_of(document), sample=8, seed=1)]
    assert sum(each is not None for each in found) >= 4


def test_a_token_that_an_error_quotes_is_masked() -> None:
    document = workspace()
    document["destinations"][0]["settings"] = {"apiKey": "line\nbreak", "advertiser_id": "1001"}
    document["destinations"][0]["subscriptions"][0].update(defaults=True, mapping=dict(EMAIL_AND_STATUS))
    toggle = next(each for each in mutations_of(document) if each.place.endswith("subscriptions[0].enabled"))
    found = revealing(toggle, document)
    assert found is not None
    assert "line" not in found.difference
    assert "***" in found.difference
