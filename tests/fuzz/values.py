"""Random people, calls, segment rules, and alterations of valid documents. All take the random numbers to use."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

from tests.stackadapt.conftest import column

AUDIENCES = ("aud_local_vip", "aud_one", "aud_two")
CITIES = ("Toronto", "Montréal", "", "ß", "İstanbul", "日本", "a'b\"c", "50%_off", "toronto")
# Every mapping of the fuzz declares these, so that a segment can be computed from the profiles alone.
TYPES = {"city": "STRING", "total_spent": "NUMBER", "newsletter": "BOOLEAN", "tags": "STRING_LIST"}
MAPPING = [column("email"), column("userId"), *(column(key, data_type) for key, data_type in TYPES.items())]

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**31, 2**53, 2**63, -(2**63), 10**30, 1e308, -0.0),
    *("", " ", "\x00", "\u2028", "\ud83d\ude00", "a" * 5_000, "2026-02-30", "99999-01-01", "999999999d", "%s%n{{1|x}}"),
    *("../../etc/passwd", "file://[x", "' OR 1=1 --", "*" * 60, "\x1b[31m\nforged", "[[[[", "1" * 400),
    *([], {}, [None], [[]], {"": ""}, {"$ref": "#"}, {"@path": "$."}, {"__proto__": {"a": 1}}, [{}] * 50),
)


def email(random: Random) -> Any:
    """One of few addresses in several spellings; rarely none at all."""
    if random.random() < 0.1:
        return random.choice(["not an address", "", None, 7, "a@b", "x@example.com, y@example.com"])
    address = f"user{random.randrange(12)}@example.com"
    return random.choice([address, address, address.upper(), f" {address} "])


def user_id(random: Random) -> str:
    return f"u{random.randrange(12)}"


def traits(random: Random) -> dict[str, Any]:
    made: dict[str, Any] = {
        "email": email(random),
        "total_spent": random.choice([0, 499.99, 500, 900, "600", -1]),
        "city": random.choice(CITIES),
        "newsletter": random.random() < 0.5,
        "tags": random.sample(["gold", "silver", "Gold", ""], 2),
    }
    kept = {key: value for key, value in made.items() if random.random() < 0.7}
    return kept | {random.choice([*made, "x", "first_name"]): random.choice(ODD)} if random.random() < 0.1 else kept


def call(random: Random) -> dict[str, Any]:
    """A call of the Tracking API."""
    kind = random.choices(["identify", "track", "page", "screen", "group", "alias"], [8, 4, 1, 1, 1, 1])[0]
    made: dict[str, Any] = {"type": kind, "messageId": f"m{random.randrange(10**6)}"}
    made |= {"userId": user_id(random)} if random.random() < 0.8 else {"anonymousId": f"a{random.randrange(6)}"}
    match kind:
        case "identify":
            made["traits"] = traits(random)
        case "track":
            made |= {"event": "Order Completed", "properties": traits(random), "context": {"traits": traits(random)}}
        case "group":
            made |= {"groupId": "g1", "traits": traits(random)}
        case "alias":
            made["previousId"] = random.choice([user_id(random), f"a{random.randrange(6)}"])
        case _:
            made["name"] = "Home"
    return made


def record(random: Random) -> dict[str, Any]:
    """An item of `upsertProfiles`."""
    made = {"userId": user_id(random), **traits(random)}
    if random.random() < 0.3:
        audience = random.choice(AUDIENCES)
        made |= {"audienceId": audience, "audienceName": f"name of {audience}"}
        made["action"] = random.choice(["enter", "exit"])
    return made


def rule(random: Random, depth: int = 0) -> dict[str, Any]:
    """A segment rule over what `oracle.py` can compute."""
    if depth < 3 and random.random() < 0.4:
        combination = random.choice(["all", "any", "not"])
        inner = [rule(random, depth + 1) for _ in range(random.randint(1, 3))]
        return {combination: inner[0] if combination == "not" else inner}
    field = random.choice(["email", "marketing_status", "segment_engage_audience_id", *TYPES])
    match field:
        case "total_spent":
            operators, value = _ORDER, random.choice([0, 500, 900])
        case "newsletter":
            operators, value = ["equals"], random.random() < 0.5
        case "email":
            operators, value = _TEXT, random.choice(["user1@example.com", "USER", "example.com", "1"])
        case "marketing_status":
            operators, value = ["equals"], random.choice(["OPTED_IN", "opted_out", "PROSPECT"])
        case "segment_engage_audience_id":
            operators, value = _TEXT, random.choice(AUDIENCES)
        case _:
            operators, value = _TEXT, random.choice([*filter(None, CITIES), "gold", "old"])
    operator = random.choice([*operators, *(f"not_{name}" for name in operators if name in ("equals", "contains"))])
    if random.random() < 0.15:
        return {"field": field, "operator": random.choice(["exists", "not_exists"])}
    if random.random() < 0.1:
        return {"field": field, "operator": "one_of", "value": [value]}
    return {"field": field, "operator": operator, "value": value}


_ORDER = ["equals", "greater_than", "less_than", "at_least", "at_most"]
_TEXT = ["equals", "contains", "starts_with", "ends_with"]


def altered(random: Random, document: Any) -> Any:
    """A copy with one odd value, one member missing, or one more, anywhere."""
    document = copy.deepcopy(document)
    place, inner = None, document
    while isinstance(inner, dict | list) and inner and random.random() < 0.85:
        key = random.choice([*inner]) if isinstance(inner, dict) else random.randrange(len(inner))
        place, inner = (inner, key), inner[key]
    if place is None:
        return random.choice(ODD)
    container, key = place
    if isinstance(container, dict) and random.random() < 0.2:
        container[random.choice(["", "x", "__proto__", "a" * 300, str(key) + " "])] = random.choice(ODD)
    elif random.random() < 0.2:
        del container[key]
    else:
        container[key] = random.choice(ODD)
    return document


def encoded(random: Random, document: Any) -> bytes:
    """A document as JSON; sometimes altered, rarely damaged."""
    chance = random.random()
    content = json.dumps(altered(random, document) if chance < 0.15 else document).encode()
    if chance > 0.98:
        at = random.randrange(len(content) + 1)
        return content[:at] + random.choice([b"", b"\xff", b"\x00", b"NaN", b"}", b"[" * 500]) + content[at + 1 :]
    return content
