"""`fidelity probe`: asks a live StackAdapt what the ledger only assumes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import httpx
from click.core import ParameterSource

from emulator.addresses import address, shown
from emulator.cli.remote import client_of, permission, remote_options
from emulator.cli.terminal import Terminal
from emulator.clock import Clock
from emulator.durations import parse_duration
from emulator.errors import InputError, UserMistake
from emulator.harness.probe import (
    BEARER,
    BURST,
    DIFFERS,
    JSON,
    NOT_SEEN,
    SEGMENT,
    STATE,
    Probe,
    ProbeReport,
    RowResult,
    Run,
    Setup,
    State,
    Wanted,
    check_free,
    check_names,
    harmless_bodies,
    named,
    not_probed,
    probes,
    shown_requests,
)
from emulator.harness.remote_guard import check_write
from emulator.server.probe_reference import open_reference

_EPILOG = """\b
Examples:
  stackadapt-emulator fidelity probe --list
  STACKADAPT_TOKEN=… stackadapt-emulator fidelity probe --advertiser 12345 --allow-remote
  stackadapt-emulator fidelity probe --advertiser 12345 --allow-remote --allow-writes --only R7,W3
  stackadapt-emulator fidelity probe --resume --allow-remote --allow-writes
\b
Exit codes: 0 when nothing differs, 1 when a row differs, 2 for bad usage, and when the endpoint
refused more requests (429) or did not answer: --resume goes on.
"""
_SANDBOX = "https://sandbox.stackadapt.com/public/graphql"
_DIFFERED, _STOPPED = 1, 2
_MOST_BURST = 1000
_LONGEST_BODY = 400
_OF_A_LISTING = {"listing", "only", "burst", "advertiser", "as_json"}


@click.command("probe", epilog=_EPILOG)
@click.option(
    "--url", "--target", "url", default=_SANDBOX, show_default=True, help="Endpoint; /graphql when it has no path."
)
@click.option("--token", envvar="STACKADAPT_TOKEN", show_envvar=True, help="GraphQL token.")
@click.option("--advertiser", metavar="ID", help="Advertiser to probe; with --allow-writes one used for nothing else.")
@click.option("--only", metavar="PROBE,…", help="Only these probes, such as R7,W3.")
@click.option("--burst", type=click.IntRange(2, _MOST_BURST), help="Send so many requests in a row, last of all.")
@click.option("--segment", metavar="ID", help="Segment for W3b, W9 and W15b; its rules are in `docs fidelity-probe`.")
@click.option("--within", default="4h", show_default=True, help="How long to look for what was sent.")
@click.option(
    "-o",
    "--output",
    default="fidelity-probe",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for state, exchanges and patch.",
)
@click.option("--resume", "resumed", is_flag=True, help="Go on with the probe in that folder.")
@click.option("--list", "listing", is_flag=True, help="Print what each probe sends and settles; send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@remote_options
def command(
    url: str,
    token: str | None,
    advertiser: str | None,
    only: str | None,
    burst: int | None,
    segment: str | None,
    within: str,
    output: Path,
    resumed: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Send the requests that show whether the assumptions of the ledger hold, and compare with the emulator.

    A row is confirmed, differs, or is not seen. The folder gets the exchanges without token and emails, as `record`
    writes them, and a patch for contracts/fidelity.yaml. What is written becomes visible later: run again with
    --resume, also after a status 429, at which everything stops. --list has what is not probed, and why.
    """
    names = _names(only)
    if listing:
        _check_listing(names, burst or 0)
        _print_listing(names, burst or 0, None if advertiser is None else _number(advertiser), as_json=as_json)
        return
    if token is None:
        raise InputError("a token is needed", where="--token", hint="Set STACKADAPT_TOKEN, or use --list to look only.")
    if not token.isascii() or not token.isprintable():
        raise InputError("a token is printable ASCII", where="--token")
    clock = Clock()
    if resumed:
        state = State.load(output / STATE)
        _check_same(state.setup)
        _check_writes(state.setup.url, writes=state.setup.writes)
        with _client(state.setup.url) as client:
            report = Run(output, token, client, clock, open_reference).resume(state)
    else:
        wanted = _wanted(url, advertiser, names, burst or 0, segment, within)
        check_free(output / STATE)
        _check_writes(wanted.url, writes=wanted.writes)
        with _client(wanted.url) as client:
            report = Run(output, token, client, clock, open_reference).begin(wanted)
    _print(report, output, as_json=as_json)
    if report.progress.stopped is not None:
        sys.exit(_STOPPED)
    sys.exit(_DIFFERED if report.counts[DIFFERS] else 0)


def _wanted(
    url: str, advertiser: str | None, names: tuple[str, ...], burst: int, segment: str | None, within: str
) -> Wanted:
    own = _number(advertiser)
    writes = permission().writes
    check_names(names, burst, writes=writes, segment=segment)
    _check_effect(names, burst, writes=writes)
    return Wanted(
        url=_endpoint(url),
        advertiser_id=own,
        only=names,
        writes=writes,
        burst=burst,
        segment=segment,
        hours=_hours(within),
    )


def _number(advertiser: str | None) -> str:
    """The id of an advertiser. Raises InputError."""
    if advertiser is None or not advertiser.isascii() or not advertiser.isdigit():
        allowed = "a number, as in the StackAdapt URL"
        raise InputError("an advertiser is needed", where="--advertiser", found=advertiser, allowed=allowed)
    return advertiser


def _endpoint(url: str) -> str:
    given = address(url)
    return str(given.copy_with(path="/graphql") if given.path == "/" else given)


def _hours(within: str) -> float:
    return parse_duration(within, where="--within").total_seconds() / 3600


def _check_same(setup: Setup) -> None:
    """Raises InputError for an option with another value than the probe was begun with, which would be ignored."""
    context = click.get_current_context()
    begun: Mapping[str, tuple[object, Callable[[Any], object]]] = {
        "url": (setup.url, _endpoint),
        "advertiser": (setup.advertiser_id, str),
        "only": (",".join(setup.probes), lambda only: ",".join(probe.id for probe in named(_names(only)))),
        "burst": (setup.burst or None, int),
        "segment": (setup.segment, str),
        "within": (setup.hours, _hours),
        "allow_writes": (setup.writes, bool),
    }
    hint = "Leave it out to go on, or begin another probe with another --output."
    for name, (value, read) in begun.items():
        given = context.params[name] if name in context.params else permission().writes
        chosen = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if chosen and read(given) != value:
            where, what = _option(name), "the probe to resume was begun with another value"
            shown_value = f"{value:g}h" if name == "within" else str(value)
            raise InputError(what, where=where, found=given, allowed=shown_value, hint=hint)


def _check_listing(names: tuple[str, ...], burst: int) -> None:
    """Raises UsageError for an option that has no effect beside --list. A token in the environment is no option."""
    for name in sorted(_given() - _OF_A_LISTING):
        raise click.UsageError(f"{_option(name)} cannot be combined with --list, which sends nothing.")
    _check_effect(names, burst, writes=True)


def _check_effect(names: tuple[str, ...], burst: int, *, writes: bool) -> None:
    """Raises UsageError for an option that has no effect on the probes that are played."""
    chosen = {probe.id for probe in named(names, burst)}
    users = {
        "burst": [probe for probe in probes() if probe.needs == BURST],
        "segment": [probe for probe in probes() if probe.needs == SEGMENT],
        "within": [probe for probe in probes() if any(stage.look for stage in probe.stages)],
    }
    for name in users.keys() & _given():
        of_option = [probe.id for probe in users[name]]
        if chosen.isdisjoint(of_option):
            message = f"{_option(name)} has no effect on the probes of --only. It is for {', '.join(of_option)}."
            raise click.UsageError(message)
        if not writes and all(probe.writes for probe in users[name]):
            raise click.UsageError(f"{_option(name)} has no effect without --allow-writes.")


def _given() -> set[str]:
    """The names of the options of the command line."""
    context = click.get_current_context()
    names = [each.name for each in context.command.params if each.name]
    return {name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}


def _option(name: str) -> str:
    """The option of a parameter, as it is written."""
    options = {each.name: each.opts for each in click.get_current_context().command.params}
    return next(option for option in options[name] if option.startswith("--"))


def _names(only: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (only or "").split(",") if name.strip())


def _check_writes(url: str, *, writes: bool) -> None:
    """Raises UserMistake when a probe that writes may not: otherwise the guard would end it half-way."""
    if writes:
        check_write(address(url), permission(), "a probe with --allow-writes")


def _client(url: str) -> httpx.Client:
    if address(url).query:
        raise UserMistake("the URL of an endpoint has no query", where=shown(address(url)))
    return client_of(url, harmless=harmless_bodies())


def _print(report: ProbeReport, folder: Path, *, as_json: bool) -> None:
    stopped = report.progress.stopped
    if stopped is not None:
        click.echo(f"error: {stopped.probe} {stopped.request}: {stopped.reason}. Go on with --resume.", err=True)
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
        return
    console = Terminal(highlight=False, markup=False)
    for line in _lines(report):
        console.print(line, soft_wrap=True)
    console.print(f"folder {folder}: {', '.join(path.name for path in sorted(folder.iterdir()))}", soft_wrap=True)


def _lines(report: ProbeReport) -> Iterator[str]:
    for row in report.rows:
        if row.result != NOT_SEEN:
            yield from _row_lines(row)
    missing = [row for row in report.rows if row.result == NOT_SEEN]
    for reason in dict.fromkeys(row.reason for row in missing):
        yield f"not seen   {', '.join(row.row for row in missing if row.reason == reason)}"
        yield f"  {reason}"
    yield ", ".join(f"{number} {result}" for result, number in report.counts.items())
    if report.progress.waiting:
        yield f"{', '.join(report.progress.waiting)} wait for what they sent: run again with --resume"


def _row_lines(row: RowResult) -> Iterator[str]:
    fits = f"  ({row.setting}: {json.dumps(row.value)})" if row.setting is not None and row.value is not None else ""
    yield f"{row.result:10} {row.row}{fits}"
    for probe, text in row.seen.items():
        yield f"  {probe:9}{text}"
        if row.expected.get(probe) not in (None, text):
            yield f"  {'emulator':9}{row.expected[probe]}"


def _print_listing(names: tuple[str, ...], burst: int, advertiser: str | None, *, as_json: bool) -> None:
    listed = named(names, burst)
    if as_json:
        found = [_as_dict(probe, advertiser) for probe in listed]
        left_out = [{"about": each.about, "what": each.what, "reason": each.reason} for each in not_probed(names)]
        click.echo(json.dumps({"probes": found, "notProbed": left_out}, ensure_ascii=False, indent=2))
        return
    console = Terminal(highlight=False, markup=False)
    for probe in listed:
        kind = "writes" if probe.writes else "reads"
        console.print(f"{probe.id:5}{probe.title}  ({kind}, settles {', '.join(probe.rows)})", soft_wrap=True)
        for request in shown_requests(probe, advertiser_id=advertiser):
            console.print(f"     {request['name']}: {_short(request)}", soft_wrap=True)
    for each in not_probed(names):
        console.print(f"not probed: {each}", soft_wrap=True)


def _short(request: Mapping[str, Any]) -> str:
    """The request in one line: what is not as in most of them, and the body. `--json` has all of it."""
    usual = {"method": "POST", "path": None, "authorization": BEARER, "accept": JSON, "contentType": JSON}
    unusual = [f"{name}: {request[name]}" for name, value in usual.items() if request[name] != value]
    body = request["body"]
    cut = body if len(body) <= _LONGEST_BODY else f"{body[:_LONGEST_BODY]}… ({len(body):,} characters)"
    return " ".join((*unusual, cut))


def _as_dict(probe: Probe, advertiser: str | None) -> dict[str, object]:
    return {
        "probe": probe.id,
        "title": probe.title,
        "writes": probe.writes,
        "needs": probe.needs,
        "rows": [*probe.rows],
        "requests": [*shown_requests(probe, advertiser_id=advertiser)],
    }
