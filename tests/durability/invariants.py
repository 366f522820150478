"""What must hold after a kill, computed from what was sent and read without the emulator where that is possible."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from emulator import Emulator
from tests.durability.load import BATCH, CALLS, OUTCOMES, Known

Query = Callable[[str], Sequence[tuple[Any, ...]]]

WHOLE = {outcome: BATCH * share // 10 for outcome, share in OUTCOMES.items()}
_JOURNALLED = 100
_AUDIENCE = {"field": "segment_engage_audience_name", "operator": "equals", "value": "vip_customers"}
_SEGMENT = {"advertiserId": "1001", "name": "members", "rule": {"all": [_AUDIENCE]}}


def violations(url: str, query: Query, known: Known, *, shared: bool) -> list[str]:
    """Each broken rule, as a sentence. Sandboxes of the load are deleted afterwards.

    `shared`: journal and faults outlive the processes.
    """
    with httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
        clock = client.get("/_emulator/clock").raise_for_status().json()["aheadSeconds"]
        found = [*known.problems]
        if shared:
            found += [*_of_journal(client, known), *_of_faults(client, known)]
        if not known.seconds - 1 <= clock <= known.most_seconds + 1:
            found.append(f"the clock is {clock} s ahead, acknowledged are {known.seconds}, sent {known.most_seconds}")
        # What a kill interrupted is sent again after a while.
        client.post("/_emulator/clock/advance", json={"hours": 5}).raise_for_status()
        known.seconds += 5 * 3600
        known.most_seconds += 5 * 3600
        batches = records_by_batch(query)
        users = {user for (user,) in query("SELECT value FROM segment_identifiers WHERE type = 'user_id'")}
        calls = {int(user[1:].split("x")[0]) for user in users}
        found += _of_batches(batches, known.batches, "the default sandbox")
        found += _of_calls(users, calls, known.calls)
        found += _of_events(query, calls)
        found += _of_profiles(query, len(batches) * WHOLE["visible"], calls)
        found += _of_counts(client, calls)
        found += _of_segments(client, calls)
        found += _of_snapshot(client)
        found += _of_sandboxes(client, known)
        return found


def _of_journal(client: httpx.Client, known: Known) -> Iterator[str]:
    asked = {"operation": "upsertProfiles", "content": "false", "limit": 1000}
    total = client.get("/_emulator/journal", params={**asked, "limit": 1}).raise_for_status().json()["total"]
    asked["offset"] = max(total - 1000, 0)
    entries = client.get("/_emulator/journal", params=asked).raise_for_status().json()["entries"]
    # The journal keeps so many with their records, whatever else happens.
    if lost := {*known.traces[-_JOURNALLED:]} - {each["traceId"] for each in entries}:
        yield f"{len(lost)} acknowledged batches are not in the journal"


def _of_faults(client: httpx.Client, known: Known) -> Iterator[str]:
    rules = client.get("/_emulator/faults").raise_for_status().json()["faults"]
    matched = [each["matched"] for each in rules if each["id"] == known.fault]
    if len(matched) != 1 or not len(known.batches) <= matched[0] <= known.sent:
        yield f"the fault has matched {matched}, acknowledged are {len(known.batches)}, sent {known.sent} batches"


def records_by_batch(query: Query) -> dict[int, Counter[str]]:
    """The number of records by outcome of each numbered batch, and not of what Segment delivered."""
    found: dict[int, Counter[str]] = {}
    for raw, outcome in query("SELECT raw, outcome FROM sa_records"):
        user = json.loads(raw)["userId"]
        if user.startswith("p"):
            found.setdefault(int(user[1:].split("x")[0]), Counter())[outcome] += 1
    return found


def _of_batches(found: dict[int, Counter[str]], acknowledged: set[int], where: str) -> Iterator[str]:
    if lost := acknowledged - found.keys():
        yield f"acknowledged batches {sorted(lost)} are not in {where}"
    for number, outcomes in found.items():
        if outcomes != WHOLE:
            yield f"batch {number} in {where} is incomplete: {dict(outcomes)}"


def _of_calls(users: set[str], found: set[int], acknowledged: set[int]) -> Iterator[str]:
    if lost := acknowledged - found:
        yield f"acknowledged calls {sorted(lost)} are not stored"
    expected = {f"s{number}x{position}" for number in found for position in range(CALLS)}
    if users != expected:
        yield f"incomplete calls, without {sorted(expected - users)[:3]}"


def _of_events(query: Query, calls: set[int]) -> Iterator[str]:
    rows = query(
        "SELECT c.user_id, f.type, d.outcome FROM segment_events e JOIN segment_event_forms f ON f.id = e.form_id"
        " JOIN segment_event_contents c ON c.id = e.content_id LEFT JOIN segment_deliveries d ON d.event_id = e.id"
    )
    expected = Counter({(user, kind): 1 for user in _members(calls) for kind in ("identify", "track")})
    found = Counter((user, kind) for user, kind, _ in rows)
    if found != expected:
        yield f"events or outcomes are missing {(expected - found).most_common(2)} or double: {found - expected}"
    if others := Counter(outcome for _, _, outcome in rows if outcome != "sent"):
        yield f"events have the outcomes {dict(others)} instead of sent"


def _of_profiles(query: Query, visible: int, calls: set[int]) -> Iterator[str]:
    emails = Counter(email for (email,) in query("SELECT email FROM sa_profiles"))
    if double := [email for email, number in emails.items() if number > 1]:
        yield f"several profiles have the email {double[0]}"
    if len(emails) != visible + len(_members(calls)):
        yield f"{len(emails)} profiles instead of {visible + len(_members(calls))}"


def _of_counts(client: httpx.Client, calls: set[int]) -> Iterator[str]:
    counts = client.get("/_emulator/counts").raise_for_status().json()["segment"]
    if counts["calls"]["accepted"] != len(calls) * CALLS:
        yield f"{counts['calls']['accepted']} calls are counted, {len(calls) * CALLS} are stored"
    if sum(counts["outcomes"].values()) != counts["events"]:
        yield f"the outcomes {counts['outcomes']} are not those of {counts['events']} events"


def _of_segments(client: httpx.Client, calls: set[int]) -> Iterator[str]:
    segment = client.post("/_emulator/segments", json=_SEGMENT).raise_for_status().json()
    expected = {f"{user}@example.com" for user in _members(calls)}
    if set(segment["members"]) != expected or segment["size"] != len(expected):
        yield f"the segment has {segment['size']} members instead of {len(expected)}"
    client.delete(f"/_emulator/segments/{segment['id']}").raise_for_status()


def _of_snapshot(client: httpx.Client) -> Iterator[str]:
    saved = client.get("/_emulator/snapshot").raise_for_status().content
    counts = client.get("/_emulator/counts").json()
    with Emulator() as copy:
        loaded = copy.client.put("/_emulator/snapshot", data=io.BytesIO(saved))
        if loaded.status_code >= 400:
            yield f"the snapshot cannot be loaded: {loaded.text}"
        elif (in_copy := copy.client.get("/_emulator/counts").json) != counts:
            yield f"the snapshot has {in_copy} instead of {counts}"


def _of_sandboxes(client: httpx.Client, known: Known) -> Iterator[str]:
    listed = {each["name"] for each in client.get("/_emulator/sandboxes").raise_for_status().json()["sandboxes"]}
    if lost := known.sandboxes.keys() - listed:
        yield f"the sandboxes {sorted(lost)} are lost"
    if present := known.deleted & listed:
        yield f"the sandboxes {sorted(present)} were deleted and are present"
    for name in sorted(listed - {"default"}):
        answer = client.get("/_emulator/counts", headers={"X-Emulator-Sandbox": name})
        if answer.status_code != 200:
            yield f"the sandbox {name} cannot be used: {answer.text}"
            continue
        records = answer.json()["stackadapt"]["records"]
        outcomes = Counter({outcome: number for outcome, number in records.items() if number})
        number = int(name[1:])
        yield from _of_batches({number: outcomes} if outcomes else {}, known.sandboxes.get(name, set()), name)
        client.delete(f"/_emulator/sandboxes/{name}").raise_for_status()
    known.sandboxes.clear()
    known.deleted.clear()


def _members(calls: set[int]) -> list[str]:
    return [f"s{number}x{position}" for number in calls for position in range(0, CALLS, 2)]
