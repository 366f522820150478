"""An installed destination compared with the recorded one: its definition, and the errors of running it.

`tests/conformance/test_drift.py` compares the requests of the real packages.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.artefacts import contract_json
from emulator.errors import InputError, UserMistake
from emulator.harness.checks.finding import BREAKING, DANGEROUS, SAFE
from emulator.harness.drift import compare_published
from emulator.harness.drift.cases import cases
from emulator.harness.drift.published import definition_findings
from emulator.harness.recorded_cases import replay
from emulator.mapping import generations, load_definition, nearest_generation, newest

NEWEST: dict[str, Any] = contract_json(f"segment/destinations/{newest()}.json")

Edit = Callable[[dict[str, Any], dict[str, Any]], object]


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        ("3.497.0", "3.497.0"),
        ("3.500.2", "3.497.0"),
        ("99.0.0", newest()),
        ("3.100.0", generations()[0]),
    ],
)
def test_a_version_is_compared_with_the_last_known_one_before_it(version: str, generation: str) -> None:
    assert nearest_generation(version) == generation


def test_a_definition_equals_itself() -> None:
    assert list(definition_findings(NEWEST, copy.deepcopy(NEWEST))) == []


@pytest.mark.parametrize(
    ("edit", "severity", "place"),
    [
        (lambda d, f: f.pop("email"), BREAKING, "actions.A.fields.email"),
        (lambda d, f: f.update(x={"label": "X", "type": "string", "required": True}), BREAKING, "actions.A.fields.x"),
        (lambda d, f: f.update(x={"label": "X", "type": "string"}), SAFE, "actions.A.fields.x"),
        (
            lambda d, f: f.update(x={"label": "X", "type": "string", "required": True, "default": "y"}),
            SAFE,
            "actions.A.fields.x",
        ),
        (lambda d, f: f["user_id"].update(required=True), SAFE, "actions.A.fields.user_id.required"),
        (
            lambda d, f: f["custom_traits"].update(required=True),
            BREAKING,
            "actions.A.fields.custom_traits.required",
        ),
        (lambda d, f: f["email"].update(required=False), SAFE, "actions.A.fields.email.required"),
        (lambda d, f: f["email"].update(format="hostname"), BREAKING, "actions.A.fields.email.format"),
        (lambda d, f: f["email"].update(default="a@b.co"), DANGEROUS, "actions.A.fields.email.default"),
        (lambda d, f: f["email"].update(label="Mail"), SAFE, "actions.A.fields.email.label"),
        (
            lambda d, f: f["marketing_status"].update(choices=["Opted-in"]),
            BREAKING,
            "actions.A.fields.marketing_status.choices",
        ),
        (
            lambda d, f: f["marketing_status"]["choices"].append("Opted-out"),
            SAFE,
            "actions.A.fields.marketing_status.choices",
        ),
        (lambda d, f: f["email"].update(choices=["a@b.co"]), BREAKING, "actions.A.fields.email.choices"),
        (lambda d, f: f["marketing_status"].pop("choices"), SAFE, "actions.A.fields.marketing_status.choices"),
        (
            lambda d, f: f["standard_traits"]["properties"].pop("phone"),
            BREAKING,
            "actions.A.fields.standard_traits.properties.phone",
        ),
        (lambda d, f: d["settings"].pop("advertiser_id"), BREAKING, "settings.advertiser_id"),
        (lambda d, f: d["actions"].update(B=d["actions"]["A"]), SAFE, "actions.B"),
        (lambda d, f: d["actions"]["A"].update(title="Sync"), SAFE, "actions.A.title"),
        (
            lambda d, f: d["actions"]["A"].update(defaultSubscription='type = "track"'),
            DANGEROUS,
            "actions.A.defaultSubscription",
        ),
        (lambda d, f: d.update(slug="other"), DANGEROUS, "slug"),
    ],
)
def test_a_change_of_the_definition_is_found_and_rated(edit: Edit, severity: str, place: str) -> None:
    recorded = {**NEWEST, "actions": {"A": NEWEST["actions"]["forwardAudienceEvent"]}}
    installed = copy.deepcopy(recorded)
    edit(installed, installed["actions"]["A"]["fields"])
    [finding] = definition_findings(recorded, installed)
    assert (finding.severity, finding.place) == (severity, place)
    assert bool(finding.why) is (severity != SAFE)


def test_a_removed_action_is_breaking() -> None:
    [finding] = definition_findings(NEWEST, {**NEWEST, "actions": {}})
    assert (finding.severity, finding.code, finding.place) == (BREAKING, "REMOVED", "actions.forwardAudienceEvent")


@pytest.mark.parametrize("generation", generations())
def test_the_cases_of_a_generation_use_every_action_mode_and_kind_of_event(generation: str) -> None:
    definition = load_definition(generation)
    found = list(cases(definition))
    assert len({case["id"] for case in found}) == len(found)
    assert {"event", "batch", "delete", "auth"} <= {case["mode"] for case in found}
    actions = {stored["partnerAction"] for case in found for stored in case["subscriptions"]}
    assert actions == set(definition.actions)
    for action in definition.actions.values():
        sent = [case for case in found if case["purpose"] == action.title and replay(case)["requests"]]
        assert {event["type"] for case in sent for event in case["events"]} >= {"identify", "track"}
    assert any("error" in replay(case) for case in found)


def test_a_folder_without_the_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="npm install @segment/action-destinations"):
        compare_published(tmp_path)


def package_in(folder: Path, manifest: dict[str, Any]) -> Path:
    """A folder with an empty package of that name in `node_modules`."""
    package = folder / "node_modules" / "@segment" / "action-destinations"
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_a_package_without_a_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no version"):
        compare_published(package_in(tmp_path, {"name": "@segment/action-destinations"}))


def test_a_missing_node_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserMistake, match=r"needs Node\.js"):
        compare_published(package_in(tmp_path, {"name": "@segment/action-destinations", "version": "3.497.0"}))


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not on PATH")
def test_a_package_that_cannot_be_run_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserMistake) as raised:
        compare_published(package_in(tmp_path, {"name": "@segment/action-destinations", "version": "3.497.0"}))
    assert "the package cannot be run: Cannot find module" in str(raised.value)
    assert "\n" not in str(raised.value)
