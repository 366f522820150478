"""Reasons: what each reason code means and what to do, from the table that is shipped."""

from __future__ import annotations

from functools import cache
from typing import Any

from emulator.artefacts import contract_text
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import Address, View
from emulator.yaml_files import load_yaml


def reason_link(view: View, code: str | None) -> Address | None:
    """Where a reason is explained; None without one."""
    return Address(f"{view.link('reasons')}#{code}") if code else None


@cache
def _table() -> Any:
    return load_yaml(contract_text("reason-codes.yaml"))


def reason_codes() -> list[str]:
    """The codes with which a record can end at StackAdapt."""
    return [each["code"] for each in _table()["reasons"]]


def _values(_api: ControlAPI, _view: View) -> Values:
    table = _table()
    return {
        "groups": {"At StackAdapt": table["reasons"], "Warnings": table["warnings"], "At Segment": table["segment"]}
    }


SCREEN = Screen(group="Developer", name="Reasons", path="reasons", template="developer/reasons", values=_values)
