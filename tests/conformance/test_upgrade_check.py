"""`upgrade-check --package` with the real packages: they do what the generations of the emulator do."""

from __future__ import annotations

import pytest

from emulator.harness.plan import generated_people
from emulator.harness.upgrade import NEW, SAVED, Generation, Upgrade, built_in, installed, upgrade_check
from emulator.server.trial import open_trial
from emulator.workspace import Workspace
from tests.harness.upgrade.workspaces import of_2024, of_2025, repaired

from .packages import GENERATIONS, package_directory

PEOPLE = generated_people(20, 1)


def upgraded(workspace: Workspace, *generations: Generation, mappings: str = SAVED) -> list[Upgrade]:
    return [*upgrade_check(workspace, generations, PEOPLE, open_trial, mappings=mappings).upgrades]


@pytest.mark.node(*GENERATIONS)
@pytest.mark.parametrize("mappings", [SAVED, NEW])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_package_does_not_differ_from_its_generation(generation: str, mappings: str) -> None:
    workspace = of_2025(generation) if generation == "3.497.0" else of_2024(generation)
    [upgrade] = upgraded(workspace, installed(package_directory(generation)), mappings=mappings)
    assert upgrade.sides[1].name == f"package {generation}"
    assert upgrade.sides[1].events.arrived == upgrade.sides[0].events.arrived > 0
    assert upgrade.findings == []


@pytest.mark.node("3.497.0")
@pytest.mark.parametrize("workspace", [of_2024(), repaired()], ids=["as it is", "prepared"])
def test_the_upgrade_to_2025_does_the_same_with_the_real_code(workspace: Workspace) -> None:
    [real] = upgraded(workspace, installed(package_directory("3.497.0")))
    [emulated] = upgraded(workspace, built_in("3.497.0"))
    assert [(each.level, each.part, each.what, each.count, each.examples) for each in real.findings] == [
        (each.level, each.part, each.what, each.count, each.examples) for each in emulated.findings
    ]
    assert [each.advice for each in real.findings] == [
        each.advice and each.advice.replace("of 3.497.0", "of package 3.497.0") for each in emulated.findings
    ]
