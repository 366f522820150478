from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import InputError
from emulator.generator.event_stream import EventStream, members, membership_events
from emulator.generator.people import Population
from emulator.generator.workspace import AMOUNTS, as_yaml, workspace_document
from emulator.harness.checks import ERROR, lint
from emulator.workspace import load_workspace

SIZES = [(1, 1, 1), (3, 30, 4), (2, 1, 5)]


def document(seed: int = 1, advertisers: int = 3, audiences: int = 10, destinations: int = 4) -> dict[str, Any]:
    return workspace_document(seed, advertisers=advertisers, audiences=audiences, destinations=destinations)


@pytest.mark.parametrize(("advertisers", "audiences", "destinations"), SIZES)
def test_a_generated_workspace_is_valid(tmp_path: Path, advertisers: int, audiences: int, destinations: int) -> None:
    path = tmp_path / "workspace.yaml"
    path.write_text(as_yaml(document(4, advertisers, audiences, destinations)), encoding="utf-8")
    workspace = load_workspace(path)
    assert (len(workspace.advertisers), len(workspace.audiences)) == (advertisers, audiences)
    assert len(workspace.destinations) == destinations
    assert [finding for finding in lint(workspace) if finding.severity == ERROR] == []


@pytest.mark.parametrize(("advertisers", "audiences", "destinations"), [*SIZES, (5, len(AMOUNTS), 7)])
def test_every_instance_has_an_audience_and_every_audience_an_instance(
    advertisers: int, audiences: int, destinations: int
) -> None:
    made = document(4, advertisers, audiences, destinations)
    connected = [[connection["key"] for connection in instance["audiences"]] for instance in made["destinations"]]
    assert all(connected)
    assert {key for keys in connected for key in keys} == {audience["key"] for audience in made["audiences"]}


def test_a_workspace_is_reproducible_and_grows_consistently() -> None:
    assert document(1) == document(1)
    for smaller, larger in pairwise([document(1, audiences=3), document(1, audiences=8), document(1, advertisers=9)]):
        count = min(len(smaller["audiences"]), len(larger["audiences"]))
        assert smaller["audiences"][:count] == larger["audiences"][:count]
        assert smaller["advertisers"] == larger["advertisers"][: len(smaller["advertisers"])]
    assert document(1)["audiences"] != document(2)["audiences"]


def test_audience_events_of_a_generated_workspace_cover_all_audiences(tmp_path: Path) -> None:
    path = tmp_path / "workspace.yaml"
    path.write_text(as_yaml(document(6)), encoding="utf-8")
    workspace = load_workspace(path)
    stream = EventStream(population=members(Population(seed=6)), source=membership_events(workspace))
    computations = {event["context"]["personas"]["computation_id"] for event in stream.block(0)}
    assert computations == {audience.id for audience in workspace.audiences}


def test_an_unknown_locale_is_rejected() -> None:
    with pytest.raises(InputError, match="en_US"):
        workspace_document(1, advertisers=1, audiences=1, destinations=1, locale="en_UX")
