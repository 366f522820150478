"""Locates the contract artefacts and fixtures: inside an installed package, or beside it in a checkout.

All other modules ask for a file by its name under `contracts/` or `fixtures/`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def _root(folder: str) -> Path:
    installed = _PACKAGE / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder


def contracts_dir() -> Path:
    """The folder of contract artefacts (provider SDL, JSON Schemas, destination definitions, ledger)."""
    return _root("contracts")


def fixtures_dir() -> Path:
    """The folder of the default workspace and sample data."""
    return _root("fixtures")


def contract(name: str) -> Path:
    """The path of one contract file, such as `segment/destinations/3.517.0.json`."""
    return contracts_dir() / name


def fixture(name: str) -> Path:
    """The path of one fixture file, such as `workspace.yaml`."""
    return fixtures_dir() / name


def contract_text(name: str) -> str:
    """The text of a contract file."""
    return contract(name).read_text(encoding="utf-8")


@cache
def contract_json(name: str) -> Any:
    """A JSON contract, parsed once per process. Callers must not modify it."""
    return json.loads(contract_text(name))
