"""Results as JUnit XML and JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from emulator.harness.scenarios import FAILED, PASSED, SKIPPED, Check, Report, Result, built_in, read_scenarios
from emulator.harness.scenarios import junit_xml as junit
from emulator.mapping import generations

[SCENARIO] = read_scenarios([built_in() / "profiles" / "appears.yaml"])
MATRIX = read_scenarios([built_in() / "generations"])
UNMET = Check(expected="visible: ada", passed=False, found="none <&> \x00\ud800", timelines=("ada\n  nothing",))


@pytest.fixture
def report() -> Report:
    return Report(
        target="a test",
        scenarios=[
            Result(case=SCENARIO, outcome=PASSED, checks=(replace(UNMET, passed=True),), seconds=0.25),
            Result(case=SCENARIO, outcome=FAILED, checks=(UNMET,), seconds=0.5),
            Result(case=SCENARIO, outcome=FAILED, reason="the emulator refused it"),
            Result(case=SCENARIO, outcome=SKIPPED, reason="This needs an emulator."),
        ],
    )


def test_junit_has_a_test_case_for_each_scenario_and_counts_them(report: Report) -> None:
    root = ET.fromstring(junit(report))
    [suite] = root
    for element in (root, suite):
        assert [element.get(name) for name in ("tests", "failures", "errors", "skipped", "time")] == [
            "4", "2", "0", "1", "0.750",
        ]  # fmt: skip
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["failure"], ["skipped"]]
    assert suite[0].attrib == {
        "classname": "profiles",
        "name": SCENARIO.title,
        "file": SCENARIO.path.as_posix(),
        "time": "0.250",
    }


def test_junit_replaces_characters_that_xml_cannot_represent(report: Report) -> None:
    [suite] = ET.fromstring(junit(report))
    failure, refused, skipped = suite[1][0], suite[2][0], suite[3][0]
    assert failure.get("message") == "expected  visible: ada"
    assert failure.text == "expected  visible: ada\nfound     none <&> \ufffd\ufffd\nada\n  nothing"
    assert (refused.get("message"), skipped.get("message")) == ("the emulator refused it", "This needs an emulator.")


def test_json_contains_all_results(report: Report) -> None:
    report_json = json.loads(json.dumps(report.as_dict()))
    assert (report_json["target"], report_json["summary"]) == ("a test", {"passed": 1, "failed": 2, "skipped": 1})
    assert report_json["scenarios"][1]["checks"][0]["timelines"] == ["ada\n  nothing"]
    assert report_json["scenarios"][3]["reason"] == "This needs an emulator."


def test_the_matrix_shows_failed_and_skipped_cells() -> None:
    outcomes = {("3.517.0", "2026-06"): FAILED, ("3.361.0", "2024-12"): SKIPPED}
    results = [
        Result(case=each, outcome=outcomes.get((each.cell.generation, each.cell.api_version), PASSED))
        for each in MATRIX
        if each.cell
    ]
    matrix = Report(target="a test", scenarios=results).matrix()
    assert list(matrix) == list(reversed(generations()))
    assert matrix["3.517.0"] == {"2026-06": "failed", "2025-05": "refused", "2024-12": "refused"}
    assert matrix["3.361.0"] == {"2026-06": "refused", "2025-05": "works", "2024-12": "skipped"}
