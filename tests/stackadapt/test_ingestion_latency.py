"""When records become visible, and under which mapping they are read."""

from __future__ import annotations

from emulator.events import RecordProcessed
from tests.stackadapt.audience_members import ANN, audiences, member
from tests.stackadapt.conftest import START, Make, Service, column


def test_records_become_visible_when_the_latency_has_passed(make_service: Make) -> None:
    service = make_service(latency="4h")
    service.sync({"email": ANN, "tier": "gold"}, columns=[column("tier")])
    service.pass_time(hours=3, minutes=59)
    assert service.stackadapt.profiles() == []
    (record,) = service.stackadapt.records()
    assert (record["outcome"], record["dueAt"]) == ("queued", "2026-03-01T16:00:00.000Z")
    service.pass_time(minutes=1)
    assert service.profile(ANN)["visibleAt"] == "2026-03-01T16:00:00.000Z"
    assert service.profile(ANN)["properties"] == {"tier": "gold"}


def test_realistic_latency_is_seeded_within_four_hours_and_keeps_arrival_order(make_service: Make) -> None:
    def due(service: Service) -> list[str]:
        for _ in range(20):
            service.sync({"email": ANN})
        return [record["dueAt"] for record in service.stackadapt.records()]

    first, second = due(make_service(latency="realistic")), due(make_service(latency="realistic"))
    assert first == second == sorted(first)
    assert len(set(first)) > 1
    service = make_service(latency="realistic")
    service.sync({"email": ANN})
    service.pass_time(hours=4)
    assert service.outcomes() == [("visible", None)]


def test_a_later_record_is_never_overtaken(make_service: Make) -> None:
    service = make_service(latency="realistic")
    for number in range(30):
        service.sync({"email": ANN, "n": str(number)}, columns=[column("n")])
    seen = []
    for _ in range(17):
        service.pass_time(minutes=15)
        profiles = service.stackadapt.profiles()
        seen += [int(profile["properties"]["n"]) for profile in profiles]
    assert seen == sorted(seen)
    assert seen[-1] == 29


def test_by_default_records_are_read_under_the_mapping_active_when_they_are_processed(make_service: Make) -> None:
    service = make_service(latency="1h")
    service.map_profiles(column("tier"))
    service.upsert({"email": ANN, "tier": "gold"})
    service.map_profiles(column("other"))
    service.pass_time(hours=1)
    assert service.profile(ANN)["properties"] == {"tier": "gold"}


def test_the_mapping_race_reads_records_under_the_mapping_active_on_arrival(make_service: Make) -> None:
    service = make_service(mapping_race=True)
    service.sync(member(ANN, tier="gold"), columns=[column("tier")])
    assert service.profile(ANN)["properties"] == {}
    assert audiences(service, ANN) == []
    service.sync(member(ANN, tier="gold"), columns=[])
    assert service.profile(ANN)["properties"] == {"tier": "gold"}
    assert audiences(service, ANN) == ["vip"]


def test_each_processed_record_is_an_event(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    service.sync({"email": ANN, "userId": "u1"}, {"email": "x"}, member(None, userId="u2"))
    trace_id = service.stackadapt.records()[0]["requestId"]
    events = service.sandbox.journal.entries(RecordProcessed)
    assert [(each.outcome, each.reason, each.email) for each in events] == [
        ("visible", None, ANN),
        ("rejected", "INVALID_EMAIL", None),
        ("pending", "WAITS_FOR_PROFILE", None),
    ]
    assert {(each.trace_id, each.advertiser_id, each.at) for each in events} == {(trace_id, "1001", START)}


def test_due_jobs_are_applied_on_a_running_clock(service: Service) -> None:
    service.sandbox.clock.resume()
    service.sync({"email": ANN})
    assert service.profile(ANN)["email"] == ANN
