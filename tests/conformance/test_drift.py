"""`drift --destination` with the real packages, unchanged and edited."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emulator.harness.checks.finding import BREAKING
from emulator.harness.drift import Compared, compare_published

from .packages import GENERATIONS, NEWEST, package_directory

PACKAGE = Path("node_modules/@segment/action-destinations")
DESTINATION = Path("dist/destinations/stackadapt-audiences")


@pytest.mark.node(*GENERATIONS)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_published_package_has_not_drifted(generation: str) -> None:
    for directory in (package_directory(generation), package_directory(generation) / PACKAGE):
        compared = compare_published(directory)
        assert (compared.version, compared.generation, compared.findings) == (generation, generation, ())


def compared_with(folder: Path, *edits: tuple[str, str, str], version: str = NEWEST) -> Compared:
    """Compares a copy of the newest package, with strings in its files replaced."""
    original = package_directory(NEWEST).resolve()
    package = folder / "package"
    shutil.copytree(original / PACKAGE / DESTINATION, package / DESTINATION)
    manifest = {"name": "@segment/action-destinations", "version": version}
    (package / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    (package / "node_modules").symlink_to(original / "node_modules")
    for name, before, after in edits:
        path = package / DESTINATION / name
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
    return compare_published(package)


@pytest.mark.node(NEWEST)
def test_a_newer_version_without_changes_is_compared_with_the_last_known_one(tmp_path: Path) -> None:
    compared = compared_with(tmp_path, version="3.500.0")
    assert (compared.version, compared.generation, compared.findings) == ("3.500.0", NEWEST, ())


@pytest.mark.node(NEWEST)
def test_a_changed_document_is_found_with_both_texts_and_whether_the_contract_accepts_it(tmp_path: Path) -> None:
    compared = compared_with(tmp_path, ("forwardAudienceEvent/functions.js", "isOptedIn:", "hasOptedIn:"))
    [finding] = compared.findings
    assert (finding.severity, finding.code, finding.place) == (BREAKING, "WIRE", "Sync Audience: requests.0.body")
    assert "isOptedIn" in finding.message
    assert "hasOptedIn" in finding.message
    assert "contract rejects" in str(finding.why)


@pytest.mark.node(NEWEST)
def test_a_new_required_field_is_found_in_the_definition_and_in_the_requests(tmp_path: Path) -> None:
    required = "region: { label: 'Region', description: 'd', type: 'string', required: true },\n    "
    compared = compared_with(
        tmp_path, ("forwardAudienceEvent/fields.js", "marketing_status: {", f"{required}marketing_status: {{")
    )
    kinds = {(finding.code, finding.place) for finding in compared.findings if finding.severity == BREAKING}
    assert ("REQUIRED", "actions.forwardAudienceEvent.fields.region") in kinds
    assert ("WIRE", "Sync Audience: requests.length") in kinds


@pytest.mark.node(NEWEST)
def test_another_endpoint_is_found_and_receives_nothing(tmp_path: Path) -> None:
    moved = ("common-constants.js", "https://api.stackadapt.com/graphql", "https://api.example.org/v2/graphql")
    compared = compared_with(tmp_path, moved)
    endpoint = next(finding for finding in compared.findings if finding.code == "ENDPOINT")
    assert "https://api.example.org/v2/graphql" in endpoint.message
