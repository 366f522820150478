"""The options of `generate`: what they are called, and what they are together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from emulator.errors import InputError
from emulator.generator.edge_cases import EDGE_CASE_SHARES
from emulator.generator.event_stream import StreamOptions
from emulator.generator.job import FORMS, JSONL
from emulator.generator.people import INVALID_EMAIL_SHARE, MISSING_EMAIL_SHARE, Population

Command = Callable[..., Any]

GZIP = ".gz"

# The calls come one a second, so the last one of all is of this century.
_MOST = 1_000_000_000
_SHARE = click.FloatRange(0, 1)
_AWKWARD = (
    f"Share of people who trip a delivery, such as quote=0.01; may be repeated. One of {', '.join(EDGE_CASE_SHARES)}. "
    "Nobody when absent."
)

_CROWD = (
    click.option("--count", default=1000, show_default=True, type=click.IntRange(1, _MOST), help="How many."),
    click.option(
        "--start", default=0, show_default=True, type=click.IntRange(0, _MOST), help="Number of the first one."
    ),
    click.option("--seed", default=1, show_default=True, help="The same seed makes the same ones."),
    click.option(
        "--locale", "locales", default=("en_US",), show_default=True, multiple=True, help="Of Faker; may be repeated."
    ),
    click.option("--missing-email", default=MISSING_EMAIL_SHARE, show_default=True, type=_SHARE, help="Share."),
    click.option("--invalid-email", default=INVALID_EMAIL_SHARE, show_default=True, type=_SHARE, help="Share."),
    click.option("--awkward", metavar="TAG=SHARE", multiple=True, help=_AWKWARD),
)
_DISORDER = (
    click.option("--churn", default=0.0, type=_SHARE, help="Share of VIPs who leave the audience again."),
    click.option("--duplicates", default=0.0, type=_SHARE, help="Share of events that come again soon."),
    click.option("--late", default=0.0, type=_SHARE, help="Share of people whose first events are up to a day old."),
    click.option("--out-of-order", default=0.0, type=_SHARE, help="Share of events up to 20 places too late."),
)
_OUTPUT = (
    click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File; printed when absent."),
    click.option(
        "--format", "form", type=click.Choice(FORMS), help="By the file's name when absent, or jsonl. csv: people only."
    ),
    click.option("--gzip", "compressed", is_flag=True, help="Also when the file's name ends in .gz."),
    click.option(
        "--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="They make the same file."
    ),
    click.option("--resume", is_flag=True, help="Continue a file that an interruption left as FILE.part."),
    click.option("--force", is_flag=True, help="Replace a file that exists."),
)


def crowd_options(command: Command) -> Command:
    """Which people, and how many."""
    return _with(_CROWD, command)


def disorder_options(command: Command) -> Command:
    """How events differ from one after the other."""
    return _with(_DISORDER, command)


def output_options(command: Command) -> Command:
    """Where they go."""
    return _with(_OUTPUT, command)


def form_of(given: str | None, output: Path | None) -> str:
    """The format that was asked for, else the one that a file's name tells. Raises InputError for a name of another."""
    suffix = Path(output.name.removesuffix(GZIP)).suffix.removeprefix(".") if output is not None else ""
    form = given or suffix or JSONL
    if form not in FORMS:
        raise InputError(
            "this name tells no format",
            where="--output",
            found=str(output),
            allowed=f"{', '.join(f'.{form}' for form in FORMS)}, with or without {GZIP}",
            hint="Name it so, or add --format.",
        )
    return form


def crowd_of(given: dict[str, Any]) -> Population:
    """The people of `crowd_options`. Raises InputError."""
    chosen = {name: given[name] for name in ("seed", "locales", "missing_email", "invalid_email")}
    return Population(**chosen, awkward=_awkward(given["awkward"]))


def disorder_of(given: dict[str, Any]) -> StreamOptions:
    """The disorder of `disorder_options`."""
    return StreamOptions(**{name: given[name] for name in ("churn", "duplicates", "late", "out_of_order")})


def _with(options: Iterable[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(tuple(options)):
        command = option(command)
    return command


def _awkward(given: Iterable[str]) -> dict[str, float]:
    shares = {}
    for text in given:
        tag, _, share = text.partition("=")
        try:
            shares[tag] = float(share)
        except ValueError:
            raise InputError(
                "this is not a tag and its share", where="--awkward", found=text, allowed="such as quote=0.01"
            ) from None
    return shares
