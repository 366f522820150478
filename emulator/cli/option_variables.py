"""The environment variable of each option: named after the option, not after the parameter that gets its value."""

from __future__ import annotations

from copy import copy

import click


def suffix_of(option: str) -> str:
    """`JUNIT_XML`, of `--junit-xml`: how a variable of the option ends."""
    return option.removeprefix("--").upper().replace("-", "_")


def with_variables(command: click.Command, prefix: str) -> click.Command:
    """The command with a variable for each option that names none: `STACKADAPT_EMULATOR_SERVE_PORT` of `--port` below
    the prefix `STACKADAPT_EMULATOR_SERVE`.
    """
    named = copy(command)
    named.params = [_with_variable(each, prefix) for each in command.params]
    return named


def _with_variable(parameter: click.Parameter, prefix: str) -> click.Parameter:
    if not isinstance(parameter, click.Option) or parameter.envvar is not None:
        return parameter
    option = copy(parameter)
    option.envvar = f"{prefix}_{suffix_of(next(each for each in option.opts if each.startswith('--')))}"
    # click would also read a variable with the name of the parameter.
    option.allow_from_autoenv = False
    return option
