"""What comes with the package, over the control API: the ledger, the documentation, the reasons, the scenarios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner

from emulator import Emulator
from emulator.artefacts import contract_text
from emulator.cli import cli
from emulator.harness.documentation import PAGES, headings_of, text_of
from emulator.harness.ledger import PROVENANCES, behaviours
from emulator.harness.scenarios import listed
from tests.test_fidelity import PROVENANCE, ROWS

AUDIENCE = "vip_customers"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        started.client.post("/_emulator/clock/freeze")
        yield started


def get(emulator: Emulator, path: str, **query: str) -> Any:
    answer = emulator.client.get(f"/_emulator/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


# The ledger.


def test_the_ledger_has_every_row_with_an_area() -> None:
    assert [row.id for row in behaviours()] == [row["id"] for row in ROWS]
    assert all(row.area for row in behaviours())
    assert set(PROVENANCES) == PROVENANCE


def test_counts_of_the_ledger_are_those_of_its_rows(emulator: Emulator) -> None:
    whole = get(emulator, "fidelity")
    assert whole["total"] == len(whole["behaviours"]) == len(ROWS)
    assert {each["name"]: each["count"] for each in whole["provenances"]} == Counter(row["provenance"] for row in ROWS)
    for area in whole["areas"]:
        found = get(emulator, "fidelity", area=area["name"], provenance="assumed")
        assert {(row["area"], row["provenance"]) for row in found["behaviours"]} <= {(area["name"], "assumed")}
        counted = next(each for each in found["areas"] if each["name"] == area["name"])
        assert counted["count"] == len(found["behaviours"])


@pytest.mark.parametrize("field", ["id", "behaviour", "source", "setting", "test"])
def test_each_text_of_a_row_is_found(emulator: Emulator, field: str) -> None:
    row = next(row for row in ROWS if isinstance(row.get(field), str))
    found = get(emulator, "fidelity", text=row[field].upper())
    assert row["id"] in [each["id"] for each in found["behaviours"]]


def test_a_row_names_the_scenarios_that_show_it(emulator: Emulator) -> None:
    shown = {(shown, entry["name"]) for entry in listed() for shown in entry["shows"]}
    rows = get(emulator, "fidelity")["behaviours"]
    assert {(row["id"], name) for row in rows for name in row["scenarios"]} == shown


def test_the_command_prints_rows_and_a_summary() -> None:
    summary = CliRunner().invoke(cli, ["fidelity"], catch_exceptions=False).output
    assert all(name in summary for name in PROVENANCES)
    row = next(row for row in ROWS if "setting" in row)
    found = CliRunner().invoke(cli, ["fidelity", row["id"]], catch_exceptions=False).output
    assert row["setting"] in found
    assert f"of {len(ROWS)} behaviours" in found


# The documentation.


def test_every_page_is_listed_and_served(emulator: Emulator) -> None:
    pages = get(emulator, "documentation")["pages"]
    assert [each["page"] for each in pages] == [*PAGES]
    for page in PAGES:
        assert get(emulator, f"documentation/{page}")["text"] == text_of(page)


def test_a_search_names_the_line_and_the_heading_above_it(emulator: Emulator) -> None:
    found = get(emulator, "documentation", text="WORKSPACE_CHANGED discarded")["found"]
    assert found
    for each in found:
        lines = text_of(each["page"]).splitlines()
        assert each["text"] == lines[each["line"] - 1].strip()
        above = [heading for heading in headings_of(each["page"]) if heading.line <= each["line"]][-1]
        assert (each["heading"], each["anchor"]) == (above.text, above.anchor)


def test_a_search_finds_headings_first_and_nothing_without_words(emulator: Emulator) -> None:
    assert get(emulator, "documentation", text="dead letters")["found"][0]["text"] == "Dead letters"
    assert get(emulator, "documentation", text="  ")["found"] == []


def test_no_code_is_a_heading() -> None:
    for page in PAGES:
        for heading in headings_of(page):
            assert text_of(page).splitlines()[heading.line - 1].startswith("#" * heading.level + " ")
        anchors = [heading.anchor for heading in headings_of(page)]
        assert len(anchors) == len(set(anchors))


def test_the_command_searches_the_pages() -> None:
    found = CliRunner().invoke(cli, ["docs", "--search", "dead letters"], catch_exceptions=False).output
    assert found.splitlines()[0].endswith(": Dead letters: Dead letters")


# The reasons.


def test_every_code_of_the_table_is_there_once(emulator: Emulator) -> None:
    table = yaml.safe_load(contract_text("reason-codes.yaml"))
    codes = [each["code"] for group in ("segment", "reasons", "warnings") for each in table[group]]
    assert sorted(each["code"] for each in get(emulator, "reasons")["reasons"]) == sorted(codes)


def test_a_reason_is_counted_as_in_the_funnel(emulator: Emulator) -> None:
    # No email: the mapping refuses the events.
    answer = emulator.client.post(f"/_emulator/audiences/{AUDIENCE}/enter", json={"userId": "grace"})
    assert answer.status_code == 200
    emulator.client.post("/_emulator/clock/advance", json={"hours": 5})
    counts = {each["code"]: each["count"] for each in get(emulator, "reasons")["reasons"] if each["count"]}
    funnel = get(emulator, "funnel")
    stops = [*funnel["steps"].values(), *funnel["stackadapt"].values()]
    assert counts
    assert counts == {reason["code"]: reason["count"] for each in stops for reason in each["reasons"]}


def test_the_rows_about_each_code_exist(emulator: Emulator) -> None:
    """The codes without a row are about requests that neither real service would get."""
    table = yaml.safe_load(contract_text("reason-codes.yaml"))
    listed = {
        row
        for group in ("segment", "reasons", "warnings")
        for each in table[group]
        for row in each.get("behaviours", ())
    }
    assert listed <= {row.id for row in behaviours()}
    without = {each["code"] for each in get(emulator, "reasons")["reasons"] if not each["behaviours"]}
    assert without == {"unreadable_sandbox", "unknown_path", "method_not_allowed", "untrusted_host"}


def test_reasons_are_searched_and_name_rows_of_the_ledger(emulator: Emulator) -> None:
    found = get(emulator, "reasons", text="workspace_changed")["reasons"]
    assert "WORKSPACE_CHANGED" in [each["code"] for each in found]
    ids = {row["id"] for row in ROWS}
    assert all(set(each["behaviours"]) <= ids for each in get(emulator, "reasons")["reasons"])


# The scenarios.


def test_a_scenario_is_read_as_it_is_listed(emulator: Emulator) -> None:
    for entry in get(emulator, "scenarios")["scenarios"][:5]:
        scenario = get(emulator, f"scenarios/{entry['name']}")
        assert yaml.safe_load(scenario.pop("text"))["title"] == entry["title"]
        assert scenario == entry


def run(emulator: Emulator, status: int = 200, **body: Any) -> Any:
    answer = emulator.client.post("/_emulator/scenarios/run", json=body)
    assert answer.status_code == status, answer.text
    return answer.json


def own(**changes: Any) -> dict[str, Any]:
    steps = [{"when": [{"identify": "ada"}], "then": {"profiles": [{"person": "ada"}]}}]
    people = {"ada": {"email": "ada@example.com"}}
    return {"title": "Ada", "about": "Ada.", "given": {"people": people}, "steps": steps, **changes}


def test_a_scenario_is_played_apart_from_the_sandbox(emulator: Emulator) -> None:
    before = get(emulator, "counts")
    report = run(emulator, scenario="emails/not-sent")
    assert report["summary"] == {"passed": 1, "failed": 0, "skipped": 0}
    assert get(emulator, "counts") == before


@pytest.mark.parametrize("as_text", [False, True])
def test_a_failed_check_has_its_place_and_the_way_of_the_people(emulator: Emulator, as_text: bool) -> None:
    (result,) = run(emulator, document=yaml.safe_dump(own()) if as_text else own())["scenarios"]
    failed = [check for check in result["checks"] if not check["passed"]]
    assert result["outcome"] == "failed"
    assert failed[0]["place"] == "steps[0].then.profiles"
    assert "ada" in failed[0]["timelines"][0]


def test_a_scenario_of_ones_own_has_the_workspace_of_the_sandbox(emulator: Emulator) -> None:
    audience = {"name": "Testers", "id": "aud_testers", "condition": {"trait": "tester", "operator": "exists"}}
    assert (
        emulator.client.post("/_emulator/workspace/audiences", json={"key": "testers", **audience}).status_code == 201
    )
    steps = [{"when": [{"identify": "ada"}], "then": {"audiences": {"testers": 1}}}]
    people = {"ada": {"email": "ada@example.com", "traits": {"tester": True}}}
    report = run(emulator, document=own(given={"people": people}, steps=steps))
    assert report["summary"]["passed"] == 1, report


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (own(given={"workspace": "/etc/passwd"}), "scenario: given.workspace"),
        (own(steps=[{"when": []}]), "scenario: steps[0].when"),
        ("title: [", "scenario, line 2, column 1"),
        ("- 1", "scenario"),
    ],
)
def test_a_scenario_that_cannot_be_played_is_refused_with_its_place(
    emulator: Emulator, document: Any, where: str
) -> None:
    assert run(emulator, 400, document=document)["where"] == where


def test_of_both_kinds_one_is_played(emulator: Emulator) -> None:
    assert "one of them" in run(emulator, 400, scenario="emails/not-sent", document=own())["allowed"]
    assert run(emulator, 404, scenario="emails/not-snet")["hint"]


def test_results_are_junit_on_request(emulator: Emulator) -> None:
    answer = emulator.client.post("/_emulator/scenarios/run?format=junit", json={"document": own()})
    suites = ET.fromstring(answer.text)
    assert (suites.get("tests"), suites.get("failures")) == ("1", "1")


def test_what_has_not_begun_in_time_is_skipped(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.server.control.scenarios.RUN_SECONDS", 0.0)
    (result,) = run(emulator, scenario="emails/not-sent")["scenarios"]
    assert result["outcome"] == "skipped"
    assert "seconds of a run are over" in result["reason"]


def test_a_second_run_at_the_same_time_is_refused(emulator: Emulator) -> None:
    from emulator.server.control import scenarios

    with emulator.app.app_context(), scenarios.one_at_a_time():
        assert run(emulator, 503, scenario="emails/not-sent")["message"] == "scenarios are being played already"
    assert run(emulator, scenario="emails/not-sent")["summary"]["passed"] == 1
