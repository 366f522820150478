"""What the documentation has for assistants: the configuration of clients, the index, and the skill."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
import pytest
import yaml

from emulator.cli.mcp import command
from emulator.harness.documentation import PAGES
from emulator.mcp_server import tools
from tests.docs import shell
from tests.docs.blocks import FOLDER, blocks_of, links_of
from tests.docs.page import check_usage
from tests.docs.tables import LLMS_TXT, SKILLS, llms_txt

CONFIGURATIONS = [json.loads(block.text) for block in blocks_of(FOLDER / "mcp.md") if block.language == "json"]


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_a_configuration_starts_the_command(configuration: dict[str, dict[str, dict[str, object]]]) -> None:
    ((_, servers),) = configuration.items()
    (server,) = servers.values()
    assert server["command"] == "stackadapt-emulator"
    name, *arguments = server["args"]
    assert name == "mcp"
    assert isinstance(command.make_context("mcp", arguments), click.Context)


def test_the_example_in_the_help_is_one_of_the_page(call: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    shown = next(line for line in call("mcp", "--help").stdout.splitlines() if "mcpServers" in line)
    assert json.loads(shown) in CONFIGURATIONS


def test_the_index_is_up_to_date_and_has_every_page() -> None:
    assert LLMS_TXT.read_text(encoding="utf-8") == llms_txt(), "run `make docs`"
    linked = {link.partition("#")[0] for link in links_of(LLMS_TXT)}
    assert {f"{page}.md" for page in PAGES} <= linked
    assert [link for link in linked if not (FOLDER / link).exists()] == []


def members(schema: object) -> Iterator[str]:
    """The names of the members that a schema declares, at any depth, and the values that it lists."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties", {})
        yield from map(str, schema.get("required", ()))
        yield from map(str, schema.get("enum", ()))
        schema = [*schema.values()]
    for each in schema if isinstance(schema, list) else ():
        yield from members(each)


DECLARED = {*tools(), *(name for tool in tools().values() for name in members([tool.input, tool.output]))}


@pytest.mark.parametrize("path", [FOLDER / "mcp.md", *SKILLS], ids=lambda path: path.name)
def test_a_page_names_members_and_calls_of_tools_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = DECLARED | {"mcp", "docs", "env", "delivered", "first_name"}
    words = set(re.findall(r"`([a-z]+(?:[._](?!json|txt)[a-z]+)*)`", text))
    assert [word for word in words if not {*word.split(".")} <= known] == []
    for name, given in re.findall(r"`([a-z_]+) (\{[^`]*\})`", text):
        assert {*re.findall(r'"([a-z_]+)":', given)} <= known, given
        assert name in tools()


@pytest.mark.parametrize("skill", SKILLS, ids=lambda path: path.parent.name)
def test_a_skill_has_the_form_of_one_and_names_what_exists(skill: Path) -> None:
    """The form: https://agentskills.io/specification."""
    _, head, text = skill.read_text(encoding="utf-8").split("---\n", 2)
    about = yaml.safe_load(head)
    assert about.keys() == {"name", "description"}
    assert about["name"] == skill.parent.name
    assert re.fullmatch(r"[a-z0-9-]{1,64}", about["name"])
    assert 0 < len(about["description"]) <= 1024
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+|why|explain|plan)`", text))
    assert named - {"show_personal_data"} == tools().keys()
    for line in re.findall(r"`(stackadapt-emulator [^`]+)`", text):
        check_usage(shell.words_of(line))
