"""The ledger: every behaviour has a source and a test that exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from emulator.artefacts import contract
from emulator.cli import serve
from emulator.yaml_files import load_yaml
from tests.docs.schema_keys import keys_of

ROOT = Path(__file__).resolve().parent.parent
PROVENANCE = {"documented", "introspected", "probed", "client", "third-party", "assumed"}
# Keys of the workspace, and options of the server: `serve --uploads`.
SETTINGS = {key.path for key in keys_of("workspace.schema.json")} | {
    f"serve {name}" for option in serve.command.params for name in option.opts
}
ROWS: list[dict[str, Any]] = load_yaml(contract("fidelity.yaml").read_text(encoding="utf-8"))["behaviours"]


@cache
def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_ids_are_unique() -> None:
    ids = [row["id"] for row in ROWS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_row_is_complete(row: dict[str, Any]) -> None:
    assert row["behaviour"].endswith(".")
    assert row["provenance"] in PROVENANCE
    assert row["source"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_an_assumption_names_its_setting_or_says_why_it_has_none(row: dict[str, Any]) -> None:
    named = [key for key in ("setting", "no_setting") if key in row]
    assert named in (["setting"], ["no_setting"]) or (not named and row["provenance"] != "assumed")
    if reason := row.get("no_setting"):
        assert reason.endswith("."), "a sentence"
        assert len(reason.split()) > 4, "a reason"


@pytest.mark.parametrize("row", [row for row in ROWS if "setting" in row], ids=lambda row: row["id"])
def test_a_setting_exists(row: dict[str, Any]) -> None:
    for setting in row["setting"].split(", "):
        assert setting in SETTINGS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_named_tests_exist(row: dict[str, Any]) -> None:
    for named in [row["test"]] if isinstance(row["test"], str) else row["test"]:
        path, _, name = named.partition("::")
        assert (ROOT / path).is_file(), path
        assert name.split("[")[0] in names_in(ROOT / path), named
