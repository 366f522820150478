"""`generate`: people, identify calls, audience events and workspaces, reproducible by seed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from emulator.addresses import address, shown
from emulator.cli import SuggestingGroup
from emulator.cli.finite_numbers import FiniteRange
from emulator.cli.generate_options import (
    GZIP,
    form_of,
    options_of,
    output_options,
    population_of,
    population_options,
    stream_options,
)
from emulator.cli.remote import client_of, permission, remote_options
from emulator.cli.terminal import progress
from emulator.errors import InputError, UserMistake, unwritable
from emulator.generator.event_stream import EventStream, IdentifyCalls, members, membership_events
from emulator.generator.job import CSV, Job, PeopleStream, Stream
from emulator.generator.manifest import join, write_manifest
from emulator.generator.output import is_finished, write_file, write_to
from emulator.generator.sending import sent
from emulator.generator.shards import WHOLE, parse_shard
from emulator.generator.workspace import AMOUNTS, as_yaml, workspace_document
from emulator.harness.remote_guard import check_write
from emulator.text import counted_noun
from emulator.workspace import load_workspace

_EPILOG = """\b
Examples:
  stackadapt-emulator generate people --count 20 -o people.csv
  stackadapt-emulator generate identifies --count 1000000 --processes 2 -o identifies.jsonl.gz
  stackadapt-emulator generate audience-events --count 10 --churn 0.5 | stackadapt-emulator map -
  stackadapt-emulator generate identifies --count 500 --send http://127.0.0.1:8585
  stackadapt-emulator generate identifies --count 1000000 --shard 17/400 -o shards/17.jsonl.gz
  stackadapt-emulator generate workspace --audiences 50 -o workspace.yaml
"""
_FASTEST = 1_000_000


@click.group(cls=SuggestingGroup, epilog=_EPILOG)
def command() -> None:
    """Generate people, identify calls, audience events and workspaces.

    Record i of a seed is always the same, whatever the count, the format and the number of processes.
    """


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator generate people --locale de_DE --locale fr_FR -o people.csv
  stackadapt-emulator generate people --missing-email 0 --invalid-email 0 --edge-case quote=0.05
"""
)
@population_options
@output_options
def people(**given: Any) -> None:
    """People as flat records: JSON lines, a JSON array, or CSV."""
    _write(PeopleStream(population=population_of(given)), given, "person", "people")


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator generate identifies --churn 0.2 --duplicates 0.01 -o identifies.jsonl
  stackadapt-emulator generate identifies --count 100000 --send http://127.0.0.1:8585 --events-per-second 50
"""
)
@population_options
@stream_options
@output_options
@click.option("--send", "url", metavar="URL", help="Send them to the Tracking API at this address.")
@click.option("--write-key", default="segment-local", show_default=True, help="With --send.")
@click.option("--events-per-second", "rate", type=FiniteRange(0, _FASTEST, min_open=True), help="With --send.")
@remote_options
def identifies(url: str | None, write_key: str, rate: float | None, **given: Any) -> None:
    """Identify calls as an app sends them: one for each person, another for one who leaves the audience."""
    stream = EventStream(population=population_of(given), source=IdentifyCalls(), options=options_of(given))
    if url is None:
        if rate is not None:
            raise InputError("requires --send", where="--events-per-second", hint="Add --send URL.")
        _write(stream, given, "call")
        return
    if given["output"] is not None:
        raise InputError("cannot be combined with --output", where="--send")
    shard = parse_shard(given["shard"])
    _send(Job(stream=stream, start=given["start"], count=given["count"], shard=shard), url, write_key, rate)


@command.command(
    "audience-events",
    epilog="""\b
Examples:
  stackadapt-emulator generate audience-events --churn 0.3 --late 0.05 -o events.jsonl
  stackadapt-emulator generate audience-events --workspace workspace.yaml --count 5
""",
)
@population_options
@stream_options
@output_options
@click.option("--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace file (YAML or JSON).")
def audience_events(workspace_path: Path | None, **given: Any) -> None:
    """Audience entered and exited events, as Engage sends them to the workspace's destination instances."""
    source = membership_events(load_workspace(workspace_path))
    population = members(population_of(given))
    _write(EventStream(population=population, source=source, options=options_of(given)), given, "event")


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator generate workspace --advertisers 3 --audiences 50 --destinations 4 -o workspace.yaml
"""
)
@click.option("--advertisers", default=2, show_default=True, type=click.IntRange(1, 1000))
@click.option("--audiences", default=5, show_default=True, type=click.IntRange(1, len(AMOUNTS)))
@click.option("--destinations", default=2, show_default=True, type=click.IntRange(1, 1000), help="Instances.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same workspace.")
@click.option("--locale", default="en_US", show_default=True, help="Locale of Faker, for the advertisers' names.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Default: standard output.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def workspace(output: Path | None, force: bool, **given: Any) -> None:
    """A workspace file with the given numbers of advertisers, audiences and destination instances."""
    text = as_yaml(workspace_document(given.pop("seed"), **given))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise InputError("the file already exists", where=str(output), hint="Add --force to replace it.") from None
    except OSError as error:
        raise unwritable(output, error) from None
    click.echo(f"wrote {output}")


@command.command(
    "join",
    epilog="""\b
Examples:
  stackadapt-emulator generate join shards/*.jsonl.gz -o identifies.jsonl.gz
""",
)
@click.argument("parts", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace an existing file.")
def join_shards(parts: tuple[Path, ...], output: Path, force: bool) -> None:
    """Join the files of all shards of one job, in any order of arguments.

    Each FILE has its manifest beside it. Nothing is written unless every shard is there once, belongs to the same job
    and has the bytes of its manifest.
    """
    sizes = sum(part.stat().st_size for part in parts if part.exists())
    with progress(sizes) as report:
        records = join(parts, output, force=force, report=report)
    click.echo(
        f"wrote {output}: {counted_noun(len(parts), 'shard')}, {counted_noun(records, 'record')},"
        f" {counted_noun(output.stat().st_size, 'byte')}"
    )


def _write(stream: Stream, given: dict[str, Any], *what: str) -> None:
    output: Path | None = given["output"]
    job = Job(
        stream=stream,
        start=given["start"],
        count=given["count"],
        form=form_of(given["form"], output),
        compressed=given["compressed"] or (output is not None and output.suffix == GZIP),
        shard=parse_shard(given["shard"]),
    )
    if job.form == CSV and not isinstance(stream, PeopleStream):
        raise InputError("CSV cannot hold nested events", where="--format", found=CSV, allowed="jsonl, json")
    if output is None:
        _print(job, given)
        return
    if given["resume"] and not given["force"] and output.exists() and is_finished(output, job):
        # An interruption may have come before it.
        _write_manifest(output, job)
        click.echo(f"{output} is already complete")
        return
    with progress(len(job.positions)) as report:
        try:
            write_file(
                output, job, processes=given["processes"], resume=given["resume"], force=given["force"], report=report
            )
        except KeyboardInterrupt:
            click.echo("interrupted: repeat the command with --resume to continue", err=True)
            raise
    _write_manifest(output, job)
    click.echo(
        f"wrote {output}: {counted_noun(len(job.positions), *what)}, {counted_noun(output.stat().st_size, 'byte')}"
    )


def _write_manifest(output: Path, job: Job) -> None:
    if job.shard != WHOLE:
        write_manifest(output, job)


def _print(job: Job, given: dict[str, Any]) -> None:
    if given["resume"] or given["force"]:
        raise InputError("--resume and --force require a file", where="--output", hint="Add --output FILE.")
    with progress(len(job.positions), hidden=sys.stdout.isatty()) as report:
        write_to(sys.stdout.buffer, job, processes=given["processes"], report=report)
    sys.stdout.buffer.flush()


def _send(job: Job, url: str, write_key: str, rate: float | None) -> None:
    done = 0
    target = address(url)
    check_write(target, permission(), "generated calls")
    total = len(job.positions)
    with client_of(url) as client, progress(total) as report:
        try:
            for number in sent(client, write_key, job.all_records(), rate=rate):
                done += number
                report(number)
        except (UserMistake, KeyboardInterrupt):
            left = f"--start {job.positions.start + done} --count {total - done}"
            left += "" if job.shard == WHOLE else ", without --shard"
            click.echo(
                f"sent {done:,} of {counted_noun(total, 'call')}; to continue, repeat the command with {left}",
                err=True,
            )
            raise
    click.echo(f"sent {counted_noun(done, 'call')} to {shown(target)}")
