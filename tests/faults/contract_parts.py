"""The parts of the contracts that describe faults, written from their registry.

    python -m tests.faults.contract_parts

writes them into `contracts/workspace.schema.json` and `contracts/openapi.yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Final

import yaml

from emulator.artefacts import contracts_dir
from emulator.faults import registry
from emulator.faults.options import Option, options_of

WORKSPACE: Final = "workspace.schema.json"
OPENAPI: Final = "openapi.yaml"
COMMAND: Final = "python -m tests.faults.contract_parts"

_OPENAPI_START, _OPENAPI_END = "    FaultDefinition:\n", "    NewRateLimit:\n"
_WORKSPACE_START, _WORKSPACE_END = '    "fault": {\n', '    "rateLimit": {\n'

_MATCHERS = {
    "operation": "Only requests with this root field.",
    "advertiser": "Only requests that name this advertiser id.",
    "email": "Only requests with this email; `*` is any text.",
}
_LASTS = "How long, on the sandbox's clock; no limit when absent."
_TIMES = {"type": "integer", "minimum": 1, "maximum": 1_000_000_000, "description": "No limit when absent."}


def parts() -> dict[str, str]:
    """The part of each contract, as text."""
    return {WORKSPACE: workspace_part(), OPENAPI: openapi_part()}


def current_part(contract: str, text: str) -> str:
    """The part that a contract has."""
    start, end = _bounds(contract, text)
    return text[start:end]


def write(directory: Path) -> None:
    """Replaces the part in every contract."""
    for contract, part in parts().items():
        text = (directory / contract).read_text(encoding="utf-8")
        start, end = _bounds(contract, text)
        (directory / contract).write_text(text[:start] + part + text[end:], encoding="utf-8")


def documentation() -> Iterator[tuple[str, str | None, str, str, str]]:
    """The rows of the documentation's table of faults: fault, option, type, default, description.

    In the row of a fault itself the option is None. The default is JSON, or `required` or `none`.
    """
    for name, kind in registry().items():
        yield name, None, "", "", (kind.__doc__ or "").strip().splitlines()[0]
        for option_name, option in options_of(kind).items():
            kind_of_value = "array of strings" if option.type == "array" else option.type
            if option.type == "integer":
                kind_of_value += f", {option.allowed}"
            default = "required" if option.default is MISSING else "none"
            if option.default not in (MISSING, None):
                default = json.dumps(option.default)
            yield name, option_name, kind_of_value, default, option.description


def option_schema(option: Option) -> dict[str, Any]:
    """The JSON Schema of an option."""
    shown: dict[str, Any] = {"type": option.type}
    if option.type == "integer":
        shown |= {"minimum": option.least, "maximum": option.most}
    if option.type == "array":
        shown["items"] = {"type": "string"}
    if option.default not in (MISSING, None):
        shown["default"] = list(option.default) if option.type == "array" else option.default
    return shown


def workspace_part() -> str:
    """`$defs.fault`: the options of all faults together, each with the widest range."""
    lines = [f'"fault": {json.dumps({"enum": list(registry())})}']
    for name, description in _MATCHERS.items():
        lines.append(f'"{name}": {json.dumps({"type": "string", "minLength": 1, "description": description})}')
    lines.append('"probability": {"type": "number", "minimum": 0, "maximum": 1}')
    lines.append(f'"times": {json.dumps(_TIMES)}')
    lines.append(f'"lasts": {json.dumps({"$ref": "#/$defs/duration", "description": _LASTS})}')
    lines += [f'"{name}": {json.dumps(schema)}' for name, schema in _all_options().items()]
    return (
        _WORKSPACE_START
        + '      "type": "object",\n'
        + '      "description": "An active fault from the start, as in POST /_emulator/faults.",\n'
        + '      "additionalProperties": false,\n'
        + '      "required": ["fault"],\n'
        + '      "properties": {\n'
        + ",\n".join(f"        {line}" for line in lines)
        + "\n      }\n    },\n"
    )


def openapi_part() -> str:
    """`FaultDefinition` and `FaultRule`."""
    return "".join(f"    {line}\n" if line else "\n" for line in (*_definition_lines(), *_rule_lines()))


def _definition_lines() -> Iterator[str]:
    yield "FaultDefinition:"
    yield f"  # Written by {COMMAND}"
    yield "  description: A fault, the requests that it applies to, and how often."
    yield "  oneOf:"
    descriptions = {fault: text for fault, option, *_, text in documentation() if option is None}
    for index, (fault, kind) in enumerate(registry().items()):
        options = options_of(kind)
        required = ["fault", *(name for name, option in options.items() if option.default is MISSING)]
        yield "    - type: object"
        yield f"      description: {_flow(descriptions[fault])}"
        yield "      additionalProperties: false"
        yield f"      required: {_flow(required)}"
        yield "      properties:"
        yield f"        fault: {{const: {fault}}}"
        if index:
            yield "        <<: *matchers"
        else:
            yield "        <<: &matchers"
            for name, description in _MATCHERS.items():
                matcher = {"type": ["string", "null"], "minLength": 1, "description": description}
                yield f"          {name}: {_flow(matcher)}"
            yield "          probability: {type: number, minimum: 0, maximum: 1, default: 1}"
            yield f"          times: {_flow(_TIMES)}"
            yield f"          lasts: {_flow({'$ref': '#/components/schemas/Duration', 'description': _LASTS})}"
        for name, option in options.items():
            yield f"        {name}: {_flow({**option_schema(option), 'description': _sentence(option.description)})}"


def _rule_lines() -> Iterator[str]:
    required = ["id", "fault", *_MATCHERS, "probability", "remaining", "until", "matched"]
    yield "FaultRule:"
    yield "  type: object"
    yield "  additionalProperties: false"
    yield f"  required: {_flow(required)}"
    yield "  properties:"
    yield "    id: {type: integer, minimum: 1}"
    yield f"    fault: {_flow({'enum': list(registry())})}"
    for name in _MATCHERS:
        yield f'    {name}: {{type: [string, "null"]}}'
    yield "    probability: {type: number, minimum: 0, maximum: 1}"
    yield '    remaining: {type: [integer, "null"], minimum: 1, description: Null without a limit.}'
    yield "    until:"
    yield "      description: Null without a limit."
    yield '      anyOf: [{$ref: "#/components/schemas/Timestamp"}, {type: "null"}]'
    yield "    matched: {type: integer, minimum: 0}"
    for name, schema in _all_options().items():
        shown = {key: schema[key] for key in ("type", "items") if key in schema}
        yield f"    {name}: {_flow(shown)}"


def _all_options() -> dict[str, dict[str, Any]]:
    """The options of all faults by name; one that several faults have gets the widest range."""
    merged: dict[str, dict[str, Any]] = {}
    faults: dict[str, dict[str, list[str]]] = {}
    for fault, kind in registry().items():
        for name, option in options_of(kind).items():
            schema = {key: value for key, value in option_schema(option).items() if key != "default"}
            known = merged.setdefault(name, schema)
            if option.type == "integer":
                known["minimum"] = min(known["minimum"], schema["minimum"])
                known["maximum"] = max(known["maximum"], schema["maximum"])
            faults.setdefault(name, {}).setdefault(option.description, []).append(fault)
    descriptions = {
        name: " ".join(f"{', '.join(names)}: {text}." for text, names in by_text.items())
        for name, by_text in faults.items()
    }
    return {name: {**schema, "description": descriptions[name]} for name, schema in merged.items()}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _flow(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.removesuffix("\n...\n").rstrip("\n") if not isinstance(value, Mapping) else text.rstrip("\n")


def _bounds(contract: str, text: str) -> tuple[int, int]:
    start, end = (_OPENAPI_START, _OPENAPI_END) if contract == OPENAPI else (_WORKSPACE_START, _WORKSPACE_END)
    first = text.index(start)
    return first, text.index(end, first)


if __name__ == "__main__":
    write(contracts_dir())
