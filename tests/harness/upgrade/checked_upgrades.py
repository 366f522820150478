"""Upgrades checked in every form, and generations whose documents are edited."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.harness.plan import CallsOf, generated_people
from emulator.harness.recorded_cases import Case, Outcome, replay
from emulator.harness.upgrade import (
    SAVED,
    Generation,
    Upgrade,
    UpgradeCheck,
    built_in,
    check_as_markdown,
    lines_of_check,
    upgrade_check,
)
from emulator.server.trial import open_trial
from emulator.workspace import Workspace

PEOPLE = generated_people(20, 1)
CURRENT = "3.517.0"

# Level, part, what and how of a finding.
Row = tuple[str, str, str, str]
NOT_DELETED = ("loses-data", "delivery", "deletions at 'StackAdapt Acme'", "lost")
DELETE = "deleteProfilesWithExternalIds"


def request(what: str, how: str, level: str = "harmless") -> Row:
    return level, "request", what, how


def rows(upgrade: Upgrade) -> list[Row]:
    return [(each.level, each.part, each.what, each.how) for each in upgrade.findings]


def checked(
    workspace: Workspace, *generations: Generation, population: CallsOf = PEOPLE, mappings: str = SAVED
) -> UpgradeCheck:
    """The check, of which every form is complete."""
    found = upgrade_check(workspace, generations, population, open_trial, mappings=mappings)
    document = json.loads(json.dumps(found.as_dict()))
    Draft202012Validator(contract_json("upgrade-check.schema.json")).validate(document)
    text, markdown = "\n".join(lines_of_check(found)), check_as_markdown(found)
    for upgrade in found.upgrades:
        for each in upgrade.findings:
            assert each.cause in text
            assert f"| {each.count:,} |" in markdown
            assert (each.advice or "") in text
    return found


def edited(*edits: tuple[str, str], mode: str = "batch") -> Generation:
    """The current generation with its documents changed by regular expressions, as another version would write them;
    those of events, or with the mode `delete` those of deletions.
    """

    def run(cases: Sequence[Case]) -> list[Outcome]:
        outcomes = [replay({**case, "generation": CURRENT}) for case in cases]
        return [
            _edited(outcome, edits) if case["mode"] == mode else outcome
            for case, outcome in zip(cases, outcomes, strict=True)
        ]

    return replace(built_in(CURRENT), name="edited", run=run)


def _edited(outcome: Outcome, edits: Sequence[tuple[str, str]]) -> Outcome:
    for request_ in outcome["requests"]:
        text = json.loads(request_["body"])["query"]
        for pattern, new in edits:
            text, count = re.subn(pattern, new, text)
            assert count, pattern
        request_["body"] = json.dumps({"query": text})
    return outcome
