"""The generated parts of the documentation, made from the package's own data.

A page marks a part by `<!-- generated: NAME -->` and `<!-- end -->`. `python -m tests.docs.tables` rewrites them all;
`test_documents.py` compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import click
import yaml
from graphql import build_schema

from emulator.artefacts import contract, contract_json
from emulator.cli import COMMANDS
from emulator.errors import EXIT_CODES
from emulator.harness.checks import finding
from emulator.mapping import Field, generations, load_definition
from emulator.mcp_server import tools as assistants
from emulator.segment.conditions.compile import TRAIT_OPERATORS
from emulator.stackadapt.graphql.schema import API_VERSIONS
from emulator.stackadapt.rules.segment_rules import ALIASES, FIELDS, LABELS, OPERATORS, VALUE_KINDS
from tests.docs.blocks import DOCUMENTS, FOLDER, ROOT
from tests.docs.schema_keys import keys_of
from tests.faults.contract_parts import documentation

_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_VARIABLES = (
    ("`STACKADAPT_EMULATOR_COMMAND`", "the command that the [package for Node](node.md) starts"),
    ("`STACKADAPT_EMULATOR_TRACEBACK`", "`1` prints the traceback of an unexpected error"),
    ("`GITHUB_ACTIONS`", "`true` makes `lint`, `validate`, `verify` and `drift` [annotate files](ci.md#annotations)"),
    ("`STACKADAPT_TEST_URL`, `STACKADAPT_TEST_TOKEN`, `STACKADAPT_TEST_ADVERTISER`", "options of the pytest plugin"),
)
LLMS_TXT = FOLDER / "llms.txt"
SKILLS = sorted(FOLDER.glob("skills/*/SKILL.md"))
_METHODS = ("get", "post", "put", "patch", "delete")

Row = Sequence[object]


def rewritten(text: str) -> str:
    """A page with its generated parts as they should be."""
    return _PART.sub(lambda part: f"{part[1]}\n{TABLES[part[2]]()}\n{part[3]}", text)


def table(heads: Sequence[str], rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(value: object) -> str:
    return f"`{value}`"


def mapping_fields() -> str:
    """The fields of each action, one table for generations that share their actions."""
    groups: list[tuple[list[str], Mapping[str, Any]]] = []
    for generation in reversed(generations()):
        actions = load_definition(generation).actions
        shared = next((names for names, known in groups if known == actions), None)
        if shared is None:
            groups.append(([generation], actions))
        else:
            shared.insert(0, generation)
    parts = []
    for names, actions in groups:
        for action in actions.values():
            rows = [row for field in action.fields for row in _field_rows(field)]
            heads = ("field", "label", "type", "required", "default")
            parts.append(f"**{' and '.join(names)}: {action.title}** (`{action.slug}`)\n\n{table(heads, rows)}")
    return "\n".join(parts)


def _field_rows(field: Field, prefix: str = "") -> Iterator[Row]:
    choices = f": {', '.join(map(_code, field.choices))}" if field.choices else ""
    kind = f"list of {field.type}" if field.multiple else field.format or field.type
    default = ", else ".join(map(_code, dict.fromkeys(re.findall(r"\$\.[\w.]+", str(field.default)))))
    if isinstance(field.default, Mapping) and field.properties:
        default = "see its properties"
    elif field.default is not None and not default:
        default = _code(str(field.default).lower() if isinstance(field.default, bool) else field.default)
    yield _code(prefix + field.key), field.label, kind + choices, "yes" if field.required else "", default
    for inner in field.properties:
        inherited = field.default.get(inner.key) if isinstance(field.default, Mapping) else None
        shown = {name: getattr(inner, name) for name in Field.__dataclass_fields__} | {"default": inherited}
        yield from _field_rows(Field(**shown), f"{prefix}{field.key}.")


def rule_fields() -> str:
    others: dict[str, list[str]] = {}
    for alias, name in (*ALIASES.items(), *LABELS.items()):
        others.setdefault(name, []).append(alias)
    rows = [
        (
            ", ".join(
                _code(name) if "_" in name or name == "email" else name
                for name in (field.field, *others.get(field.field, ()))
            ),
            field.values,
            ", ".join(map(_code, field.operators)),
            _code(json.dumps(field.example)),
        )
        for field in FIELDS
    ]
    return table(("field", "values", "operators", "example"), rows)


def rule_operators() -> str:
    rows = [(_code(name), VALUE_KINDS[each.value], each.meaning) for name, each in OPERATORS.items()]
    return table(("operator", "value", "meaning"), rows)


def workspace_keys() -> str:
    # Faults have a table of their own.
    keys = [key for key in keys_of("workspace.schema.json") if not key.path.startswith("faults[].")]
    rows = [
        (_code(key.path), key.type, "yes" if key.required else "", _default(key.default), key.description or "")
        for key in keys
    ]
    return table(("key", "type", "required", "default", "meaning"), rows)


def _default(value: object) -> str:
    return "" if value is None else _code(str(value).lower() if isinstance(value, bool) else value)


def condition_operators() -> str:
    event = contract_json("workspace.schema.json")["$defs"]["eventCondition"]["properties"]
    of_properties = event["where"]["items"]["properties"]["operator"]["enum"]
    rows = [
        (
            _code(name),
            getattr(each, "takes", "a duration such as `7d`"),
            each.description,
            "yes" * (name in of_properties),
        )
        for name, each in TRAIT_OPERATORS.items()
    ]
    counts = ", ".join(map(_code, event["operator"]["enum"]))
    heads = ("operator", "value", "meaning", "also for properties of events")
    return f"{table(heads, rows)}\nHow many times an event was performed: {counts}.\n"


def faults() -> str:
    rows = [
        (
            _code(fault) if option is None else "",
            _code(option) if option else "",
            kind,
            default and _code(default),
            text,
        )
        for fault, option, kind, default, text in documentation()
    ]
    return table(("fault", "option", "type", "default", "effect"), rows)


def reason_codes() -> str:
    content = yaml.safe_load(contract("reason-codes.yaml").read_text(encoding="utf-8"))
    reasons = [(_code(row["code"]), row["outcome"], row["meaning"], row["fix"]) for row in content["reasons"]]
    warned = [
        (_code(row["code"]), "visible, with a warning", row["meaning"], row["fix"]) for row in content["warnings"]
    ]
    return table(("code", "outcome", "meaning", "what to do"), [*reasons, *warned])


def segment_reason_codes() -> str:
    content = yaml.safe_load(contract("reason-codes.yaml").read_text(encoding="utf-8"))
    names = {row["step"]: row["name"] for row in content["steps"]}
    rows = [(_code(row["code"]), names[row["step"]], row["meaning"], row["fix"]) for row in content["segment"]]
    return table(("code", "step", "meaning", "what to do"), rows)


def record_outcomes() -> str:
    content = yaml.safe_load(contract("reason-codes.yaml").read_text(encoding="utf-8"))
    return table(("outcome", "meaning"), [(_code(name), text) for name, text in content["outcomes"].items()])


def assistant_tools() -> str:
    rows = [
        (_code(tool.name), tool.description, "data" if tool.destructive else "nothing")
        for tool in assistants().values()
    ]
    return table(("tool", "what it does", "changes"), rows)


def llms_txt() -> str:
    """The index of the documentation for language models: https://llmstxt.org. Its entries are the rows of README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (\[.+\]\(.+\)) \|$", readme.partition("## Start here")[2], re.MULTILINE)
    entries = [
        f"- [{title}]({page}): {wish}"
        for wish, links in rows
        for title, page in re.findall(r"\[([^]]+)\]\(emulator/docs/([^)]+)\)", links)
    ]
    skills = [f"- [{path.parent.name}]({path.relative_to(FOLDER).as_posix()})" for path in SKILLS]
    head = readme.split("\n\n")[1].replace("\n", " ").removesuffix(":")
    parts = (
        "# stackadapt-emulator",
        f"> {head}",
        "## Documentation",
        "\n".join(entries),
        "## Skills",
        "\n".join(skills),
    )
    return "\n\n".join(parts) + "\n"


def lint_codes() -> str:
    return table(("code", "severity", "finding"), [(_code(code), *row) for code, *row in finding.rows()])


def commands() -> str:
    return table(("command", "what it does"), [(_code(name), text) for name, text in COMMANDS.items()])


def exit_codes() -> str:
    return table(("code", "meaning"), EXIT_CODES.items())


def environment_variables() -> str:
    found: dict[str, tuple[str, list[str]]] = {}
    for name in COMMANDS:
        for path, option in _options(import_module(f"emulator.cli.{name.replace('-', '_')}").command, name):
            if isinstance(option.envvar, str):
                option_name = option.opts[0]
                found.setdefault(option.envvar, (option_name, []))[1].append(path)
    rows = [
        (_code(name), f"`{option}` of {', '.join(_code(path) for path in paths)}")
        for name, (option, paths) in found.items()
    ]
    return table(("variable", "meaning"), [*rows, *_VARIABLES])


def _options(command: click.Command, path: str) -> Iterator[tuple[str, click.Parameter]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _options(inner, f"{path} {name}")
    else:
        yield from ((path, option) for option in command.params)


def root_fields() -> str:
    fields: dict[tuple[str, str], list[str]] = {}
    for version in reversed(API_VERSIONS):
        schema = build_schema(contract(f"stackadapt/{version}/schema.graphql").read_text(encoding="utf-8"))
        for kind, found in (("query", schema.query_type), ("mutation", schema.mutation_type)):
            for name in found.fields if found else ():
                fields.setdefault((kind, name), []).append(version)
    rows = [(_code(name), kind, ", ".join(sorted(versions))) for (kind, name), versions in sorted(fields.items())]
    return table(("root field", "kind", "API versions"), rows)


def http_api() -> str:
    document = _openapi()
    parts = []
    for tag in document["tags"]:
        rows = [row for path, item in document["paths"].items() for row in _operations(path, item, tag["name"])]
        parts.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}\n\n")
        parts.append(table(("request", "what it does", "query parameters", "body"), rows) + "\n")
    return "".join(parts).rstrip("\n") + "\n"


def _operations(path: str, item: Mapping[str, Any], tag: str) -> Iterator[Row]:
    for method in _METHODS:
        operation = item.get(method)
        if operation and tag in operation["tags"]:
            parameters = [_resolved(each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
            asked = ", ".join(_code(each["name"]) for each in parameters if each["in"] == "query")
            body = ", ".join(operation.get("requestBody", {}).get("content", ()))
            yield _code(f"{method.upper()} {path}"), operation["summary"], asked, body


def _resolved(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    name = parameter.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = _openapi()["components"]["parameters"][name] if name else parameter
    return found


@cache
def _openapi() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(contract("openapi.yaml").read_text(encoding="utf-8"))
    return content


TABLES: Mapping[str, Callable[[], str]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        *(mapping_fields, rule_fields, rule_operators, workspace_keys, condition_operators, faults, reason_codes),
        *(
            segment_reason_codes,
            record_outcomes,
            lint_codes,
            assistant_tools,
            commands,
            exit_codes,
            environment_variables,
            root_fields,
            http_api,
        ),
    )
}


def main() -> None:
    """Rewrites the generated parts of every page, and the index for language models."""
    for page in DOCUMENTS:
        text = page.read_text(encoding="utf-8")
        page.write_text(rewritten(text), encoding="utf-8")
    LLMS_TXT.write_text(llms_txt(), encoding="utf-8")


if __name__ == "__main__":
    main()
