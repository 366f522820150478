"""Where the way of a person or message stopped: the furthest place that something reached, and what was found there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulator.durations import in_words
from emulator.errors import nearest
from emulator.events import CallReceived
from emulator.harness.client import errors_in, user_errors_in
from emulator.harness.why.answer import (
    AUDIENCE,
    CALL,
    DESTINATION,
    LATENCY,
    MAPPING,
    PROFILE,
    RECORD,
    REQUEST,
    TRIGGER,
    VISIBLE,
    Stop,
)
from emulator.harness.why.evidence import Evidence, Shown
from emulator.harness.why.failed_requests import faults_of, request_advice, response_text
from emulator.harness.why.screened_calls import ADVICE, call_of_no_profile, filtered_call, noted_call, notes_of
from emulator.harness.why.unsent import (
    FILTERED,
    SEND_MEMBERS,
    SWITCHED_OFF,
    is_for_engage,
    is_on_by_now,
    missing_connection,
)
from emulator.segment import FILTERED_AT_SOURCE, USER_SUPPRESSED
from emulator.timestamps import parse_timestamp

_FLUSH = "SDKs send in batches: flush before the process ends."


def stop_of(evidence: Evidence) -> Stop | None:
    """Where a profile did not become visible; None when it did."""
    if _has_arrived(evidence):
        return None
    stops = (find(evidence) for find in _FINDERS)
    return next((stop for stop in stops if stop is not None), None) or _nothing_came_in(evidence)


def _has_arrived(evidence: Evidence) -> bool:
    if evidence.question.message_id is None:
        return bool(evidence.profiles)
    return bool(evidence.profiles) and any(each["outcome"] == "visible" for each in evidence.records)


def _records(evidence: Evidence) -> Stop | None:
    newest = {each["outcome"]: each for each in evidence.records}
    return next((stop(newest[outcome], evidence) for outcome, stop in _RECORDS.items() if outcome in newest), None)


def _queued(record: Shown, evidence: Evidence) -> Stop:
    due = parse_timestamp(record["dueAt"])
    remaining = in_words(due - evidence.now) if due else "unknown"
    return Stop(
        stage=LATENCY,
        reason="NOT_DUE",
        message="the record was accepted, and StackAdapt has not processed it yet",
        found=f"received at {record['receivedAt']}, due at {record['dueAt']}, in {remaining}",
        advice=f"Wait, or move the clock: stackadapt-emulator clock advance {remaining}",
        about=record,
    )


def _deleted(record: Shown, evidence: Evidence) -> Stop:
    deletions = [f"{', '.join(each['operations'])} at {each['at']}" for each in evidence.deletions]
    return Stop(
        stage=VISIBLE,
        reason="PROFILE_DELETED",
        message="the profile was visible and was deleted afterwards",
        found="; ".join(deletions) or f"record applied at {record['at']}, and no profile now",
        advice="Send the person again.",
        about=record,
    )


def _refused_record(record: Shown, evidence: Evidence) -> Stop:
    found = json.dumps(record["record"], ensure_ascii=False)
    return Stop(
        stage=RECORD,
        reason=record["reason"],
        message=f"StackAdapt {_VERBS[record['outcome']]} the record: {_clause(record['message'])}",
        found=found if len(found) <= _LONGEST else f"{found[:_LONGEST]} …",
        advice=_ADVICE.get(record["reason"], _ADVICE_OTHERWISE),
        about=record,
    )


_LONGEST = 300
_VERBS = {"rejected": "rejected", "pending": "holds", "suppressed": "suppressed"}
# The outcome that came furthest first.
_RECORDS: Mapping[str, Callable[[Shown, Evidence], Stop]] = {
    "queued": _queued,
    "suppressed": _refused_record,
    "visible": _deleted,
    "pending": _refused_record,
    "rejected": _refused_record,
}
_ADVICE = {
    "MISSING_EMAIL": "Send an email with every person: as a trait of identify, or in context.traits.email.",
    "INVALID_EMAIL": "Correct the email.",
    "WAITS_FOR_PROFILE": "Send a record with this person's external id and email.",
    "SUPPRESSED": "Nothing brings this person back: the deletion was permanent.",
    "INJECTED": "Remove the fault that rejects records.",
}
_ADVICE_OTHERWISE = "Correct the record and send it again."


def _deliveries(evidence: Evidence) -> Stop | None:
    sent = [each for each in evidence.deliveries if each["outcome"] == "sent"]
    unsent = [
        each
        for each in evidence.deliveries
        if each["outcome"] != "sent" and not is_for_engage(each, evidence.workspace)
    ]
    if not unsent:
        return _sent(evidence, sent[-1]) if sent else None
    furthest = max(enumerate(unsent), key=lambda each: (_depth(each[1]), each[0]))[1]
    return delivery_stop(furthest, evidence)


def _depth(delivery: Shown) -> int:
    """How far a delivery came."""
    return ("discarded", "queued", "rejected", "failed", "retrying").index(delivery["outcome"])


def delivery_stop(delivery: Shown, evidence: Evidence) -> Stop:
    """Where an event that was not sent stopped."""
    named = f"{delivery['type']} {delivery['event']!r}" if delivery["event"] else delivery["type"]
    of = f"{delivery['subscription']!r} of " if delivery["subscription"] else ""
    to = f"{of}{delivery['destination']!r}"
    outcome, reason = delivery["outcome"], delivery["reason"] or "QUEUED"
    text = _clause(delivery["message"] or reason)

    def at(stage: str, message: str, found: str | None, advice: str) -> Stop:
        return Stop(stage=stage, reason=reason, message=message, found=found, advice=advice, about=delivery)

    if outcome == "queued":
        advice = "Wait until the batch is old enough or full, or move the clock."
        return at(DESTINATION, f"the {named} event waits for its batch to {to}", f"queued at {delivery['at']}", advice)
    if outcome == "discarded" and is_on_by_now(delivery, evidence.workspace):
        message = f"the {named} event was not sent to {to}, which was switched off when it came"
        return at(DESTINATION, message, f"{text}; by now it is switched on", SEND_MEMBERS)
    if outcome == "discarded" and reason in SWITCHED_OFF:
        replay = "Put back what was removed or switched off, then: POST /_emulator/dead-letters/replay."
        advice = replay if reason == "WORKSPACE_CHANGED" else "Switch it on."
        return at(DESTINATION, f"the {named} event was not sent to {to}", text, advice)
    if outcome == "discarded" and reason in FILTERED:
        return at(DESTINATION, f"the {named} event was filtered at {to}", text, FILTERED[reason])
    if outcome == "discarded":
        message = f"the trigger of {to} does not match the {named} event"
        return at(TRIGGER, message, _trigger_of(delivery, evidence), "Change the trigger.")
    if outcome == "rejected":
        message = f"Segment rejected the {named} event for {to} before sending it"
        return at(MAPPING, message, text, "Send what the mapping needs, or correct the mapping.")
    retrying = outcome == "retrying"
    message = f"the request with the {named} event to {to} failed{', and is retried' if retrying else ''}"
    faults = faults_of(delivery, evidence.requests)
    return at(
        REQUEST, message, response_text(delivery, text, faults), request_advice(reason, faults, retrying=retrying)
    )


def _trigger_of(delivery: Shown, evidence: Evidence) -> str | None:
    for destination in evidence.workspace.destinations:
        for subscription in destination.subscriptions:
            if (destination.name, subscription.name) == (delivery["destination"], delivery["subscription"]):
                return subscription.trigger
    return None


def _sent(evidence: Evidence, last: Shown) -> Stop:
    """Sent, but StackAdapt has no record of it."""
    elsewhere = [each.endpoint for each in evidence.workspace.destinations if each.name == last["destination"]]
    if any(elsewhere):
        return Stop(
            stage=REQUEST,
            reason="OTHER_ENDPOINT",
            message=f"{last['destination']!r} sends to another endpoint than this StackAdapt",
            found=str(elsewhere[0]),
            advice="Look for the profile there, or remove the destination's endpoint.",
            about=last,
        )
    return Stop(
        stage=RECORD,
        reason="NO_RECORD",
        message="the request was accepted, and none of its records is about this person",
        found=f"request {last['traceId']}",
        advice="Map the user id and the email: explain shows the document that is sent.",
        about=last,
    )


def _requests(evidence: Evidence) -> Stop | None:
    """Requests of other clients that name the person and brought no record."""
    failed = [each for each in evidence.requests if each["outcome"] != "accepted"]
    if not failed:
        return None
    request = failed[-1]
    body = _json(request["response"])
    texts = [str(error.get("message")) for error in (*errors_in(body), *user_errors_in(body))]
    status = "no response" if request["status"] is None else f"status {request['status']}"
    return Stop(
        stage=REQUEST,
        reason=str(request["status"]) if request["outcome"] == "refused" else request["outcome"].upper(),
        message=f"StackAdapt refused the request {', '.join(request['operations'])}".rstrip(),
        found=": ".join([status, *(["; ".join(texts)] if texts else [])]),
        advice=request_advice(str(request["status"]), (), retrying=False)
        if request["status"] in (401, 403) and not request["faults"]
        else "Correct the request, or wait when it was a rate limit or a fault, and send it again.",
        about=request,
    )


def _audiences(evidence: Evidence) -> Stop | None:
    if not evidence.space:
        return None
    member = sorted({key for profile in evidence.space for key in profile["audiences"]})
    if member:
        return missing_connection(member, evidence.workspace)
    if not evidence.workspace.audiences and not evidence.workspace.journeys:
        return Stop(
            stage=AUDIENCE,
            reason="NO_AUDIENCE",
            message="the workspace has no audience, so there is nothing to enter",
            advice="Add an audience to the workspace and connect it to a destination.",
        )
    if not any(profile["userId"] or profile["email"] for profile in evidence.space):
        return Stop(
            stage=PROFILE,
            reason="NO_IDENTIFIER",
            message="the profile has neither user id nor email, so no audience is computed for it",
            found=json.dumps(evidence.space[0]["externalIds"]),
            advice="Send a userId or an email with the call.",
        )
    waiting = [each for each in evidence.audiences if each["nextComputation"] and each["conditions"]["passed"]]
    if waiting:
        return _waits_for_batch(waiting[0], evidence)
    failed = list(dict.fromkeys(_failed(evidence)))
    if (filtered := filtered_call(evidence, failed)) is not None:
        return filtered
    notes = list(dict.fromkeys(notes_of(evidence.calls)))
    return Stop(
        stage=AUDIENCE,
        reason="CONDITION_FALSE",
        message="the profile meets the condition of no audience",
        found="; ".join([*failed, *notes]) or None,
        advice=f"Send the traits or events that the condition needs.{f' {ADVICE}' if notes else ''}",
        about={"call": noted_call(evidence)} if notes else {},
    )


def _waits_for_batch(audience: Shown, evidence: Evidence) -> Stop:
    due = parse_timestamp(audience["nextComputation"])
    remaining = in_words(due - evidence.now) if due else "unknown"
    return Stop(
        stage=AUDIENCE,
        reason="NOT_COMPUTED_YET",
        message=f"the profile meets the condition of {audience['audience']}, a batch audience, "
        "which has not been computed since",
        found=f"it is computed every 8 hours, and next at {audience['nextComputation']}, in {remaining}",
        advice=f"Wait, or move the clock: stackadapt-emulator clock advance {remaining}",
        about={"nextComputation": audience["nextComputation"]},
    )


def _failed(evidence: Evidence) -> Iterator[str]:
    since_added = {each.key for each in evidence.workspace.audiences if not each.include_history}
    for audience in evidence.audiences:
        key = audience["audience"]
        for clause in audience["failed"]:
            yield f"{key}: {clause}"
        if key in since_added and audience["failed"]:
            yield f"{key}: includeHistory is false, so only events count that came in after it was added"


def _suppressed(evidence: Evidence) -> Stop | None:
    """Later calls cannot bring the person back, whatever happened to earlier ones."""
    if not evidence.suppressed:
        return None
    user = evidence.suppressed[-1]
    dropped = [call for call in evidence.calls if call.reason == USER_SUPPRESSED]
    many = f", {len(dropped)} so far" if dropped else ""
    return Stop(
        stage=CALL,
        reason=USER_SUPPRESSED,
        message=f"the user {user['userId']} is suppressed: Segment drops every call with this user id{many}",
        found=f"suppressed by a regulation since {user['since']}",
        advice="End the suppression with a regulation UNSUPPRESS, then send the person again.",
        about={"userId": user["userId"], **({"call": dropped[-1]} if dropped else {})},
    )


def _calls(evidence: Evidence) -> Stop | None:
    refused = [call for call in evidence.calls if not call.accepted]
    if not refused:
        return None
    call = refused[-1]
    known = call.source is not None
    source = f" of source {call.source!r}" if known else ""
    verb = "refused" if call.status >= 400 else "dropped"
    why = f" ({call.message})" if call.reason in FILTERED_AT_SOURCE else ""
    return Stop(
        stage=CALL,
        reason=call.reason or "REFUSED",
        message=f"Segment {verb} the {call.call} call{source}",
        found=_credential(call)
        if call.reason == "unknown_source"
        else f"message {call.message_id}: {call.reason}{why}",
        advice=_CALLS.get(call.reason or "", "Correct the call: validate shows what is wrong with it."),
        about={"call": call},
    )


_CALLS = {
    "unknown_source": "Send it with the write key of a source of the workspace.",
    "SOURCE_DISABLED": "Switch the source on.",
    "duplicate": "Send each message with its own messageId.",
    **dict.fromkeys(FILTERED_AT_SOURCE, ADVICE),
}


def _credential(call: CallReceived) -> str:
    return f"a write key that no source has ({call.credential})" if call.credential else "no write key"


def _token_sent(request: Shown) -> str:
    return f"a token that is unknown ({request['credential']})" if request["credential"] else "no token"


def _nothing_came_in(evidence: Evidence) -> Stop:
    if evidence.refused:
        last = evidence.refused[-1]
        many = len(evidence.refused)
        return Stop(
            stage=CALL,
            reason="401",
            message=f"no call about this person came in, and {many} request{'s' if many > 1 else ''} to StackAdapt "
            f"{'were' if many > 1 else 'was'} refused with 401",
            found=f"the last at {last['at']}, with {_token_sent(last)}",
            advice="Send the requests with a token of the workspace.",
            about=last,
        )
    count = len(evidence.received)
    if not count:
        return Stop(
            stage=CALL,
            reason="NO_CALL",
            message="no call of any client came in",
            advice=f"Check the host that the client sends to. {_FLUSH}",
        )
    last_call = evidence.received[-1]
    known = {name for call in evidence.received for name in (call.user_id, call.email) if name}
    asked = evidence.question.email or evidence.question.user_id or evidence.question.message_id or ""
    return Stop(
        stage=CALL,
        reason="NO_CALL",
        message=f"{count} call{'s' if count > 1 else ''} came in, and none of them is about this person",
        found=f"the last was {last_call.call} at {last_call.at.isoformat()}",
        advice=" ".join(filter(None, [nearest(asked, sorted(known)), f"Check the id and the email. {_FLUSH}"])),
    )


_FINDERS = (_suppressed, _records, _deliveries, _requests, _audiences, _calls, call_of_no_profile)


def _clause(text: str) -> str:
    return text.rstrip(".")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}
