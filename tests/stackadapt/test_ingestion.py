"""From accepted records to profiles: mapping, email, identity, audiences, consent, latency."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.events import RecordProcessed
from emulator.stackadapt import Limits
from tests.stackadapt.conftest import READ, START, Make, Service, column

ANN = "ann@example.com"
BOB = "bob@example.com"
MAP_AUDIENCES = """mutation($e: ExternalAudienceMappingInput!) {
  upsertExternalAudienceMapping(input: $e) { userErrors { message } } }"""


def member(email: str | None, action: str = "enter", **more: Any) -> dict[str, Any]:
    record = {"audienceId": "aud_1", "audienceName": "vip", "action": action, **more}
    return record if email is None else {"email": email, **record}


def audiences(service: Service, email: str) -> list[str]:
    return [audience["name"] for audience in service.profile(email)["audiences"]]


def test_only_mapped_keys_are_stored_and_others_are_dropped_with_a_warning(service: Service) -> None:
    service.sync({"email": ANN, "first_name": "Ann", "shoe_size": "42"}, columns=[column("first_name")])
    assert service.profile(ANN)["properties"] == {"first_name": "Ann"}
    warnings = service.stackadapt.records()[0]["warnings"]
    assert [(warning["code"], warning["key"]) for warning in warnings] == [("UNMAPPED_KEY", "shoe_size")]


def test_control_keys_work_without_being_mapped(service: Service) -> None:
    service.sync(member(ANN, userId="u1"))
    profile = service.profile(ANN)
    assert profile["externalIds"] == ["u1"]
    assert profile["audiences"] == [
        {"id": "aud_1", "name": "vip", "provider": "segmentio", "since": "2026-03-01T12:00:00.000Z"}
    ]
    assert profile["properties"] == {}


def test_a_mapping_in_the_same_document_applies_whatever_its_position(service: Service) -> None:
    service.sync({"email": ANN, "tier": "gold"}, columns=[column("tier")])
    service.sync({"email": ANN, "plan": "pro", "tier": "silver"}, columns=[column("plan")])
    assert service.profile(ANN)["properties"] == {"tier": "gold", "plan": "pro"}


def test_a_destination_key_may_differ_from_the_incoming_one(service: Service) -> None:
    service.map_profiles(
        column("mail", destinationKey="email"),
        column("uid", destinationKey="external_id"),
        column("n", destinationKey='odd "name" $.x'),
    )
    service.upsert({"mail": "ANN@example.com ", "uid": 7, "userId": "ignored", "n": "v"})
    profile = service.profile(ANN)
    assert profile["externalIds"] == ["7"]
    assert profile["properties"] == {'odd "name" $.x': "v"}


def test_profiles_are_merged_and_absent_values_clear_nothing(service: Service) -> None:
    columns = [column("a"), column("b"), column("c")]
    service.sync({"email": ANN, "a": "1", "b": "2"}, columns=columns)
    service.sync({"email": ANN, "b": None, "c": ""}, columns=columns)
    service.sync({"email": ANN, "a": "9"}, columns=columns)
    assert service.profile(ANN)["properties"] == {"a": "9", "b": "2", "c": ""}


def test_a_column_default_fills_absent_values(service: Service) -> None:
    service.sync({"email": ANN}, {"email": BOB, "tier": "gold"}, columns=[column("tier", value="none")])
    assert service.profile(ANN)["properties"] == {"tier": "none"}
    assert service.profile(BOB)["properties"] == {"tier": "gold"}


def test_a_built_in_property_keeps_its_own_type(service: Service) -> None:
    columns = [column("phone", "NUMBER"), column("birth_date", "STRING")]
    service.sync({"email": ANN, "phone": "0012", "birth_date": "6/5/1990"}, columns=columns)
    assert service.profile(ANN)["properties"] == {"phone": "0012", "birth_date": "1990-06-05"}


def test_an_unreadable_value_warns_and_keeps_the_property(service: Service) -> None:
    columns = [column("spent", "NUMBER"), column("tier")]
    service.sync({"email": ANN, "spent": "12.50", "tier": "gold"}, columns=columns)
    service.sync({"email": ANN, "spent": "a lot", "tier": "silver"}, columns=columns)
    assert service.profile(ANN)["properties"] == {"spent": 12.5, "tier": "silver"}
    assert service.stackadapt.records()[1]["warnings"] == [
        {"code": "UNREADABLE_VALUE", "key": "spent", "declared": "NUMBER"}
    ]
    assert service.outcomes() == [("visible", None)] * 2


def test_a_property_that_changes_its_type_keeps_one_value(service: Service) -> None:
    for data_type, value in (("STRING", "5"), ("STRING_LIST", ["a", "b"]), ("NUMBER", "6"), ("BOOLEAN", True)):
        service.sync({"email": ANN, "p": value}, columns=[column("p", data_type)])
    assert service.profile(ANN)["properties"] == {"p": True}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, "MISSING_EMAIL"),
        ({"email": None}, "MISSING_EMAIL"),
        ({"email": "  "}, "MISSING_EMAIL"),
        ({"email": None, "userId": "unknown"}, "MISSING_EMAIL"),
        ({"email": "unknown"}, "INVALID_EMAIL"),
        ({"email": 5}, "INVALID_EMAIL"),
        ({"email": "a" * 243 + "@example.com"}, "INVALID_EMAIL"),
        ({"email": "x\ud800@example.com"}, "INVALID_EMAIL"),
    ],
)
def test_a_record_without_a_usable_email_is_accepted_and_then_rejected(
    service: Service, record: dict[str, Any], reason: str
) -> None:
    assert service.upsert(record, {"email": ANN}) == []
    assert service.outcomes() == [("rejected", reason), ("visible", None)]
    (rejection,) = service.stackadapt.rejections()
    trace_id = service.stackadapt.records()[0]["requestId"]
    assert rejection["message"]
    assert {key: rejection[key] for key in ("reason", "record", "requestId", "at", "advertiserId", "index")} == {
        "reason": reason,
        "record": record,
        "requestId": trace_id,
        "at": "2026-03-01T12:00:00.000Z",
        "advertiserId": "1001",
        "index": 0,
    }


def test_rejections_are_reported_by_the_mutation_when_configured(make_service: Make) -> None:
    service = make_service(report_rejections="user_errors", record_without_email="wait")
    service.map_profiles(column("email"))
    service.upsert({"email": ANN, "userId": "u1"})
    errors = service.upsert(
        {"email": BOB, "userId": "u2"},
        {"email": "unknown"},
        {"userId": "u1"},
        {"userId": "u2"},
        {"first_name": "X"},
        member(None, userId="u9"),
    )
    assert [error["path"] for error in errors] == [["input", "profiles", "1"], ["input", "profiles", "4"]]
    assert [outcome for outcome, _ in service.outcomes()[1:]] == [
        "visible",
        "rejected",
        "visible",
        "visible",
        "rejected",
        "pending",
    ]


def test_the_identity_is_the_trimmed_lower_case_email_within_one_advertiser(service: Service) -> None:
    service.sync({"email": " Ann@Example.COM "})
    service.sync({"email": ANN})
    service.sync({"email": ANN}, advertiser="1002")
    assert [(p["advertiserId"], p["email"]) for p in service.stackadapt.profiles()] == [("1001", ANN), ("1002", ANN)]


def test_several_external_ids_may_point_to_one_email(service: Service) -> None:
    service.sync({"email": ANN, "userId": "u1"}, {"email": ANN, "userId": "u2"}, {"email": ANN, "userId": 3})
    assert service.profile(ANN)["externalIds"] == ["3", "u1", "u2"]


@pytest.mark.parametrize("together", [True, False])
def test_a_known_external_id_moves_to_a_new_email(service: Service, together: bool) -> None:
    records = [{"email": ANN, "userId": "u1"}, {"email": BOB, "userId": "u1"}]
    for part in [records] if together else [[record] for record in records]:
        service.sync(*part)
    assert service.profile(ANN)["externalIds"] == []
    assert service.profile(BOB)["externalIds"] == ["u1"]
    first, second = service.stackadapt.records()
    assert first["warnings"] == []
    assert second["warnings"] == [{"code": "EXTERNAL_ID_MOVED", "key": "userId", "from": ANN}]


def test_a_moved_external_id_stays_whatever_the_order_of_the_profiles(service: Service) -> None:
    service.sync({"email": BOB}, {"email": ANN, "userId": "u1"}, {"email": BOB, "userId": "u1"})
    assert service.profile(ANN)["externalIds"] == []
    assert service.profile(BOB)["externalIds"] == ["u1"]


@pytest.mark.parametrize("together", [True, False])
def test_a_record_without_email_attaches_by_its_external_id(service: Service, together: bool) -> None:
    records = [{"email": ANN, "userId": "u1"}, member(None, userId="u1", tier="gold")]
    for part in [records] if together else [[record] for record in records]:
        service.sync(*part, columns=[column("tier")])
    assert audiences(service, ANN) == ["vip"]
    assert service.profile(ANN)["properties"] == {"tier": "gold"}
    assert service.stackadapt.records()[1]["email"] == ANN


def test_an_unreadable_external_id_is_ignored_with_a_warning(service: Service) -> None:
    service.sync({"email": ANN, "userId": {"a": 1}}, {"email": ANN, "userId": "x\x00"}, {"email": ANN, "userId": ""})
    assert service.profile(ANN)["externalIds"] == []
    codes = [[warning["code"] for warning in record["warnings"]] for record in service.stackadapt.records()]
    assert codes == [["UNREADABLE_EXTERNAL_ID"], ["UNREADABLE_EXTERNAL_ID"], []]


def test_a_record_does_not_wait_for_an_external_id_of_another_provider(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    service.sync(member(None, userId="u1"))
    service.upsert({"email": BOB, "userId": "u1"}, provider="shopify")
    assert service.profile(BOB)["externalIds"] == ["u1"]
    assert service.outcomes() == [("pending", "WAITS_FOR_PROFILE"), ("visible", None)]
    service.sync({"email": ANN, "userId": "u1"})
    assert service.outcomes()[0] == ("visible", None)
    assert service.stackadapt.records()[0]["email"] == ANN


@pytest.mark.parametrize("together", [True, False])
def test_a_waiting_audience_record_takes_effect_right_after_its_profile(make_service: Make, together: bool) -> None:
    service = make_service(record_without_email="wait")
    audience = {"userId": "u1", "audienceId": "a1", "audienceName": "vip"}
    records = [{**audience, "action": "enter"}, {"email": ANN, "userId": "u1"}, {**audience, "action": "exit"}]
    if together:
        service.sync(*records)
    else:
        for record in records:
            service.sync(record)
    assert service.outcomes() == [("visible", None)] * 3
    assert service.profile(ANN)["audiences"] == []


def test_profiles_sent_before_their_mapping_lose_unmapped_values(service: Service) -> None:
    service.upsert({"email": ANN, "tier": "gold"})
    service.map_profiles(column("email"), column("tier"))
    assert service.profile(ANN)["properties"] == {}
    service.upsert({"email": ANN, "tier": "gold"})
    assert service.profile(ANN)["properties"] == {"tier": "gold"}


def test_enter_and_exit_change_one_of_several_memberships(service: Service) -> None:
    service.sync(member(ANN), member(ANN, audienceId="aud_2", audienceName="gold"))
    assert audiences(service, ANN) == ["vip", "gold"]
    service.sync(member(ANN, "exit"))
    assert audiences(service, ANN) == ["gold"]


def test_enter_and_exit_apply_in_arrival_order(service: Service) -> None:
    service.sync(member(ANN, "exit"))
    assert audiences(service, ANN) == []
    service.sync(member(ANN, "enter"), member(ANN, "exit"), member(BOB, "exit"), member(BOB, "enter"))
    assert (audiences(service, ANN), audiences(service, BOB)) == ([], ["vip"])


def test_an_audience_is_renamed_by_its_newest_record(service: Service) -> None:
    service.sync(member(ANN))
    service.sync(member(BOB, audienceName="very_important"))
    assert audiences(service, ANN) == ["very_important"]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (member(ANN, "join"), "UNKNOWN_ACTION"),
        ({"email": ANN, "audienceId": "aud_1"}, "UNKNOWN_ACTION"),
        ({"email": ANN, "audienceName": "vip"}, "UNKNOWN_ACTION"),
        ({"email": ANN, "action": ["enter"], "audienceId": "aud_1"}, "UNKNOWN_ACTION"),
        ({"email": ANN, "action": "enter"}, "UNREADABLE_AUDIENCE"),
    ],
)
def test_an_invalid_audience_record_warns_and_changes_no_membership(
    service: Service, record: dict[str, Any], code: str
) -> None:
    service.sync(record)
    assert audiences(service, ANN) == []
    assert [warning["code"] for warning in service.stackadapt.records()[0]["warnings"]] == [code]


def test_without_an_audience_mapping_no_membership_is_stored(service: Service) -> None:
    service.map_profiles(column("email"))
    service.upsert(member(ANN))
    assert audiences(service, ANN) == []
    assert service.stackadapt.records()[0]["warnings"][0]["code"] == "NO_AUDIENCE_MAPPING"


def test_the_audience_mapping_names_the_keys_of_id_and_name(service: Service) -> None:
    entries = [column("seg", destinationKey="external_id"), column("title", destinationKey="name")]
    service.run(MAP_AUDIENCES, e={"advertiserId": "1001", "mappableType": "segmentio", "mappingSchema": entries})
    service.upsert({"email": ANN, "seg": 12, "title": "Twelve", "audienceId": "no", "action": "enter"})
    assert [(each["id"], each["name"]) for each in service.profile(ANN)["audiences"]] == [("12", "Twelve")]


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([True], "OPTED_IN"),
        ([False], "INDETERMINATE"),
        ([None], "INDETERMINATE"),
        ([False, True], "OPTED_IN"),
        ([True, False], "OPTED_IN"),
        ([True, None], "OPTED_IN"),
    ],
)
def test_marketing_status_follows_the_mapping_and_is_never_downgraded(
    service: Service, steps: list[bool | None], status: str
) -> None:
    for opted_in in steps:
        service.sync({"email": ANN}, opted_in=opted_in)
    assert service.profile(ANN)["marketingStatus"] == status


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


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "nonsense",
        '[{"email":"a"q"b@example.com"}]',
        '[{"first_name":"line\nbreak"}]',
        '[{"n": NaN}]',
        '[{"n": ' + "9" * 5000 + "}]",
        "[" * 100_000,
        "{}",
        "[1]",
        '[{"email":"ann@example.com"}, null]',
        "null",
        5,
        True,
        {"email": ANN},
        [ANN],
    ],
)
def test_malformed_profiles_are_a_user_error_and_write_nothing(service: Service, raw: Any) -> None:
    (error,) = service.upsert(raw=raw)
    assert error["path"] == ["input", "profiles"]
    assert service.stackadapt.records() == []
    assert service.stackadapt.profiles() == []


def test_profiles_can_be_a_list_or_a_json_string(service: Service) -> None:
    assert service.upsert(raw=[{"email": ANN}]) == []
    document = """mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segmentio",
      profiles: [{email: "bob@example.com", userId: 5}]}) { userErrors { message } } }"""
    assert service.run(document)["upsertProfiles"]["userErrors"] == []
    assert service.profile(BOB)["externalIds"] == ["5"]


def test_an_empty_list_is_accepted(service: Service) -> None:
    assert service.upsert() == []
    assert service.stackadapt.counts()["records"]["visible"] == 0


def test_more_profiles_than_the_limit_are_a_user_error(make_service: Make) -> None:
    service = make_service(limits=Limits(profiles=2))
    assert service.upsert({"email": ANN}, {"email": BOB}) == []
    (error,) = service.upsert({}, {}, {})
    assert error["path"] == ["input", "profiles"]
    assert "At most 2" in error["message"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"advertiser": "23"}, ["input", "advertiserId"]),
        ({"token": READ}, ["input", "advertiserId"]),
        ({"provider": "no_such_system"}, ["input", "externalProvider"]),
    ],
)
def test_a_refused_upsert_is_a_user_error_and_writes_nothing(
    service: Service, given: dict[str, str], path: list[str]
) -> None:
    (error,) = service.upsert({"email": ANN}, **given)
    assert error["path"] == path
    assert service.stackadapt.records() == []


@pytest.mark.parametrize("provider", ["segmentio", "segment_io", "SEGMENT_IO"])
def test_every_spelling_of_the_provider_is_the_same_source(service: Service, provider: str) -> None:
    service.sync({"email": ANN, "userId": "u1"})
    service.upsert({"userId": "u1"}, provider=provider)
    assert service.outcomes()[-1] == ("visible", None)
    assert service.profile(ANN)["sources"] == ["SEGMENT_IO"]


def test_the_same_sync_id_is_applied_again_and_flagged(service: Service) -> None:
    for _ in range(2):
        service.upsert({"email": ANN}, sync_id="s1")
    service.upsert({"email": ANN}, sync_id="s2")
    service.upsert({"email": ANN}, advertiser="1002", sync_id="s1")
    assert [record["replay"] for record in service.stackadapt.records()] == [False, True, False, False]
    assert service.stackadapt.counts()["records"]["visible"] == 4


def test_counts_by_outcome_and_reason(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    service.sync({"email": ANN}, {"email": "x"}, {}, {}, member(None, userId="u7"))
    assert service.stackadapt.counts() == {
        "records": {"queued": 0, "visible": 1, "pending": 1, "rejected": 3, "suppressed": 0},
        "rejections": {"INVALID_EMAIL": 1, "MISSING_EMAIL": 2},
        "waiting": {"WAITS_FOR_PROFILE": 1},
        "profiles": 1,
        "lastDueAt": None,
    }


OF_VALUES: list[dict[str, Any]] = [
    {"userId": "u1"},
    {"uid": "u1", "email": ANN},
    {"userId": 7},
    {"userId": 7, "email": ANN},
    {"userId": "7"},
    {"userId": "ü"},
    {"userId": "u12"},
    {"userId": 71},
]


@pytest.mark.parametrize(
    ("external_id", "found"),
    [
        ("u1", [0, 1]),
        ("7", [2, 3, 4]),
        ("ü", [5]),
        ("u", []),
        ("userId", []),
        ("%", []),
    ],
)
def test_records_are_found_by_a_value(service: Service, external_id: str, found: list[int]) -> None:
    service.upsert(*OF_VALUES)
    assert [each["index"] for each in service.stackadapt.records(external_id=external_id)] == found


@pytest.mark.parametrize(
    ("names", "found"), [(["U1"], [0, 1, 6]), (["ann@example.com"], [1, 3, 4]), (["nothing"], []), (["ü"], [*range(8)])]
)
def test_records_that_mention_no_name_are_left_out(service: Service, names: list[str], found: list[int]) -> None:
    service.upsert(*OF_VALUES)
    assert [each["index"] for each in service.stackadapt.records(mentions=names)] == found


def test_reset_deletes_everything(service: Service) -> None:
    service.sync(member(ANN, userId="u1", tags=["a"]), columns=[column("tags", "STRING_LIST")])
    service.stackadapt.reset()
    assert service.stackadapt.counts()["records"]["visible"] == 0
    assert service.stackadapt.profiles() == []
    service.sync({"email": ANN, "userId": "u1"})
    assert service.profile(ANN)["audiences"] == []


records = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from([ANN, BOB, " ANN@example.com", "x", "", None, 7]),
        "userId": st.sampled_from(["u1", "u2", "", None, 3, "\x00", []]),
        "action": st.sampled_from(["enter", "exit", "other", None]),
        "audienceId": st.sampled_from(["a1", "a2", None, 4]),
        "audienceName": st.sampled_from(["one", None]),
        "p": st.sampled_from(["t", 1, True, None, [], ["a", "a"], {"x": 1}, "\ud800"]),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.lists(records, max_size=4), st.sampled_from(["STRING", "NUMBER", "STRING_LIST"])), max_size=5)
)
def test_every_record_has_exactly_one_outcome(make_service: Make, batches: list[Any]) -> None:
    service = make_service()
    for batch, data_type in batches:
        service.sync(*batch, columns=[column("p", data_type)])
    counts = service.stackadapt.counts()
    assert sum(counts["records"].values()) == sum(len(batch) for batch, _ in batches)
    assert counts["records"]["queued"] == 0
    assert counts["records"]["rejected"] == sum(counts["rejections"].values())
    emails = [profile["email"] for profile in service.stackadapt.profiles()]
    assert len(set(emails)) == len(emails) == counts["profiles"] <= 2
    owners = [external_id for profile in service.stackadapt.profiles() for external_id in profile["externalIds"]]
    assert len(set(owners)) == len(owners)
    json.dumps(service.stackadapt.records(limit=10_000))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(records, max_size=8), st.integers(0, 7))
def test_one_batch_or_several_lead_to_the_same_profiles(
    make_service: Make, batch: list[dict[str, Any]], cut: int
) -> None:
    def profiles(*parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        service = make_service()
        for part in parts:
            service.sync(*part, columns=[column("p", "STRING_LIST")])
        return sorted(service.stackadapt.profiles(), key=lambda profile: str(profile["email"]))

    assert profiles(batch) == profiles(batch[:cut], batch[cut:])


def test_due_jobs_are_applied_on_a_running_clock(service: Service) -> None:
    service.sandbox.clock.resume()
    service.sync({"email": ANN})
    assert service.profile(ANN)["email"] == ANN
