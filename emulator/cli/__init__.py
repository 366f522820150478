"""The command line: one module per command, imported when it is called."""

from __future__ import annotations

import gc
import os
import re
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from emulator import __version__
from emulator.cli.option_variables import suffix_of, with_variables
from emulator.cli.streams import ReaderLeft, output_error, prepare, settle
from emulator.errors import EXIT_CODES, RENAMED, EmulatorDefect, EmulatorError, UserMistake, nearest, reason_of

COMMANDS = {
    "serve": "Run the emulator as a server.",
    "start": "Run the emulator as a server in the background.",
    "status": "Show whether the server in the background runs.",
    "wait": "Wait until a server answers.",
    "env": "Print the environment variables for a running server.",
    "stop": "Stop the server in the background.",
    "exec": "Run a command with its own emulator, and the environment variables to reach it.",
    "demo": "Run the whole sync with generated people and check the result.",
    "generate": "Generate people, identify calls, audience events and workspaces.",
    "load": "Put load on a running emulator by Locust, and check that everything is accounted for.",
    "trigger": "Send one event to a running emulator and print its outcome.",
    "why": "Show why a person, a message or a property did not arrive, and what would let it through.",
    "events": "Print everything that happened in a running emulator, and follow it.",
    "funnel": "Show how many events reached each step of Segment, and how they ended at StackAdapt.",
    "segments": "List, preview, create and delete StackAdapt segments of a running emulator.",
    "map": "Show what the destination would send for events.",
    "explain": "Trace one event through trigger, mapping, validation and StackAdapt.",
    "plan": "Show what a change of the workspace would do to the profiles of a population.",
    "upgrade-check": "Check what an upgrade of the destination would change, and what it would lose.",
    "mutate": "Make mistakes in a workspace, and show which of them scenarios and tests do not notice.",
    "grade": "Run a client of StackAdapt against failures, and judge what it does.",
    "coverage": "Show what runs exercised of triggers, mappings and both services, and what they did not.",
    "lint": "Find mistakes in a workspace: settings, connections, triggers and mappings.",
    "validate": "Check events, batches, mappings and workspaces against the contracts.",
    "verify": "Run scenarios against the emulator or another endpoint and check their expectations.",
    "test-connection": "Test a token as the published destination does, and list its advertisers.",
    "clock": "Show and change the time of a running emulator.",
    "workspace": "Show, check and change the workspace of a running emulator, or write a first file.",
    "snapshot": "Save the state of a running emulator to a file, and restore it.",
    "record": "Forward requests to a real endpoint and record its responses, without personal data.",
    "drift": "Compare StackAdapt's schema, or an installed destination, with the contract.",
    "mcp": "Serve tools for assistants that debug a sync, over the Model Context Protocol.",
    "docs": "Print a page of the documentation, or the lines with certain words.",
    "fidelity": "Show what is emulated, and where the knowledge of each behaviour comes from.",
    "replay": "Run recorded cases through the mapping engine and compare.",
}

_PREFIX = "STACKADAPT_EMULATOR"
_TRACEBACK = f"{_PREFIX}_TRACEBACK"
_INTERRUPTED = 130
_EPILOG = f"""\b
Start here:
  stackadapt-emulator demo            run the whole sync and print the outcome of every event
  stackadapt-emulator serve           run it on http://127.0.0.1:8585 for your own code
\b
Exit codes: {", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())}.
Every option has an environment variable, such as {_PREFIX}_SERVE_PORT for serve --port.
"""


class SuggestingGroup(click.Group):
    """A group of commands that suggests the closest name for an unknown one, and names the variables of options."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except click.UsageError as error:
            message = " ".join(filter(None, (error.message, nearest(args[0], self.list_commands(ctx)))))
            raise click.UsageError(message, ctx) from None
        if name is not None and command is not None and ctx.auto_envvar_prefix is not None:
            command = with_variables(command, f"{ctx.auto_envvar_prefix}_{suffix_of(name)}")
        return name, command, rest


class _Commands(SuggestingGroup):
    """Imports a command's module when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        # `--help` prints here. click would end with 1 because the reader left.
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError:
            raise ReaderLeft from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderLeft from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # What is imported lives until the end: the collector finds nothing in it, and takes a fifth of the time.
        gc.disable()
        try:
            command: click.Command = import_module(f"emulator.cli.{cmd_name.replace('-', '_')}").command
        finally:
            gc.freeze()
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="stackadapt-emulator")
def cli() -> None:
    """A local StackAdapt and a local Segment, with the real mapping engine between them.

    It accepts Segment events, maps them to the GraphQL requests that the published destination "StackAdapt Audiences"
    sends, and responds as StackAdapt would: profiles appear, records without an email are rejected with a reason, and
    segments of the audience fill. No credentials, no network.
    """


def check_environment(environment: Mapping[str, str]) -> None:
    """Raises UserMistake for the variable of a renamed option, which would otherwise be ignored."""
    commands = "|".join(suffix_of(name) for name in COMMANDS)
    for old in sorted((name for name in RENAMED if name.startswith("--")), key=len, reverse=True):
        pattern = rf"({_PREFIX}_(?:{commands})_(?:[A-Z_]+_)?){suffix_of(old)}"
        for variable in sorted(environment):
            if match := re.fullmatch(pattern, variable):
                raise UserMistake(
                    f"unknown environment variable {variable!r}",
                    hint=f"It is now {match[1] + suffix_of(RENAMED[old])!r}.",
                )


def main() -> None:
    """Runs the command line. An error is one line on standard error; a traceback is printed on request only."""
    prepare()
    try:
        code = _run()
    except SystemExit as stop:
        # The code of a command that has printed its result.
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    if code := settle(code):
        sys.exit(code)


def _run() -> int:
    """The exit code of the command line, after its error has been printed."""
    try:
        check_environment(os.environ)
        cli.main(prog_name="stackadapt-emulator", auto_envvar_prefix=_PREFIX, standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption) and error.option_name in RENAMED:
            # click suggests only an option that is spelled alike.
            message = f"No such option {error.option_name!r}: it is now {RENAMED[error.option_name]!r}."
            error = click.NoSuchOption(error.option_name, message, ctx=error.ctx)
        error.show()
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except EmulatorError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except ReaderLeft:
        return 0
    except OSError as error:
        return 0 if output_error() else _refused(error)
    except Exception as error:  # noqa: BLE001 - any other exception is a bug in the emulator
        return _bug(error)
    return 0


def _refused(error: OSError) -> int:
    """What the system refuses: a full disk, a folder that was deleted, too many open files."""
    if os.environ.get(_TRACEBACK):
        traceback.print_exc()
    where = str(error.filename) if error.filename is not None else None
    reason = error.strerror or reason_of(error)
    mistake = UserMistake(f"the system refuses: {reason[:1].lower()}{reason[1:]}", where=where)
    click.echo(f"error: {mistake}", err=True)
    return mistake.exit_code


def _bug(error: Exception) -> int:
    if os.environ.get(_TRACEBACK):
        traceback.print_exc()
    message = " ".join(f"this is a bug in the emulator: {type(error).__name__}: {error}".split())
    defect = EmulatorDefect(message, hint=f"Set {_TRACEBACK}=1 to see where it happened.")
    click.echo(f"error: {defect}", err=True)
    return defect.exit_code
