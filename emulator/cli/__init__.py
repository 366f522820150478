"""The command line: one module a command, imported when it is called."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module

import click

from emulator import __version__
from emulator.cli.groups import ProposingGroup
from emulator.errors import RENAMED, EmulatorDefect, EmulatorError

COMMANDS = {
    "serve": "Run the emulator as a server.",
    "exec": "Run a command with an emulator of its own, and the variables that lead to it.",
    "demo": "Play the whole sync with generated people and check the result.",
    "generate": "Make people, identify calls, audience events and workspaces.",
    "trigger": "Send one event about one person to a running emulator, and tell what became of it.",
    "map": "Show what the destination would send for events.",
    "explain": "Walk one event through trigger, mapping, validation and StackAdapt.",
    "lint": "Find mistakes in a workspace's triggers and mappings.",
    "validate": "Check events, batches, mappings and workspaces against the contracts.",
    "verify": "Play scenarios against the emulator or another endpoint and check what must be true.",
    "clock": "Look at and move the time of a running emulator.",
    "snapshot": "Save the state of a running emulator to a file, and load it again.",
    "record": "Pass requests on to a real endpoint and record its answers, without what identifies anybody.",
    "drift": "Compare StackAdapt's schema, or an installed destination, with the contract.",
    "docs": "Print a page of the documentation.",
    "replay": "Run recorded cases through the mapping engine and compare.",
}

_EPILOG = """\b
Start here:
  stackadapt-emulator demo            see the whole sync work, with a funnel of what became of every event
  stackadapt-emulator serve           run it on http://127.0.0.1:8585 for your own code
\b
Exit codes: 0 ok, 1 a check failed, 2 bad usage or bad input, 3 a defect of the emulator.
Every option can also be set in the environment: serve --port is STACKADAPT_EMULATOR_SERVE_PORT.
"""
_TRACEBACK = "STACKADAPT_EMULATOR_TRACEBACK"


class _Commands(ProposingGroup):
    """Finds a command's module by its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"emulator.cli.{cmd_name}").command
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

    It takes Segment events, turns them into the GraphQL documents that the published destination "StackAdapt
    Audiences" sends, and answers them as StackAdapt would: profiles appear, records without email are rejected with
    a reason, segments on the audience's id and name fill. No credentials, no network.
    """


def main() -> None:
    """Runs the command line. A mistake is one line on standard error, and a traceback only for who asks for it."""
    try:
        cli.main(prog_name="stackadapt-emulator", auto_envvar_prefix="STACKADAPT_EMULATOR", standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption) and error.option_name in RENAMED:
            # click proposes only an option that is spelled alike.
            message = f"No such option {error.option_name!r}: it is now {RENAMED[error.option_name]!r}."
            error = click.NoSuchOption(error.option_name, message, ctx=error.ctx)
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except EmulatorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader went away (`… | head`): nothing is wrong, and nothing more can be said.
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last net: what nobody foresaw is a defect of ours, whatever it is
        if os.environ.get(_TRACEBACK):
            traceback.print_exc()
        message = " ".join(f"this is a defect of the emulator: {type(error).__name__}: {error}".split())
        defect = EmulatorDefect(message, hint=f"Set {_TRACEBACK}=1 to see where it happened.")
        click.echo(f"error: {defect}", err=True)
        sys.exit(defect.exit_code)
