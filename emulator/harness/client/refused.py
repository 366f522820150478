"""Calls that Segment refused or dropped and GraphQL requests that were refused before they ran, as counted lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from emulator.harness.client.control import Control
from emulator.harness.client.lines import Shown, counted_noun, refusal_text

# Segment has seen the call before: nothing is lost.
DUPLICATE = "duplicate"
_UNKNOWN_SOURCE = "unknown_source"

About = Callable[[Shown], bool]


def refused_calls(control: Control) -> list[Shown]:
    """The calls that Segment refused or dropped, except duplicates, oldest first."""
    return [each for each in control.pages("calls", "calls", accepted="false") if each["reason"] != DUPLICATE]


def refused_requests(control: Control) -> list[Shown]:
    """The GraphQL requests that were refused before they ran, oldest first."""
    return [each for each in control.pages("journal", "entries", outcome="refused") if each["refusal"]]


def call_line(call: Shown) -> str:
    """The outcome of one call that was refused or dropped."""
    if call["status"] < 400:
        return f"{call['call']}: dropped on ingest, {call['reason']}"
    return f"{call['call']}: refused with {call['status']}, {_reason(call, 'its')}"


def call_lines(calls: Sequence[Shown], about: About) -> Iterator[str]:
    """`2 calls were refused: no source has their write key (sha256:…)`: one line for each reason."""
    for each, same, of_person in _groups(calls, _call_kind, about):
        many = f"{counted_noun(len(same), 'call')} {_were(same)}"
        if each["status"] < 400:
            yield f"{many} dropped on ingest: {each['reason']}{of_person}"
        else:
            with_status = "" if each["reason"] == _UNKNOWN_SOURCE else f" with {each['status']}"
            whose = "its" if len(same) == 1 else "their"
            yield f"{many} refused{with_status}: {_reason(each, whose)}{of_person}"


def request_lines(requests: Sequence[Shown], about: About) -> Iterator[str]:
    """`3 requests were refused with 401 (unknown token sha256:…)`: one line for each reason."""
    for each, same, of_person in _groups(requests, _request_kind, about):
        many = f"{counted_noun(len(same), 'request')} {_were(same)}"
        yield f"{many} refused with {each['status']} ({_why(each)}){of_person}"


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
