"""Mapping throughput compared with Segment's own engine in the same run: same events and mapping, batches of 1,000.

Both build the complete request and get a fixed response without a network. Each is one process, measured by the CPU
time of all its threads, so that one core is compared with one core whatever else the machine does. They alternate,
because other work slows a core down even so.
"""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from time import process_time
from typing import Any

from emulator.mapping import DestinationInstance, OutgoingRequest, Response, load_definition
from tests.bench.progress import steps
from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale
from tests.conformance.packages import NEWEST, missing_reason, package_directory

EVENTS = 1000
WARM_UP = 10
ROUNDS = 20
ENGINE = Path(__file__).parent / "engine.cjs"
RESPONSE = Response(status=200, reason="OK", headers={"content-type": "application/json"}, body='{"data":{}}')
PERSONAS = {
    "computation_class": "audience",
    "computation_id": "aud_1",
    "computation_key": "vip",
    "namespace": "spa_1",
    "space_id": "spa_1",
}


def mapping(scale: Scale) -> Results:
    """Events a second of CPU time, of both engines in turn."""
    absent = missing_reason(NEWEST)
    if absent:
        return {"mapping": Measured(skipped=absent)}
    work = job()
    mine: list[float] = []
    published: list[float] = []
    for _ in steps("mapping, turn", range(scale.mapping_turns)):
        mine += ours(work)
        published += theirs(work)
    return {"mapping": Measured(figures=[*map(_rate, mine)], peers=[*map(_rate, published)])}


def _rate(milliseconds: float) -> float:
    return EVENTS / milliseconds * 1000


def job() -> dict[str, Any]:
    """Settings, a subscription with the published default mapping, identify events with every standard trait."""
    action = load_definition(NEWEST).actions["forwardAudienceEvent"]
    mapping = {**action.default_mapping(), "marketing_status": "Opted-in"}
    stored = {"partnerAction": action.slug, "subscribe": action.default_subscription, "mapping": mapping}
    events = [_event(number) for number in range(EVENTS)]
    return {"settings": {"apiKey": "k", "advertiser_id": "23"}, "subscriptions": [stored], "events": events}


def ours(work: dict[str, Any]) -> list[float]:
    """Milliseconds of CPU time for each round of this engine."""
    instance = DestinationInstance(NEWEST, work["settings"], work["subscriptions"])
    rounds = []
    for _ in range(WARM_UP + ROUNDS):
        events = copy.deepcopy(work["events"])
        started = process_time()
        instance.on_batch(events, _respond)
        rounds.append((process_time() - started) * 1000)
    return rounds[WARM_UP:]


def theirs(work: dict[str, Any]) -> list[float]:
    """Milliseconds of CPU time for each round of the published engine, warm."""
    command = ["node", str(ENGINE), str(package_directory(NEWEST))]
    asked = json.dumps({**work, "rounds": WARM_UP + ROUNDS})
    output = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    rounds: list[float] = json.loads(output.stdout)["rounds"]
    return rounds[WARM_UP:]


def _respond(request: OutgoingRequest) -> Response:
    request.body.encode()  # the bytes to send, which the published engine's stub reads too
    return RESPONSE


def _event(number: int) -> dict[str, Any]:
    traits = {
        "email": f"person{number}@example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "phone": "+14155550100",
        "street": "12 Analytical Row",
        "city": "London",
        "state": "LDN",
        "country": "GB",
        "postal_code": "N1 9GU",
        "timezone": "Europe/London",
        "birthday": "1990-06-15",
        "vip": True,
    }
    return {
        "type": "identify",
        "messageId": f"m{number}",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "userId": f"u{number}",
        "traits": traits,
        "context": {"personas": PERSONAS},
    }
