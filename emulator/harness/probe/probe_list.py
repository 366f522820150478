"""Every probe, and which of them a run plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from emulator.errors import UserMistake, unknown
from emulator.harness.probe.further_write_probes import FURTHER_WRITE_PROBES
from emulator.harness.probe.limit_probes import BURST, READ_ONLY, SEGMENT, burst_probe
from emulator.harness.probe.probe_parts import Probe, text_of
from emulator.harness.probe.read_probes import READ_PROBES
from emulator.harness.probe.run_state import Setup
from emulator.harness.probe.value_probes import VALUE_PROBES
from emulator.harness.probe.write_probes import FIRST_WRITE_PROBES
from emulator.workspace import WRITE

_PROBES: Final = (*READ_PROBES, *FIRST_WRITE_PROBES, *FURTHER_WRITE_PROBES, *VALUE_PROBES)
# The burst comes last: after it the endpoint may refuse everything for a while.
_SHOWN_BURST: Final = 100


def probes(burst: int = 0) -> tuple[Probe, ...]:
    """Every probe, in the order in which they are played; the burst has so many requests."""
    return (*_PROBES, burst_probe(burst or _SHOWN_BURST))


def named(names: Sequence[str], burst: int = 0) -> tuple[Probe, ...]:
    """The probes with these ids, in their order; all without any. Raises UnknownName."""
    every = probes(burst)
    known = {probe.id for probe in every}
    for name in names:
        if name not in known:
            raise unknown("probe", name, [probe.id for probe in every], where="--only")
    return tuple(probe for probe in every if not names or probe.id in names)


def why_not(probe: Probe, setup: Setup) -> str | None:
    """Why a run cannot play a probe; None when it can."""
    if probe.writes and not setup.writes:
        return "It writes: add --allow-writes, with an advertiser that is used for nothing else."
    if probe.needs == BURST and not setup.burst:
        return "It sends many requests in a row: add --burst NUMBER."
    may_write = WRITE in setup.scopes
    if probe.needs == READ_ONLY and may_write:
        return "It needs a token that may only read: this one may write."
    if probe.writes and probe.needs != READ_ONLY and not may_write:
        return "The token has no WRITE scope for the advertiser."
    if probe.needs == SEGMENT and setup.segment is None:
        return "It needs a segment of the interface: add --segment ID."
    return None


def check_names(names: Sequence[str], burst: int, *, writes: bool, segment: str | None) -> None:
    """Raises UserMistake for a probe that is named but needs an option that is absent."""
    missing = {BURST: (burst, "--burst"), SEGMENT: (segment, "--segment")}
    for probe in named(names) if names else ():
        if probe.writes and not writes:
            raise UserMistake(f"the probe {probe.id} writes", where="--only", hint="Add --allow-writes.")
        given, option = missing.get(probe.needs or "", (True, ""))
        if not given:
            raise UserMistake(f"the probe {probe.id} needs {option}", where="--only", hint=f"Add {option}.")


def harmless_bodies() -> frozenset[bytes]:
    """The bodies in which no server can read a change, although they are no readable queries."""
    return frozenset(
        text_of(request.body).encode() for probe in _PROBES for request in probe.requests if request.harmless
    )
