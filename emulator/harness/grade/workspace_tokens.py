"""What a workspace says about the requests of a client: which tokens write, which root fields do, what is secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from emulator.harness.grade.sent_requests import Envelope, Run, SentRequest, sent_requests
from emulator.stackadapt.graphql.schema import executable_schema
from emulator.workspace import Workspace

RECORDED: Final = "recorded"
_WRITE = "WRITE"

Entries = Iterable[Mapping[str, Any]]


def writing(workspace: Workspace) -> Mapping[str, bool]:
    """Whether each token has WRITE on an advertiser, by name."""
    return {token.name: any(_WRITE in scopes for scopes in token.scopes.values()) for token in workspace.tokens}


def secrets_of(workspace: Workspace) -> Mapping[str, str]:
    """The tokens and write keys, by what they are."""
    tokens = {f"the token {token.name!r}": token.secret for token in workspace.tokens}
    return tokens | {f"the write key of {source.name!r}": source.write_key for source in workspace.sources}


def requests_in(
    entries: Entries, workspace: Workspace, envelopes: Mapping[str, Envelope] | None = None
) -> Sequence[SentRequest]:
    """The requests of a journal of this workspace."""
    mutation = executable_schema(workspace.api_version).mutation_type
    mutations = frozenset(mutation.fields if mutation is not None else ())
    return sent_requests(entries, mutations=mutations, writing=writing(workspace), envelopes=envelopes)


def recorded_run(entries: Entries, workspace: Workspace) -> Run:
    """What is known of a client from a journal alone."""
    requests = requests_in(entries, workspace)
    seconds = max((request.envelope.ended for request in requests), default=0.0)
    return Run(name=RECORDED, requests=requests, recorded=True, seconds=seconds)
