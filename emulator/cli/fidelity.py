"""`fidelity`: the ledger of emulated behaviours, by provenance, area and text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click
from rich.table import Table

from emulator.cli import SuggestingGroup
from emulator.cli.terminal import Terminal
from emulator.harness.ledger import PROVENANCES, search

_EPILOG = """\b
Examples:
  stackadapt-emulator fidelity
  stackadapt-emulator fidelity --provenance assumed
  stackadapt-emulator fidelity retry --json
  stackadapt-emulator fidelity probe --list
"""


_PROBE = "probe"


class _LedgerGroup(SuggestingGroup):
    """Prints the ledger, unless the first word is a sub-command, which is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [_PROBE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != _PROBE:
            return None
        # It has an emulator to compare with, which takes a while to import.
        from emulator.cli.fidelity_probe import command as probe

        return probe

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] in self.list_commands(ctx):
            # The argument TEXT comes first, and is empty.
            return super().parse_args(ctx, ["", *args])
        ctx.allow_interspersed_args = True
        return super().parse_args(ctx, args)


@click.group(cls=_LedgerGroup, invoke_without_command=True, epilog=_EPILOG, subcommand_metavar="[probe [OPTIONS]]")
@click.argument("text", required=False)
@click.option("--provenance", type=click.Choice([*PROVENANCES]), help="Only what is known in this way.")
@click.option("--area", help="Only this area of the ledger, named as in the summary.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, text: str | None, provenance: str | None, area: str | None, as_json: bool) -> None:
    """Print what is emulated with the source of each behaviour, or a summary without TEXT or an option.

    TEXT is searched in the id, the behaviour, the source, the settings, and the names of tests and scenarios.
    """
    if ctx.invoked_subcommand is not None:
        return
    found = search(provenance=provenance, area=area, text=text)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    console = Terminal(highlight=False, markup=False)
    if text is None and provenance is None and area is None:
        console.print(_summary(found))
        return
    for row in found["behaviours"]:
        for line in _lines(row):
            console.print(line, soft_wrap=True)
    console.print(f"{len(found['behaviours'])} of {found['total']} behaviours")


def _summary(found: Mapping[str, Any]) -> Table:
    table = Table("", "behaviours", "meaning")
    table.columns[1].justify = "right"
    for each in found["provenances"]:
        table.add_row(each["name"], str(each["count"]), each["meaning"])
    table.add_section()
    for each in found["areas"]:
        table.add_row(each["name"], str(each["count"]), "")
    table.add_section()
    table.add_row("all", str(found["total"]), "")
    return table


def _lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{row['id']}  ({row['provenance']})"
    yield f"  {row['behaviour']}"
    yield f"  source    {row['source']}"
    for name, values in (("setting", row["settings"]), ("scenario", row["scenarios"])):
        if values:
            yield f"  {name:9} {', '.join(values)}"
    yield ""
