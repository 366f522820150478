"""Each place at which a person can stop, and the kinds of the changes that let them through."""

from __future__ import annotations

from typing import Any

from tests.harness.why.situations import Situation, ada, workspace

SUBSCRIPTION = "destinations__0__subscriptions__0__"
CONNECTION = "destinations__0__audiences__0__"
WRITE = {"userId": "u1", "email": "ada@example.com", "city": "Lyon"}
EMAIL_COLUMN = {"incomingKey": "email", "destinationKey": "email", "label": "Email", "type": "STRING", "isPii": True}
AGE_COLUMN = {"incomingKey": "age", "destinationKey": "age", "label": "Age", "type": "NUMBER", "isPii": False}
COUNTED = {"event": "Order Completed", "operator": "at_least", "value": 2, "where": [
    {"property": "total", "operator": "at_least", "value": 100}
]}  # fmt: skip
BOTH = {
    "all": [{"trait": "total_spent", "operator": "at_least", "value": 500}, {"trait": "plan", "operator": "exists"}]
}

# A destination instance of 2024 that is connected to a source, and to no audience.
OF_SOURCE = {
    "apiVersion": "2024-12",
    "destinations__0__source": "Website",
    "destinations__0__generation": "3.361.0",
    "destinations__0__audiences": [],
    "destinations__0__subscriptions": [
        {"action": "forwardProfile", "trigger": 'type = "identify"', "mapping": {"advertiser_id": "1001"}}
    ],
}
NO_CONSENT = {"consent": {"categoryPreferences": {"ads": False}}}


def a_filter(condition: str, **action: object) -> list[dict[str, object]]:
    return [{"title": "Filter", "if": condition, "actions": [action]}]


def screened(schema: dict[str, Any], *rules: dict[str, Any], **paths: Any) -> dict[str, Any]:
    """The default workspace with a schema configuration and a tracking plan of its source."""
    plan = {"trackingPlans": [{"name": "Plan", "rules": list(rules)}], "sources__0__trackingPlan": "Plan"}
    return workspace(sources__0__schema=schema, **(plan if rules else {}), **paths)


BOUGHT = {"audiences__0__condition": {"event": "Order Completed"}}
ORDER = {"type": "track", "userId": "u1", "event": "Order Completed", "properties": {"total": "9"}}
ORDER_RULE = {
    "type": "TRACK",
    "key": "Order Completed",
    "jsonSchema": {"properties": {"properties": {"properties": {"total": {"type": "number"}}}}},
}
TRAITS_RULE = {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"properties": {"email": {}}}}}}
COMMON_RULE = {"type": "COMMON", "jsonSchema": {"required": ["version"]}}
BLOCKED_EMAIL = {
    "id": "spa_local",
    "name": "Local",
    "identifiers": [{"type": "email", "blockedValues": ["ada@example.com"]}],
}

# Name, situation, stage, reason; the kinds of the changes that let the person through.
STOPS: list[tuple[str, Situation, str, str, list[str]]] = [
    ("unknown write key", Situation(write_key="wrong"), "call", "unknown_source", ["credential"]),
    ("no source", Situation(workspace=workspace(sources=[])), "call", "unknown_source", ["workspace"]),
    (
        "source disabled",
        Situation(workspace=workspace(sources__0__enabled=False)),
        "call",
        "SOURCE_DISABLED",
        ["workspace"],
    ),
    (
        "event switched off at the source",
        Situation(
            workspace=screened({"track": {"blockedEvents": ["Order Completed"]}}, **BOUGHT), calls=(ada(), ORDER)
        ),
        "call",
        "event_setting",
        ["workspace"],
    ),
    (
        "event not in the tracking plan",
        Situation(
            workspace=screened({"track": {"allowUnplannedEvents": False}}, TRAITS_RULE, **BOUGHT), calls=(ada(), ORDER)
        ),
        "call",
        "unplanned",
        ["workspace"],
    ),
    (
        "event that violates the tracking plan",
        Situation(
            workspace=screened({"track": {"allowEventOnViolations": False}}, ORDER_RULE, **BOUGHT), calls=(ada(), ORDER)
        ),
        "call",
        "schema_violation",
        ["workspace"],
    ),
    (
        "identify that violates the common rule",
        Situation(workspace=screened({"identify": {"commonEventOnViolations": "BLOCK"}}, COMMON_RULE)),
        "call",
        "common_schema_violation",
        ["workspace"],
    ),
    (
        "a trait that the tracking plan does not have",
        Situation(workspace=screened({"identify": {"allowUnplannedTraits": False}}, TRAITS_RULE)),
        "audience",
        "CONDITION_FALSE",
        ["workspace"],
    ),
    (
        "only blocked identifiers",
        Situation(workspace=workspace(space=BLOCKED_EMAIL), question={"email": "ada@example.com"}),
        "profile",
        "IDENTIFIERS_BLOCKED",
        ["workspace"],
    ),
    ("condition false", Situation(calls=(ada(total_spent="900 CAD"),)), "audience", "CONDITION_FALSE", ["trait"]),
    ("trait missing", Situation(calls=(ada(total_spent=None),)), "audience", "CONDITION_FALSE", ["trait"]),
    (
        "condition of events",
        Situation(workspace=workspace(audiences__0__condition=COUNTED)),
        "audience",
        "CONDITION_FALSE",
        ["event"],
    ),
    (
        "two conditions",
        Situation(workspace=workspace(audiences__0__condition=BOTH), calls=(ada(total_spent=1),)),
        "audience",
        "CONDITION_FALSE",
        ["trait"],
    ),
    (
        "a trait that the condition excludes",
        Situation(
            workspace=workspace(audiences__0__condition={"not": {"trait": "blocked", "operator": "exists"}}),
            calls=(ada(blocked="yes"),),
        ),
        "audience",
        "CONDITION_FALSE",
        ["trait"],
    ),
    (
        "a trait and an event",
        Situation(
            workspace=workspace(audiences__0__condition={"all": [COUNTED, BOTH["all"][1]]}),
        ),
        "audience",
        "CONDITION_FALSE",
        ["event"],
    ),
    (
        "a batch audience",
        Situation(workspace=workspace(audiences__0__computation="batch"), hours=3),
        "audience",
        "NOT_COMPUTED_YET",
        ["clock"],
    ),
    (
        "a batch audience whose condition is false",
        Situation(workspace=workspace(audiences__0__computation="batch"), calls=(ada(total_spent=1),), hours=9),
        "audience",
        "CONDITION_FALSE",
        ["trait"],
    ),
    (
        "not connected",
        Situation(workspace=workspace(destinations__0__audiences=[])),
        "destination",
        "NOT_CONNECTED",
        ["workspace"],
    ),
    (
        "toggles off",
        Situation(workspace=workspace(**{f"{CONNECTION}sendTrack": False, f"{CONNECTION}sendIdentify": False})),
        "destination",
        "TOGGLES_OFF",
        ["workspace"],
    ),
    ("no destination", Situation(workspace=workspace(destinations=[])), "destination", "NO_DESTINATION", ["workspace"]),
    (
        "no subscription",
        Situation(workspace=workspace(destinations__0__subscriptions=[])),
        "destination",
        "NO_SUBSCRIPTION",
        ["workspace"],
    ),
    (
        "destination disabled",
        Situation(workspace=workspace(destinations__0__enabled=False)),
        "destination",
        "DESTINATION_DISABLED",
        ["workspace"],
    ),
    (
        "subscription disabled",
        Situation(workspace=workspace(**{f"{SUBSCRIPTION}enabled": False})),
        "destination",
        "SUBSCRIPTION_DISABLED",
        ["workspace"],
    ),
    (
        "source not connected",
        Situation(
            workspace=workspace(
                destinations__0__source="App",
                sources=[{"name": "Website", "writeKey": "segment-local"}, {"name": "App", "writeKey": "segment-app"}],
            )
        ),
        "destination",
        "SOURCE_NOT_CONNECTED",
        ["workspace"],
    ),
    (
        "filter that drops the events",
        Situation(workspace=workspace(destinations__0__filters=a_filter("type != null", type="DROP"))),
        "destination",
        "FILTERED_BY_RULES",
        ["workspace"],
    ),
    (
        "filter that is no FQL",
        Situation(workspace=workspace(destinations__0__filters=a_filter("type ==", type="SAMPLE", percent=1))),
        "destination",
        "FILTERED_BY_RULES",
        ["workspace"],
    ),
    (
        "filter that removes the email",
        Situation(
            workspace=workspace(
                destinations__0__filters=a_filter(
                    "type != null", type="DROP_PROPERTIES", fields={"traits": ["email"], "context.traits": ["email"]}
                )
            )
        ),
        "mapping",
        "PAYLOAD_VALIDATION_FAILED",
        ["workspace"],
    ),
    (
        "integrations object of the call",
        Situation(workspace=workspace(**OF_SOURCE), calls=({**ada(), "integrations": {"All": False}},)),
        "destination",
        "FILTERED_BY_INTEGRATIONS_OBJECT",
        ["resend"],
    ),
    (
        "no consent",
        Situation(
            workspace=workspace(**OF_SOURCE, destinations__0__consent={"categories": ["ads"]}),
            calls=({**ada(), "context": NO_CONSENT},),
        ),
        "destination",
        "FILTERED_BY_END_USER_CONSENT",
        ["workspace"],
    ),
    (
        "a call of a source where the mappings are for audiences",
        Situation(workspace=workspace(destinations__0__source="Website"), calls=(ada(total_spent=1),)),
        "audience",
        "CONDITION_FALSE",
        ["trait"],
    ),
    (
        "trigger with and",
        Situation(workspace=workspace(**{f"{SUBSCRIPTION}trigger": 'type = "identify" and type = "track"'})),
        "trigger",
        "NO_MATCHING_MAPPING",
        ["workspace"],
    ),
    (
        "trigger in another letter case",
        Situation(
            workspace=workspace(
                **{
                    f"{SUBSCRIPTION}trigger": 'type = "track" and event = "Audience entered"',
                    f"{CONNECTION}sendIdentify": False,
                }
            )
        ),
        "trigger",
        "NO_MATCHING_MAPPING",
        ["workspace"],
    ),
    (
        "mapping field that finds nothing",
        Situation(workspace=workspace(**{f"{SUBSCRIPTION}mapping__email": {"@path": "$.traits.mail"}})),
        "mapping",
        "PAYLOAD_VALIDATION_FAILED",
        ["workspace"],
    ),
    ("no email in Segment", Situation(calls=(ada(email=None),)), "mapping", "PAYLOAD_VALIDATION_FAILED", ["trait"]),
    (
        "invalid email in Segment",
        Situation(calls=(ada(email="ada@@example.com"),)),
        "mapping",
        "PAYLOAD_VALIDATION_FAILED",
        ["trait"],
    ),
    (
        "document broken by a quote",
        Situation(calls=(ada(first_name='Ada "Countess" King'),)),
        "request",
        "GRAPHQL_ERRORS",
        ["trait"],
    ),
    (
        "document broken in two places",
        Situation(calls=(ada(first_name='Ada "Countess"', last_name='"King"'),)),
        "request",
        "GRAPHQL_ERRORS",
        ["trait"],
    ),
    (
        "token of the destination unknown",
        Situation(workspace=workspace(destinations__0__settings__apiKey="sa-other")),
        "request",
        "401",
        ["credential"],
    ),
    (
        "token without WRITE",
        Situation(workspace=workspace(destinations__0__settings__apiKey="sa-local-read")),
        "request",
        "USER_ERRORS",
        ["credential"],
    ),
    (
        "wrong advertiser",
        Situation(workspace=workspace(destinations__0__settings__advertiser_id="7")),
        "request",
        "USER_ERRORS",
        ["workspace"],
    ),
    (
        "429 until given up",
        Situation(faults=({"fault": "status", "status": 429},), hours=5),
        "request",
        "429",
        ["fault"],
    ),
    (
        "503, still retried, and over",
        Situation(faults=({"fault": "status", "status": 503, "times": 1},)),
        "request",
        "503",
        ["clock"],
    ),
    (
        "record without email",
        Situation(calls=(), records=({"userId": "u1", "city": "Lyon"},)),
        "record",
        "MISSING_EMAIL",
        ["record"],
    ),
    (
        "record with an invalid email",
        Situation(calls=(), records=({**WRITE, "email": "ada at example.com"},)),
        "record",
        "INVALID_EMAIL",
        ["record"],
    ),
    (
        "record waits for a profile",
        Situation(
            workspace=workspace(ingestion__recordWithoutEmail="wait"),
            calls=(),
            records=({"userId": "u1", "audienceId": "a", "action": "enter"},),
        ),
        "record",
        "WAITS_FOR_PROFILE",
        ["record"],
    ),
    (
        "record rejected by a fault",
        Situation(faults=({"fault": "partial", "email": "ada@*"},)),
        "record",
        "INJECTED",
        ["fault"],
    ),
    (
        "suppressed and deleted",
        Situation(regulation="SUPPRESS_ONLY"),
        "call",
        "USER_SUPPRESSED",
        ["regulation"],
    ),
    (
        "suppressed and deleted, asked by email",
        Situation(regulation="SUPPRESS_ONLY", question={"email": "ada@example.com"}),
        "call",
        "USER_SUPPRESSED",
        ["regulation"],
    ),
    ("deleted", Situation(deletion="u1"), "visible", "PROFILE_DELETED", ["resend"]),
    (
        "latency",
        Situation(workspace=workspace(ingestion__latency="4h"), hours=0.5),
        "latency",
        "NOT_DUE",
        ["clock"],
    ),
    (
        "trait that no call sets",
        Situation(question={"userId": "u1", "property": "city"}),
        "property",
        "NO_TRAIT",
        ["trait"],
    ),
    (
        "trait that the connection does not send",
        Situation(calls=(ada(plan="gold"),), question={"userId": "u1", "property": "plan"}),
        "property",
        "NOT_SENT_BY_ENGAGE",
        ["workspace", "workspace"],
    ),
    (
        "trait that the mapping leaves out",
        Situation(
            workspace=workspace(**{f"{CONNECTION}traits": ["plan"]}),
            calls=(ada(plan="gold"),),
            question={"userId": "u1", "property": "plan"},
        ),
        "property",
        "NOT_IN_MAPPING",
        ["workspace"],
    ),
    (
        "record key that no mapping names",
        Situation(calls=(), columns=(EMAIL_COLUMN,), records=(WRITE,), question={"userId": "u1", "property": "city"}),
        "property",
        "UNMAPPED_KEY",
        ["mapping"],
    ),
    (
        "value that cannot be read",
        Situation(
            calls=(),
            columns=(EMAIL_COLUMN, AGE_COLUMN),
            records=({**WRITE, "age": "forty"},),
            question={"userId": "u1", "property": "age"},
        ),
        "property",
        "UNREADABLE_VALUE",
        ["record"],
    ),
    (
        "segment on the audience's title",
        Situation(
            rule={"field": "segment_engage_audience_name", "operator": "equals", "value": "VIP Customers"},
            question={"userId": "u1", "segment": "1"},
        ),
        "segment",
        "RULE_FALSE",
        ["segment"],
    ),
]
