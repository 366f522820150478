"""Runs a client once for each fault, each time with an emulator of its own, and records what it sends and prints."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from emulator.cli.client_variables import variables_of
from emulator.cli.given_commands import ended
from emulator.clock import stopwatch
from emulator.credentials import without_secrets
from emulator.ending_signals import ended_by_signals
from emulator.errors import EmulatorDefect, UserMistake
from emulator.harness.client import Endpoint, in_process
from emulator.harness.grade import (
    Case,
    Envelope,
    FaultyRun,
    People,
    Run,
    known_before,
    requests_in,
    secrets_of,
    writing,
)
from emulator.protocol import TRACE_HEADER
from emulator.server.emulator import Emulator
from emulator.workspace import Token, Workspace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READ_TOKEN, PEOPLE_FILE, RUN = "STACKADAPT_READ_TOKEN", "GRADE_PEOPLE_FILE", "GRADE_RUN"
# In addition to those of `exec`.
VARIABLES: Final = {
    READ_TOKEN: "a token with read access alone",
    PEOPLE_FILE: "a CSV file of the people to send, with email and consent (yes or no)",
    RUN: "the name of the run",
}
_OWN_READ_TOKEN = Token(secret="sa-grade-read-only", name="Read only", scopes={})  # noqa: S106 - for this machine only
_CONTROL = "/_emulator"


class Envelopes:
    """Records the URL, headers and times of the requests to an application, by the trace id in their responses."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._elapsed_ms = stopwatch()
        self.by_trace_id: dict[str, Envelope] = {}

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """The application, recorded."""

        def recorded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            started = self._elapsed_ms() / 1000
            sent: dict[str, str] = {}

            def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
                sent.update((name.lower(), value) for name, value in headers)
                return start_response(status, headers, *error)

            response = app(environ, start)
            if not environ["PATH_INFO"].startswith(_CONTROL) and TRACE_HEADER in sent:
                with self._lock:
                    self.by_trace_id[sent[TRACE_HEADER]] = _envelope(environ, sent, started, self._elapsed_ms() / 1000)
            return response

        return recorded


def _envelope(environ: WSGIEnvironment, sent: Mapping[str, str], started: float, ended: float) -> Envelope:
    query = environ.get("QUERY_STRING")
    wanted = sent.get("retry-after", "")
    return Envelope(
        url=environ["PATH_INFO"] + (f"?{query}" if query else ""),
        headers={
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        },
        started=started,
        ended=ended,
        retry_after=float(wanted) if wanted.isdigit() else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A command that syncs to StackAdapt, and what it is given. `seconds` is the time limit of a run."""

    command: Sequence[str]
    workspace: Workspace
    people: People
    seconds: float

    def case(self, runs: Sequence[FaultyRun], report: Callable[[int], object]) -> Case:
        """Runs it as often as there are `runs`; `report` is called after each.

        Raises UserMistake when it cannot be run, or fails without a fault.
        """
        workspace = _prepared(self.workspace)
        done = []
        with ended_by_signals():
            for each in runs:
                done.append(self._run(each, workspace))
                if each is runs[0]:
                    _check_plain(done[0], self.seconds, secrets_of(workspace))
                report(1)
        return Case(
            runs=done, consents=self.people.consents, known_before=known_before(), secrets=secrets_of(workspace)
        )

    def _run(self, wanted: FaultyRun, workspace: Workspace) -> Run:
        people = self.people if wanted.many else self.people.few()
        with TemporaryDirectory() as folder, Emulator(workspace) as emulator:
            file = Path(folder, "people.csv")
            file.write_text(people.as_csv(), encoding="utf-8")
            with in_process(emulator.app, address=lambda: emulator.url) as endpoint:
                _prepare(endpoint, wanted, emulator.stackadapt.operations)
                envelopes = Envelopes()
                emulator.app.wsgi_app = envelopes.around(emulator.app.wsgi_app)  # type: ignore[assignment]
                done = self._ended(
                    {
                        **os.environ,
                        **variables_of(endpoint),
                        READ_TOKEN: _read_token(workspace),
                        PEOPLE_FILE: str(file),
                        RUN: wanted.name,
                    }
                )
                entries = endpoint.control.pages("journal", "entries")
                requests = requests_in(entries, workspace, envelopes.by_trace_id)
        return replace(done, name=wanted.name, requests=requests)

    def _ended(self, environment: Mapping[str, str]) -> Run:
        """How the command ended and what it printed until then. Its whole process group is stopped with it."""
        elapsed_ms = stopwatch()
        done = ended(self.command, environment, seconds=self.seconds)
        seconds = elapsed_ms() / 1000
        return Run(
            name="",
            requests=(),
            exit_code=done.code,
            output=done.output.decode("utf-8", "replace"),
            error_output=done.errors.decode("utf-8", "replace"),
            stopped=done.code is None,
            seconds=seconds,
        )


def _prepared(workspace: Workspace) -> Workspace:
    """The workspace without faults of its own, with immediate ingestion and a token that only reads."""
    changed = replace(workspace, faults=(), rate_limit=None).with_options(latency="instant")
    if _reading(changed) is not None:
        return changed
    scopes = {advertiser.id: frozenset({"READ"}) for advertiser in changed.advertisers}
    return replace(changed, tokens=(*changed.tokens, replace(_OWN_READ_TOKEN, scopes=scopes)))


def _reading(workspace: Workspace) -> Token | None:
    """The first token that reads the first advertiser, and writes none."""
    may_write = writing(workspace)
    first = workspace.advertisers[0].id
    return next(
        (token for token in workspace.tokens if token.allows("READ", first) and not may_write[token.name]), None
    )


def _read_token(workspace: Workspace) -> str:
    token = _reading(workspace)
    assert token is not None  # noqa: S101 - `_prepared` adds one
    return token.secret


def _prepare(endpoint: Endpoint, wanted: FaultyRun, operations: Sequence[str]) -> None:
    """Stores the profiles that a run starts with, and injects its faults."""
    lines = "".join(
        f"{json.dumps({'advertiserId': endpoint.advertiser_id, 'email': each})}\n" for each in known_before()
    )
    stored = endpoint.client.post(f"{_CONTROL}/profiles/import", content=lines).raise_for_status().json()
    if stored["rejected"]:
        raise EmulatorDefect("profiles of a run were rejected", found=stored["errors"][0]["message"])
    for fault in wanted.faults:
        if fault.get("operation") in (None, *operations):
            endpoint.control.post("faults", dict(fault))


def _check_plain(run: Run, seconds: float, secrets: Mapping[str, str]) -> None:
    """Raises UserMistake for a client that fails without a fault: whatever it then does would show nothing."""
    if run.stopped:
        raise UserMistake(
            f"the command did not end within {seconds:g} s", where="run without a fault", hint="Allow more: --timeout."
        )
    if run.exit_code:
        lines = without_secrets(run.error_output or run.output, secrets.values()).strip().splitlines()
        raise UserMistake(
            f"the command exited with code {run.exit_code} although nothing failed",
            where="run without a fault",
            found=lines[-1] if lines else None,
            hint="It must end with 0 when StackAdapt accepts everything.",
        )
    if not run.requests:
        raise UserMistake(
            "the command sent no request to StackAdapt",
            where="run without a fault",
            hint="It must use the variables STACKADAPT_GRAPHQL_URL and STACKADAPT_TOKEN, and not reset the emulator.",
        )
