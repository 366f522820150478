"""What came in over HTTP: refused or dropped calls, and GraphQL requests that were refused before they ran."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from emulator.harness.client.control import Control
from emulator.harness.client.lines import Shown, refusal_text
from emulator.text import counted_noun

# Segment has seen the call before: nothing is lost.
_DUPLICATE = "duplicate"
_UNKNOWN_SOURCE = "unknown_source"
_OF_A_REQUEST = ("traceId", "at", "operations", "status", "refusal", "credential")

About = Callable[[Shown], bool]


def refused_calls(control: Control) -> list[Shown]:
    """The calls that Segment refused or dropped, except duplicates, oldest first."""
    return [each for each in control.pages("calls", "calls", accepted="false") if each["reason"] != _DUPLICATE]


def _refused_requests(control: Control) -> list[Shown]:
    """The GraphQL requests that were refused before they ran, oldest first."""
    return [each for each in control.pages("journal", "entries", outcome="refused") if each["refusal"]]


def call_line(call: Shown) -> str:
    """The outcome of one call that was refused or dropped."""
    if call["status"] < 400:
        return f"{call['call']}: dropped on ingest, {call['reason']}"
    return f"{call['call']}: refused with {call['status']}, {_reason(call, 'its')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameIn:
    """What came in over HTTP. `calls` is how many calls of any client, `last_call_at` when the last one came in;
    `accepted_calls` is how many of them were about one user and accepted.

    `refused_calls` and `refused_requests` are what was refused before it belonged to anyone, and calls that Segment
    dropped: those about the user, or of anyone where the user is unknown. `about` says which are about the user.
    """

    about: About
    calls: int
    last_call_at: str | None
    accepted_calls: int
    refused_calls: Sequence[Shown]
    refused_requests: Sequence[Shown]

    def since(self, before: CameIn) -> CameIn:
        """What came in after an earlier one."""
        return replace(
            self,
            calls=self.calls - before.calls,
            accepted_calls=self.accepted_calls - before.accepted_calls,
            refused_calls=[each for each in self.refused_calls if each not in before.refused_calls],
            refused_requests=[each for each in self.refused_requests if each not in before.refused_requests],
        )

    def as_dict(self) -> Shown:
        """The JSON form."""
        return {
            "calls": self.calls,
            "lastCallAt": self.last_call_at,
            "refusedCalls": list(self.refused_calls),
            "refusedRequests": [{name: each[name] for name in _OF_A_REQUEST} for each in self.refused_requests],
        }

    def unknown_user(self) -> Iterator[str]:
        """Why the Engage space has no profile of the user, where the refused calls do not say it."""
        came_in = f"{counted_noun(self.calls, 'call')} came in, the last at {self.last_call_at}"
        if not self.calls:
            yield "no call of any client came in (was the SDK flushed, and is its host this emulator?)"
        elif self.accepted_calls:
            yield f"{came_in}, {self.accepted_calls} of them about this person, but no profile has these identifiers"
        elif not any(map(self.about, self.refused_calls)):
            yield f"{came_in}, none of them about this person"

    def call_lines(self) -> Iterator[str]:
        """`2 calls were refused: no source has their write key (sha256:…)`: one line for each reason."""
        for each, same, of_person in _groups(self.refused_calls, _call_kind, self.about):
            many = f"{counted_noun(len(same), 'call')} {_were(same)}"
            if each["status"] < 400:
                yield f"{many} dropped on ingest: {each['reason']}{of_person}"
            else:
                with_status = "" if each["reason"] == _UNKNOWN_SOURCE else f" with {each['status']}"
                whose = "its" if len(same) == 1 else "their"
                yield f"{many} refused{with_status}: {_reason(each, whose)}{of_person}"

    def request_lines(self) -> Iterator[str]:
        """`3 requests were refused with 401 (unknown token sha256:…)`: one line for each reason."""
        for each, same, of_person in _groups(self.refused_requests, _request_kind, self.about):
            many = f"{counted_noun(len(same), 'request')} {_were(same)}"
            yield f"{many} refused with {each['status']} ({_why(each)}){of_person}"


def came_in_at(
    control: Control, given: Mapping[str, str], about: About, *, is_known: bool, except_for: Collection[str]
) -> CameIn:
    """What came in at an emulator. `given` are the filters of calls that select the user; requests with the trace ids
    `except_for` are left out.
    """
    total = control.get("calls", limit=1)["total"]
    last = control.get("calls", limit=1, offset=total - 1)["calls"] if total else []
    accepted = (control.get("calls", limit=1, accepted="true", **{name: value}) for name, value in given.items())
    return CameIn(
        about=about,
        calls=total,
        last_call_at=last[0]["at"] if last else None,
        accepted_calls=max((each["total"] for each in accepted), default=0),
        refused_calls=[each for each in refused_calls(control) if about(each) or not (is_known or _is_of_other(each))],
        refused_requests=[
            each
            for each in _refused_requests(control)
            if each["traceId"] not in except_for and (about(each) or not is_known)
        ],
    )


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two email addresses are the same; one that is None equals none."""
    return one is not None and other is not None and one.lower() == other.lower()


def _is_of_other(call: Shown) -> bool:
    """Whether Segment dropped a call that names someone: it explains nothing about anyone else."""
    return call["status"] < 400 and bool(call["userId"] or call["email"])


def _groups(
    items: Sequence[Shown], kind: Callable[[Shown], object], about: About
) -> Iterator[tuple[Shown, list[Shown], str]]:
    """The first of each kind, all of that kind, and how many of them are about the person."""
    kinds: dict[object, list[Shown]] = {}
    for each in items:
        kinds.setdefault(kind(each), []).append(each)
    for same in kinds.values():
        count = sum(map(about, same))
        yield same[0], same, f", {count} of them about this person" if count and len(same) > 1 else ""


def _call_kind(call: Shown) -> object:
    return call["status"], call["reason"], call["message"], call["credential"]


def _request_kind(request: Shown) -> object:
    return request["status"], _why(request)


def _were(items: Sequence[Shown]) -> str:
    return "was" if len(items) == 1 else "were"


def _reason(call: Shown, whose: str) -> str:
    credential = f" ({call['credential']})" if call["credential"] else ""
    if call["reason"] == _UNKNOWN_SOURCE:
        has = "it has" if whose == "its" else "they have"
        return f"no source has {whose} write key{credential}" if credential else f"{has} no write key"
    message = str(call["message"] or call["reason"]).rstrip(".")
    return f"{message[:1].lower()}{message[1:]}{credential}"


def _why(request: Shown) -> str:
    credential = request["credential"]
    text = refusal_text(request["refusal"], None, request["token"], request["response"])
    return f"{text} {credential}" if credential and credential not in text else text
