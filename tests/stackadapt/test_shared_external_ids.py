"""One external id with two emails: who has it, and what a deletion by it finds, with each `sharedExternalId`."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.stackadapt.profiles.import_export import export_profiles, import_profiles
from tests.stackadapt.conftest import Make, Service

OLD, NEW = "old@example.com", "new@example.com"
FORGET = """mutation($i: DeleteProfilesWithExternalIdsInput!) {
  deleteProfilesWithExternalIds(input: $i) { userErrors { message } } }"""
ERASE = "mutation($i: DeleteRawProfileInput!) { deleteRawProfile(input: $i) { userErrors { message } } }"

# The setting, who has the id afterwards, the warning, the emails that a deletion by it deletes, and those it keeps.
SETTINGS = [
    ("move", {OLD: [], NEW: ["u1"]}, "EXTERNAL_ID_MOVED", [NEW], [OLD]),
    ("first", {OLD: ["u1"], NEW: []}, "EXTERNAL_ID_KEPT", [OLD], [NEW]),
    ("both", {OLD: ["u1"], NEW: ["u1"]}, "EXTERNAL_ID_SHARED", [OLD, NEW], []),
]
by_setting = pytest.mark.parametrize(("setting", "held", "warning", "deleted", "kept"), SETTINGS)


def send(service: Service, *emails: str | None, together: bool = False) -> None:
    records: list[dict[str, Any]] = [{"userId": "u1", **({"email": email} if email else {})} for email in emails]
    for part in [records] if together else [[record] for record in records]:
        service.sync(*part)


def forget(service: Service) -> list[dict[str, Any]]:
    given = {"externalIds": ["u1"], "externalProvider": "segment_io", "advertiserIds": ["1001"]}
    service.run(FORGET, i=given)
    return list(service.stackadapt.deletions())


def holders(service: Service) -> dict[str, list[str]]:
    return {profile["email"]: profile["externalIds"] for profile in service.stackadapt.profiles()}


@pytest.mark.parametrize("together", [True, False])
@by_setting
def test_the_setting_decides_who_has_the_id(
    make_service: Make,
    setting: str,
    held: dict[str, list[str]],
    warning: str,
    deleted: list[str],
    kept: list[str],
    together: bool,
) -> None:
    service = make_service(shared_external_id=setting)
    send(service, OLD, NEW, together=together)
    assert holders(service) == held
    first, second = service.stackadapt.records()
    assert (first["warnings"], second["warnings"]) == ([], [{"code": warning, "key": "userId", "from": OLD}])
    found = [profile["email"] for profile in service.stackadapt.profiles(external_id="u1")]
    assert found == [email for email, ids in held.items() if ids]


@by_setting
def test_a_deletion_names_the_profiles_that_it_does_not_find(
    make_service: Make, setting: str, held: dict[str, list[str]], warning: str, deleted: list[str], kept: list[str]
) -> None:
    service = make_service(shared_external_id=setting)
    send(service, OLD, NEW)
    noted = forget(service)
    assert sorted(each["email"] for each in noted) == sorted(deleted)
    assert [(each["deleted"], each["kept"]) for each in noted] == [(True, kept)] * len(deleted)
    assert [*holders(service)] == kept
    # Asked again, nothing has the id, and the profile that came with it is still named.
    assert [(each["deleted"], each["kept"]) for each in forget(service)[len(noted) :]] == [(False, kept)]


@pytest.mark.parametrize("setting", ["move", "first", "both"])
def test_an_id_that_comes_back_is_not_kept_twice(make_service: Make, setting: str) -> None:
    service = make_service(shared_external_id=setting)
    send(service, OLD, NEW, OLD)
    assert holders(service) == {
        OLD: ["u1"],
        NEW: ["u1"] if setting == "both" else [],
    }
    kept = [] if setting == "both" else [NEW]
    assert all(each["kept"] == kept for each in forget(service))


def test_a_shared_id_still_finds_the_profile_that_is_left(make_service: Make) -> None:
    service = make_service(shared_external_id="both")
    send(service, OLD, NEW)
    service.run(ERASE, i={"advertiserId": "1001", "email": NEW})
    send(service, None)
    assert service.outcomes()[-1] == ("visible", None)
    assert service.stackadapt.records()[-1]["email"] == OLD


@pytest.mark.parametrize("setting", ["move", "both"])
def test_shared_ids_are_exported_and_imported(make_service: Make, setting: str, tmp_path: Any) -> None:
    service = make_service(shared_external_id=setting)
    send(service, OLD, NEW)
    file = tmp_path / "profiles.jsonl"
    file.write_text("".join(export_profiles(service.sandbox, "jsonl", None)))
    copy = make_service(shared_external_id=setting)
    with file.open("rb") as lines:
        import_profiles(copy.sandbox, lines, "jsonl", None)
    assert holders(copy) == holders(service)
