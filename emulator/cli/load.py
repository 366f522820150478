"""`load`: sends people to a running emulator by Locust, and compares what was acknowledged with its accounts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import httpx
from rich.table import Table

from emulator.addresses import address
from emulator.cli.finite_numbers import FiniteRange
from emulator.cli.remote import permission
from emulator.cli.running import connect, endpoint_of, sandbox_option, unreachable, url_option
from emulator.cli.terminal import Terminal, repeated
from emulator.durations import ALLOWED, parse_duration
from emulator.ending_signals import ended_by_signals
from emulator.errors import InputError
from emulator.harness.client import Control, Endpoint
from emulator.harness.remote_guard import check_write
from emulator.load.accounts import Accounts, differences, read_accounts
from emulator.load.locust_run import LocustRun, Plan, Row, check_installed, run
from emulator.load.worker_ledger import Tally
from emulator.text import counted_noun

_EPILOG = """\b
Examples:
  stackadapt-emulator load --users 500 --rate 2000 --for 5m
  stackadapt-emulator load --people 10000 --workers 4 --seed 7
  stackadapt-emulator load --people 600 --json
  stackadapt-emulator load --compare ledgers
\b
Exit codes: 0 everything acknowledged is accounted for, 1 something is lost, was refused or not answered, or a worker
ended early.
"""
_DEFAULT_TIME = "1m"
_MOST_USERS, _MOST_WORKERS, _FASTEST, _MOST_PEOPLE = 10_000, 64, 1_000_000, 1_000_000_000
_BALANCED = "Everything that was acknowledged is accounted for."
_PROGRESS_SECONDS = 1.0


@click.command(epilog=_EPILOG)
@click.option("--users", default=20, show_default=True, type=click.IntRange(1, _MOST_USERS), help="At the same time.")
@click.option(
    "--rate",
    type=FiniteRange(0, _FASTEST, min_open=True),
    help="Requests a second at most, over all users; without it, each sends again once it is answered.",
)
@click.option("--for", "time", metavar="TIME", help=f"How long; default: {_DEFAULT_TIME}, or until --people are sent.")
@click.option("--people", type=click.IntRange(1, _MOST_PEOPLE), help="End once so many people are sent.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, _MOST_WORKERS),
    help="Processes that send, besides Locust's master. They do not change what is sent.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same people.")
@click.option("--start", default=0, show_default=True, type=click.IntRange(0, _MOST_PEOPLE), help="First person.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep what each worker has sent, and the logs, in this folder.",
)
@click.option(
    "--compare",
    type=click.Path(path_type=Path, file_okay=False),
    help="Send nothing: compare the ledgers in this folder with an emulator that has received nothing else.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sandbox_option
@url_option
def command(compare: Path | None, as_json: bool, sandbox: str | None, url: str, **given: Any) -> None:
    """Put load on a running emulator by Locust, and check that all of it is accounted for.

    Generated people are sent as an app, a server, the destination and other API clients send them. A request that
    fails is sent again unchanged. Needs the extra `load`.
    """
    check_write(address(url), permission(), "generated people")
    try:
        with connect(url, sandbox) as client:
            endpoint = endpoint_of(client, sandbox)
            control = Control(client)
            if compare is not None:
                shown = _compared(read_accounts(control), _tally_of(compare))
            else:
                shown = _loaded(control, endpoint, given)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _show(shown)
    sys.exit(1 if shown["problems"] else 0)


def _tally_of(folder: Path) -> Tally:
    """The sums of a folder. Raises InputError where no worker has written anything."""
    tally = Tally(folder)
    tally.update()
    if not tally.ends and not tally.unanswered:
        raise InputError("there are no ledgers in this folder", where="--compare", found=str(folder))
    return tally


def _loaded(control: Control, endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    check_installed()
    with _folder(given["output"]) as folder:
        plan = _plan(control, endpoint, folder, given)
        tally = Tally(plan.ledgers)
        before = read_accounts(control)
        with repeated(lambda: _progress(tally), every=_PROGRESS_SECONDS), ended_by_signals():
            done = run(plan)
        tally.update()
    shown = _compared(read_accounts(control).since(before), tally)
    early = [f"worker {number} of {plan.workers} ended before its people were sent" for number in done.ended_early]
    return {**_measured(done, tally), **shown, "problems": [*early, *shown["problems"]]}


def _plan(control: Control, endpoint: Endpoint, folder: Path, given: Mapping[str, Any]) -> Plan:
    if given["users"] < given["workers"]:
        raise InputError(
            "a worker would have no user", where="--users", found=given["users"], allowed=f"{given['workers']} or more"
        )
    workspace = folder / "workspace.json"
    workspace.write_text(json.dumps(control.get("workspace")["workspace"]), encoding="utf-8")
    return Plan(
        url=endpoint.url,
        token=endpoint.token,
        write_key=endpoint.write_key or "",
        advertiser=endpoint.advertiser_id,
        workspace=workspace,
        folder=folder,
        seconds=_seconds(given["time"], given["people"]),
        **{name: given[name] for name in ("users", "workers", "seed", "start", "rate", "people")},
    )


def _seconds(time: str | None, people: int | None) -> float | None:
    """How long to send at most; None until all people are sent. Raises InputError."""
    if time is None and people is not None:
        return None
    seconds = parse_duration(time or _DEFAULT_TIME, where="--for").total_seconds()
    if seconds < 1:
        raise InputError("must be a second or longer", where="--for", found=time, allowed=ALLOWED)
    return seconds


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """The folder to keep, which must be new or empty, or one that is deleted at the end. Raises InputError."""
    if kept is None:
        with TemporaryDirectory(prefix="stackadapt-emulator-load-") as name:
            yield Path(name)
        return
    if kept.exists() and any(kept.iterdir()):
        raise InputError("the folder is not empty", where="--output", found=str(kept), hint="Choose another one.")
    kept.mkdir(parents=True, exist_ok=True)
    yield kept.resolve()


def _progress(tally: Tally) -> str:
    tally.update()
    return f"{tally.ends['acknowledged']:,} requests acknowledged, {tally.ends.total():,} attempts"


def _measured(done: LocustRun, tally: Tally) -> dict[str, Any]:
    """The requests by name: how many from the ledgers, since Locust loses a worker's last report at times."""
    rows = {row.name: row for row in done.rows}
    named = [_row(rows[name], tally.attempts[name], tally.failures[name]) for name in sorted(rows)]
    return {"requests": named, "total": _row(done.total, tally.attempts.total(), tally.failures.total())}


def _row(row: Row, requests: int, failures: int) -> dict[str, Any]:
    percentiles = {f"p{percent}": time for percent, time in row.percentiles.items()}
    return {"name": row.name, "requests": requests, "failures": failures, **percentiles, "rate": row.rate}


def _compared(added: Accounts, tally: Tally) -> dict[str, Any]:
    """What was sent, what the emulator has of it, and `problems`, each as a sentence."""
    places = {"segment": added.steps, "deliveries": added.ends, "stackadapt": added.records}
    return {
        "sent": {
            "calls": {"acknowledged": tally.acknowledged_calls, "unacknowledged": tally.uncertain_calls},
            "records": {"acknowledged": tally.acknowledged_records, "unacknowledged": tally.uncertain_records},
            "requests": dict(sorted(tally.ends.items())),
        },
        "accountedFor": {
            "calls": added.calls - added.duplicates,
            "records": added.of_clients,
            **{
                of: [{"at": at, "reason": reason, "count": number} for (at, reason), number in found.most_common()]
                for of, found in places.items()
            },
        },
        "problems": [*differences(added, tally), *_unanswered(tally)],
    }


def _unanswered(tally: Tally) -> Iterator[str]:
    """The requests that are not acknowledged, as text."""
    for (name, status), number in sorted(tally.server_errors.items()):
        yield f"{name}: {counted_noun(number, 'attempt')} answered with {status}"
    for (name, status), number in sorted(tally.refusals.items()):
        yield f"{name}: {counted_noun(number, 'request')} refused with {status}"
    if tally.unanswered:
        yield f"{counted_noun(len(tally.unanswered), 'request')} never answered"


def _show(shown: Mapping[str, Any]) -> None:
    console = Terminal(highlight=False, markup=False)
    if "requests" in shown:
        console.print(_statistics([*shown["requests"], shown["total"]]))
    sent, found = shown["sent"], shown["accountedFor"]
    table = Table("sent", "acknowledged", "without an answer", "accounted for")
    for what in ("calls", "records"):
        table.add_row(what, *(f"{sent[what][of]:,}" for of in ("acknowledged", "unacknowledged")), f"{found[what]:,}")
    console.print(table)
    places = Table("where", "count", "why", title="How they ended", title_justify="left")
    for of, title in (("segment", "Segment"), ("deliveries", "delivery"), ("stackadapt", "StackAdapt")):
        for each in found[of]:
            places.add_row(f"{title}: {each['at']}", f"{each['count']:,}", each["reason"] or "")
    console.print(places)
    for problem in shown["problems"]:
        console.print(f"problem: {problem}")
    if not shown["problems"]:
        console.print(_BALANCED)


def _statistics(rows: list[dict[str, Any]]) -> Table:
    table = Table("request", "sent", "failed", "p50 ms", "p95 ms", "p99 ms", "a second")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        counts = (f"{row[name]:,}" for name in ("requests", "failures", "p50", "p95", "p99"))
        table.add_row(row["name"], *counts, f"{row['rate']:,.1f}")
    return table
