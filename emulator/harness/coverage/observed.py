"""What a sandbox has exercised, from what it has recorded anyway: calls, deliveries, requests and records.

Triggers and mappings are evaluated again, as the workspace has them now, on the events that reached them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Protocol

from emulator.events import CallReceived, GraphQLExchanged, MembershipChanged
from emulator.harness.coverage.covered import Coverage, Section
from emulator.harness.coverage.fields_sent import Readers, described, fields_sent
from emulator.harness.coverage.ledger_rows import cover_rows
from emulator.harness.coverage.mapping_arms import (
    arms_chosen,
    arms_of,
    conditions_met,
    conditions_of,
    fields_filled,
    fields_of,
)
from emulator.harness.coverage.requests_made import cover_operations, cover_requests
from emulator.harness.destination_checks import check_event, checks_of
from emulator.harness.reasons import reasons
from emulator.harness.subscription_context import SubscriptionContext, subscription_contexts
from emulator.journal import DROPPED
from emulator.mapping import MappingError, tracer_of
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.segment.delivery.response import DISCARDED
from emulator.stackadapt import StackAdapt
from emulator.stackadapt.graphql.schema import executable_schema
from emulator.stackadapt.rules.outcomes import UNMAPPED_KEY

_PAGE = 1000
_QUEUED, _NOT_MATCHED = "queued", "NO_MATCHING_MAPPING"
_DROPPED = "A journal has dropped its oldest events: their calls, requests and memberships are not counted."
_RECORDS = "records of upsertProfiles"


class Services(Protocol):
    """Both services of a sandbox."""

    sandbox: Sandbox
    segment: Segment
    stackadapt: StackAdapt


def observed(services: Services) -> Coverage:
    """The coverage of a sandbox."""
    coverage = Coverage(runs=1)
    workspace = services.sandbox.workspace
    contexts = [each for each in subscription_contexts(workspace) if each.destination.enabled]
    deliveries: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in _pages(services.segment.deliveries):
        deliveries.setdefault((each["destination"], each["subscription"]), []).append(each)
    for context in contexts:
        if context.subscription.enabled:
            own_deliveries = deliveries.get((context.destination.name, context.subscription.name), ())
            _cover_mapping(coverage, context, own_deliveries, services)
    _cover_memberships(coverage, services, (each for found in deliveries.values() for each in found))
    _cover_calls(coverage, services, Readers(workspace, contexts))
    own = frozenset(each["traceId"] for found in deliveries.values() for each in found if each["traceId"])
    schema = executable_schema(workspace.api_version)
    cover_operations(coverage, schema)
    exchanges = services.sandbox.journal.entries(GraphQLExchanged)
    cover_requests(coverage, exchanges, schema=schema, limits=services.stackadapt.limits, own=own)
    records = list(_pages(services.stackadapt.records))
    _cover_records(coverage, records)
    _cover_codes(coverage, services, records)
    missed = services.sandbox.journal.after(None).missed
    if missed is not None and missed.reason == DROPPED:
        coverage.notes.add(_DROPPED)
    cover_rows(coverage)
    return coverage


def _pages(read: Any) -> Iterator[dict[str, Any]]:
    for offset in count(step=_PAGE):
        page = read(limit=_PAGE, offset=offset)
        yield from page
        if len(page) < _PAGE:
            return


def _cover_mapping(
    coverage: Coverage, context: SubscriptionContext, deliveries: Iterable[Mapping[str, Any]], services: Services
) -> None:
    section = Section(f"{context.destination.name} / {context.subscription.name}", _digest(context))
    fields, arms = [*fields_of(context.mapping)], [*arms_of(context.mapping)]
    for group, items in (
        ("triggers", conditions_of(context.trigger.tree, count(1))),
        ("fields", fields),
        ("mappings", arms),
    ):
        for item in items:
            coverage.add(group, section, item, covered=False)
    checks = checks_of(context)
    try:
        trace = tracer_of(context.mapping, now=services.sandbox.clock.now)
    except MappingError:
        # The engine refuses the mapping, so that nothing of it runs.
        trace = None
    for delivery in deliveries:
        if not delivery["payload"] or not _reached(delivery):
            continue
        event = check_event(delivery["payload"], checks).event
        result = context.trigger.explain(event)
        for item in conditions_met(result, count(1)) if result else ():
            coverage.add("triggers", section, item, covered=True)
        if trace is None or delivery["outcome"] == DISCARDED:
            continue
        found = trace(event)
        for item in fields_filled(found, frozenset(fields)):
            coverage.add("fields", section, item, covered=True)
        for item in arms_chosen(found):
            coverage.add("mappings", section, item, covered=True)


def _reached(delivery: Mapping[str, Any]) -> bool:
    """Whether an event came to the trigger: nothing before it stopped it."""
    if delivery["outcome"] == DISCARDED:
        return bool(delivery["reason"] == _NOT_MATCHED)
    return bool(delivery["outcome"] != _QUEUED)


def _digest(context: SubscriptionContext) -> str:
    """Of everything that decides which items a mapping has."""
    parts = [context.definition.generation, context.subscription.action, context.subscription.trigger, context.mapping]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def _cover_memberships(coverage: Coverage, services: Services, deliveries: Iterable[Mapping[str, Any]]) -> None:
    """Entering and leaving each audience and each step that a destination instance is sent.

    A test may have a user leave who never entered: then there are events without a change of membership.
    """
    workspace = services.sandbox.workspace
    connected = {each.audience_key for destination in workspace.destinations for each in destination.connections}
    connected |= {each.step_key for destination in workspace.destinations for each in destination.step_connections}
    changes = {(each.audience_key, each.entered) for each in services.sandbox.journal.entries(MembershipChanged)}
    for each in deliveries:
        key, payload = each["audienceKey"], each["payload"]
        holders = [payload.get(holder) for holder in ("traits", "properties")]
        values = [holder.get(key) for holder in holders if isinstance(holder, dict)]
        changes |= {(key, value) for value in values if isinstance(value, bool)}
    for key in sorted(connected):
        for entered, name in ((True, "entered"), (False, "left")):
            coverage.add("audiences", Section(), f"{key}: {name}", covered=(key, entered) in changes)


def _cover_calls(coverage: Coverage, services: Services, readers: Readers) -> None:
    for call in services.sandbox.journal.entries(CallReceived):
        if call.accepted:
            section = Section(described(call))
            for holder, name in fields_sent(call):
                read = readers.reads(call.source, holder, name)
                coverage.add("sent", section, f"{holder}.{name}", covered=read)


def _cover_records(coverage: Coverage, records: Iterable[Mapping[str, Any]]) -> None:
    """The keys of records: one that no mapping names is dropped."""
    for record in records:
        dropped = {each.get("key") for each in record["warnings"] if each["code"] == UNMAPPED_KEY}
        if record["outcome"] == "visible":
            for key in record["record"]:
                coverage.add("sent", Section(_RECORDS), key, covered=key not in dropped)


def _cover_codes(coverage: Coverage, services: Services, records: Iterable[Mapping[str, Any]]) -> None:
    """The reason codes. Their counts are of deliveries: other clients send records, too, and warnings have no count."""
    of_records = {record["reason"] for record in records}
    of_records |= {warning["code"] for record in records for warning in record["warnings"]}
    for each in reasons(services):
        produced = bool(each["count"]) or each["code"] in of_records
        coverage.add("reasons", Section(f"{each['service']}, {each['stage']}"), each["code"], covered=produced)
