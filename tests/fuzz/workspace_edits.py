"""Random edits of a workspace at run time, half of them broken.

python -m tests.fuzz.workspace_edits --edits 1000
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from emulator import Emulator
from emulator.errors import UserMistake
from emulator.workspace import load_workspace, parse_workspace
from emulator.workspace_document import document_of

Document = dict[str, Any]
Edit = Callable[[Document, random.Random], None]

PATH = "/_emulator/workspace"
EVENTS = ("Visited", "Bought")


def _condition(chance: random.Random) -> Document:
    return chance.choice(
        [
            {"trait": "total_spent", "operator": "at_least", "value": chance.randrange(1000)},
            {"trait": "city", "operator": "exists"},
            {"event": chance.choice(EVENTS)},
            {"event": chance.choice(EVENTS), "within": f"{chance.randrange(1, 9)}d"},
            {"all": [{"trait": "email", "operator": "exists"}, {"event": chance.choice(EVENTS)}]},
        ]
    )


def _add_audience(document: Document, chance: random.Random) -> None:
    number = f"a{chance.randrange(6)}"
    audience = {"key": number, "id": f"aud_{number}", "name": number, "condition": _condition(chance)}
    document["audiences"] = [each for each in document["audiences"] if each["key"] != number] + [audience]


def _remove_audience(document: Document, chance: random.Random) -> None:
    if document["audiences"]:
        key = chance.choice(document["audiences"])["key"]
        document["audiences"] = [each for each in document["audiences"] if each["key"] != key]
        for destination in document["destinations"]:
            destination["audiences"] = [each for each in destination["audiences"] if each["key"] != key]


def _change_condition(document: Document, chance: random.Random) -> None:
    if document["audiences"]:
        chance.choice(document["audiences"])["condition"] = _condition(chance)


def _connect(document: Document, chance: random.Random) -> None:
    if document["audiences"] and document["destinations"]:
        key = chance.choice(document["audiences"])["key"]
        destination = chance.choice(document["destinations"])
        others = [each for each in destination["audiences"] if each["key"] != key]
        toggles = {"sendTrack": chance.random() < 0.7, "sendIdentify": chance.random() < 0.7}
        destination["audiences"] = [*others, {"key": key, **toggles}]


def _add_destination(document: Document, chance: random.Random) -> None:
    name = f"d{chance.randrange(3)}"
    template = deepcopy(chance.choice(ORIGINAL["destinations"]))
    keys = {each["key"] for each in document["audiences"]}
    kept = [each for each in template["audiences"] if each["key"] in keys]
    given = {**template, "name": name, "audiences": kept}
    document["destinations"] = [each for each in document["destinations"] if each["name"] != name] + [given]


def _remove_destination(document: Document, chance: random.Random) -> None:
    if document["destinations"]:
        document["destinations"].remove(chance.choice(document["destinations"]))


def _switch(document: Document, chance: random.Random) -> None:
    switches = [*document["sources"], *document["destinations"]]
    switches += [each for destination in document["destinations"] for each in destination["subscriptions"]]
    if switches:
        switch = chance.choice(switches)
        switch["enabled"] = not switch.get("enabled", True)


def _change_batch(document: Document, chance: random.Random) -> None:
    if document["destinations"]:
        age = {"age": "1h"} if chance.random() < 0.5 else {}
        chance.choice(document["destinations"])["batch"] = {"size": chance.choice([1, 3, 1000]), **age}


def _change_trigger(document: Document, chance: random.Random) -> None:
    subscriptions = [each for destination in document["destinations"] for each in destination["subscriptions"]]
    if subscriptions:
        types = ['type = "identify"', 'type = "track"', 'type = "identify" or type = "track"']
        chance.choice(subscriptions)["trigger"] = chance.choice(types)


def _change_settings(document: Document, chance: random.Random) -> None:
    document["timing"] = chance.choice(["instant", "realistic"])
    # The latency is given: the realistic one is random.
    latency = chance.choice(["instant", "2h"])
    document["ingestion"] = {"latency": latency, **chance.choice([{}, {"recordWithoutEmail": "wait"}])}
    document["user"] = {"email": f"u{chance.randrange(9)}@example.com"}


def _change_journey(document: Document, chance: random.Random) -> None:
    steps = [{"key": "s0", "name": "S0"}, {"key": "s1", "name": "S1", "wait": "1d"}]
    journey = {"id": "jou_1", "name": "J", "entry": _condition(chance), "steps": steps}
    document["journeys"] = [] if document["journeys"] else [journey]
    for destination in document["destinations"]:
        destination["journeySteps"] = []
    if document["journeys"] and document["destinations"]:
        chance.choice(document["destinations"])["journeySteps"] = [{"key": "s0"}]


def _change_pipeline(document: Document, chance: random.Random) -> None:
    """Filters and consent of a destination instance, its source, and the tracking plan of a source."""
    rules = [{"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"properties": {"email": {}}}}}}]
    document["trackingPlans"] = [{"name": "Plan", "rules": rules}]
    for source in document["sources"]:
        source["trackingPlan"] = "Plan"
        source["schema"] = {
            "track": {"allowUnplannedEvents": chance.random() < 0.5},
            "identify": {"allowUnplannedTraits": chance.random() < 0.5},
        }
    if document["destinations"]:
        destination = chance.choice(document["destinations"])
        action = chance.choice([{"type": "DROP"}, {"type": "DROP_PROPERTIES", "fields": {"traits": ["email"]}}])
        destination["filters"] = [{"title": "F", "if": 'type = "identify"', "actions": [action]}]
        destination["consent"] = {"categories": ["ads"]}
        if document["sources"] and chance.random() < 0.5:
            destination["source"] = document["sources"][0]["name"]


VALID: tuple[Edit, ...] = (
    _change_pipeline,
    _add_audience,
    _remove_audience,
    _change_condition,
    _connect,
    _connect,
    _add_destination,
    _remove_destination,
    _switch,
    _change_batch,
    _change_trigger,
    _change_settings,
    _change_journey,
)

ORIGINAL: Document = json.loads(json.dumps(document_of(load_workspace())))

_WRONG: tuple[Any, ...] = (None, True, -1, 0.5, "", "x" * 300, [], {}, [None], {"": 0}, "***", "é\u2028", [[[]]])


def edited(document: Document, chance: random.Random) -> Document:
    """A valid workspace that differs from this one in a few places."""
    changed = deepcopy(document)
    for _ in range(chance.randrange(1, 4)):
        chance.choice(VALID)(changed, chance)
    return changed


def broken(document: Document, chance: random.Random) -> Document:
    """A workspace with a value that does not belong there, or without one; by chance it may still be valid."""
    changed = deepcopy(document)
    inner: Any = changed
    while True:
        key = chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        if not isinstance(inner[key], dict | list) or not inner[key] or chance.random() < 0.2:
            break
        inner = inner[key]
    if chance.random() < 0.3:
        del inner[key]
    else:
        inner[key] = chance.choice(_WRONG)
    return changed


def run(edits: int, seed: int) -> dict[str, int]:
    """Makes so many edits of one emulator, half of them broken, and raises AssertionError at the first fault.

    Returns how many were accepted and refused. After each the server answers, and has the new workspace if it accepted
    it, or else the one before.
    """
    chance = random.Random(seed)
    counts = {"accepted": 0, "refused": 0}
    with Emulator() as emulator:
        client = emulator.client
        for number in range(edits):
            before = client.get(PATH).json
            assert before is not None
            wrong = number % 2 == 1
            given = (broken if wrong else edited)(before["workspace"], chance)
            answer = client.put(PATH, json=given)
            assert answer.status_code in ((200, 400) if wrong else (200,)), (seed, number, answer.json)
            after = client.get(PATH).json
            assert after is not None
            counts["accepted" if answer.status_code == 200 else "refused"] += 1
            if answer.status_code == 400:
                assert answer.json["message"], (seed, number)
                assert after == before, (seed, number)
            else:
                assert after["workspace"] == answer.json["workspace"], (seed, number)
            call(emulator, chance, number)
            assert client.get("/_emulator/deliveries").status_code == 200, (seed, number)
    return counts


def call(emulator: Emulator, chance: random.Random, number: int) -> None:
    """One call of the Tracking API, through a source of the workspace."""
    sources = emulator.sandbox.workspace.sources
    user = f"u{chance.randrange(8)}"
    body: Document = {"userId": user, "messageId": f"m{number}"}
    if chance.random() < 0.5:
        traits = {"email": f"{user}@example.com", "total_spent": chance.randrange(1000), "city": "Rome"}
        body |= {"type": "identify", "traits": traits}
    else:
        body |= {"type": "track", "event": chance.choice(EVENTS)}
    if sources:
        emulator.segment.ingest("batch", {"batch": [body]}, source=sources[0].name)


def is_valid(document: Document) -> bool:
    """Whether a start would take the workspace."""
    try:
        Emulator(parse_workspace(document)).close()
    except UserMistake:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Edit a workspace at random while the emulator runs.")
    parser.add_argument("--edits", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", file=sys.stderr, flush=True)
    print(run(asked.edits, asked.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
