"""The operations of the stateful fuzz, each with its weight.

Each takes a connection and its own random numbers, and needs nothing from the ones before it but the state of the
sandbox: any of them can be left out when a failure is run again.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from emulator.artefacts import contract
from emulator.yaml_files import load_yaml
from tests.fuzz import values
from tests.fuzz.connection import Connection, secrets_of
from tests.stackadapt.conftest import AUDIENCE_COLUMNS
from tests.stackadapt.test_root_fields import MUTATIONS, OTHERS, TARGET

Operation = Callable[[Connection, Random], object]
ADVERTISERS = ("1001", "1001", "1001", "1002")
PAYLOAD = "{ clientMutationId userErrors { message path } }"
_FAULT_HEADERS = (
    *("status=503", "status=429; retryAfter=1", "notJson", "reset", "reset; applied=true", "partial", "userErrors"),
    *("latency=50", "truncated", "timeout", "timeout; applied=true", "status=[[[", "=", "\x7f", "latency=99999999999"),
)


def calls(to: Connection, random: Random) -> object:
    """One call at its own path, or a batch, sometimes compressed."""
    if random.random() < 0.5:
        call = values.call(random)
        path, body = f"/v1/{call['type']}", call
    else:
        path = random.choice(["/v1/batch", "/v1/import"])
        body = {"batch": [values.call(random) for _ in range(random.randint(0, 8))]}
    content = values.encoded(random, body)
    if random.random() < 0.1:
        return to.segment(path, gzip.compress(content)[: random.choice([None, 20])], **{"Content-Encoding": "gzip"})
    return to.segment(path, content)


def mutate(to: Connection, random: Random, name: str, given: Any, *, fault: str | None = None) -> Any:
    document = f"mutation($i: {MUTATIONS[name][0]}!) {{ result: {name}(input: $i) {PAYLOAD} }}"
    return to.graphql(json.dumps({"query": document, "variables": {"i": given}}).encode(), fault=fault)


def upsert(to: Connection, random: Random) -> object:
    """Records, sometimes with a fault on the request."""
    records = [values.record(random) for _ in range(random.randint(0, 6))]
    provider = random.choice(["segment_io", "segment_io", "segmentio", "none"])
    profiles = values.encoded(random, records).decode(errors="replace")
    given = {"advertiserId": random.choice(ADVERTISERS), "externalProvider": provider, "profiles": profiles}
    return mutate(to, random, "upsertProfiles", given, fault=_fault(random))


def _fault(random: Random) -> str | None:
    return random.choice(_FAULT_HEADERS) if random.random() < 0.05 else None


def other_mutation(to: Connection, random: Random) -> object:
    """Any mutation with its valid or invalid input, one altered, or as damaged JSON."""
    name = random.choice([*MUTATIONS])
    if name.endswith("ProfileMapping"):
        return map_profiles(to, random)
    given = random.choice(MUTATIONS[name][1:3])
    if "mappingSchemaV2" in given or "mappingSchema" in given:
        return mutate(to, random, name, given)
    document = f"mutation($i: {MUTATIONS[name][0]}!) {{ result: {name}(input: $i) {PAYLOAD} }}"
    return to.graphql(values.encoded(random, {"query": document, "variables": {"i": given}}), fault=_fault(random))


def map_profiles(to: Connection, random: Random) -> object:
    """The mappings, always with the same types, so that segments can be computed."""
    if random.random() < 0.3:
        given: dict[str, Any] = {"advertiserId": random.choice(ADVERTISERS), "mappingSchema": AUDIENCE_COLUMNS}
        return mutate(to, random, "upsertExternalAudienceMapping", given)
    name = random.choice(["upsertProfileMapping", "appendProfileMapping"])
    given = {"advertiserId": random.choice(ADVERTISERS), "mappableType": "segment_io"}
    given |= {"mappingSchemaV2": values.MAPPING, "isOptedIn": random.random() < 0.5}
    return mutate(to, random, name, given)


def query(to: Connection, random: Random) -> object:
    """A query, a page of profiles, or one of them altered."""
    if random.random() < 0.5:
        filters = f'{{segmentId: "{random.randint(1, 4)}", limit: {random.choice([0, 1, 2, 100])}}}'
        text = f"{{ cdpProfiles(advertiserId: 1001, filterBy: {random.choice(['{}', filters])}) {{ size }} }}"
    else:
        made = random.choice([*OTHERS.values()])
        text = random.choice([made[0], made[2]])
    return to.graphql(values.encoded(random, {"query": text}), fault=_fault(random))


def segment(to: Connection, random: Random) -> object:
    """Creates, changes, reads or deletes a segment."""
    number, document = random.randint(1, 6), {"name": "S", "rule": values.rule(random)}
    if random.random() < 0.1:
        document = values.altered(random, document)
    match random.choice(["create", "create", "change", "read", "delete"]):
        case "create":
            body = {"advertiserId": random.choice(ADVERTISERS), **document} if isinstance(document, dict) else document
            return to.control("POST", "segments", json=body)
        case "change":
            return to.control("PATCH", f"segments/{number}", json=document)
        case "read":
            return to.control("GET", f"segments/{number}", params={"limit": random.choice([0, 1, 10])})
        case _:
            return to.control("DELETE", f"segments/{number}")


def clock(to: Connection, random: Random) -> object:
    """Steps, stops and starts the clock."""
    step: Any = {random.choice(["seconds", "minutes", "hours", "days"]): random.choice([0, 1, 3, 0.5, 30])}
    match random.choice(["advance", "advance", "altered", "freeze", "resume"]):
        case "advance":
            return to.control("POST", "clock/advance", json=step)
        case "altered":
            bad = random.choice([{"hours": -1}, {"duration": "x"}, {"duration": ""}, {"days": 1e300}, {"hours": "1"}])
            return to.control("POST", "clock/advance", json=bad)
        case name:
            return to.control("POST", f"clock/{name}")


def fault(to: Connection, random: Random) -> object:
    """Adds a fault rule, or removes all: while there are some, `/graphql` may fail."""
    if random.random() < 0.6:
        response = to.control("DELETE", "faults")
        to.fault = ""
        return response
    kinds = ({"fault": "status", "status": 503}, {"fault": "partial", "every": 2}, {"fault": "reset", "applied": True})
    kinds += ({"fault": "notJson"}, {"fault": "truncated"}, {"fault": "userErrors"}, {"fault": "timeout"})
    chosen = random.choice([*kinds, {"fault": "latency", "milliseconds": 20}])
    to.fault += f" {chosen['fault']}"
    return to.control("POST", "faults", json={**chosen, "times": random.randint(1, 4)})


def move_profiles(to: Connection, random: Random) -> object:
    """An export, or an import of what was exported or made up, sometimes damaged."""
    kind = random.choice(["jsonl", "csv"])
    content = to.control("GET", "profiles/export", params={"format": kind}).content
    if random.random() < 0.4:
        return None
    if random.random() < 0.5:
        made = [{"advertiserId": "1001", "email": values.email(random), "city": "Toronto"} for _ in range(3)]
        content = b"\n".join(values.encoded(random, each) for each in made) + b"\n"
        content = b"advertiserId,email,city\n1001,user1@example.com,Toronto\n" if kind == "csv" else content
    types = {"jsonl": "application/x-ndjson", "csv": "text/csv"}
    at = random.randrange(len(content) + 1) if random.random() < 0.2 else len(content)
    headers = {"Content-Type": types[kind], "X-Emulator-Sandbox": to.sandbox}
    target = f"/_emulator/profiles/import?format={kind}"
    return to.send("POST", target, content=content[:at] + b"\xff"[: len(content) - at], headers=headers)


def upload(to: Connection, random: Random) -> object:
    """An upload target, a file sent to it, and its import."""
    document = """mutation($i: CreateUploadTargetsInput!) { createUploadTargets(input: $i) {
      targets { url resourceUrl parameters { name value } } } }"""
    asked = {"query": document, "variables": {"i": {"regionIndependent": [TARGET]}}}
    response = to.graphql(json.dumps(asked).encode())
    try:
        (target,) = response.json()["data"]["createUploadTargets"]["targets"]
    except (AttributeError, ValueError, TypeError, KeyError):
        return response
    form = {each["name"]: each["value"] for each in target["parameters"]}
    people = "email,city\n" + "".join(f"{values.email(random)},{random.choice(values.CITIES)}\n" for _ in range(4))
    url = target["url"].removeprefix(to.url)
    to.send("POST", url, data=form, files={"file": ("people.csv", people.encode()[: random.choice([None, None, 30])])})
    url = random.choice([target["resourceUrl"]] * 3 + ["file://[x", "https://example.com/a", "", "/etc/passwd"])
    given = {"advertiserId": "1001", "mappingSchemaV2": values.MAPPING, "url": url}
    return mutate(to, random, "createUserUploadedProfiles", given)


def regulate(to: Connection, random: Random) -> object:
    """A deletion or suppression of a person, at Segment or at StackAdapt."""
    kinds = ("DELETE_ONLY", "SUPPRESS_ONLY", "SUPPRESS_WITH_DELETE", "UNSUPPRESS", "NONE")
    match random.choice(["segment", "one", "stackadapt"]):
        case "segment":
            body: Any = {"regulationType": random.choice(kinds), "subjectIds": [values.user_id(random)]}
            return to.control("POST", "regulations", json=body)
        case "one":
            return to.control("POST", "regulations", json={"userId": values.user_id(random)})
        case _:
            given = {"externalIds": [values.user_id(random)], "externalProvider": "segmentio"}
            return mutate(to, random, "deleteProfilesWithExternalIds", given)


def member(to: Connection, random: Random) -> object:
    """Someone is put into an audience, or taken out of it."""
    body = {"userId": values.user_id(random), "email": f"user{random.randrange(12)}@example.com"}
    body = values.altered(random, body) if random.random() < 0.1 else body
    return to.control("POST", f"audiences/vip_customers/{random.choice(['enter', 'exit'])}", json=body)


@cache
def documented() -> list[tuple[str, str, list[Any]]]:
    """Method, path and examples of bodies of every operation of the control API that addresses a sandbox's data."""
    paths = load_yaml(contract("openapi.yaml").read_text(encoding="utf-8"))["paths"]
    found = []
    for path, item in paths.items():
        if not path.startswith("/_emulator/") or "/sandboxes" in path or "snapshot" in path:
            continue
        for method in item.keys() - {"parameters"}:
            body = item[method].get("requestBody", {}).get("content", {}).get("application/json", {})
            examples = (
                [body["example"]] if "example" in body else [e["value"] for e in body.get("examples", {}).values()]
            )
            found.append((method.upper(), path.removeprefix("/_emulator/"), examples))
    return sorted(found, key=lambda each: each[:2])


_QUERIES = ("outcome", "email", "userId", "limit", "offset", "reason", "messageId", "advertiserId", "for", "format")
_ASKED = ("", "sent", "visible", "user1@example.com", "u1", "0", "1", "-1", "1e3", "9" * 30, "1001", "\x00", "profile")


def any_control(to: Connection, random: Random) -> object:
    """Any operation of the control API's document, with an example, an altered body and odd parameters."""
    method, path, examples = random.choice(documented())
    known = {
        "{segmentId}": "1",
        "{ruleId}": "1",
        "{audienceKey}": "vip_customers",
        "{destination}": "StackAdapt%20Acme",
        "{subscription}": "Sync%20Audience",
        "{field}": "advertiser_id",
    }
    for name, replaced in known.items():
        path = path.replace(name, random.choice([replaced, replaced, "x", "%00", "9" * 30]))
    params = {random.choice(_QUERIES): random.choice(_ASKED) for _ in range(random.choice([0, 0, 1, 2]))}
    params |= {"timeout": "0s"} if path == "wait" else {}
    headers = {"X-Emulator-Sandbox": to.sandbox, "Content-Type": "application/json"}
    content = values.encoded(random, random.choice(examples)) if examples else b""
    response = to.send(method, f"/_emulator/{path}", params=params, content=content, headers=headers)
    if path == "faults" and response.status_code == 201:
        to.fault += " any"
    if path == "reset" and method == "POST":
        to.fault = ""
        prepare(to)
    return response


def snapshot(to: Connection, random: Random) -> object:
    """The state, saved and loaded; or a file that is cut off, which must change nothing."""
    saved = to.control("GET", "snapshot").content
    if random.random() < 0.3:
        saved = saved[: random.randrange(len(saved))]
    return load(to, saved)


def altered_snapshot(to: Connection, random: Random) -> object:
    """A snapshot with one altered row. If it is accepted, everything is asked for; then the state is put back."""
    saved = to.control("GET", "snapshot").content
    lines = gzip.decompress(saved).splitlines()
    at = random.randrange(len(lines))
    lines[at] = json.dumps(values.altered(random, json.loads(lines[at]))).encode()
    accepted = load(to, gzip.compress(b"\n".join(lines) + b"\n", compresslevel=1)).status_code == 200
    if accepted:
        for path in ("counts", "records", "deliveries", "batches", "profiles", "segments", "space/profiles"):
            to.control("GET", path)
        calls(to, random)
        upsert(to, random)
        to.control("POST", "clock/advance", json={"hours": 5})
        to.control("GET", "counts")
    return load(to, saved)


def load(to: Connection, saved: bytes) -> Any:
    headers = {"X-Emulator-Sandbox": to.sandbox, "Content-Type": "application/gzip"}
    return to.send("PUT", "/_emulator/snapshot", content=saved, headers=headers)


def prepare(to: Connection) -> None:
    """The mappings of both advertisers, so that every property has its declared type."""
    for advertiser in set(ADVERTISERS):
        given = {"advertiserId": advertiser, "mappableType": "segment_io", "mappingSchemaV2": values.MAPPING}
        mutate(to, Random(0), "upsertProfileMapping", given)


_SHARED = ("shared-0", "shared-1", "shared-2")


def shared_sandbox(to: Connection, random: Random) -> object:
    """Creates, uses or deletes a sandbox whose name other threads use at the same time."""
    name = random.choice(_SHARED)
    if random.random() < 0.4:
        return to.send("DELETE", f"/_emulator/sandboxes/{name}")
    response = to.send("POST", "/_emulator/sandboxes", json={"name": name})
    if response.status_code == 201:
        with Connection(to.url, **secrets_of(response.json()), statuses=to.statuses) as inside:
            for operation in random.choices([calls, upsert, segment, query], k=3):
                operation(inside, random)
    return response


@dataclass(frozen=True)
class Weighted:
    """An operation and how often it is chosen."""

    run: Operation
    weight: int

    @property
    def name(self) -> str:
        return self.run.__name__.replace("_", "-")


OPERATIONS = (
    *(Weighted(calls, 30), Weighted(upsert, 16), Weighted(other_mutation, 8), Weighted(query, 7)),
    *(Weighted(segment, 6), Weighted(any_control, 10), Weighted(clock, 4), Weighted(fault, 3)),
    *(Weighted(move_profiles, 2), Weighted(upload, 2), Weighted(regulate, 3), Weighted(member, 3)),
    *(Weighted(map_profiles, 1), Weighted(snapshot, 1), Weighted(altered_snapshot, 1), Weighted(shared_sandbox, 2)),
)
