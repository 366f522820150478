"""`trigger`: one event about one person to a running emulator, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
import httpx

from emulator.cli import SuggestingGroup
from emulator.cli.running import connect, endpoint_of, sandbox_option, unreachable, url_option
from emulator.errors import InputError
from emulator.harness.client import SegmentClient, timeline_of

_EPILOG = """\b
Examples:
  stackadapt-emulator trigger audience-entered --audience vip_customers --email ada@example.com
  stackadapt-emulator trigger audience-exited --audience vip_customers --email ada@example.com
  stackadapt-emulator trigger identify --email ada@example.com --trait total_spent=900 --trait first_name=Ada
  stackadapt-emulator trigger delete --email ada@example.com
"""

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Work = Callable[[SegmentClient, str], object]

_audience = click.option("--audience", required=True, help="Key of the audience, such as vip_customers.")
_traits = click.option(
    "--trait", "traits", multiple=True, metavar="NAME=VALUE", help="A trait: the value as JSON, or else as text."
)


def _about_a_person(command: _Command) -> _Command:
    """The options that say who is meant, where, and how to answer."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the story as one JSON object."),
        sandbox_option,
        url_option,
        click.option("--user-id", help="Their user id; when absent, of whoever has the email, or made from it."),
        click.option("--email", help="Their email; leave it out to see what happens without one."),
    ):
        command = option(command)
    return command


@click.group(cls=SuggestingGroup, epilog=_EPILOG)
def command() -> None:
    """Send one event about one person to a running emulator, and print what became of it, end to end.

    The person is told by --email, --user-id or both.
    """


@command.command("audience-entered")
@_audience
@_traits
@_about_a_person
def audience_entered(audience: str, traits: Sequence[str], **who: Any) -> None:
    """Put somebody into an audience, as if Engage had just computed it so."""
    given = _read(traits)
    _trigger(lambda segment, user_id: segment.enter_audience(audience, **_named(who, user_id), traits=given), **who)


@command.command("audience-exited")
@_audience
@_traits
@_about_a_person
def audience_exited(audience: str, traits: Sequence[str], **who: Any) -> None:
    """Take somebody out of an audience."""
    given = _read(traits)
    _trigger(lambda segment, user_id: segment.exit_audience(audience, **_named(who, user_id), traits=given), **who)


@command.command()
@_traits
@_about_a_person
def identify(traits: Sequence[str], **who: Any) -> None:
    """Identify somebody; Engage computes the audiences and sends what changes."""
    known = {**({} if who["email"] is None else {"email": who["email"]}), **_read(traits)}
    _trigger(lambda segment, user_id: segment.identify(user_id, known), **who)


@command.command()
@_about_a_person
def delete(**who: Any) -> None:
    """Have Segment delete somebody, and ask every destination instance to do so too."""
    _trigger(lambda segment, user_id: segment.delete(user_id), **who)


def _trigger(
    work: _Work, *, email: str | None, user_id: str | None, url: str, sandbox: str | None, as_json: bool
) -> None:
    if not (email or user_id):
        raise InputError("say who is meant", where="trigger", allowed="--email, --user-id")
    try:
        with connect(url, sandbox) as client:
            endpoint = endpoint_of(client, sandbox)
            segment = SegmentClient(endpoint)
            user_id = user_id or segment.user_id_of(email)
            before = timeline_of(endpoint, email=email, user_id=user_id)
            done = work(segment, user_id)
            story = timeline_of(endpoint, email=email, user_id=user_id).since(before)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    regulation = done if isinstance(done, dict) else None
    if as_json:
        click.echo(json.dumps(story.as_dict() | ({"regulation": regulation} if regulation else {})))
        return
    click.echo(str(story))
    if done == []:
        click.echo("  nothing     is connected to this audience: no destination instance gets its events")
    for asked in regulation["destinations"] if regulation else ():
        why = f", {asked['reason']}: {asked['message']}" if asked["reason"] else ""
        click.echo(f"  deletion    asked of {asked['destination']!r}: {asked['outcome']}{why}")


def _named(who: dict[str, Any], user_id: str) -> dict[str, Any]:
    return {"email": who["email"], "user_id": user_id}


def _read(traits: Sequence[str]) -> dict[str, Any]:
    """`("total_spent=900", "city=Paris")` → `{"total_spent": 900, "city": "Paris"}`. Raises InputError."""
    read: dict[str, Any] = {}
    for trait in traits:
        name, sign, text = trait.partition("=")
        if not (name and sign):
            raise InputError("this is not a trait", where="--trait", found=trait, allowed="NAME=VALUE")
        try:
            # NaN is no number in JSON, and so a text.
            read[name] = json.loads(text, parse_constant=str)
        except (ValueError, RecursionError):
            read[name] = text
        try:
            json.dumps({name: read[name]}, ensure_ascii=False, allow_nan=False).encode()
        except ValueError as error:
            raise InputError(f"JSON cannot carry this: {error}", where="--trait", found=trait) from None
    return read
