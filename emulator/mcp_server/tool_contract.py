"""The tools as `contracts/mcp-tools.yaml` declares them: names, descriptions, schemas, and what a call changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator

from emulator.artefacts import contract_text
from emulator.errors import InputError, unknown
from emulator.schemas import first_mistake_of
from emulator.yaml_files import load_yaml

SHOW_PERSONAL_DATA: Final = "show_personal_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool. `input` and `output` are JSON Schemas; `behaviours` are ids of the ledger that each answer rests on.

    `destructive` says whether a call changes data of the emulator.
    """

    name: str
    title: str
    description: str
    destructive: bool
    behaviours: tuple[str, ...]
    input: Mapping[str, Any] = field(repr=False)
    output: Mapping[str, Any] = field(repr=False)

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments, with the defaults of absent ones. Raises InputError for the first that does not fit."""
        mistake = first_mistake_of(Draft202012Validator(self.input), arguments)
        if mistake is not None:
            raise mistake.as_error(InputError, self.name)
        members = self.input["properties"].items()
        return {name: each["default"] for name, each in members if "default" in each} | dict(arguments)


@cache
def tools() -> Mapping[str, Tool]:
    """All tools by name, in the order of the file."""
    document = load_yaml(contract_text("mcp-tools.yaml"))
    return {each["name"]: _tool(each, document["common"]) for each in document["tools"]}


def tool_named(name: str) -> Tool:
    """Raises UnknownName."""
    if name not in tools():
        raise unknown("tool", name, tools())
    return tools()[name]


def _tool(declared: Mapping[str, Any], common: Mapping[str, Any]) -> Tool:
    takes = declared["input"]
    shared = {SHOW_PERSONAL_DATA: common[SHOW_PERSONAL_DATA]}
    returns = {
        "type": "object",
        "additionalProperties": False,
        "required": ["answer", "provenance"],
        "properties": {"answer": declared["output"], "provenance": common["provenance"]},
    }
    return Tool(
        name=declared["name"],
        title=declared["title"],
        description=declared["description"],
        destructive=declared["changes"] == "data",
        behaviours=tuple(declared["behaviours"]),
        input={**takes, "properties": {**takes["properties"], **shared}},
        output=returns,
    )
