"""Plays probes at an endpoint: sends what is not answered yet, stops at the first 429, and says what is waited for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from emulator.clock import Clock
from emulator.errors import reason_of
from emulator.harness.probe.limit_probes import BURST, TOO_MANY
from emulator.harness.probe.probe_parts import (
    Phase,
    Probe,
    ProbeResponse,
    ProbeResponses,
    Request,
    filled,
    kept_headers,
    text_of,
)
from emulator.harness.probe.run_state import State
from emulator.harness.recordings import Pseudonyms
from emulator.text import on_one_line

_HIDDEN: Final = "***"
# Statuses of a gateway whose service did not answer, which says nothing about the service.
_GATEWAY: Final = (502, 503, 504)
# An introspection of StackAdapt's whole schema has a few million bytes.
_MOST_BYTES: Final = 32 * 1024 * 1024

# What is called with each request, as it was sent, and its response.
Keep = Callable[[Request, str, ProbeResponse, Mapping[str, str]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why a run stopped early, and at which request."""

    probe: str
    request: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: the probes that are over, those that wait with the time until which, and why it stopped."""

    over: tuple[str, ...]
    waiting: Mapping[str, datetime]
    stopped: Stopped | None


class _RunStopped(Exception):
    """Ends a run early."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__(stopped.reason)
        self.stopped = stopped


class Player:
    """Plays probes against one endpoint with a token, in order; calls `before` ahead of the first request, if any."""

    def __init__(
        self,
        client: httpx.Client,
        url: str,
        token: str,
        state: State,
        clock: Clock,
        keep: Keep = lambda *_: None,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        self._client = client
        self._url = url
        self._token = token
        self._state = state
        self._clock = clock
        self._keep = keep
        self._before: Callable[[], object] | None = before
        self._pseudonyms = Pseudonyms(state.setup.run)

    def play(self, probes: Iterable[Probe]) -> Progress:
        """Sends what is to be sent now. What has been answered is not sent again."""
        over: list[str] = []
        waiting: dict[str, datetime] = {}
        try:
            for probe in probes:
                until = self._played(probe)
                if until is None:
                    over.append(probe.id)
                else:
                    waiting[probe.id] = until
        except _RunStopped as cut:
            return Progress(over=tuple(over), waiting=waiting, stopped=cut.stopped)
        return Progress(over=tuple(over), waiting=waiting, stopped=None)

    def answers(self, probe: Probe) -> ProbeResponses:
        """The answers of a probe that is over."""
        return ProbeResponses(by_name=self._state.newest(probe.id), waited=self._waited(probe, probe.stages[0]))

    def appeared(self, probe: Probe) -> bool:
        """Whether all made people of a probe that is over have appeared who must."""
        stages = [stage for stage in probe.stages if stage.appear]
        return all(self._waited(probe, stage) is not None for stage in stages)

    def _played(self, probe: Probe) -> datetime | None:
        """Goes on with a probe; the time until which it waits, None when it is over."""
        for stage in probe.stages:
            for request in stage.send:
                if not self._state.rounds(probe.id, request.name):
                    self._send(probe, request)
            if stage.look and (until := self._looked(probe, stage)) is not None:
                return until
        return None

    def _looked(self, probe: Probe, stage: Phase) -> datetime | None:
        """Looks once more, unless that is over."""
        until = self._sent_at(probe, stage) + timedelta(hours=self._state.setup.hours)
        if self._is_over(probe, stage, until):
            return None
        for request in stage.look:
            self._send(probe, request)
        return None if self._is_over(probe, stage, until) else until

    def _is_over(self, probe: Probe, stage: Phase, until: datetime) -> bool:
        rounds = self._rounds(probe, stage)
        if not rounds:
            return False
        return min(answer.at for answer in rounds[-1]) >= until or (
            not stage.whole and self._appeared(probe, stage, rounds[-1])
        )

    def _rounds(self, probe: Probe, stage: Phase) -> list[tuple[ProbeResponse, ...]]:
        """The rounds of looking that were completed."""
        return [*zip(*(self._state.rounds(probe.id, request.name) for request in stage.look), strict=False)]

    def _appeared(self, probe: Probe, stage: Phase, answers: Iterable[ProbeResponse]) -> bool:
        text, person = "\n".join(answer.text for answer in answers), self._person(probe)
        return all(person(name) in text for name in stage.appear)

    def _waited(self, probe: Probe, stage: Phase) -> float | None:
        """The hours from the last request of a stage until what it sent appeared."""
        for answers in self._rounds(probe, stage):
            if self._appeared(probe, stage, answers):
                return (answers[0].at - self._sent_at(probe, stage)) / timedelta(hours=1)
        return None

    def _sent_at(self, probe: Probe, stage: Phase) -> datetime:
        return max(self._state.rounds(probe.id, request.name)[-1].at for request in stage.send)

    def _send(self, probe: Probe, request: Request) -> None:
        if self._before is not None:
            self._before()
            self._before = None
        fill = self._fill(probe)
        body = text_of(filled(request.body, fill))
        headers = {"Accept": request.accept}
        if request.content_type is not None:
            headers["Content-Type"] = request.content_type
        if request.authorization is not None:
            headers["Authorization"] = filled(request.authorization, fill)
        try:
            response, text = self._sent(request, body, headers)
        except httpx.HTTPError as error:
            raise self._lost(probe, request, f"no response: {reason_of(error)}") from None
        if response.status_code in _GATEWAY:
            raise self._lost(probe, request, f"no response of the service: status {response.status_code}")
        answer = ProbeResponse(
            status=response.status_code,
            headers={name: on_one_line(self._clean(value)) for name, value in kept_headers(response.headers).items()},
            text=self._clean(text),
            at=self._clock.now(),
        )
        self._keep(request, body, answer, response.headers)
        if answer.status == TOO_MANY and probe.needs != BURST:
            wait = answer.headers.get("retry-after")
            reason = f"status 429, Retry-After: {wait or 'absent'}"
            raise _RunStopped(Stopped(probe=probe.id, request=request.name, reason=reason))
        self._state.add(probe.id, request.name, answer)

    def _lost(self, probe: Probe, request: Request, reason: str) -> _RunStopped:
        """The end of a run by a lost response; it is not known what a probe that writes has changed."""
        if probe.writes:
            self._state.begin_again(probe.id)
        return _RunStopped(Stopped(probe=probe.id, request=request.name, reason=reason))

    def _sent(self, request: Request, body: str, headers: Mapping[str, str]) -> tuple[httpx.Response, str]:
        """The response and its body, which is UTF-8 whatever its header says. Raises HTTPError."""
        url = httpx.URL(self._url) if request.path is None else httpx.URL(self._url).copy_with(path=request.path)
        if request.in_url:
            sent = self._client.stream("GET", url, params=httpx.QueryParams(body), headers=headers)
        else:
            sent = self._client.stream("POST", url, content=body.encode(), headers=headers)
        with sent as response:
            content = bytearray()
            for part in response.iter_bytes():
                content += part
                if len(content) > _MOST_BYTES:
                    raise httpx.HTTPError(f"it has more than {_MOST_BYTES:,} bytes")
        return response, content.decode(errors="replace")

    def _clean(self, text: str) -> str:
        """Without the token, wherever a service repeats it, and without addresses that the probe did not make."""
        return self._pseudonyms.in_text(text.replace(self._token, _HIDDEN))

    def _fill(self, probe: Probe) -> Callable[[str, str], str | None]:
        person = self._person(probe)
        known = {"advertiser": self._state.setup.advertiser_id, "token": self._token}
        known["segment"] = self._state.setup.segment or "none"

        def fill(word: str, rest: str) -> str | None:
            if not rest:
                return known.get(word)
            if word == "mail":
                return person(rest)
            if word == "loud":
                return f" {person(rest).upper()} "
            if word in ("id", "list"):
                return f"{word}-{self._digest(probe, rest)}"
            rounds = self._state.rounds(probe.id, word)
            found = rounds[-1].at_path(rest) if rounds else None
            return str(found) if found is not None else "0"

        return fill

    def _person(self, probe: Probe) -> Callable[[str], str]:
        """Made addresses have the form of a recording's pseudonyms, so that they stay as they are in one."""
        return lambda name: f"person-{self._digest(probe, name)}@example.com"

    def _digest(self, probe: Probe, name: str) -> str:
        seed = f"{self._state.setup.run}/{probe.id}/{self._state.attempt(probe.id)}/{name}"
        return hashlib.sha256(seed.encode()).hexdigest()[:12]


def shown_requests(probe: Probe, *, advertiser_id: str | None) -> Iterator[dict[str, Any]]:
    """What a probe sends, as it is listed: the marks stay, but for an advertiser that is known."""

    def fill(word: str, rest: str) -> str | None:
        return advertiser_id if word == "advertiser" and not rest else None

    for request in probe.requests:
        yield {
            "name": request.name,
            "method": "GET" if request.in_url else "POST",
            "path": request.path,
            "authorization": request.authorization,
            "accept": request.accept,
            "contentType": request.content_type,
            "body": text_of(filled(request.body, fill)),
        }
