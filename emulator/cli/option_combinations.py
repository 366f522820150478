"""Refuses options that have no effect beside the others."""

from __future__ import annotations

from collections.abc import Mapping

import click
from click.core import ParameterSource


def refuse_together(messages: Mapping[tuple[str, ...], str]) -> None:
    """Raises UsageError with the message of the first parameters, by their names in Python, that were all given."""
    context = click.get_current_context()
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    for names, message in messages.items():
        if given.issuperset(names):
            raise click.UsageError(message)


def without_a_run(options: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """The messages for parameters, with their options, that have no effect beside `--list`; `listing` is its name."""
    return {
        ("listing", name): f"{option} cannot be combined with --list, which runs nothing."
        for name, option in options.items()
    }
