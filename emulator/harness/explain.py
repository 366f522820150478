"""One event step by step: filters, trigger, mapping, validation, request, and its processing by StackAdapt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.harness.destination_checks import check_event, checks_of
from emulator.harness.explain_hints import trigger_hint, validation_hint
from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import (
    UNDEFINED,
    Condition,
    ConditionResult,
    EngineError,
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
SECRET_HEADER = "authorization"  # noqa: S105 - the name of a header


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The processing of one event by one subscription.

    `filters` are what each filter of the destination instance did: see `check_event`. `trigger` has its `text` and the
    results of its `conditions`. `stopped` is `filter`, `trigger`, `mapping` or `validation`, None if a request was
    sent; `reason` is the code of what was filtered at the destination, `message` the engine's message or the emulator's
    own, `hint` what to do. `response` is StackAdapt's, `records` are the records of the request.
    """

    subscription: str
    filters: tuple[dict[str, Any], ...] = ()
    trigger: dict[str, Any]
    fields: tuple[dict[str, Any], ...] = ()
    stopped: str | None = None
    reason: str | None = None
    message: str | None = None
    hint: str | None = None
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    records: tuple[dict[str, Any], ...] = ()


def explain(
    event: Mapping[str, Any], context: SubscriptionContext, stackadapt: StackAdapt, transport: Transport
) -> Explanation:
    """Explains one event at a subscription; its request goes through `transport` to `stackadapt`."""
    checked = check_event(event, checks_of(context))
    known: dict[str, Any] = {"subscription": context.subscription.name, "filters": checked.filters}
    if checked.discard is not None:
        trigger = {"text": context.subscription.trigger, "conditions": None}
        why = checked.discard
        return Explanation(**known, trigger=trigger, stopped="filter", reason=why.reason, message=why.message)
    event = checked.event
    condition_tree = context.trigger.explain(event)
    conditions = _conditions(condition_tree) if condition_tree else None
    known["trigger"] = {"text": context.subscription.trigger, "conditions": conditions}
    if context.trigger.error is not None:
        hint = trigger_hint(context.trigger, event, None)
        return Explanation(**known, stopped="trigger", message="the trigger cannot be parsed", hint=hint)
    if condition_tree is None or not condition_tree.passed:
        hint = trigger_hint(context.trigger, event, conditions)
        return Explanation(**known, stopped="trigger", message="not subscribed", hint=hint)
    try:
        known["fields"] = tuple(_field(trace) for trace in trace_mapping(context.mapping, event))
        prepared = context.instance().subscriptions[0].prepare([event], batch=False)
    except (MappingError, EngineError) as error:
        return Explanation(**known, stopped="mapping", message=context.destination.masked(error.message))
    (prepared_event,) = prepared.events
    if prepared.request is None:
        message = prepared_event.message if isinstance(prepared_event, Invalid) else None
        return Explanation(
            **known, stopped="validation", message=message, hint=validation_hint(message, event, known["fields"])
        )
    response = transport.post(prepared.request.headers, prepared.request.body)
    return Explanation(
        **known,
        request=shown_request(prepared.request),
        response={"status": response.status, "body": json_or_text(response.text)},
        records=tuple(stackadapt.records(limit=len(prepared.records))),
    )


def _conditions(found: ConditionResult) -> dict[str, Any]:
    if isinstance(found.node, Group):
        return {
            "operator": found.node.operator,
            "passed": found.passed,
            "conditions": [_conditions(child) for child in found.children],
        }
    text = condition_text(found.node) if found.node else "()"
    shown = {"condition": text, "passed": found.passed, "found": _value(found.found), "error": found.error}
    return {key: value for key, value in shown.items() if key != "error" or value is not None}


def condition_text(condition: Condition) -> str:
    """A condition of a trigger, as the engine reads it: `type = \"track\"`."""
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


def shown_request(request: OutgoingRequest) -> dict[str, Any]:
    """A request without its token: `method`, `url`, `headers`, `document`."""
    headers = {name: "Bearer ***" if name == SECRET_HEADER else value for name, value in request.headers.items()}
    document = json.loads(request.body)["query"]
    return {"method": request.method, "url": request.url, "headers": headers, "document": document}


def json_or_text(text: str) -> Any:
    """The value of a JSON text; the text itself where it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text
