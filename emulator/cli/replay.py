"""`replay`: run recorded cases through the mapping engine and compare them with the real engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from emulator.cli.terminal import Terminal
from emulator.harness.recorded_cases import Case, Difference, compare, read_cases, replay
from emulator.mapping import stringify
from emulator.text import excerpts

_EPILOG = """\b
Examples:
  stackadapt-emulator replay cases.jsonl > outcomes.jsonl
  stackadapt-emulator replay --compare cases.jsonl.gz
"""
_SHOWN = 5
_AROUND = 60


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--compare", "comparing", is_flag=True, help="Compare with `expected` of each case; exit 1 on a difference."
)
def command(files: Sequence[Path], comparing: bool) -> None:
    """Run recorded cases (.jsonl or .jsonl.gz) through the mapping engine.

    Prints one JSON object per case. With --compare, prints the first differences and a summary instead; request bodies
    must be equal byte for byte.
    """
    if comparing:
        _compare(files)
        return
    for path in files:
        for case in read_cases(path):
            click.echo(stringify(replay(case)))


def _compare(files: Sequence[Path]) -> None:
    console = Terminal(highlight=False, markup=False, soft_wrap=True)
    equal: Counter[str] = Counter()
    different: Counter[str] = Counter()
    for path in files:
        for case in read_cases(path):
            differences = compare(case, replay(case))
            group = case.get("kind") or f"{case['generation']} {case['mode']}"
            (different if differences else equal)[group] += 1
            if differences and different.total() <= _SHOWN:
                _show(case, differences, console)
    _summarise(equal, different, console)
    if different:
        raise SystemExit(1)


def _show(case: Case, differences: Sequence[Difference], console: Console) -> None:
    for difference in differences:
        console.print(f"{case.get('id')}: {difference.where}")
        expected, found = excerpts(difference.expected, difference.found, _AROUND)
        console.print(f"  expected  {expected}")
        console.print(f"  found     {found}")


def _summarise(equal: Counter[str], different: Counter[str], console: Console) -> None:
    table = Table("kind", "cases", "equal", "different")
    for column in table.columns[1:]:
        column.justify = "right"
    for group in sorted(equal | different):
        cases = equal[group] + different[group]
        table.add_row(group, str(cases), str(equal[group]), str(different[group]))
    total = equal.total() + different.total()
    table.add_section()
    table.add_row("all", str(total), str(equal.total()), str(different.total()))
    console.print(table)
    console.print(f"{equal.total()} of {total} equal")
