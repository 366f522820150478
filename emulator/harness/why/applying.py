"""Applies the changes of an answer to the services that run, and sends the person again."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any, Protocol

from emulator.durations import parse_duration
from emulator.errors import InputError
from emulator.harness.why.answer import Change, Question
from emulator.harness.why.rerun import Running
from emulator.harness.why.send_again import Changed, send_again
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of, set_at


class Changeable(Running, Protocol):
    """Services whose workspace can be exchanged."""

    change_workspace: Callable[[Workspace], object]


# After these, nothing has to be sent again.
_LATER = frozenset({"clock", "segment"})


def apply(changes: tuple[Change, ...], question: Question, services: Changeable) -> None:
    """Applies changes in order, and sends the person again unless only the clock or a segment had to change.

    Raises InputError, before anything is changed, when there is none, or for one that only the sender can make.
    """
    if not changes:
        raise InputError(
            "no change that lets the person through is known", where="why", allowed="an answer with changes"
        )
    for change in changes:
        if change.kind not in _APPLY:
            raise InputError(
                "this change cannot be applied here", where="why", found=change.text, hint="Make it where it is sent."
            )
    sent = Changed()
    for change in changes:
        sent = _APPLY[change.kind](change, question, services, sent)
    if {change.kind for change in changes} - _LATER:
        send_again(question, services, sent)
    for change in changes:
        if change.kind == "clock":
            services.advance(parse_duration(change.value, where="clock"))


def _trait(change: Change, _question: Question, _services: Changeable, sent: Changed) -> Changed:
    values = change.value if change.where == "traits" else {change.where.partition(".")[2]: change.value}
    return replace(sent, traits={**sent.traits, **values})


def _event(change: Change, _question: Question, _services: Changeable, sent: Changed) -> Changed:
    return replace(
        sent, traits={**sent.traits, **change.value["traits"]}, events=(*sent.events, *change.value["events"])
    )


def _record(change: Change, _question: Question, _services: Changeable, sent: Changed) -> Changed:
    return replace(sent, record={**sent.record, change.where: change.value})


def _workspace(change: Change, _question: Question, services: Changeable, sent: Changed) -> Changed:
    if change.where == "rateLimit":
        services.sandbox.rate_limiter.set(None)
    document = deepcopy(document_of(services.sandbox.workspace))
    *way, last = _path(change.where)
    if change.value is not None:
        set_at(document, (*way, last), change.value)
    else:
        holder: Any = document
        for key in way:
            holder = holder[key]
        holder.pop(last, None)
    services.change_workspace(parse_workspace(document))
    return sent


def _credential(change: Change, question: Question, services: Changeable, sent: Changed) -> Changed:
    if change.where == "writeKey":
        return replace(sent, source=change.value)
    secret = next(each.secret for each in services.sandbox.workspace.tokens if each.name == change.value)
    if change.where == "authorization":
        return replace(sent, token=secret)
    return _workspace(replace(change, value=secret), question, services, sent)


def _fault(change: Change, _question: Question, services: Changeable, sent: Changed) -> Changed:
    faults = services.sandbox.faults
    faults.remove(faults.rules()[int(_path(change.where)[1])].id)
    return sent


def _regulation(change: Change, _question: Question, services: Changeable, sent: Changed) -> Changed:
    services.segment.regulate(change.where, [change.value])
    return sent


def _segment(change: Change, question: Question, services: Changeable, sent: Changed) -> Changed:
    segments = services.stackadapt.segments
    number = str(question.segment)
    document = {"rule": deepcopy(segments.get(number)["rule"])}
    set_at(document, _path(change.where), change.value)
    segments.update(number, rule=document["rule"])
    return sent


def _nothing(_change: Change, _question: Question, _services: Changeable, sent: Changed) -> Changed:
    return sent


def _path(where: str) -> list[str | int]:
    parts = where.replace("[", ".").replace("]", "").split(".")
    return [int(part) if part.isdecimal() else part for part in parts]


_APPLY: dict[str, Callable[[Change, Question, Changeable, Changed], Changed]] = {
    "trait": _trait,
    "event": _event,
    "record": _record,
    "workspace": _workspace,
    "credential": _credential,
    "fault": _fault,
    "regulation": _regulation,
    "segment": _segment,
    "resend": _nothing,
    "clock": _nothing,
}
