"""Situations in which a person does not arrive: what is sent to which workspace, and how a change is applied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator import Emulator, load_workspace
from emulator.clock import Clock
from emulator.durations import parse_duration
from emulator.workspace import parse_workspace
from emulator.workspace_document import document_of, set_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA: dict[str, Any] = {
    "type": "identify",
    "userId": "u1",
    "traits": {"email": "ada@example.com", "first_name": "Ada", "total_spent": 900},
}
UPSERT = """mutation ($input: UpsertProfilesInput!) {
  upsertProfiles(input: $input) { userErrors { message } }
}"""
MAP = """mutation ($input: ProfileMappingInput!) {
  upsertProfileMapping(input: $input) { userErrors { message } }
}"""
Document = dict[str, Any]


def workspace(**paths: Any) -> Document:
    """The default workspace in JSON form, with values replaced: `destinations__0__settings__apiKey="…"`."""
    document = {**document_of(load_workspace()), "seed": 1}
    for path, value in paths.items():
        set_at(document, [int(key) if key.isdigit() else key for key in path.split("__")], value)
    return document


def ada(**traits: Any) -> Document:
    """Ada's identify call with other traits; None removes one."""
    kept = {name: value for name, value in {**ADA["traits"], **traits}.items() if value is not None}
    return {**ADA, "traits": kept}


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is sent, and the question about it. `records` are posted to StackAdapt by another client than Segment.

    `later` is done after the calls were sent, before the clock is moved by `hours`.
    """

    workspace: Document = field(default_factory=workspace)
    calls: tuple[Document, ...] = (ADA,)
    write_key: str = "segment-local"
    records: tuple[Document, ...] = ()
    token: str = "sa-local-write"
    columns: tuple[Document, ...] = ()
    rule: Document | None = None
    faults: tuple[Document, ...] = ()
    deletion: str | None = None
    regulation: str | None = None
    hours: float = 0
    wait: timedelta = timedelta()
    again: bool = False
    question: Mapping[str, str] = field(default_factory=lambda: {"userId": "u1"})

    @contextmanager
    def played(self) -> Iterator[Emulator]:
        """An emulator in which it has happened."""
        with Emulator(parse_workspace(self.workspace), clock=Clock(frozen_at=NOON)) as emulator:
            for fault in self.faults:
                emulator.client.post("/_emulator/faults", json=fault)
            self._send(emulator)
            if self.rule is not None:
                body = {"advertiserId": "1001", "name": "VIPs", "rule": self.rule}
                created = emulator.client.post("/_emulator/segments", json=body)
                assert created.status_code == 201, created.json
            if self.deletion is not None:
                emulator.client.post("/_emulator/regulations", json={"userId": self.deletion})
            if self.regulation is not None:
                emulator.services.segment.regulate("SUPPRESS_WITH_DELETE", ["u1"])
                emulator.services.segment.regulate(self.regulation, ["u1"])
                self._send(emulator)
            emulator.services.advance(timedelta(hours=self.hours))
            if self.again:
                emulator.sandbox.faults.clear()
                emulator.segment.replay()
                self._send(emulator)
            emulator.services.advance(self.wait)
            yield emulator

    def _send(self, emulator: Emulator) -> None:
        for call in self.calls:
            emulator.client.post(f"/v1/{call['type']}", json=call, auth=(self.write_key, ""))
        if self.columns:
            content = {"advertiserId": "1001", "mappableType": "segment_io", "isOptedIn": True}
            content["mappingSchemaV2"] = list(self.columns)
            self._post(emulator, MAP, content)
        for record in self.records:
            content = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": json.dumps([record])}
            self._post(emulator, UPSERT, content)

    def _post(self, emulator: Emulator, query: str, content: Document) -> None:
        headers = {"authorization": f"Bearer {self.token}"}
        emulator.client.post("/graphql", json={"query": query, "variables": {"input": content}}, headers=headers)

    def ask(self, emulator: Emulator) -> Document:
        """The answer of the control API."""
        response = emulator.client.get("/_emulator/why", query_string=dict(self.question))
        assert response.status_code == 200, response.json
        answer: Document = response.json or {}
        return answer

    def changed(self, change: Document) -> Situation:
        """The situation with a change of an answer applied."""
        return _APPLY[change["kind"]](self, change)


def _trait(situation: Situation, change: Document) -> Situation:
    calls = deepcopy(situation.calls)
    values = change["value"] if change["where"] == "traits" else {change["where"].partition(".")[2]: change["value"]}
    for call in calls:
        if call["type"] == "identify":
            traits = {**call.get("traits", {}), **values}
            call["traits"] = {name: value for name, value in traits.items() if value is not None}
    return replace(situation, calls=calls, question=_asked(situation, values))


def _record(situation: Situation, change: Document) -> Situation:
    records = tuple({**record, change["where"]: change["value"]} for record in situation.records)
    return replace(situation, records=records, question=_asked(situation, {change["where"]: change["value"]}))


def _asked(situation: Situation, values: Document) -> Mapping[str, str]:
    """A person without a user id is known by the new email."""
    question = dict(situation.question)
    return question if "email" not in values or "userId" in question else {**question, "email": values["email"]}


def _event(situation: Situation, change: Document) -> Situation:
    situation = _trait(situation, {"where": "traits", "value": change["value"]["traits"]})
    events = tuple({"type": "track", "userId": "u1", **event} for event in change["value"]["events"])
    return replace(situation, calls=(*situation.calls, *events))


def _workspace(situation: Situation, change: Document) -> Situation:
    document = deepcopy(situation.workspace)
    path = _path(change["where"])
    if change["value"] is None:
        *way, last = path
        holder: Any = document
        for key in way:
            holder = holder[key]
        del holder[last]
    else:
        set_at(document, path, change["value"])
    return replace(situation, workspace=document)


def _path(where: str) -> list[str | int]:
    parts = where.replace("[", ".").replace("]", "").split(".")
    return [int(part) if part.isdigit() else part for part in parts]


def _credential(situation: Situation, change: Document) -> Situation:
    if change["where"] == "writeKey":
        keys = {source["name"]: source["writeKey"] for source in situation.workspace["sources"]}
        return replace(situation, write_key=keys[change["value"]])
    tokens = {token["name"]: token["token"] for token in situation.workspace["tokens"]}
    if change["where"] == "authorization":
        return replace(situation, token=tokens[change["value"]])
    return _workspace(situation, {**change, "value": tokens[change["value"]]})


def _mapping(situation: Situation, change: Document) -> Situation:
    return replace(situation, columns=(*situation.columns, change["value"]))


def _segment(situation: Situation, change: Document) -> Situation:
    rule = {"rule": deepcopy(situation.rule)}
    set_at(rule, _path(change["where"]), change["value"])
    return replace(situation, rule=rule["rule"])


def _without(call: Document, name: str) -> Document:
    return {key: value for key, value in call.items() if key != name}


_APPLY = {
    "trait": _trait,
    "record": _record,
    "event": _event,
    "workspace": _workspace,
    "credential": _credential,
    "mapping": _mapping,
    "segment": _segment,
    "fault": lambda situation, change: replace(situation, faults=()),
    "regulation": lambda situation, change: replace(situation, regulation=change["where"]),
    "resend": lambda situation, change: replace(
        situation, again=True, calls=tuple(_without(call, change["where"]) for call in situation.calls)
    ),
    "clock": lambda situation, change: replace(
        situation, wait=situation.wait + parse_duration(change["value"], where="clock")
    ),
}
