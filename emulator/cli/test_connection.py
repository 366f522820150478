"""`test-connection`: the connection test of the published destination, against an endpoint."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click
import httpx

from emulator.addresses import address
from emulator.cli.remote import allow_remote_option, client_of
from emulator.cli.running import unreachable
from emulator.harness.connection_test import ConnectionTest, connection_test
from emulator.mapping import OutgoingRequest, Response, SendError, generations

_EPILOG = """\b
Examples:
  stackadapt-emulator test-connection --token sa-local-write
  stackadapt-emulator test-connection --token sa-local-read --generation 3.387.0
  STACKADAPT_TOKEN=… stackadapt-emulator test-connection --allow-remote \\
      --target https://sandbox.stackadapt.com/public/graphql
\b
Exit codes: 0 when the test passes in every generation, 1 when not, 2 bad usage or no response.
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--url",
    "--target",
    "url",
    default="http://127.0.0.1:8585",
    show_default=True,
    envvar="STACKADAPT_EMULATOR_URL",
    show_envvar=True,
    help="Endpoint to test; /graphql when it has no path.",
)
@click.option("--token", required=True, envvar="STACKADAPT_TOKEN", show_envvar=True, help="GraphQL token to test.")
@click.option(
    "--generation",
    "chosen",
    multiple=True,
    type=click.Choice(generations()),
    help="Only this version of the destination; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@allow_remote_option
def command(url: str, token: str, chosen: Sequence[str], as_json: bool) -> None:
    """Test a token as Segment does when a destination is set up.

    The published destination asks for the token's scopes and passes with WRITE for any advertiser. These advertisers
    are listed, for the field Advertiser ID: of the mapping in the generations of 2024, later of the settings. Nothing
    is changed at the endpoint.
    """
    given = address(url)
    endpoint = str(given.copy_with(path="/graphql") if given.path == "/" else given)

    with client_of(endpoint) as client:

        def send(request: OutgoingRequest) -> Response:
            try:
                answer = client.request(
                    request.method, request.url, headers=dict(request.headers), content=request.body.encode()
                )
            except httpx.ConnectError as error:
                raise unreachable(url, error) from None
            except httpx.HTTPError as error:
                raise SendError("FetchError", f"request to {endpoint} failed, reason: {error}", None) from error
            return Response(
                status=answer.status_code, reason=answer.reason_phrase, headers=dict(answer.headers), body=answer.text
            )

        tests = [
            connection_test(generation, token=token, endpoint=endpoint, send=send)
            for generation in chosen or generations()
        ]
    click.echo(json.dumps([each.as_dict() for each in tests], indent=2) if as_json else "\n".join(_lines(tests)))
    sys.exit(0 if all(each.passed for each in tests) else 1)


def _lines(tests: Sequence[ConnectionTest]) -> list[str]:
    lines = []
    for each in tests:
        lines.append(f"{each.generation:<9} {'passed' if each.passed else f'failed: {each.message}'}")
        if each.advice:
            lines.append(f"{'':<9} {each.advice}")
        for advertiser in each.advertisers:
            lines.append(f"{'':<9}   advertiser {advertiser.get('value')}  {advertiser.get('label')}")
    return lines
