"""What a probe finds at an emulator whose behaviour is known: nothing by default, every setting that differs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json, contract_text
from emulator.harness.ledger import behaviours
from emulator.harness.probe import CONFIRMED, DIFFERS, NOT_PROBED, NOT_SEEN, probes, setting_of, values_of, with_value
from emulator.harness.probe.write_requests import SEGMENT_RULE
from emulator.harness.recordings import read_exchanges
from emulator.yaml_files import load_yaml
from tests.harness.probe.conftest import TOKEN, WORKSPACE, Open, row_of

LEDGER = {row.id: row for row in behaviours()}
CLAIMED = [row for row in LEDGER if any(row in probe.rows for probe in probes())]
# Rows about one API version: they are confirmed where it is served.
OF_A_VERSION = {"schema.2025-05": "2025-05", "schema.2024-12": "2024-12"}
AREAS = ("StackAdapt", "Faults, limits, journal")
# The probes that the plan of them names; further letters are further parts.
PLANNED = {*(f"R{number}" for number in range(1, 16)), *(f"W{number}" for number in range(1, 20))}


def settings() -> list[tuple[str, Any]]:
    """Every setting of a claimed row with each value but the default."""
    names = dict.fromkeys(name for row in CLAIMED if (name := setting_of(row)) is not None)
    return [(name, value) for name in names for value in values_of(name)[1:]]


def probes_of(rows: Sequence[str]) -> list[str]:
    return [probe.id for probe in probes() if set(probe.rows) & {*rows}]


def test_every_probe_names_rows_of_the_ledger_and_has_its_own_id() -> None:
    assert {row for probe in probes() for row in probe.rows} <= LEDGER.keys()
    ids = [probe.id for probe in probes()]
    assert len(ids) == len({*ids})
    for probe in probes():
        names = [request.name for request in probe.requests]
        assert len(names) == len({*names}), probe.id
        assert {*probe.at_once} <= {*probe.rows}, probe.id


def test_what_is_assumed_of_stackadapt_is_probed_or_listed_with_a_reason() -> None:
    assumed = {row.id for row in LEDGER.values() if row.area.startswith(AREAS) and row.provenance == "assumed"}
    with_setting = {row.id for row in LEDGER.values() if row.settings and row.area.startswith(AREAS)}
    left_out = {each.about for each in NOT_PROBED if each.what is None}
    assert (assumed | with_setting) - {*CLAIMED} == left_out
    assert {each.about for each in NOT_PROBED if each.what is not None} <= PLANNED
    assert all(each.reason.endswith(".") and len(each.reason.split()) > 4 for each in NOT_PROBED)


def test_no_planned_probe_is_missing() -> None:
    assert {probe.id.rstrip("b") for probe in probes()} == PLANNED


def test_by_default_nothing_differs(live: Open) -> None:
    target = live()
    report = target.begin(burst=3, segment=target.segment(), hours=0.0)
    assert {row.row: (row.seen, row.expected) for row in report.rows if row.result == DIFFERS} == {}
    unseen = {row.row for row in report.rows if row.result == NOT_SEEN}
    assert unseen == {
        *OF_A_VERSION,
        *("profiles.filters", "profiles.outer-pages", "paging.largest-page", "paging.largest-nested-page"),
        "faults.status-envelope",
    }
    assert [row.row for row in report.rows] == [row for row in LEDGER if row in CLAIMED]
    for row in report.rows:
        setting = setting_of(row.row)
        if row.result == CONFIRMED and setting is not None and values_of(setting):
            assert (row.setting, row.value) == (setting, values_of(setting)[0])
    Draft202012Validator(contract_json("probe.schema.json")).validate(report.as_dict())


@pytest.mark.parametrize(("setting", "value"), settings(), ids=str)
def test_each_value_of_each_setting_is_found(live: Open, setting: str, value: Any) -> None:
    rows = [row for row in CLAIMED if setting_of(row) == setting]
    target = live(with_value({}, setting, value))
    report = target.begin(*probes_of(rows), segment=target.segment(), hours=0.0)
    for name in rows:
        row = row_of(report, name)
        if name in OF_A_VERSION:
            expected = (CONFIRMED, setting, value) if OF_A_VERSION[name] == value else (NOT_SEEN, None, None)
        else:
            expected = (DIFFERS, setting, value)
        assert (row.result, row.setting, row.value) == expected, row
    others = [row for row in report.rows if setting_of(row.row) != setting]
    assert [row.row for row in others if row.result == DIFFERS] == []


@pytest.mark.parametrize(
    ("latency", "step", "result", "value"),
    [
        ("instant", "1h", CONFIRMED, "instant"),
        ("10m", "10m", CONFIRMED, "10m"),
        ("1h", "30m", CONFIRMED, "1h"),
        ("3h30m", "30m", CONFIRMED, "3h30m"),
        ("5h", "1h", DIFFERS, "longer"),
    ],
)
def test_the_latency_is_measured(live: Open, latency: str, step: str, result: str, value: str) -> None:
    minutes = {"10m": 10, "30m": 30, "1h": 60}[step]
    target = live({"ingestion": {"latency": latency}})
    report = target.to_the_end("W5", step=timedelta(minutes=minutes))
    row = row_of(report, "ingestion.asynchronous")
    assert (row.result, row.setting, row.value) == (result, "ingestion.latency", value)
    # What did not appear is no evidence about the provider.
    assert row_of(report, "ingestion.provider").result == (CONFIRMED if result == CONFIRMED else NOT_SEEN)


def test_a_rate_limit_is_found_by_a_burst_and_its_envelope_compared(live: Open) -> None:
    target = live({"rateLimit": {"requests": 1, "per": "1h", "burst": 5}})
    report = target.begin("R12b", burst=8)
    row = row_of(report, "rate-limit.off-by-default")
    # One request was the first, which asks what the token may do.
    assert (row.result, row.setting, row.value) == (DIFFERS, "rateLimit", {"requests": 4})
    assert row_of(report, "faults.status-envelope").result == CONFIRMED
    assert report.progress.stopped is None


def test_large_accounts_show_their_pages(live: Open) -> None:
    many = [{"id": str(number), "name": "x"} for number in range(100, 203)]
    scopes = {each["id"]: ["READ"] for each in many} | {"7": ["READ", "WRITE"]}
    target = live(
        {
            "advertisers": [*WORKSPACE["advertisers"], *many],
            "tokens": [{"token": TOKEN, "name": "Live", "scopes": scopes}],
        }
    )
    records = [{"email": f"known-{number}@example.com"} for number in range(130)]
    document = "mutation ($i: UpsertProfilesInput!) { upsertProfiles(input: $i) { userErrors { message } } }"
    given = {"advertiserId": "7", "externalProvider": "segmentio", "profiles": json.dumps(records)}
    sent = target.emulator.client.post(
        "/graphql",
        json={"query": document, "variables": {"i": given}},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert sent.status_code == 200
    report = target.begin("R7", "R9", writes=False)
    assert [row.row for row in report.rows if row.result != CONFIRMED] == []
    assert row_of(report, "paging.largest-page").seen["R7"].startswith("100 of 500 asked for, more: True")
    assert row_of(report, "paging.largest-nested-page").seen["R9"] == "100 of 130"


def test_a_token_that_may_only_read_shows_how_a_change_is_refused(live: Open) -> None:
    target = live({"tokens": [{"token": TOKEN, "name": "Live", "scopes": {"7": ["READ"]}}]})
    report = target.begin("R14", "W1")
    row = row_of(report, "mutation.unknown-advertiser")
    assert (row.result, [*row.seen]) == (CONFIRMED, ["R14"])


def test_an_unreadable_value_is_seen_by_a_segment_with_its_rule(live: Open) -> None:
    target = live()
    without = target.emulator.stackadapt.segments.create("7", "Without", SEGMENT_RULE["any"][0])
    row = row_of(target.begin("W15b", segment=str(without["id"]), hours=0.0), "ingestion.unreadable-value")
    assert (row.result, row.reason) == (NOT_SEEN, "The segment has no rule for the birth date 1901-02-03.")


class AtBoth(httpx.BaseTransport):
    """Answers at /public/graphql as at /graphql."""

    def __init__(self, through: httpx.BaseTransport) -> None:
        self._through = through

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(path=request.url.path.removeprefix("/public"))
        return self._through.handle_request(
            httpx.Request(request.method, url, content=request.read(), headers=request.headers)
        )


def test_each_path_of_an_endpoint_is_asked(live: Open) -> None:
    target = live()
    target.transport = AtBoth(target.transport)
    row = row_of(target.begin("R3", writes=False), "graphql.path")
    assert (row.result, row.seen) == (DIFFERS, {"R3": "/graphql: 200 with data; /public/graphql: 200 with data"})
    assert row.expected == {"R3": "/graphql: 200 with data; /public/graphql: 404 with JSON of another form"}


def test_the_patch_applies_and_the_ledger_stays_one(live: Open, tmp_path: Path) -> None:
    target = live({"ingestion": {"sharedExternalId": "both"}})
    report = target.to_the_end("R1", "R8", "W18")
    assert report.patch is not None
    copy = tmp_path / "contracts" / "fidelity.yaml"
    copy.parent.mkdir()
    copy.write_text(contract_text("fidelity.yaml"), encoding="utf-8")
    subprocess.run(["git", "apply", "--whitespace=error", str(report.patch)], cwd=tmp_path, check=True)
    rows = {row["id"]: row for row in load_yaml(copy.read_text(encoding="utf-8"))["behaviours"]}
    assert rows.keys() == LEDGER.keys()
    confirmed, differing = rows["advertiser.read-scope"], rows["ingestion.external-ids"]
    assert confirmed["provenance"] == "probed"
    assert confirmed["source"].startswith("seen on 2026-06-01 at 127.0.0.1 by fidelity probe R8: id 1: 200 with null")
    assert differing["provenance"] == "assumed"
    assert differing["source"].startswith("differs: seen on 2026-06-01 at 127.0.0.1 by fidelity probe W18")
    assert 'ingestion.sharedExternalId: "both" plays it' in differing["source"]
    changed = {name for name, row in rows.items() if row["source"] != LEDGER[name].source}
    assert changed == {row.row for row in report.rows}


def test_what_is_written_has_neither_the_token_nor_an_address_that_was_not_made(live: Open) -> None:
    target = live()
    report = target.to_the_end("R2", "R3", "R6", "R9", "W3", "W4", "W8")
    files = {path.name: path.read_text(encoding="utf-8") for path in target.folder.iterdir()}
    assert sorted(files) == ["exchanges-1.jsonl", "exchanges-2.jsonl", "ledger.patch", "state.jsonl"]
    for name, text in files.items():
        assert TOKEN not in text, name
    assert report.exchanges is not None
    exchanges = [each for _, each in read_exchanges(target.folder / "exchanges-1.jsonl")]
    assert {each.token for each in exchanges} == {"token-1"}
    made = [word for each in exchanges for word in json.dumps([each.request, each.response]).split() if "@" in word]
    assert made
    assert all("person-" in word.lower() for word in made)
    assert target.folder.stat().st_mode & 0o077 == 0
