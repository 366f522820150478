"""Scenarios: stories about the sync, written in YAML for everybody to read, and played against an endpoint."""

from emulator.harness.scenarios.files import built_in, read_scenarios
from emulator.harness.scenarios.junit import junit_xml
from emulator.harness.scenarios.model import Scenario
from emulator.harness.scenarios.results import FAILED, PASSED, SKIPPED, Check, Report, Result
from emulator.harness.scenarios.run import play, play_all
from emulator.harness.scenarios.targets import GraphQLEndpoint, OwnEmulators, RunningEmulator, Target

__all__ = [
    "FAILED",
    "PASSED",
    "SKIPPED",
    "Check",
    "GraphQLEndpoint",
    "OwnEmulators",
    "Report",
    "Result",
    "RunningEmulator",
    "Scenario",
    "Target",
    "built_in",
    "junit_xml",
    "play",
    "play_all",
    "read_scenarios",
]
