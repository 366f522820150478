"""`segments`: the StackAdapt segments of a running emulator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click
import httpx

from emulator import strict_json
from emulator.cli import SuggestingGroup
from emulator.cli.running import connect, sandbox_option, unreachable, url_option
from emulator.errors import UserMistake
from emulator.harness.client import Control

_EPILOG = """\b
Examples:
  stackadapt-emulator segments values --field segment_engage_audience_name
  stackadapt-emulator segments preview --audience vip_customers
  stackadapt-emulator segments create VIPs --audience vip_customers
  stackadapt-emulator segments create Spenders --rule '{"field": "total_spent", "operator": "at_least", "value": 500}'
  stackadapt-emulator segments list
  stackadapt-emulator segments delete 1
\b
Exit codes: 0 ok, 2 bad usage or no emulator at the URL. STACKADAPT_EMULATOR_URL sets --url.
"""
_AUDIENCE_NAME = "segment_engage_audience_name"

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_advertiser = click.option("--advertiser", default="1001", show_default=True, help="Id of the advertiser.")
_rule = click.option("--rule", help="The rule as JSON.")
_audience = click.option(
    "--audience", help="Instead of a rule: the name of an audience, which is its key in snake_case."
)


@click.group(cls=SuggestingGroup, epilog=_EPILOG)
def command() -> None:
    """List, preview, create and delete the StackAdapt segments of a running emulator."""


@command.command("list")
@_json
@sandbox_option
@url_option
def list_(as_json: bool, sandbox: str | None, url: str) -> None:
    """List the segments with their sizes and warnings."""
    segments = _asked(url, sandbox, "GET", "segments")["segments"]
    lines = [f"{each['id']}  {each['name']}: {_size(each)}" for each in segments] or ["no segment"]
    _print(segments, lines, as_json)


@command.command()
@_rule
@_audience
@_advertiser
@_json
@sandbox_option
@url_option
def preview(
    rule: str | None, audience: str | None, advertiser: str, as_json: bool, sandbox: str | None, url: str
) -> None:
    """Show who would be in a segment, without creating it."""
    body = {"advertiserId": advertiser, "rule": _rule_of(rule, audience)}
    found = _asked(url, sandbox, "POST", "segments/preview", body)
    _print(found, _lines(found), as_json)


@command.command()
@click.argument("name")
@_rule
@_audience
@_advertiser
@_json
@sandbox_option
@url_option
def create(
    name: str, rule: str | None, audience: str | None, advertiser: str, as_json: bool, sandbox: str | None, url: str
) -> None:
    """Create the segment NAME."""
    body = {"advertiserId": advertiser, "name": name, "rule": _rule_of(rule, audience)}
    made = _asked(url, sandbox, "POST", "segments", body)
    _print(made, [f"segment {made['id']}", *_lines(made)], as_json)


@command.command()
@click.argument("segment_id")
@sandbox_option
@url_option
def delete(segment_id: str, sandbox: str | None, url: str) -> None:
    """Delete the segment SEGMENT_ID."""
    _asked(url, sandbox, "DELETE", f"segments/{segment_id}")
    click.echo(f"segment {segment_id} is deleted")


@command.command()
@click.option("--field", default=_AUDIENCE_NAME, show_default=True, help="The field of a rule.")
@_advertiser
@_json
@sandbox_option
@url_option
def values(field: str, advertiser: str, as_json: bool, sandbox: str | None, url: str) -> None:
    """List the values that a rule about a field may compare."""
    found = _asked(url, sandbox, "GET", "segments/values", advertiserId=advertiser, field=field)["values"]
    _print(found, found or ["no value is known"], as_json)


def _rule_of(rule: str | None, audience: str | None) -> Any:
    if (rule is None) == (audience is None):
        raise UserMistake("a segment needs a rule", allowed="--rule or --audience, one of the two")
    if rule is None:
        return {"field": _AUDIENCE_NAME, "operator": "equals", "value": audience}
    try:
        return strict_json.parse(rule.encode())
    except ValueError as error:
        raise UserMistake(f"the rule is not JSON: {error}", where="--rule", found=rule) from None


def _asked(url: str, sandbox: str | None, method: str, path: str, body: Any = None, **query: str) -> Any:
    try:
        with connect(url, sandbox) as client:
            control = Control(client)
            return control.get(path, **query) if method == "GET" else control.request(method, path, body)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None


def _size(segment: Mapping[str, Any]) -> str:
    number = segment["size"]
    warned = f", {'; '.join(segment['warnings'])}" if segment["warnings"] else ""
    return f"{number} profile{'' if number == 1 else 's'}{warned}"


def _lines(segment: Mapping[str, Any]) -> list[str]:
    return [_size(segment), *(f"  {email}" for email in segment["members"])]


def _print(found: Any, lines: Iterable[str], as_json: bool) -> None:
    click.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else "\n".join(lines))
