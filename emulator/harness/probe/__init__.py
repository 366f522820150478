"""Asks a live StackAdapt what the ledger only assumes.

probes   data: the requests of each probe, the rows that it settles, and what its answers say of them
Run      plays them at an endpoint, keeps each answer in a file, stops at the first 429, and goes on later
Judged   compares what was seen with what an emulator shows to the same probes, and finds the setting that fits
"""

from emulator.harness.probe.ledger_settings import setting_of, values_of, with_value
from emulator.harness.probe.limit_probes import BURST, SEGMENT
from emulator.harness.probe.not_probed import NOT_PROBED, NotProbed, not_probed
from emulator.harness.probe.player_of_probes import Progress, shown_requests
from emulator.harness.probe.probe_list import check_names, harmless_bodies, named, probes
from emulator.harness.probe.probe_parts import BEARER, JSON, Probe
from emulator.harness.probe.probe_run import STATE, ProbeReport, Run, Wanted, check_free
from emulator.harness.probe.reference_emulator import OpenServices, Services
from emulator.harness.probe.row_results import CONFIRMED, DIFFERS, NOT_SEEN, RowResult
from emulator.harness.probe.run_state import Setup, State

__all__ = [
    "BEARER",
    "BURST",
    "CONFIRMED",
    "DIFFERS",
    "JSON",
    "NOT_PROBED",
    "NOT_SEEN",
    "SEGMENT",
    "STATE",
    "NotProbed",
    "OpenServices",
    "Probe",
    "ProbeReport",
    "Progress",
    "RowResult",
    "Run",
    "Services",
    "Setup",
    "State",
    "Wanted",
    "check_free",
    "check_names",
    "harmless_bodies",
    "named",
    "not_probed",
    "probes",
    "setting_of",
    "shown_requests",
    "values_of",
    "with_value",
]
