"""State persists across restarts, and several callers can write at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emulator.events import GraphQLExchanged
from emulator.sandbox import Sandbox
from emulator.stackadapt import Limits, StackAdapt
from emulator.store import Store
from emulator.workspace import load_workspace
from tests.stackadapt.conftest import UPSERT, Make, Service, column


def on_disk(path: Path) -> Service:
    sandbox = Sandbox(load_workspace(), store=Store(f"sqlite:///{path / 'state.sqlite'}"))
    return Service(sandbox, api_version="2026-06", limits=Limits())


def test_profiles_mappings_and_segments_survive_a_restart(tmp_path: Path) -> None:
    service = on_disk(tmp_path)
    service.map_profiles(column("tier"), isOptedIn=True)
    service.upsert({"email": "ann@example.com", "userId": "u1", "tier": "gold"})
    rule = {"field": "tier", "operator": "exists"}
    service.stackadapt.segments.create("1001", "tiered", rule)
    service.sandbox.close()

    again = on_disk(tmp_path)
    again.upsert({"email": "bob@example.com", "userId": "u1", "tier": "silver"})
    assert again.profile("ann@example.com")["externalIds"] == []
    assert again.stackadapt.segments.get("1")["members"] == ["ann@example.com", "bob@example.com"]
    assert again.stackadapt.counts()["records"]["visible"] == 2
    again.sandbox.close()


def test_two_sandboxes_share_nothing(make_service: Make) -> None:
    first, second = make_service(), make_service()
    first.upsert({"email": "ann@example.com"})
    assert second.stackadapt.profiles() == []
    assert isinstance(second.stackadapt, StackAdapt)


def test_concurrent_callers_lose_nothing(service: Service) -> None:
    def send(number: int) -> int:
        profiles = [{"email": f"p{number}x{n}@example.com"} for n in range(20)] + [{"email": "shared@example.com"}]
        given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": json.dumps(profiles)}
        return service.post({"query": UPSERT, "variables": {"u": given}}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(24))) == {200}
    assert service.stackadapt.counts() == {
        "records": {"queued": 0, "visible": 24 * 21, "pending": 0, "rejected": 0, "suppressed": 0},
        "rejections": {},
        "waiting": {},
        "profiles": 24 * 20 + 1,
        "lastDueAt": None,
    }
    exchanges = service.sandbox.journal.entries(GraphQLExchanged)
    assert len({exchange.trace_id for exchange in exchanges}) == 24


def test_a_batch_of_a_thousand_is_ingested_completely(service: Service) -> None:
    service.sync(
        *({"email": f"p{n}@example.com", "userId": n, "tags": [str(n), "all"]} for n in range(1_000)),
        columns=[column("tags", "STRING_LIST")],
    )
    assert service.stackadapt.counts()["records"]["visible"] == 1_000
    rule = {"field": "tags", "operator": "equals", "value": "all"}
    assert service.stackadapt.segments.create("1001", "all", rule)["size"] == 1_000
    assert service.stackadapt.profiles(limit=1, offset=999)[0]["externalIds"] == ["999"]


def test_the_journal_truncates_large_bodies(make_service: Make) -> None:
    service = make_service(limits=Limits(journal_characters=50))
    service.post({"query": "{ user { email } }" + " " * 100})
    (exchange,) = service.sandbox.journal.entries(GraphQLExchanged)
    assert len(exchange.request) == 50
    assert exchange.response == '{"data":{"user":{"email":"integration@example.com"'
