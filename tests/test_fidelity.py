"""The ledger: every behaviour has a source and a test that exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.artefacts import contract

ROOT = Path(__file__).resolve().parent.parent
PROVENANCE = {"documented", "introspected", "probed", "client", "third-party", "assumed"}
ROWS: list[dict[str, Any]] = yaml.safe_load(contract("fidelity.yaml").read_text(encoding="utf-8"))["behaviours"]


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
    if row["provenance"] == "assumed":
        assert "setting" in row or "no_setting" in row, "an assumption names its setting, or says why it has none"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_named_tests_exist(row: dict[str, Any]) -> None:
    for named in [row["test"]] if isinstance(row["test"], str) else row["test"]:
        path, _, name = named.partition("::")
        assert (ROOT / path).is_file(), path
        assert name.split("[")[0] in names_in(ROOT / path), named
