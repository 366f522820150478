"""What each tool asks of an emulator: functions of its endpoint and the checked arguments, which return the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from emulator.errors import InputError
from emulator.harness.client import Control, Endpoint
from emulator.harness.ledger import PROVENANCES, search
from emulator.mcp_server.sent_event import send_event
from emulator.yaml_files import parse_mapping

Arguments: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]

_PERSON: Final = MappingProxyType({"email": "email", "user_id": "userId", "message_id": "messageId"})
# More scenarios, and more records of a request, are more than an answer should hold.
_MOST_SCENARIOS: Final = 5
_MOST_RECORDS: Final = 20
_BODIES: Final = ("request", "response")
# Longer than any value that is recognised as personal.
_LONGEST_HIDDEN: Final = 4000


def _why(endpoint: Endpoint, given: Arguments) -> Answer:
    further = {name: given[name] for name in ("property", "segment") if name in given}
    return endpoint.control.get("why", **_person(given, "why"), **further, search=_flag(given["search"]))


def _explain(endpoint: Endpoint, given: Arguments) -> Answer:
    return endpoint.control.post("explain", given)


def _test_mapping(endpoint: Endpoint, given: Arguments) -> Answer:
    control = endpoint.control
    destination = given.get("destination") or _first(control, "workspace/destinations", "destination instance")
    subscriptions = f"workspace/destinations/{quote(destination, safe='')}/subscriptions"
    name = given.get("subscription") or _first(control, subscriptions, "subscription")
    body = {"event": given["event"]} if "event" in given else {}
    changed = {key: given[key] for key in ("trigger", "mapping") if key in given}
    if changed:
        body["draft"] = {**control.get(f"{subscriptions}/{quote(name, safe='')}")["item"], **changed}
    where = "/".join(("destinations", quote(destination, safe=""), "subscriptions", quote(name, safe=""), "test"))
    return {"destination": destination, "subscription": name, **control.post(where, body)}


def _plan(endpoint: Endpoint, given: Arguments) -> Answer:
    if ("new" in given) == ("generation" in given):
        raise InputError("one changed workspace is required", where="plan", allowed="new or generation")
    new = given.get("new")
    if isinstance(new, str):
        new = parse_mapping(new, where="plan: new", what="a workspace", mistake=InputError)
    if new is None:
        new = endpoint.control.get("workspace")["workspace"]
        for destination in new["destinations"]:
            destination["generation"] = given["generation"]
    people = {"known": True} if given["known"] else {"people": given["people"], "seed": given["seed"]}
    return endpoint.control.post("plan", {"new": new, "advance": given["advance"], **people})


def _advance_clock(endpoint: Endpoint, given: Arguments) -> Answer:
    return endpoint.control.post("clock/advance", given)


def _set_fault(endpoint: Endpoint, given: Arguments) -> Answer:
    if not given:
        raise InputError("nothing to do", where="set_fault", allowed="fault, clear or both")
    if "clear" in given:
        endpoint.control.delete("faults")
    if "fault" in given:
        endpoint.control.post("faults", given["fault"])
    return endpoint.control.get("faults")


def _find_requests(endpoint: Endpoint, given: Arguments) -> Answer:
    names = {"trace_id": "traceId"}
    criteria = {names.get(name, name): given[name] for name in given if name not in ("limit", "longest")}
    journal = partial(endpoint.control.get, "journal", **criteria)
    total = journal(limit=1, content=_flag(False))["total"]
    found = journal(limit=given["limit"], offset=max(total - given["limit"], 0))
    # What is cut apart cannot be recognised as an address or the value of a field.
    longest = given["longest"] + _LONGEST_HIDDEN
    return {"total": found["total"], "requests": [_request(each, longest) for each in found["entries"]]}


def _shortened(answer: Answer, given: Arguments) -> Answer:
    """The answer of `find_requests`, whose bodies are as long as it was asked for."""
    requests = [
        {**each, **{name: _cut(each[name], given["longest"]) for name in _BODIES}} for each in answer["requests"]
    ]
    return {**answer, "requests": requests}


def _run_scenarios(endpoint: Endpoint, given: Arguments) -> Answer:
    if "scenario" in given and "document" in given:
        raise InputError("two scenarios", where="run_scenarios", allowed="scenario, document or neither")
    report = endpoint.control.post("scenarios/run", given)
    played = report["scenarios"]
    shown = played if len(played) <= _MOST_SCENARIOS else [each for each in played if each["outcome"] != "passed"]
    left_out = len(played) - len(shown)
    return {"summary": report["summary"], "scenarios": shown, "passedToo": left_out}


def _write_scenario(endpoint: Endpoint, given: Arguments) -> Answer:
    return endpoint.control.get("why/case", **_person(given, "write_scenario"), **{"as": given["as"]})


def _fidelity_of(_endpoint: Endpoint, given: Arguments) -> Answer:
    found = search(**{name: given[name] for name in ("text", "provenance", "area") if name in given})
    rows = found["behaviours"]
    return {
        "behaviours": list(islice(rows, given["limit"])),
        "found": len(rows),
        "total": found["total"],
        "meanings": dict(PROVENANCES),
    }


def _person(given: Arguments, tool: str) -> dict[str, str]:
    """The query for a person. Raises InputError where none is given."""
    person = {asked: given[name] for name, asked in _PERSON.items() if name in given}
    if not person:
        raise InputError("no person is given", where=tool, allowed=", ".join(_PERSON))
    return person


def _first(control: Control, path: str, what: str) -> str:
    items = control.get(path)["items"]
    if not items:
        raise InputError(f"the workspace has no {what}", where="test_mapping")
    return str(items[0]["name"])


def _request(entry: Arguments, longest: int) -> Answer:
    """An entry of the journal whose bodies are cut and whose records are the first ones."""
    bodies = {name: entry[name] and entry[name][:longest] for name in _BODIES}
    records = entry["records"]
    return {**entry, "records": list(records[:_MOST_RECORDS]), "recordsInAll": len(records), **bodies}


def _cut(text: str | None, longest: int) -> str | None:
    if text is None or len(text) <= longest:
        return text
    return f"{text[:longest]}…"


def _flag(value: bool) -> str:
    return "true" if value else "false"


CALLS: Final[Mapping[str, Callable[[Endpoint, Arguments], Answer]]] = MappingProxyType(
    {
        "send_event": send_event,
        "why": _why,
        "explain": _explain,
        "test_mapping": _test_mapping,
        "plan": _plan,
        "advance_clock": _advance_clock,
        "set_fault": _set_fault,
        "find_requests": _find_requests,
        "run_scenarios": _run_scenarios,
        "write_scenario": _write_scenario,
        "fidelity_of": _fidelity_of,
    }
)
# What is done to an answer once personal data in it is hidden.
FINISHED: Final[Mapping[str, Callable[[Answer, Arguments], Answer]]] = MappingProxyType({"find_requests": _shortened})
