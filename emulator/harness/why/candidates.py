"""Candidates for the smallest change, by the stage and the reason of the stop; `search` tries them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from emulator.durations import in_words
from emulator.harness.trigger_repair import repaired_trigger
from emulator.harness.why import trait_changes as traits
from emulator.harness.why import workspace_changes as workspace
from emulator.harness.why.answer import (
    AUDIENCE,
    CALL,
    DESTINATION,
    LATENCY,
    MAPPING,
    PROFILE,
    PROPERTY,
    RECORD,
    REQUEST,
    SEGMENT,
    TRIGGER,
    VISIBLE,
    Change,
    Stop,
)
from emulator.harness.why.evidence import Evidence
from emulator.harness.why.failed_requests import RATE_LIMIT, faults_of
from emulator.harness.why.properties import TRAIT_OF
from emulator.harness.why.rerun import Case
from emulator.harness.why.segments import leaves_of, values_of
from emulator.harness.why.unread_traits import NO_TRAITS_FIELD, OTHER_PROPERTIES_MODE, REMOVED_BY_FILTER
from emulator.segment import USER_SUPPRESSED
from emulator.segment.delivery.event_checks import FILTERED_BY_END_USER_CONSENT, FILTERED_BY_INTEGRATIONS_OBJECT
from emulator.stackadapt.rules.providers import provider_key
from emulator.timestamps import parse_timestamp
from emulator.workspace import parse_workspace
from emulator.workspace_document import set_at

Proposed = tuple[Change, Case]
Proposals = Iterator[Proposed]

_RESEND = "send it again, without a change: nothing that is active now refuses it"


def candidates(stop: Stop, case: Case, evidence: Evidence) -> Proposals:
    """Changes that might let it through, the most likely first."""
    if _may_be_over(stop):
        yield Change(kind="resend", where="", value=None, text=_again(stop)), case
    yield from _BY_STAGE.get(stop.stage, _nothing)(stop, case, evidence)


def _may_be_over(stop: Stop) -> bool:
    """Whether the workspace may have been corrected since, so that nothing has to change."""
    if stop.stage == DESTINATION:
        # What is run again has neither consent nor an integrations object, and a batch that waits needs time alone.
        return stop.reason not in (FILTERED_BY_END_USER_CONSENT, FILTERED_BY_INTEGRATIONS_OBJECT, "QUEUED")
    if stop.stage == REQUEST:
        return stop.about.get("nextAt") is None
    return stop.stage in (TRIGGER, MAPPING, RECORD)


def _again(stop: Stop) -> str:
    if audience := stop.about.get("audienceKey"):
        return f"{_RESEND}; for all members of {audience}: Audiences, Compute with Resync"
    return _RESEND


def _nothing(_stop: Stop, _case: Case, _evidence: Evidence) -> Proposals:
    yield from ()


def _call(stop: Stop, case: Case, _evidence: Evidence) -> Proposals:
    if stop.reason == USER_SUPPRESSED:
        # What is run again knows no suppressions.
        user_id = stop.about["userId"]
        text = f"end the suppression of {user_id} with a regulation UNSUPPRESS, and send the person again"
        yield Change(kind="regulation", where="UNSUPPRESS", value=user_id, text=text), case
        return
    yield from workspace.switched_on(case)
    yield from workspace.let_through(case)
    if stop.reason == "unknown_source":
        for source in case.workspace["sources"]:
            text = f"send the call with the write key of source {source['name']!r}"
            change = Change(kind="credential", where="writeKey", value=source["name"], text=text)
            yield change, case.changed(source=source["name"])
        if not case.workspace["sources"]:
            source = {"name": "Website", "writeKey": "segment-local"}
            change, changed = workspace.changed(case, ("sources",), [source], "add a source, and send with its key")
            yield change, changed.changed(source="Website")


def _profile(_stop: Stop, case: Case, _evidence: Evidence) -> Proposals:
    yield from workspace.unblocked(case)
    yield from traits.with_email(case, None)


def _audience(stop: Stop, case: Case, evidence: Evidence) -> Proposals:
    """What Engage says that each condition needs; that of the audience in question first."""
    if (due := parse_timestamp(stop.about.get("nextComputation"))) is not None:
        yield _further(case, in_words(due - case.now), case.changed(wait=due - case.now))
    if "call" in stop.about:
        yield from workspace.let_through(case)
    wanted = stop.about.get("audience")
    for each in sorted(evidence.audiences, key=lambda each: each["audience"] != wanted):
        if each["change"]:
            yield traits.meeting(case, each["change"], of=each["audience"] or each["journey"])


def _destination(stop: Stop, case: Case, _evidence: Evidence) -> Proposals:
    if stop.reason == "QUEUED":
        workspace_now = parse_workspace(case.workspace)
        age = max((workspace_now.batch_age(each) for each in workspace_now.destinations), default=None)
        if age:
            yield _further(case, in_words(age), case.changed(wait=age))
    if stop.reason == FILTERED_BY_INTEGRATIONS_OBJECT:
        # What is run again has no integrations object.
        text = "send the call again without its integrations object"
        yield Change(kind="resend", where="integrations", value=None, text=text), case
    yield from workspace.without_filters(case)
    if stop.reason == FILTERED_BY_END_USER_CONSENT:
        # The categories were taken from the destination since.
        yield Change(kind="resend", where="", value=None, text=_again(stop)), case
    yield from workspace.switched_on(case)
    yield from workspace.connected(case)


def _trigger(stop: Stop, case: Case, evidence: Evidence) -> Proposals:
    at = {"destination": stop.about["destination"], "subscription": stop.about["subscription"]}
    events = [each["payload"] for each in evidence.deliveries if {name: each[name] for name in at} == at]
    for wanted in (events, [stop.about["payload"]]):
        repaired = repaired_trigger(stop.found or "", wanted)
        proposed = workspace.with_trigger(case, trigger=repaired.text, **at) if repaired else None
        if proposed:
            yield proposed
    proposed = workspace.with_trigger(case, trigger='type = "identify" or type = "track"', **at)
    if proposed:
        yield proposed
    yield from workspace.switched_on(case)


def _mapping(_stop: Stop, case: Case, evidence: Evidence) -> Proposals:
    yield from workspace.without_filters(case)
    yield from traits.with_email(case, next(iter(evidence.emails), None))
    yield from workspace.with_emails_sent(case)
    yield from workspace.mapped(case)


def _request(stop: Stop, case: Case, evidence: Evidence) -> Proposals:
    if RATE_LIMIT in faults_of(stop.about, evidence.requests):
        # A copy has used nothing of the limit: how long to wait cannot be tried in it.
        yield from _without_rate_limit(case)
    if (next_at := parse_timestamp(stop.about.get("nextAt"))) is not None:
        wait = next_at - case.now
        yield _further(case, in_words(wait), case.changed(wait=wait))
    yield from _without_faults(case)
    yield from traits.with_clean_traits(case)
    yield from workspace.with_credentials(case)
    yield from workspace.mapped(case)
    if case.request is not None:
        for token in case.workspace["tokens"]:
            text = f"send the request with the token {token['name']!r}"
            change = Change(kind="credential", where="authorization", value=token["name"], text=text)
            yield change, case.changed(token=token["token"])


def _without_faults(case: Case) -> Proposals:
    for index, fault in enumerate(case.faults):
        faults = (*case.faults[:index], *case.faults[index + 1 :])
        text = f"remove the fault {fault['fault']}, and send it again"
        yield Change(kind="fault", where=f"faults[{index}]", value=None, text=text), case.changed(faults=faults)
    yield from _without_rate_limit(case)


def _without_rate_limit(case: Case) -> Proposals:
    if RATE_LIMIT in case.workspace:
        document = deepcopy(case.workspace)
        del document[RATE_LIMIT]
        change = Change(
            kind="workspace", where="rateLimit", value=None, text="remove the rate limit, then send it again"
        )
        yield change, case.changed(workspace=document)


def _record(stop: Stop, case: Case, _evidence: Evidence) -> Proposals:
    yield from _without_faults(case)
    if stop.reason == "SUPPRESSED":
        return
    record = stop.about.get("record", {})
    given = next((value for key, value in record.items() if "email" in key.lower()), None)
    yield from traits.with_email(case, given)
    yield from workspace.with_emails_sent(case)
    yield from workspace.mapped(case)


def _latency(stop: Stop, case: Case, _evidence: Evidence) -> Proposals:
    due = parse_timestamp(stop.about["dueAt"])
    if due is not None:
        wait = due - case.now
        yield _further(case, in_words(wait), case.changed(wait=wait))


def _further(case: Case, words: str, changed: Case) -> Proposed:
    return Change(kind="clock", where="", value=words, text=f"move the clock {words} further"), changed


def _visible(_stop: Stop, case: Case, _evidence: Evidence) -> Proposals:
    yield Change(kind="resend", where="", value=None, text="send the person again, without a change"), case


def _property(stop: Stop, case: Case, _evidence: Evidence) -> Proposals:
    key = str(case.question.property)
    trait = TRAIT_OF.get(key, key)
    if stop.reason in ("UNREADABLE_VALUE", "NO_TRAIT", "NOT_IN_RECORD"):
        present = stop.about.get("record", {}).get(key)
        for value in _readable(present):
            yield traits.with_trait(case, trait, value)
    if stop.reason == OTHER_PROPERTIES_MODE:
        yield from workspace.with_other_properties_mode(case)
    if stop.reason == REMOVED_BY_FILTER:
        yield from workspace.without_filters(case)
    yield from workspace.with_trait_sent(case, trait)
    yield from workspace.with_property_mapped(case, key, trait)
    if stop.reason == NO_TRAITS_FIELD:
        yield from workspace.with_profiles_forwarded(case, key, trait)
    if case.records:
        yield from _column(case, key)


def _readable(present: object) -> Iterator[Any]:
    """Values near the present one that one of the types of a property can read."""
    if isinstance(present, str) and (number := re.search(r"-?\d+(?:\.\d+)?", present.replace(",", ""))):
        yield json.loads(number[0]) if not re.match(r"-?0\d", number[0]) else int(number[0])
    if isinstance(present, str) and (date := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", present.strip())):
        yield f"{date[3]}-{int(date[2]):02}-{int(date[1]):02}"
    yield from ("yes", 1, True, "2000-01-01")


def _column(case: Case, key: str) -> Proposals:
    """The profile mapping of the advertiser with a column for the key."""
    column = {"incoming_key": key, "destination_key": key, "label": key, "data_type": "STRING", "is_pii": False}
    rows = [dict(row) for row in case.tables.get("sa_mappings", ())]
    advertisers = {record["advertiserId"] for record in case.records}
    for row in rows:
        if row["kind"] == "profile" and row["advertiser_id"] in advertisers:
            row["mapping_schema"] = [*row["mapping_schema"], column]
            row["requested_schema"] = [*row["requested_schema"], column]
    if not any(row["kind"] == "profile" and row["advertiser_id"] in advertisers for row in rows):
        rows += [_mapping_row(case, len(rows) + 1, column)]
    value = {"incomingKey": key, "destinationKey": key, "label": key, "type": "STRING", "isPii": False}
    text = f"add the column {key} to the profile mapping (upsertProfileMapping), then send the record again"
    yield (
        Change(kind="mapping", where=key, value=value, text=text),
        case.changed(tables={**case.tables, "sa_mappings": rows}),
    )


def _mapping_row(case: Case, number: int, column: dict[str, Any]) -> dict[str, Any]:
    record = case.records[0]
    return {
        "id": number,
        "advertiser_id": record["advertiserId"],
        "kind": "profile",
        "type_key": provider_key(record["provider"]),
        "mappable_id": "",
        "mappable_type": record["provider"],
        "mapping_schema": [column],
        "is_opted_in": None,
        "list_id": None,
        "in_force": True,
        "requested_schema": [column],
        "requested_is_opted_in": None,
        "requested_list_id": None,
    }


def _segment(stop: Stop, case: Case, evidence: Evidence) -> Proposals:
    if "audience" in stop.about:
        yield from _audience(stop, case, evidence)
    profile = stop.about.get("profile") or next(iter(evidence.profiles), None)
    if profile is None or "rule" not in stop.about:
        return
    for path, test in leaves_of(stop.about["rule"]):
        for value in values_of(profile, test["field"]):
            new = [value] if test.get("operator") == "one_of" else value
            if "value" in test and new != test["value"]:
                yield _with_rule(stop, case, (*path, "value"), new)


def _with_rule(stop: Stop, case: Case, path: tuple[str | int, ...], value: Any) -> Proposed:
    rule = deepcopy(dict(stop.about["rule"]))
    set_at(rule, path, value)
    rows = [
        {**row, "rule": rule} if str(row["id"]) == stop.about["id"] else dict(row)
        for row in case.tables.get("sa_segments", ())
    ]
    where = "rule" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    text = f"change {where} of segment {stop.about['name']!r} to {json.dumps(value, ensure_ascii=False)}"
    change = Change(kind="segment", where=where, value=value, text=text)
    return change, case.changed(tables={**case.tables, "sa_segments": rows})


_BY_STAGE: dict[str, Callable[[Stop, Case, Evidence], Proposals]] = {
    CALL: _call,
    PROFILE: _profile,
    AUDIENCE: _audience,
    DESTINATION: _destination,
    TRIGGER: _trigger,
    MAPPING: _mapping,
    REQUEST: _request,
    RECORD: _record,
    LATENCY: _latency,
    VISIBLE: _visible,
    PROPERTY: _property,
    SEGMENT: _segment,
}
