"""The walk of one event: trigger, mapping, validation, request, and what StackAdapt makes of it.

Everything is asked of the parts that do the real work; nothing is decided here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import (
    UNDEFINED,
    Condition,
    EngineError,
    Explanation,
    FieldTrace,
    Group,
    Invalid,
    MappingError,
    OutgoingRequest,
    Step,
    trace_mapping,
)
from emulator.stackadapt import StackAdapt
from emulator.transport import Transport

_OPERATORS = {
    "exists": "exists",
    "not_exists": "does not exist",
    "is_true": "is true",
    "is_false": "is false",
    "number_equals": "=",
    "number_not_equals": "!=",
}
# The fields that say which audience it is; only what Engage sends has them.
_AUDIENCE_FIELDS = "segment_computation_"
_OWN_CALL = (
    "This is an app's own call: Engage makes the audience event of it, which names the audience in context.personas. "
    "Take one from `generate audience-events`, or have a running emulator send one with `trigger audience-entered`."
)
SECRET_HEADER = "authorization"  # noqa: S105 - the name of a header


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What became of one event at one subscription.

    `stopped` says where it ended early: `trigger`, `mapping` or `validation`, None when it was sent. `message` is the
    engine's for that, `hint` says what to do about it. `answer` is StackAdapt's body, `records` are what became of the
    profiles in it.
    """

    subscription: str
    trigger: str
    conditions: Mapping[str, Any] | None
    fields: tuple[Mapping[str, Any], ...] = ()
    stopped: str | None = None
    message: str | None = None
    hint: str | None = None
    request: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    records: tuple[Mapping[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The walk for machines."""
        return {
            "subscription": self.subscription,
            "trigger": {"text": self.trigger, "conditions": self.conditions},
            "fields": list(self.fields),
            "stopped": self.stopped,
            "message": self.message,
            "hint": self.hint,
            "request": self.request,
            "answer": self.answer,
            "records": list(self.records),
        }


def explain(
    event: Mapping[str, Any], subject: SubscriptionContext, stackadapt: StackAdapt, transport: Transport
) -> Walk:
    """Walks one event through a subscription and sends what comes of it through `transport` to `stackadapt`."""
    condition_tree = subject.trigger.explain(event)
    known: dict[str, Any] = {
        "subscription": subject.subscription.name,
        "trigger": subject.subscription.trigger,
        "conditions": _conditions(condition_tree) if condition_tree else None,
    }
    if subject.trigger.error is not None:
        return Walk(**known, stopped="trigger", message=subject.trigger.error)
    if condition_tree is None or not condition_tree.passed:
        return Walk(**known, stopped="trigger", message="not subscribed")
    try:
        known["fields"] = tuple(_field(trace) for trace in trace_mapping(subject.mapping, event))
        prepared = subject.instance().subscriptions[0].prepare([event], batch=False)
    except (MappingError, EngineError) as error:
        return Walk(**known, stopped="mapping", message=subject.destination.masked(error.message))
    (verdict,) = prepared.verdicts
    if prepared.request is None:
        message = verdict.message if isinstance(verdict, Invalid) else None
        return Walk(**known, stopped="validation", message=message, hint=_hint(event, known["fields"]))
    answer = transport.post(prepared.request.headers, prepared.request.body)
    return Walk(
        **known,
        request=_request(prepared.request),
        answer={"status": answer.status, "body": _json_or_text(answer.text)},
        records=tuple(stackadapt.records(limit=len(prepared.records))),
    )


def _hint(event: Mapping[str, Any], fields: Iterable[Mapping[str, Any]]) -> str | None:
    """What to do about an event that names no audience because it is none of Engage's."""
    context = event.get("context")
    told = isinstance(context, Mapping) and "personas" in context
    wanted = any(
        field["field"].startswith(_AUDIENCE_FIELDS) and field["value"] == _value(UNDEFINED) for field in fields
    )
    return _OWN_CALL if wanted and not told else None


def _conditions(found: Explanation) -> dict[str, Any]:
    if isinstance(found.node, Group):
        return {
            "operator": found.node.operator,
            "passed": found.passed,
            "conditions": [_conditions(child) for child in found.children],
        }
    text = _condition_text(found.node) if found.node else "()"
    shown = {"condition": text, "passed": found.passed, "found": _value(found.found), "error": found.error}
    return {key: value for key, value in shown.items() if key != "error" or value is not None}


def _condition_text(condition: Condition) -> str:
    name = f"{condition.field}.{condition.name}" if condition.name else condition.field
    operator = _OPERATORS.get(condition.operator, condition.operator.replace("_", " "))
    if condition.value is UNDEFINED:
        return f"{name} {operator}"
    return f"{name} {operator} {json.dumps(condition.value, ensure_ascii=False)}"


def _field(trace: FieldTrace) -> dict[str, Any]:
    return {"field": trace.field, "value": _value(trace.value), "path": _step(trace.step)}


def _step(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {"directive": step.directive, "value": _value(step.value)}
    if step.role:
        shown = {"role": step.role, **shown}
    if step.directive is None or not step.steps:
        shown["options"] = step.options
    if step.error is not None:
        shown["error"] = step.error
    if step.steps:
        shown["steps"] = [_step(child) for child in step.steps]
    return shown


def _value(value: object) -> Any:
    return {"undefined": True} if value is UNDEFINED else value


def _request(request: OutgoingRequest) -> dict[str, Any]:
    headers = {name: "Bearer ***" if name == SECRET_HEADER else value for name, value in request.headers.items()}
    document = json.loads(request.body)["query"]
    return {"method": request.method, "url": request.url, "headers": headers, "document": document}


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
