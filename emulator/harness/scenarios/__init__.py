"""Scenarios: what the sync does, written in YAML and checked against an endpoint."""

from emulator.harness.scenarios.expectations import short
from emulator.harness.scenarios.files import built_in, read_scenarios, scenarios_in
from emulator.harness.scenarios.limited_runs import play_all, scenarios_of
from emulator.harness.scenarios.model import Case, Cell, Check, Scenario, workspace_of
from emulator.harness.scenarios.player import Target, graphql_only, outcome_of, play, sandboxes_of, separate_emulators
from emulator.harness.scenarios.results import FAILED, PASSED, SKIPPED, Report, Result, junit_xml
from emulator.harness.scenarios.scenario_list import built_in_scenarios, listed, scenarios_by_ledger_id, text_of

__all__ = [
    "FAILED",
    "PASSED",
    "SKIPPED",
    "Case",
    "Cell",
    "Check",
    "Report",
    "Result",
    "Scenario",
    "Target",
    "built_in",
    "built_in_scenarios",
    "graphql_only",
    "junit_xml",
    "listed",
    "outcome_of",
    "play",
    "play_all",
    "read_scenarios",
    "sandboxes_of",
    "scenarios_by_ledger_id",
    "scenarios_in",
    "scenarios_of",
    "separate_emulators",
    "short",
    "text_of",
    "workspace_of",
]
