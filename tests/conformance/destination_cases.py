"""Random cases for the StackAdapt destination: settings, subscriptions, events."""

from __future__ import annotations

from random import Random
from typing import Any

from emulator.mapping import generations, load_definition, newest

from . import edge_values
from .edge_values import often
from .provider_responses import responses

CURRENT_ACTION = "forwardAudienceEvent"
OLD_ACTIONS = ("forwardProfile", "forwardAudienceEvent")
OLD_GENERATIONS = [name for name in generations() if load_definition(name).advertiser_from == "mapping"]

TRIGGERS = (
    'type = "identify" or type = "track"',
    'type = "identify" or type = "alias" or type = "track"',
    'type = "track"',
    'type = "track" and event = "Audience Entered"',
    '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")',
    'type = "identify" and traits.email != null',
    'type = "track" and contains(event, "Audience")',
    'type = "page"',
    'userId != null and properties.vip = true or traits.vip = true',
    'event',
    "",
    None,
)  # fmt: skip

EMAILS: tuple[Any, ...] = (
    "ann@example.com", "A+tag@B.co", "a/b=c@d.com", "a'b@c.com", "a@b", "a@b..com", ".a@b.com", "a@-b.com",
    "é@b.com", "", None,
    5, True, ["a@b.com"], ["a@b.com", "c@d.com"], {}, "a@b.com ", "a@b.com\n", "\"a\"@c.com", "a@xn--9ca.com",
    "a{b}@c.com",
    "Name <a@b.com>", "a@127.0.0.1", "x@y.c-d", "K@b.com",
)  # fmt: skip

BIRTHDAYS = (
    "1990-06-15", "2000-02-29", "1900-02-29", "2023-02-29", "1990-06-15T00:00:00.000Z", "06/15/1990", "1990",
    "1990-06", "", None,
    19900615, True, 0, ["1990-06-15"], "0000-01-01", "1990-13-01", " 1990-06-15", "1990-06-15-07",
)  # fmt: skip

AUDIENCE_KEYS = ("vip", "big_spenders", 'ke"y', "a.b", "with space", "constructor", "email", "0", "ünï", "", 5, None)
AUDIENCE_IDS = ("aud_1", "aud_2", 'aud"3', "vip", "", 7, None)
ENTERED: tuple[Any, ...] = (True, False, True, False, "true", "false", 1, 0, "", None, [], {}, "exit")
TRAIT_KEYS = (
    "plan", "ltv", "first name", "FirstName", "FIRST_NAME", "a1b2", "HTMLParser", "ÉcoleName", "a.b", "audience_tier",
    "audienceTier", "my__double", "userId", "user_id", "email", "audienceId", "action", "company", "marketingStatus",
    "birthMonth",
    "previousId", "", "0", "10",
    'quo"te', "toString", "with space", "ünïcode_x", "😀smile", "address", "phone", "_x_", "city",
)  # fmt: skip
STANDARD_TRAITS = ("first_name", "last_name", "phone", "street", "city", "country", "state", "postal_code", "timezone")
OLD_TRAIT_SOURCES = {"email": "email", "firstName": "first_name", "city": "address.city", "birthday": "birthday"}
DELETE_IDS: tuple[Any, ...] = (
    "u1",
    'u"1',
    "u\\",
    "u\n1",
    'a","b',
    "",
    None,
    5,
    1.5,
    True,
    {},
    [],
    ["a", "b"],
    "ü😀",
    "\ud800",
    12345678901234567890,
)


def settings(rng: Random, generation: str) -> dict[str, Any]:
    """Mostly valid settings; the others lack a member or have one of the wrong type."""
    chosen: dict[str, Any] = {"apiKey": f"tok-{rng.randrange(10)}"}
    if often(rng, 0.05):
        chosen = rng.choice(({}, {"apiKey": ""}, {"apiKey": None}, {"apiKey": 5}, {"apiKey": {}}, {"apiKey": "k\n"}))
    if generation not in OLD_GENERATIONS or often(rng, 0.1):
        odd: tuple[Any, ...] = (
            "abc",
            "12abc",
            "",
            None,
            " 7",
            "0x10",
            "1e3",
            "-5",
            "1.5",
            23,
            ["23"],
            True,
            {},
            "9" * 23,
            "1, foo: 2",
            "007",
        )
        chosen["advertiser_id"] = rng.choice(odd) if often(rng, 0.15) else rng.choice(("1001", "23"))
        if often(rng, 0.03):
            del chosen["advertiser_id"]
    if often(rng, 0.1):
        chosen["unknown"] = edge_values.value(rng)
    return chosen


def first_of(*paths: str) -> dict[str, Any]:
    """The mapping of the first path if it exists, otherwise of the second."""
    first, second = ({"@path": one} for one in paths)
    return {"@if": {"exists": first, "then": first, "else": second}}


def common_fields(generation: str) -> dict[str, Any]:
    """Fields of every action, with their published defaults."""
    old = generation in OLD_GENERATIONS
    return {
        "user_id": first_of("$.userId", "$.anonymousId"),
        "event_type": {"@path": "$.type"},
        "enable_batching": True,
        "traits_or_props": {
            "@if": {
                "exists": {"@path": "$.properties.audience_key" if old else "$.properties"},
                "then": {"@path": "$.properties"},
                "else": {"@path": "$.traits"},
            }
        },
        "segment_computation_class": {"@path": "$.context.personas.computation_class"},
        "segment_computation_id": {"@path": "$.context.personas.computation_id"},
        "segment_computation_key": {"@path": "$.context.personas.computation_key"},
    }


def current_mapping(rng: Random) -> dict[str, Any]:
    """A mapping of the current generations: published defaults, a marketing status, custom traits of every shape."""
    standard = {key: first_of(f"$.traits.{key}", f"$.properties.{key}") for key in STANDARD_TRAITS if key != "street"}
    standard["address"] = first_of("$.traits.street", "$.properties.street")
    standard["birth_date"] = first_of("$.traits.birthday", "$.properties.birthday")
    fields = {
        "standard_traits": {"@path": "$.traits"} if often(rng, 0.15) else standard,
        **common_fields(newest()),
        "email": first_of("$.traits.email", "$.properties.email"),
        "marketing_status": rng.choice(("Opted-in", "Indeterminate")),
    }
    if often(rng, 0.08):
        fields["marketing_status"] = rng.choice(
            ("opted-in", "", None, 5, [], {"@path": "$.traits.status"}, "Opted-out")
        )
    if often(rng, 0.7):
        fields["custom_traits"] = custom_traits(rng)
    return fields


def custom_traits(rng: Random) -> Any:
    """Literals, paths and templates with edge-case names, or all traits."""
    kind = rng.random()
    if kind < 0.35:
        return {"@path": rng.choice(("$.traits", "$.properties", "$.traits.plan", "$.missing"))}
    if kind < 0.4:
        return edge_values.value(rng)
    sources = (
        lambda: {"@path": f"$.traits.{rng.choice(TRAIT_KEYS)}"},
        lambda: {"@path": f"$.properties.{rng.choice(TRAIT_KEYS)}"},
        lambda: {"@template": "{{traits.plan}}-{{userId}}"},
        lambda: edge_values.scalar(rng),
        lambda: {"@literal": edge_values.value(rng)},
    )
    return {rng.choice(TRAIT_KEYS): rng.choice(sources)() for _ in range(rng.randrange(6))}


def old_traits(rng: Random) -> dict[str, Any]:
    """All traits, or the published defaults and another."""
    if often(rng, 0.6):
        return {"@path": "$.traits"}
    mapped = {
        key: first_of(f"$.traits.{source}", f"$.context.traits.{source}") for key, source in OLD_TRAIT_SOURCES.items()
    }
    return {**mapped, rng.choice(TRAIT_KEYS): edge_values.value(rng)}


def old_mapping(rng: Random, action: str, generation: str) -> dict[str, Any]:
    """A mapping of the generations of 2024, where the advertiser is a field."""
    fields = common_fields(generation)
    if action == "forwardProfile":
        fields = {key: fields[key] for key in ("user_id", "event_type", "enable_batching")}
        fields["previous_id"] = {"@path": "$.previousId"}
        fields["traits"] = old_traits(rng)
    odd = ("", None, 'q"', "abc", ["5"], {"@path": "$.traits.advertiser"}, True, 1.5)
    fields["advertiser_id"] = rng.choice(odd) if often(rng, 0.15) else rng.choice(("1001", "23", 23))
    return fields


def mapping(rng: Random, generation: str, action: str) -> dict[str, Any]:
    """A mapping of the action; one in ten has an invalid or missing field."""
    fields = old_mapping(rng, action, generation) if generation in OLD_GENERATIONS else current_mapping(rng)
    if often(rng, 0.06):
        key = rng.choice(tuple(fields))
        fields[key] = rng.choice(
            ({"@path": "$.traits.plan"}, edge_values.value(rng), {"@path": "$.missing"}, {"@foo": 1})
        )
    if often(rng, 0.04):
        del fields[rng.choice(tuple(fields))]
    if often(rng, 0.1):
        fields[rng.choice(("unknown_field", "custom_properties_mode", "__segment_internal_sync_mode"))] = "x"
    return fields


def subscription(rng: Random, generation: str) -> dict[str, Any]:
    """A trigger and a mapping."""
    action = rng.choice(OLD_ACTIONS) if generation in OLD_GENERATIONS else CURRENT_ACTION
    if often(rng, 0.01):
        action = "noSuchAction"
    trigger = rng.choice(TRIGGERS) if often(rng, 0.25) else rng.choice(TRIGGERS[:2])
    return {
        "partnerAction": action,
        "name": "n",
        "enabled": often(rng, 0.9),
        "subscribe": trigger,
        "mapping": mapping(rng, generation, action),
    }


def traits(rng: Random, key: Any) -> dict[str, Any]:
    """Traits or properties of an audience event."""
    body: dict[str, Any] = {
        name: edge_values.value(rng, 1) if often(rng, 0.06) else rng.choice(edge_values.TEXTS)
        for name in STANDARD_TRAITS
        if often(rng, 0.5)
    }
    body |= {rng.choice(TRAIT_KEYS): edge_values.value(rng) for _ in range(rng.randrange(5))}
    if often(rng, 0.3):
        body["birthday"] = rng.choice(BIRTHDAYS) if often(rng, 0.3) else BIRTHDAYS[0]
    if often(rng, 0.9):
        body["email"] = rng.choice(EMAILS) if often(rng, 0.1) else f"user{rng.randrange(99)}@example.com"
    if often(rng, 0.85):
        body[str(key)] = rng.choice(ENTERED)
    if often(rng, 0.4):
        body["audience_key"] = key
    return body


def personas(rng: Random) -> dict[str, Any]:
    """The computation of an Engage event."""
    return {
        "computation_class": rng.choice(("trait", "", None, 5))
        if often(rng, 0.03)
        else rng.choice(("audience", "journey_step")),
        "computation_id": rng.choice(AUDIENCE_IDS) if often(rng, 0.15) else "aud_1",
        "computation_key": rng.choice(AUDIENCE_KEYS) if often(rng, 0.25) else "vip",
        "namespace": "spa_1",
    }


def event(rng: Random) -> dict[str, Any]:
    """An event of Engage, sometimes with missing members or members of the wrong type."""
    computation = personas(rng)
    key = computation["computation_key"]
    kind = rng.choices(("identify", "track", "alias", "page"), (45, 42, 8, 5))[0]
    body: dict[str, Any] = {
        "type": kind,
        "messageId": f"m{rng.randrange(10**6)}",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "userId": rng.choice(("", None, 5, "ü", 'u"q', {}, "u2")) if often(rng, 0.2) else "u1",
        "anonymousId": "anon-1",
        "context": {"personas": computation, "traits": {"email": "context@example.com", "first_name": "Con"}},
    }
    if kind == "alias":
        body["previousId"] = rng.choice(("p1", "", None, 5))
    if kind == "track":
        body["event"] = rng.choice(("Audience Entered", "Audience Exited", "Other"))
        body["properties"] = traits(rng, key)
        if often(rng, 0.2):
            body["traits"] = traits(rng, key)
    else:
        body["traits"] = traits(rng, key)
        if often(rng, 0.08):
            body["properties"] = rng.choice(({}, None, "", {"vip": True}))
    return damaged(rng, body)


def damaged(rng: Random, body: dict[str, Any]) -> dict[str, Any]:
    """Removes a member of one event in twenty, and replaces one in one of fifty."""
    if often(rng, 0.05):
        body.pop(rng.choice(("userId", "anonymousId", "context", "traits", "properties", "type")), None)
    if often(rng, 0.02):
        body[rng.choice(("context", "traits", "properties"))] = edge_values.value(rng)
    return body


def delete_event(rng: Random) -> dict[str, Any]:
    """A deletion request."""
    body: dict[str, Any] = {"type": "delete", "userId": rng.choice(DELETE_IDS) if often(rng, 0.6) else "u1"}
    if often(rng, 0.3):
        body["anonymousId"] = "anon-1"
    if often(rng, 0.05):
        del body["userId"]
    return body


def events(rng: Random, mode: str) -> list[Any]:
    """One event, up to six for a batch, none for a test of the settings or a dynamic field."""
    if mode == "batch":
        return [event(rng) for _ in range(rng.choices((0, 1, 2, 3, 4, 6), (2, 20, 25, 25, 15, 13))[0])]
    return [delete_event(rng)] if mode == "delete" else [event(rng)] if mode == "event" else []


def dynamic_field(rng: Random) -> dict[str, str]:
    """The field whose choices are requested."""
    return {
        "action": rng.choice((*OLD_ACTIONS, "nonsense")),
        "field": rng.choice(("advertiser_id", "advertiser_id", "user_id", "nonsense")),
    }


def destination_case(rng: Random, generation: str) -> dict[str, Any]:
    """A destination case: one event, a batch, a deletion, a test of the settings or a dynamic field."""
    mode = rng.choices(("event", "batch", "delete", "auth", "dynamic"), (42, 40, 12, 3, 3))[0]
    subscribed = rng.choices((1, 2, 0), (94, 4, 2))[0]
    return {
        "generation": generation,
        "mode": mode,
        **(dynamic_field(rng) if mode == "dynamic" else {}),
        "settings": settings(rng, generation),
        "subscriptions": [subscription(rng, generation) for _ in range(subscribed)],
        "events": events(rng, mode),
        "responses": responses(rng, mode, subscribed),
    }
