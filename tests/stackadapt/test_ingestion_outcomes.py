"""Every record has one outcome; records counted and found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stackadapt.audience_members import ANN, BOB, member
from tests.stackadapt.conftest import Make, Service, column


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
