"""What an upgrade of the published destination does to a workspace: requests, records and ends, side by side."""

from emulator.harness.upgrade.check import NEW, SAVED, upgrade_check
from emulator.harness.upgrade.check_text import check_as_markdown, lines_of_check
from emulator.harness.upgrade.sides import Generation, built_in, installed
from emulator.harness.upgrade.upgrade_findings import LEVELS, Upgrade, UpgradeCheck, UpgradeFinding

__all__ = [
    "LEVELS",
    "NEW",
    "SAVED",
    "Generation",
    "Upgrade",
    "UpgradeCheck",
    "UpgradeFinding",
    "built_in",
    "check_as_markdown",
    "installed",
    "lines_of_check",
    "upgrade_check",
]
