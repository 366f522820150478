"""Random requests in random order: no record is lost, each has one outcome, and the counts add up."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from emulator.stackadapt.rules.outcomes import REASONS
from tests.stackadapt.conftest import AUDIENCE_COLUMNS, Make, Service, column

EMAILS = ["a@example.com", "b@example.com"]
IDS = ["u1", "u2"]
emails = st.sampled_from(EMAILS)
ids = st.sampled_from(IDS)
records = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "email": st.sampled_from([*EMAILS, " A@example.com", "broken", ""]),
            "userId": ids,
            "tier": st.sampled_from(["gold", 5]),
            "audienceId": st.just("aud_1"),
            "action": st.sampled_from(["enter", "exit"]),
        },
    ),
    max_size=4,
)
AUDIENCES = (
    "mutation($m: ExternalAudienceMappingInput!) { upsertExternalAudienceMapping(input: $m) { clientMutationId } }"
)
FORGET = """mutation($i: [String!]!) { deleteProfilesWithExternalIds(input: {externalIds: $i,
  advertiserIds: [1001], externalProvider: "segment_io"}) { userErrors { message } } }"""
ERASE = """mutation($e: [String!]!, $c: Boolean!) { deleteRawProfiles(input: {advertiserId: 1001, emails: $e,
  isComplianceRequest: $c}) { userErrors { message } } }"""
UPLOAD = """mutation($i: UserUploadedProfilesWithJSONInput!) { createUserUploadedProfilesWithJson(input: $i) {
  mappableId userErrors { message } } }"""
ON_LIST = """{ advertiser(id: 1001) { profileLists { nodes { size } } }
  cdpProfiles(advertiserId: 1001, filterBy: {listId: "1"}) { size } }"""
KEEP = "mutation($i: ProfileListInput!) { createProfileList(input: $i) { userErrors { message } } }"
CHANGE = (
    "mutation($i: UpdateProfileListProfilesInput!) { updateProfileListProfiles(input: $i) { userErrors { path } } }"
)


class Ingestion(RuleBasedStateMachine):
    make: ClassVar[Make]
    latency: ClassVar[str]
    service: Service

    @initialize()
    def begin(self) -> None:
        self.service = type(self).make(latency=self.latency, record_without_email="wait")
        self.service.run(KEEP, i={"advertiserId": "1001", "name": "list"})
        self.sent: list[dict[str, Any]] = []
        self.uploads: dict[str, list[dict[str, Any]]] = {}
        self.deleted: set[str] = set()
        self.erased: set[str] = set()
        self.final: dict[int, str] = {}

    @rule(records=records)
    def send(self, records: list[dict[str, Any]]) -> None:
        assert self.service.upsert(*records) == []
        self.sent += records

    @rule(records=records)
    def upload(self, records: list[dict[str, Any]]) -> None:
        given = {"advertiserId": "1001", "mappingSchema": [column("email")], "profiles": records}
        answer = self.service.run(UPLOAD, i={**given, "profileListId": "1"})["createUserUploadedProfilesWithJson"]
        self.uploads[answer["mappableId"]] = records
        self.sent += records

    @rule(tier=st.booleans(), data_type=st.sampled_from(["STRING", "NUMBER"]))
    def map_profiles(self, tier: bool, data_type: str) -> None:
        columns = [column("email"), *([column("tier", data_type)] if tier else [])]
        assert self.service.map_profiles(*columns, profileListId="1" if tier else None) == []

    @rule()
    def map_audiences(self) -> None:
        given = {"advertiserId": "1001", "mappableType": "segment_io", "mappingSchema": AUDIENCE_COLUMNS}
        self.service.run(AUDIENCES, m=given)

    @rule(gone=st.lists(ids, min_size=1))
    def delete_by_external_id(self, gone: list[str]) -> None:
        self.service.run(FORGET, i=gone)
        self.deleted |= set(EMAILS)

    @rule(gone=st.lists(emails, min_size=1), compliance=st.booleans())
    def delete_by_email(self, gone: list[str], compliance: bool) -> None:
        self.service.run(ERASE, e=gone, c=compliance)
        self.deleted |= set(gone)
        if compliance:
            self.erased |= set(gone)

    @rule(add=st.sets(emails), remove=st.sets(emails))
    def change_list(self, add: set[str], remove: set[str]) -> None:
        given = {"advertiserId": "1001", "ids": ["1"], "addProfilesRawEmail": sorted(add - remove)}
        self.service.run(CHANGE, i={**given, "removeProfilesRawEmail": sorted(remove)})

    @rule(minutes=st.sampled_from([1, 30, 60]))
    @precondition(lambda self: self.latency != "instant")
    def pass_time(self, minutes: int) -> None:
        self.service.pass_time(minutes=minutes)

    @invariant()
    def nothing_is_lost(self) -> None:
        found = self.service.stackadapt.records(limit=10_000)
        assert [each["record"] for each in found] == self.sent
        counts = self.service.stackadapt.counts()
        outcomes = Counter(each["outcome"] for each in found)
        assert {name: number for name, number in counts["records"].items() if number} == dict(outcomes)
        assert sum(counts["rejections"].values()) == outcomes["rejected"] + outcomes["suppressed"]
        assert sum(counts["waiting"].values()) == outcomes["pending"]
        if self.latency == "instant":
            assert not outcomes["queued"]

    @invariant()
    def every_outcome_has_a_reason(self) -> None:
        for each in self.service.stackadapt.records(limit=10_000):
            outcome = each["outcome"]
            assert (each["reason"] is None) == (outcome in ("queued", "visible"))
            assert each["reason"] is None or each["reason"] in REASONS
            assert (each["waitsFor"] is not None) == (outcome == "pending")
            assert (each["at"] is None) == (outcome in ("queued", "pending"))

    @invariant()
    def a_processed_record_keeps_its_outcome(self) -> None:
        for number, each in enumerate(self.service.stackadapt.records(limit=10_000)):
            if each["at"] is not None:
                assert self.final.setdefault(number, each["outcome"]) == each["outcome"]

    @invariant()
    def visible_records_have_their_profile(self) -> None:
        profiles = {each["email"] for each in self.service.stackadapt.profiles()}
        owners = [owner for each in self.service.stackadapt.profiles() for owner in each["externalIds"]]
        visible = {
            each["email"] for each in self.service.stackadapt.records(limit=10_000) if each["outcome"] == "visible"
        }
        assert profiles <= visible
        assert visible - self.deleted <= profiles
        assert len(owners) == len(set(owners))
        if self.latency == "instant":
            assert not profiles & self.erased

    @invariant()
    def pending_records_wait_for_unknown_external_ids(self) -> None:
        known = {
            owner
            for each in self.service.stackadapt.profiles()
            if "SEGMENT_IO" in each["sources"]
            for owner in each["externalIds"]
        }
        waiting = {each["waitsFor"] for each in self.service.stackadapt.records(outcome="pending")}
        assert not waiting & known

    @invariant()
    def a_list_counts_its_members(self) -> None:
        answer = self.service.run(ON_LIST)
        (shown,) = answer["advertiser"]["profileLists"]["nodes"]
        assert int(shown["size"]) == answer["cdpProfiles"]["size"]

    @invariant()
    def an_upload_has_the_status_of_its_records(self) -> None:
        document = "query($m: ID!) { profileMappingStatus(advertiserId: 1001, mappableId: $m) }"
        for mappable_id, records in self.uploads.items():
            status = self.service.run(document, m=mappable_id)["profileMappingStatus"]
            assert status in ("PROCESSING", "SUCCESS", "ERROR", "SKIPPED")
            if self.latency == "instant":
                assert status == "SKIPPED" if not records else status != "PROCESSING"


def run(make_service: Make, latency: str) -> None:
    run_state_machine_as_test(
        type("Ingestion", (Ingestion,), {"make": staticmethod(make_service), "latency": latency}),
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_no_record_is_lost_with_instant_ingestion(make_service: Make) -> None:
    run(make_service, "instant")


def test_no_record_is_lost_with_latency(make_service: Make) -> None:
    run(make_service, "1h")
