"""The environment variables by which a program finds an emulator. `exec` sets them, `env` prints them."""

from __future__ import annotations

from emulator.harness.client import Endpoint

_CONTROL_TOKEN = "STACKADAPT_EMULATOR_CONTROL_TOKEN"  # noqa: S105 - the name of a variable
VARIABLES = {
    "STACKADAPT_GRAPHQL_URL": "URL of StackAdapt's GraphQL API",
    "STACKADAPT_TOKEN": "a token with read and write access",
    "STACKADAPT_ADVERTISER_ID": "the workspace's first advertiser",
    "SEGMENT_HOST": "the host for a Segment SDK",
    "SEGMENT_WRITE_KEY": "the write key of the workspace's first source",
    "STACKADAPT_EMULATOR_URL": "the emulator, for its control API and for commands such as trigger",
}
# For `--help`.
LISTED = "\n".join(f"  {name:27}{meaning}" for name, meaning in VARIABLES.items())


def variables_of(endpoint: Endpoint, control_token: str | None = None) -> dict[str, str]:
    """The variables for an emulator, by name."""
    return {
        "STACKADAPT_GRAPHQL_URL": f"{endpoint.url}{endpoint.graphql_path}",
        "STACKADAPT_TOKEN": endpoint.token,
        "STACKADAPT_ADVERTISER_ID": endpoint.advertiser_id,
        "SEGMENT_HOST": endpoint.url,
        # Empty without a source: a key inherited from the environment would be wrong.
        "SEGMENT_WRITE_KEY": endpoint.write_key or "",
        "STACKADAPT_EMULATOR_URL": endpoint.url,
        **({_CONTROL_TOKEN: control_token} if control_token else {}),
    }
