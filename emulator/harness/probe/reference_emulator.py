"""What an emulator answers to the same probes: the expected behaviour, and that of each value of a setting."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import httpx

from emulator.clock import Clock
from emulator.harness.probe.player_of_probes import Player
from emulator.harness.probe.probe_parts import Probe, Seen, lacks_field
from emulator.harness.probe.run_state import Setup, State
from emulator.harness.probe.write_requests import SEGMENT_RULE
from emulator.text import on_one_line
from emulator.workspace import Workspace, parse_workspace

_URL: Final = "http://127.0.0.1/graphql"
_TOKEN, _FILLING = "reference-token", "filling-token"
# Ids of further advertisers.
_OTHERS: Final = 100_001
# The most that an observation counts to, and one more.
MOST_ADVERTISERS, MOST_PROFILES = 101, 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """An emulator in this process: its HTTP, and a function that makes a segment and returns its id."""

    transport: httpx.BaseTransport
    make_segment: Callable[[str, Mapping[str, Any]], str]


# What a probe shows of its rows; a change of a workspace in its JSON form; what opens an emulator on a clock.
ByRow = Mapping[str, "Seen | None"]
Change = Callable[[dict[str, Any]], dict[str, Any]]
OpenServices: TypeAlias = Callable[[Workspace, Clock], AbstractContextManager[Services]]


class Reference:
    """Plays probes at an emulator that is set up like the endpoint: same advertiser, scopes and amounts."""

    def __init__(self, open_services: OpenServices, setup: Setup) -> None:
        self._open = open_services
        self._setup = setup

    def observed(self, probes: Sequence[Probe], change: Change) -> dict[str, ByRow]:
        """What each probe shows of its rows in the workspace with a change made."""
        clock = Clock(frozen_at=self._setup.started)
        workspace = parse_workspace(change(self._workspace()))
        with self._open(workspace, clock) as services, httpx.Client(transport=services.transport) as client:
            self._fill(client)
            segment = services.make_segment(self._own, SEGMENT_RULE) if self._setup.segment else None
            player = Player(client, _URL, _TOKEN, State(replace(self._setup, url=_URL, segment=segment)), clock)
            while (progress := player.play(probes)).waiting and progress.stopped is None:
                clock.advance(max(progress.waiting.values()) - clock.now())
            return {probe.id: seen_by(probe, player) for probe in probes if probe.id in progress.over}

    def _workspace(self) -> dict[str, Any]:
        others = [str(number) for number in range(_OTHERS, _OTHERS + MOST_ADVERTISERS) if str(number) != self._own]
        advertisers = [self._own, *others[: min(self._setup.advertisers, MOST_ADVERTISERS) - 1]]
        scopes = {each: ["READ"] for each in advertisers} | {self._own: list(self._setup.scopes)}
        return {
            "advertisers": [{"id": each, "name": f"Advertiser {each}"} for each in advertisers],
            "tokens": [
                {"token": _TOKEN, "name": "Reference", "scopes": scopes},
                {"token": _FILLING, "name": "Filling", "scopes": {self._own: ["WRITE"]}},
            ],
        }

    def _fill(self, client: httpx.Client) -> None:
        """As many profiles as the advertiser had before."""
        count = min(self._setup.profiles, MOST_PROFILES)
        if not count:
            return
        records = [{"email": f"known-{number}@example.com"} for number in range(count)]
        given = {"advertiserId": self._own, "externalProvider": "segmentio", "profiles": json.dumps(records)}
        document = "mutation ($i: UpsertProfilesInput!) { upsertProfiles(input: $i) { userErrors { message } } }"
        client.post(
            _URL,
            json={"query": document, "variables": {"i": given}},
            headers={"Authorization": f"Bearer {_FILLING}"},
        ).raise_for_status()

    @property
    def _own(self) -> str:
        return self._setup.advertiser_id


def seen_by(probe: Probe, player: Player) -> ByRow:
    """What the answers of a probe that is over show of its rows."""
    answers = player.answers(probe)
    if probe.valid and any(lacks_field(answer) for answer in answers.by_name.values()):
        return {}
    found, kept = probe.observe(answers), probe.rows if player.appeared(probe) else probe.at_once
    return {row: _on_one_line(seen) for row, seen in found.items() if row in kept}


def _on_one_line(seen: Seen | str | None) -> Seen | None:
    """What a service says must not end a line of a report or a patch."""
    if seen is None:
        return None
    return Seen(on_one_line(seen)) if isinstance(seen, str) else Seen(on_one_line(seen.text), seen.value)
