"""`trigger`: sends one event for one user to a running emulator and prints the timeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
import httpx

from emulator.cli import SuggestingGroup
from emulator.cli.running import connect, endpoint_of, sandbox_option, unreachable, url_option
from emulator.errors import InputError
from emulator.harness.client import Endpoint, SegmentClient, Timeline, timeline_of
from emulator.harness.triggered import LATENCY, NOT_REACHED, arrived, deleted, in_audience

_EPILOG = """\b
Examples:
  stackadapt-emulator trigger audience-entered --audience vip_customers --email ada@example.com
  stackadapt-emulator trigger audience-exited --audience vip_customers --email ada@example.com
  stackadapt-emulator trigger identify --email ada@example.com --trait total_spent=900 --trait first_name=Ada
  stackadapt-emulator trigger delete --email ada@example.com
\b
Exit codes: 0 when what the event asks for was reached (a visible profile, a membership, a deletion), or when only the
latency is outstanding; 1 when it was not reached; 2 bad usage or no emulator at the URL.
"""

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Send = Callable[[SegmentClient, str], object]
_Judge = Callable[[Endpoint, Timeline, Any], str]

_RESULTS = {
    NOT_REACHED: "not reached",
    LATENCY: "only the latency is outstanding: stackadapt-emulator clock advance 4h",
}

_audience = click.option("--audience", required=True, help="Key of the audience, such as vip_customers.")
_traits = click.option(
    "--trait", "traits", multiple=True, metavar="NAME=VALUE", help="A trait; a value that is not JSON is a string."
)


def _user_options(command: _Command) -> _Command:
    """Adds the options for the user, the emulator and the output."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the timeline as one JSON object."),
        sandbox_option,
        url_option,
        click.option("--user-id", help="User id; by default the one that has the email, or one derived from it."),
        click.option("--email", help="Email; omit it to see what happens without one."),
    ):
        command = option(command)
    return command


def _example(arguments: str) -> str:
    return f"\b\nExample:\n  stackadapt-emulator trigger {arguments}"


@click.group(cls=SuggestingGroup, epilog=_EPILOG)
def command() -> None:
    """Send one event for one user to a running emulator and print what happened at each stage.

    The user is given by --email, --user-id or both. Exits 1 when what the event asks for was not reached.
    """


@command.command(
    "audience-entered", epilog=_example("audience-entered --audience vip_customers --email ada@example.com")
)
@_audience
@_traits
@_user_options
def audience_entered(audience: str, traits: Sequence[str], **options: Any) -> None:
    """Put a user into an audience, as if Engage had just computed it."""
    given = {"email": options["email"], "traits": _read(traits)}
    _trigger(
        lambda segment, user_id: segment.enter_audience(audience, user_id=user_id, **given),
        _membership(audience, entered=True),
        **options,
    )


@command.command("audience-exited", epilog=_example("audience-exited --audience vip_customers --email ada@example.com"))
@_audience
@_traits
@_user_options
def audience_exited(audience: str, traits: Sequence[str], **options: Any) -> None:
    """Remove a user from an audience."""
    given = {"email": options["email"], "traits": _read(traits)}
    _trigger(
        lambda segment, user_id: segment.exit_audience(audience, user_id=user_id, **given),
        _membership(audience, entered=False),
        **options,
    )


@command.command(epilog=_example("identify --email ada@example.com --trait total_spent=900"))
@_traits
@_user_options
def identify(traits: Sequence[str], **options: Any) -> None:
    """Send an identify call; Engage computes the audiences and emits events for the changes."""
    given = {**({} if options["email"] is None else {"email": options["email"]}), **_read(traits)}
    _trigger(
        lambda segment, user_id: segment.identify(user_id, given),
        lambda _endpoint, timeline, _sent: arrived(timeline),
        **options,
    )


@command.command(epilog=_example("delete --email ada@example.com"))
@_user_options
def delete(**options: Any) -> None:
    """Delete a user from Segment and from every destination instance."""
    _trigger(
        lambda segment, user_id: segment.delete(user_id),
        lambda _endpoint, timeline, sent: deleted(timeline, sent),
        **options,
    )


def _membership(audience: str, *, entered: bool) -> _Judge:
    def judge(endpoint: Endpoint, timeline: Timeline, _sent: object) -> str:
        ids = [each["id"] for each in endpoint.control.get("audiences")["audiences"] if each["key"] == audience]
        return in_audience(timeline, (audience, *ids), entered=entered)

    return judge


def _trigger(
    send: _Send,
    judge: _Judge,
    *,
    email: str | None,
    user_id: str | None,
    url: str,
    sandbox: str | None,
    as_json: bool,
) -> None:
    if not (email or user_id):
        raise InputError("a user is required", where="trigger", allowed="--email, --user-id")
    try:
        with connect(url, sandbox) as client:
            endpoint = endpoint_of(client, sandbox)
            segment = SegmentClient(endpoint)
            user_id = user_id or segment.user_id_of(email)
            before = timeline_of(endpoint, email=email, user_id=user_id)
            sent = send(segment, user_id)
            timeline = timeline_of(endpoint, email=email, user_id=user_id).since(before)
            result = judge(endpoint, timeline, sent)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    regulation = sent if isinstance(sent, dict) else None
    if as_json:
        shown = timeline.as_dict() | {"result": result} | ({"regulation": regulation} if regulation else {})
        click.echo(json.dumps(shown))
    else:
        _print(timeline, sent, result)
    if result == NOT_REACHED:
        raise SystemExit(1)


def _print(timeline: Timeline, sent: object, result: str) -> None:
    click.echo(str(timeline))
    if sent == []:
        click.echo("  Segment     no destination instance is connected to this audience: nothing to send")
    for each in sent["destinations"] if isinstance(sent, dict) else ():
        why = f", {each['reason']}: {each['message']}" if each["reason"] else ""
        click.echo(f"  deletion    at {each['destination']!r}: {each['outcome']}{why}")
    if text := _RESULTS.get(result):
        click.echo(f"  result      {text}")


def _read(traits: Sequence[str]) -> dict[str, Any]:
    """`("total_spent=900", "city=Paris")` → `{"total_spent": 900, "city": "Paris"}`. Raises InputError."""
    read: dict[str, Any] = {}
    for trait in traits:
        name, _, text = trait.partition("=")
        if not name or "=" not in trait:
            raise InputError("invalid trait", where="--trait", found=trait, allowed="NAME=VALUE")
        try:
            # NaN is not valid JSON, and so it is a string.
            read[name] = json.loads(text, parse_constant=str)
        except (ValueError, RecursionError):
            read[name] = text
        try:
            json.dumps({name: read[name]}, ensure_ascii=False, allow_nan=False).encode()
        except ValueError as error:
            raise InputError(f"this value has no JSON form: {error}", where="--trait", found=trait) from None
    return read
