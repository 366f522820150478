"""Every option has the environment variable that its name says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from emulator.cli import cli

PREFIX = "STACKADAPT_EMULATOR"


def commands_in(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command, as it is called."""
    for each in group.list_commands(context):
        name, command, _ = group.resolve_command(context, [each])
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield command, inner
        if isinstance(command, click.Group):
            yield from commands_in(command, inner)


def test_the_variable_of_an_option_is_named_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names: set[str] = set()
    for command, context in commands_in(cli, click.Context(cli, auto_envvar_prefix=PREFIX)):
        for option in command.params:
            if not isinstance(option, click.Option):
                continue
            longest = next(each for each in option.opts if each.startswith("--"))
            name = "_".join([context.auto_envvar_prefix or "", *longest.strip("-").split("-")]).upper()
            of_parameter = {f"{context.auto_envvar_prefix}_{option.name}".upper()}
            monkeypatch.setattr(os, "environ", {name: "given"})
            assert option.resolve_envvar_value(context) == "given", name
            monkeypatch.setattr(os, "environ", dict.fromkeys(of_parameter - {name}, "given"))
            assert option.resolve_envvar_value(context) is None, name
            assert name not in names
            names.add(name)
    assert {f"{PREFIX}_SERVE_WORKSPACE", f"{PREFIX}_GENERATE_PEOPLE_GZIP", f"{PREFIX}_FIDELITY_PROBE_LIST"} <= names


def test_an_option_is_set_by_its_variable(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text("advertisers: []\n")
    variables = {f"{PREFIX}_EXEC_WORKSPACE": str(tmp_path / "workspace.yaml")}
    done = CliRunner().invoke(cli, ["exec", "true"], env=variables, auto_envvar_prefix=PREFIX)
    assert "workspace.yaml" in str(done.exception)
