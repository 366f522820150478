"""Recorded cases: the same input for this engine, compared with the recorded outcome of the real engine.

A case is a JSON object. `kind: "transform"` has `mapping` and `payload`, `kind: "fql"` has `fql` and `event`. A case
without `kind` is for the destination: `generation`, `mode` (`event`, `batch`, `delete`, `auth`, `dynamic`), `settings`,
`subscriptions`, `events` and the scripted `responses`, each with `status` and a JSON `body`, or a raw `text` with
`headers`, or `reset` for a connection reset. `expected` is the outcome of the real engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from emulator.errors import InputError, unknown
from emulator.mapping import (
    UNDEFINED,
    DestinationInstance,
    EngineError,
    MappingError,
    OutgoingRequest,
    Response,
    Send,
    SendError,
    compile_mapping,
    compile_trigger,
    parse_json,
    single_event,
    stringify,
)
from emulator.text_files import lines_of

Case: TypeAlias = Mapping[str, Any]
Outcome: TypeAlias = dict[str, Any]
_Choice = TypeVar("_Choice")

_SHOWN_CHARACTERS = 80
_RECORDED_HEADERS = ("authorization", "content-type", "user-agent")
_JSON = {"content-type": "application/json"}
# The reason phrases of Node.
_PHRASES = {
    **{entry.value: entry.phrase for entry in HTTPStatus},
    413: "Payload Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Entity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference from the recorded outcome; the values are JSON."""

    where: str
    expected: str
    found: str


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of a `.jsonl` or `.jsonl.gz` file, one at a time. Raises InputError with file and line."""
    for number, line in enumerate(lines_of(path), start=1):
        if line.strip():
            yield _case(line, f"{path}:{number}")


def replay(case: Case) -> Outcome:
    """Runs one case. Raises InputError for an invalid one.

    The outcome has the case's `id` and, depending on its kind, `output`, `match`, or `results` and `requests`; `error`
    replaces what an error prevented.
    """
    replay_kind, members = _chosen(_KINDS, case.get("kind", "destination"), case, "kind")
    missing = [name for name in members if name not in case]
    if missing:
        raise InputError(f"invalid recorded case: missing {', '.join(missing)}", where=_place(case))
    try:
        return {"id": case.get("id"), **replay_kind(case)}
    except MappingError as error:
        return {"id": case.get("id"), "error": {"name": error.name, "message": error.message}}


def compare(case: Case, outcome: Outcome) -> list[Difference]:
    """The differences from the recorded outcome, bodies byte for byte. Raises InputError without `expected`."""
    if not isinstance(case.get("expected"), dict):
        raise InputError("invalid recorded case: `expected` must be an object", where=_place(case))
    expected: Mapping[str, Any] = case["expected"]
    if case.get("kind") == "fql":
        return _difference("match", expected["match"], outcome.get("match"))
    return [
        *_difference("output", expected.get("output", UNDEFINED), outcome.get("output", UNDEFINED)),
        *_difference("results", expected.get("results", UNDEFINED), outcome.get("results", UNDEFINED)),
        *_request_differences(expected.get("requests", ()), outcome.get("requests", ())),
        *_error_differences(expected.get("error"), outcome.get("error")),
    ]


def _case(line: str, where: str) -> Case:
    try:
        case = parse_json(line)
    except ValueError as error:
        raise InputError(f"a recorded case is not JSON: {error}", where=where) from error
    if not isinstance(case, dict):
        raise InputError("invalid recorded case", where=where, found=line[:_SHOWN_CHARACTERS], allowed="a JSON object")
    return case


def _place(case: Case) -> str:
    return f"case {case.get('id')}"


def _chosen(known: Mapping[str, _Choice], name: str, case: Case, member: str) -> _Choice:
    if name not in known:
        raise unknown(member, name, known, where=_place(case))
    return known[name]


def _replay_transform(case: Case) -> Outcome:
    event = single_event(case["payload"])
    output = compile_mapping(case["mapping"])(event)
    return {} if output is UNDEFINED else {"output": output}


def _replay_destination(case: Case) -> Outcome:
    run = _chosen(_MODES, case["mode"], case, "mode")
    instance = DestinationInstance(case["generation"], case["settings"], case["subscriptions"])
    script = _Script(case)
    try:
        outcome = {"results": run(instance, case, script.send)}
    except EngineError as error:
        outcome = {"error": error.as_dict()}
    return {**outcome, "requests": script.requests}


class _Script:
    """Answers requests with the responses of a case in order, and keeps the requests."""

    def __init__(self, case: Case) -> None:
        self.requests: list[dict[str, Any]] = []
        self._where = _place(case)
        self._responses = iter(case["responses"])

    def send(self, request: OutgoingRequest) -> Response:
        self.requests.append(
            {
                "method": request.method,
                "path": urlsplit(request.url)._replace(scheme="", netloc="").geturl(),
                "headers": {name: request.headers[name] for name in _RECORDED_HEADERS if name in request.headers},
                "body": request.body,
            }
        )
        response = next(self._responses, None)
        if response is None:
            raise InputError("invalid recorded case: fewer responses than requests", where=self._where)
        return _response(response, request.url)


def _response(recorded: Mapping[str, Any], url: str) -> Response:
    if recorded.get("reset"):
        raise SendError("FetchError", f"request to {url} failed, reason: socket hang up", "ECONNRESET")
    status: int = recorded["status"]
    text = recorded["text"] if "text" in recorded else str(stringify(recorded.get("body")))
    return Response(
        status=status,
        reason=recorded.get("reason") or _PHRASES.get(status, "unknown"),
        headers=recorded.get("headers", _JSON),
        body="" if status == HTTPStatus.NO_CONTENT else text,
    )


def _difference(where: str, expected: object, found: object) -> list[Difference]:
    texts = str(stringify(expected)), str(stringify(found))
    return [] if texts[0] == texts[1] else [Difference(where=where, expected=texts[0], found=texts[1])]


def _request_differences(expected: Sequence[Case], found: Sequence[Case]) -> list[Difference]:
    if len(expected) != len(found):
        return _difference("requests.length", len(expected), len(found))
    return [
        difference
        for at, (wanted, sent) in enumerate(zip(expected, found, strict=True))
        for part in ("method", "path", "headers", "body")
        for difference in _difference(f"requests.{at}.{part}", wanted[part], sent[part])
    ]


def _error_differences(expected: Mapping[str, Any] | None, found: Mapping[str, Any] | None) -> list[Difference]:
    if expected is None or found is None:
        return _difference("error", expected, found)
    return [
        difference
        for name, value in expected.items()
        for difference in _difference(f"error.{name}", value, found.get(name))
    ]


# How a case of each kind is replayed, and its members.
_KINDS: Mapping[str, tuple[Callable[[Case], Outcome], tuple[str, ...]]] = {
    "transform": (_replay_transform, ("mapping", "payload")),
    "fql": (lambda case: {"match": compile_trigger(case["fql"]).matches(case["event"])}, ("fql", "event")),
    "destination": (_replay_destination, ("generation", "mode", "settings", "subscriptions", "events", "responses")),
}

_Run: TypeAlias = Callable[[DestinationInstance, Case, Send], object]
_MODES: Mapping[str, _Run] = {
    "event": lambda instance, case, send: instance.on_event(case["events"][0], send),
    "batch": lambda instance, case, send: instance.on_batch(case["events"], send),
    "delete": lambda instance, case, send: instance.on_delete(case["events"][0], send),
    "auth": lambda instance, _case, send: instance.test_authentication(send),
    "dynamic": lambda instance, case, send: instance.dynamic_field(case["action"], case["field"], send),
}
