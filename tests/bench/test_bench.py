"""The bench itself: its rows, its files and its table. Times are not checked, they depend on the machine."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from subprocess import run

import pytest

from tests.bench import documents, servers
from tests.bench.client import drive, each
from tests.bench.readme import README, rewritten, table_of
from tests.bench.rows import GROUPS, ROWS, Measured, Row, Target, as_json
from tests.bench.run import MEASURES, measured
from tests.bench.scale import FULL, QUICK
from tests.bench.table import HEADS, as_markdown, as_text, machine

TINY = replace(
    QUICK, rounds=1, seconds=0.05, one_profile_documents=20, thousands=1, page_profiles=150, million_profiles=2000,
    pages=3, mixed_rounds=1, mixed_seconds=0.3, warm_up_people=10, people=50, audience_people=5, clock_people=20,
    plan_people=40, starts=1, tests=2, generated=100,
)  # fmt: skip
SKIPPED = {row.name: Measured(skipped="nothing was run") for row in ROWS}


def row(**target: float) -> Row:
    return Row(name="r", group="g", work="w of {rounds}", unit="ms", peer="p", target=Target(**target))


def test_every_row_is_measured_by_its_group() -> None:
    assert [*MEASURES] == [*GROUPS]
    assert max(Counter(each.name for each in ROWS).values()) == 1


@pytest.mark.parametrize("group", ["million", "clock", "plan", "generator"])
def test_a_group_measures_its_rows(group: str) -> None:
    wanted = [each for each in ROWS if each.group == group]
    found = [*measured(wanted, TINY, lambda line: None)]
    assert [each["row"] for each in found] == [each.name for each in wanted]
    assert all(each["figure"] > 0 for each in found)


@pytest.mark.skipif(servers.no_yoga() is not None, reason=servers.no_yoga() or "")
def test_the_stub_answers_what_it_is_measured_by() -> None:
    with servers.yoga() as stub:
        sent = [*documents.one_profile(2), *documents.thousand_profiles(1), documents.graphql(documents.PAGE)]
        answers = drive(stub.port, each([*sent, *documents.identify_calls(200)]))
    assert len(answers.checked().taken) == len(sent) + 2


def test_requests_that_fail_are_counted() -> None:
    with servers.emulator() as server:
        answers = drive(server.port, each([documents.graphql("{ nothing }"), documents.graphql(documents.SIZE)]))
    assert answers.errors == {"errors in the body": 1}
    with pytest.raises(RuntimeError, match="errors in the body"):
        answers.checked()


@pytest.mark.parametrize(
    ("target", "met", "text"),
    [
        ({"ratio_at_most": 2}, True, "≤ 2 ×"),
        ({"ratio_at_most": 1.9}, False, "≤ 1.9 ×"),
        ({"ratio_at_least": 2}, True, "≥ 2 ×"),
        ({"ratio_at_least": 2.1}, False, "≥ 2.1 ×"),
        ({"at_most": 10}, True, "≤ 10"),
        ({"at_least": 10_000}, False, "≥ 10,000"),
    ],
)
def test_a_target_bounds_the_ratio_or_the_figure(target: dict[str, float], met: bool, text: str) -> None:
    found = as_json(row(**target), Measured(figures=[99, 10, 1], peers=[5]), FULL)
    assert (found["figure"], found["ratio"], found["met"], found["target"]) == (10, 2, met, text)
    assert found["work"] == f"w of {FULL.rounds}"


def test_what_was_skipped_says_why_and_reaches_no_target() -> None:
    found = as_json(row(ratio_at_most=1), Measured(skipped="no Node"), FULL)
    assert found["met"] is None
    assert "skipped: no Node" in as_text(found, colour=True)


def test_colour_is_for_terminals_only() -> None:
    found = as_json(row(at_most=1), Measured(figures=[2]), FULL)
    assert "\x1b" in as_text(found, colour=True)
    assert "\x1b" not in as_text(found, colour=False)


def test_the_command_writes_a_file_and_prints_it(tmp_path: Path) -> None:
    output = tmp_path / "folder" / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--only", "generator", "--json", "--output", str(output)]
    done = run(command, capture_output=True, text=True, check=True, cwd=README.parent)
    assert json.loads(done.stdout) == json.loads(output.read_text(encoding="utf-8"))
    assert done.stderr.startswith("generator …\n")


def test_readme_shows_every_row_of_a_full_run() -> None:
    """Its figures are of another day and machine."""
    shown = [line.split(" | ") for line in table_of(README.read_text(encoding="utf-8")).splitlines() if "| " in line]
    wanted = [as_json(each, SKIPPED[each.name], FULL) for each in ROWS]
    assert shown[0][0].removeprefix("| ") == HEADS[0]
    assert [(cells[0].removeprefix("| "), cells[3], cells[6]) for cells in shown[1:]] == [
        (each["work"], each["beside"], each["target"]) for each in wanted
    ]


def test_the_table_of_readme_is_replaced() -> None:
    report = {"machine": machine(), "quick": False, "rows": [as_json(each, SKIPPED[each.name], FULL) for each in ROWS]}
    text = rewritten(README.read_text(encoding="utf-8"), report)
    assert table_of(text) == as_markdown(report)
    assert rewritten(text, report) == text
    with pytest.raises(ValueError, match="make bench"):
        rewritten(text, {**report, "quick": True})
