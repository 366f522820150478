"""`why`: why a person, a message, a property or a membership did not arrive."""

from __future__ import annotations

import json
import sys

import click
import httpx

from emulator.cli.running import connect, sandbox_option, unreachable, url_option
from emulator.errors import UserMistake
from emulator.harness.client import Control

_EPILOG = """\b
Examples:
  stackadapt-emulator why --email ada@example.com
  stackadapt-emulator why --user-id u1 --property city
  stackadapt-emulator why --email ada@example.com --segment 3
  stackadapt-emulator why --message-id m-17 --json
  stackadapt-emulator why --email ada@example.com --as pytest > test_ada.py
  stackadapt-emulator why --user-id u1 --apply
\b
Exit codes: 0 when the person is visible (with --property or --segment: when that is so too), 1 when not.
"""


@click.command(epilog=_EPILOG)
@click.option("--email", help="The person's email.")
@click.option("--user-id", help="The person's user id.")
@click.option("--message-id", help="The messageId of a call, or of an event that Engage sent.")
@click.option("--property", "property_", help="A StackAdapt property that the profile should have.")
@click.option("--segment", help="The id of a StackAdapt segment that the profile should be in.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["curl", "pytest", "scenario"]),
    help="Print what was sent about the person, and that the profile becomes visible, in this form.",
)
@click.option("--send-again", is_flag=True, help="Send the person's last calls or records again first.")
@click.option("--apply", "applied", is_flag=True, help="Apply the smallest change, and send the person again.")
@sandbox_option
@url_option
def command(
    email: str | None,
    user_id: str | None,
    message_id: str | None,
    property_: str | None,
    segment: str | None,
    as_json: bool,
    form: str | None,
    send_again: bool,
    applied: bool,
    sandbox: str | None,
    url: str,
) -> None:
    """Show the way of one person through Segment and StackAdapt, and where it stopped.

    Works for events that any client sent to a running emulator. The smallest change that would have let the person
    through is found by running the same again in a copy; nothing in the emulator is changed without --send-again or
    --apply.
    """
    if not (email or user_id or message_id):
        raise UserMistake("no person is given", allowed="--email, --user-id or --message-id")
    asked = {"email": email, "userId": user_id, "messageId": message_id, "property": property_, "segment": segment}
    given = {name: value for name, value in asked.items() if value is not None}
    try:
        with connect(url, sandbox) as client:
            control = Control(client)
            if form is not None:
                about = {name: given[name] for name in ("email", "userId", "messageId") if name in given}
                click.echo(control.get("why/case", **about, **{"as": form})["text"], nl=False)
                return
            if send_again:
                control.post("why/send-again", given)
            answer = control.post("why/apply", given)["answer"] if applied else control.get("why", **given)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2) if as_json else answer["text"])
    sys.exit(0 if answer["arrived"] else 1)
