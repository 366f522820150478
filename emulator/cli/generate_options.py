"""The options of `generate`, in groups, and the values that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from emulator.cli.finite_numbers import FiniteRange
from emulator.errors import InputError
from emulator.generator.edge_cases import EDGE_CASE_SHARES
from emulator.generator.event_stream import StreamOptions
from emulator.generator.job import FORMS, JSONL
from emulator.generator.people import INVALID_EMAIL_SHARE, MISSING_EMAIL_SHARE, Population
from emulator.generator.shards import WHOLE

Command = Callable[..., Any]

GZIP = ".gz"

# Calls are one a second apart, so the last possible one is in this century.
_MOST = 1_000_000_000
_SHARE = FiniteRange(0, 1)
_EDGE_CASE = (
    "Share of people with a value that breaks a delivery, such as quote=0.01; may be repeated. "
    f"Tags: {', '.join(EDGE_CASE_SHARES)}. Default: none."
)

_POPULATION = (
    click.option("--count", default=1000, show_default=True, type=click.IntRange(1, _MOST), help="Number of records."),
    click.option(
        "--start", default=0, show_default=True, type=click.IntRange(0, _MOST), help="Index of the first record."
    ),
    click.option(
        "--shard",
        metavar="K/N",
        default=str(WHOLE),
        help="Only number K of N parts; their files, joined, are the file of one run.",
    ),
    click.option("--seed", default=1, show_default=True, help="The same seed makes the same records."),
    click.option(
        "--locale", "locales", default=("en_US",), show_default=True, multiple=True, help="Of Faker; may be repeated."
    ),
    click.option("--missing-email", default=MISSING_EMAIL_SHARE, show_default=True, type=_SHARE, help="Share."),
    click.option("--invalid-email", default=INVALID_EMAIL_SHARE, show_default=True, type=_SHARE, help="Share."),
    click.option("--edge-case", "edge_cases", metavar="TAG=SHARE", multiple=True, help=_EDGE_CASE),
)
_STREAM = (
    click.option("--churn", default=0.0, type=_SHARE, help="Share of members who leave the audience again."),
    click.option("--duplicates", default=0.0, type=_SHARE, help="Share of events that are repeated soon after."),
    click.option("--late", default=0.0, type=_SHARE, help="Share of people whose first events are up to a day old."),
    click.option("--out-of-order", default=0.0, type=_SHARE, help="Share of events up to 20 positions too late."),
)
_OUTPUT = (
    click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Default: standard output."),
    click.option(
        "--format", "form", type=click.Choice(FORMS), help="Default: by the file's name, or jsonl. csv: people only."
    ),
    click.option("--gzip", "compressed", is_flag=True, help="Compress; implied by a file name that ends in .gz."),
    click.option(
        "--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="Does not change the content."
    ),
    click.option("--resume", is_flag=True, help="Continue the partial file FILE.part of an interrupted run."),
    click.option("--force", is_flag=True, help="Replace an existing file."),
)


def population_options(command: Command) -> Command:
    """The options for the people and their number."""
    return _with(_POPULATION, command)


def stream_options(command: Command) -> Command:
    """The options for duplicates, order and churn."""
    return _with(_STREAM, command)


def output_options(command: Command) -> Command:
    """The options for the output."""
    return _with(_OUTPUT, command)


def form_of(given: str | None, output: Path | None) -> str:
    """The given format, or else that of the file's name. Raises InputError for a name without one."""
    suffix = Path(output.name.removesuffix(GZIP)).suffix.removeprefix(".") if output is not None else ""
    form = given or suffix or JSONL
    if form not in FORMS:
        raise InputError(
            "the file name has no known format",
            where="--output",
            found=str(output),
            allowed=f"{', '.join(f'.{form}' for form in FORMS)}, with or without {GZIP}",
            hint="Rename the file, or add --format.",
        )
    return form


def population_of(given: dict[str, Any]) -> Population:
    """The people of `population_options`. Raises InputError."""
    chosen = {name: given[name] for name in ("seed", "locales", "missing_email", "invalid_email")}
    return Population(**chosen, edge_cases=_shares(given["edge_cases"]))


def options_of(given: dict[str, Any]) -> StreamOptions:
    """The values of `stream_options`. Raises InputError."""
    return StreamOptions(**{name: given[name] for name in ("churn", "duplicates", "late", "out_of_order")})


def _with(options: Iterable[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(tuple(options)):
        command = option(command)
    return command


def _shares(given: Iterable[str]) -> dict[str, float]:
    shares = {}
    for text in given:
        tag, _, share = text.partition("=")
        try:
            shares[tag] = float(share)
        except ValueError:
            raise InputError(
                "invalid tag and share", where="--edge-case", found=text, allowed="TAG=SHARE, such as quote=0.01"
            ) from None
    return shares
