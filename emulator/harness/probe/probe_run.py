"""A run of the probe: begun or resumed, played as far as it goes, and compared with the emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx

from emulator.clock import Clock, to_iso
from emulator.errors import UserMistake, unwritable
from emulator.harness.probe.forms import nodes
from emulator.harness.probe.ledger_patch import ledger_patch
from emulator.harness.probe.player_of_probes import Keep, Player, Progress
from emulator.harness.probe.probe_list import named, why_not
from emulator.harness.probe.probe_parts import BEARER, Phase, Probe, ProbeResponse, Request, query
from emulator.harness.probe.reference_emulator import OpenServices, Reference
from emulator.harness.probe.row_results import NOT_SEEN, RESULTS, Judged, RowResult
from emulator.harness.probe.run_state import Setup, State
from emulator.harness.recordings import Recording
from emulator.ids import secret
from emulator.workspace import READ, WRITE

STATE, PATCH = "state.jsonl", "ledger.patch"
_REFUSED: Final = (401, 403)
FIRST: Final = query(
    "first",
    """query ($a: ID!) { tokenInfo { scopesByAdvertiser(first: 100) { nodes { advertiser { id } scopes } } }
    advertisers(first: 1) { totalCount } advertiser(id: $a) { id }
    cdpProfiles(advertiserId: $a, filterBy: { limit: 1 }) { size } }""",
    a="<advertiser>",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a user asks for: the probes by id (all without any), and what they may use."""

    url: str
    advertiser_id: str
    only: tuple[str, ...] = ()
    writes: bool = False
    burst: int = 0
    segment: str | None = None
    hours: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """The outcome so far. `exchanges` and `patch` are the files that were written; None without content."""

    setup: Setup
    progress: Progress
    rows: tuple[RowResult, ...]
    requests: int
    exchanges: Path | None
    patch: Path | None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows have each result."""
        counted = Counter(row.result for row in self.rows)
        return {result: counted[result] for result in RESULTS}

    def as_dict(self) -> dict[str, Any]:
        """The JSON form (`contracts/probe.schema.json`)."""
        stopped = self.progress.stopped
        return {
            "url": self.setup.url,
            "advertiserId": self.setup.advertiser_id,
            "started": to_iso(self.setup.started),
            "requests": self.requests,
            "stopped": None
            if stopped is None
            else {"probe": stopped.probe, "request": stopped.request, "reason": stopped.reason},
            "waiting": {probe: to_iso(until) for probe, until in self.progress.waiting.items()},
            "counts": {"confirmed": 0, "differs": 0, "notSeen": 0}
            | {("notSeen" if name == NOT_SEEN else name): number for name, number in self.counts.items()},
            "rows": [row.as_dict() for row in self.rows],
            "exchanges": None if self.exchanges is None else str(self.exchanges),
            "patch": None if self.patch is None else str(self.patch),
        }


class Run:
    """A run in a folder, which has its state, its exchanges and its patch. `client` sends to the endpoint."""

    def __init__(
        self, folder: Path, token: str, client: httpx.Client, clock: Clock, open_services: OpenServices
    ) -> None:
        self._folder = folder
        self._token = token
        self._client = client
        self._clock = clock
        self._open_services = open_services
        self._recording: Recording | None = None
        self._requests = 0

    def begin(self, wanted: Wanted) -> ProbeReport:
        """Begins a probe in a folder that has none.

        Raises UserMistake, before anything is written, when there is one, and for a token or advertiser that the
        endpoint does not know.
        """
        path = self._folder / STATE
        check_free(path)
        setup = Setup(
            url=wanted.url,
            advertiser_id=wanted.advertiser_id,
            run=secret(""),
            scopes=(),
            advertisers=0,
            profiles=0,
            probes=tuple(probe.id for probe in named(wanted.only)),
            started=self._clock.now(),
            writes=wanted.writes,
            burst=wanted.burst,
            segment=wanted.segment,
            hours=wanted.hours,
        )
        setup = replace(setup, **self._first(setup))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self._folder, error) from None
        return self._go_on(State.create(path, setup))

    def resume(self, state: State) -> ProbeReport:
        """Goes on with a probe: sends what has no answer yet, and looks again for what was sent.

        Raises UserMistake, before any of this, for a token with other rights than the probe was begun with.
        """
        return self._go_on(state, lambda: self._check_rights(state.setup))

    def _check_rights(self, setup: Setup) -> None:
        """What another token is refused would be taken for what the service does."""
        found = self._first(setup)["scopes"]
        if found != setup.scopes:
            message = "the token has other scopes for the advertiser than the probe was begun with"
            raise UserMistake(message, where="--token", found=", ".join(found), allowed=", ".join(setup.scopes))

    def _go_on(self, state: State, before: Callable[[], object] = lambda: None) -> ProbeReport:
        setup = state.setup
        chosen = named(setup.probes, setup.burst)
        player = Player(self._client, setup.url, self._token, state, self._clock, self._keep(setup), before)
        try:
            progress = player.play([probe for probe in chosen if why_not(probe, setup) is None])
        finally:
            if self._recording is not None:
                self._recording.close()
        judged = Judged(chosen, player, progress, Reference(self._open_services, setup))
        rows = tuple(judged.rows(chosen, lambda probe: why_not(probe, setup)))
        patch = ledger_patch(rows, url=setup.url, at=self._clock.now())
        return ProbeReport(
            setup=setup,
            progress=progress,
            rows=rows,
            requests=self._requests,
            exchanges=self._recording.path if self._recording is not None else None,
            patch=self._written(patch) if patch else None,
        )

    def _first(self, setup: Setup) -> dict[str, Any]:
        """What the token may do for the advertiser, and how much is there. Raises UserMistake."""
        asking = Probe(id="first", title="", rows=(), stages=(Phase(send=(FIRST,)),), observe=lambda _: {})
        state = State(setup)
        stopped = Player(self._client, setup.url, self._token, state, self._clock).play([asking]).stopped
        if stopped is not None:
            raise UserMistake(f"the endpoint does not answer: {stopped.reason}", where=setup.url)
        return access(state.newest("first")["first"], setup)

    def _keep(self, setup: Setup) -> Keep:
        """Writes each exchange to a recording, which is made with the first."""

        def keep(request: Request, body: str, answer: ProbeResponse, headers: Mapping[str, str]) -> None:
            self._requests += 1
            if not request.recordable:
                return
            if self._recording is None:
                self._recording = Recording(self._free_name(), upstream=setup.url, key=secret(""))
            self._recording.keep(
                at=answer.at,
                token=self._token if request.authorization == BEARER else None,
                accept=request.accept,
                request=body,
                status=answer.status,
                headers=headers,
                response=answer.text,
            )

        return keep

    def _free_name(self) -> Path:
        """Each run has a recording of its own, since their pseudonyms do not match."""
        names = (self._folder / f"exchanges-{number}.jsonl" for number in count(1))
        return next(path for path in names if not path.exists())

    def _written(self, patch: str) -> Path:
        path = self._folder / PATCH
        try:
            path.write_text(patch, encoding="utf-8")
        except OSError as error:
            raise unwritable(path, error) from None
        return path


def check_free(path: Path) -> None:
    """Raises UserMistake when there is a probe already."""
    if path.exists():
        hint = "Go on with it by --resume, or choose another folder by --output."
        raise UserMistake("there is a probe in this folder already", where=str(path), hint=hint)


def access(answer: ProbeResponse, setup: Setup) -> dict[str, Any]:
    """What the first answer says: scopes, how many advertisers, how many profiles. Raises UserMistake."""
    info = answer.at_path("data.tokenInfo")
    if not isinstance(info, dict):
        refused = answer.status in _REFUSED
        raise UserMistake(
            "the endpoint does not accept the token" if refused else "the endpoint does not answer like StackAdapt",
            where=setup.url,
            found=f"status {answer.status}, {answer.message}" if answer.message else f"status {answer.status}",
            hint="Check the token." if refused else "Check the URL: it is that of a GraphQL endpoint.",
        )
    scopes = {
        str(each["advertiser"]["id"]): tuple(scope for scope in each["scopes"] if scope in (READ, WRITE))
        for each in nodes(answer, "data.tokenInfo.scopesByAdvertiser") or ()
        if isinstance(each.get("advertiser"), Mapping)
        and "id" in each["advertiser"]
        and isinstance(each.get("scopes"), list)
    }
    if answer.at_path("data.advertiser.id") is None:
        raise UserMistake(
            f"the token cannot see the advertiser {setup.advertiser_id}",
            where="--advertiser",
            allowed=", ".join(sorted(scopes)) or "none",
        )
    total, size = (answer.at_path(f"data.{path}") for path in ("advertisers.totalCount", "cdpProfiles.size"))
    return {
        "scopes": scopes.get(setup.advertiser_id, (READ,)),
        "advertisers": total if isinstance(total, int) else 1,
        "profiles": size if isinstance(size, int) else 0,
    }
