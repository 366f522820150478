"""`upgrade-check`: the upgrades between the generations, and every kind of difference with its level."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from emulator.errors import InputError, WorkspaceError
from emulator.harness.plan import CallsOf
from emulator.harness.upgrade import (
    NEW,
    SAVED,
    Generation,
    built_in,
    check_as_markdown,
    upgrade_check,
)
from emulator.harness.upgrade.event_batches import event_batches
from emulator.harness.upgrade.sides import first_side
from emulator.json_text import compact
from emulator.server.trial import open_trial
from emulator.workspace import Workspace, load_workspace, parse_workspace
from emulator.workspace_document import document_of
from tests.harness.upgrade.checked_upgrades import (
    CURRENT,
    DELETE,
    NOT_DELETED,
    PEOPLE,
    Row,
    checked,
    edited,
    request,
    rows,
)
from tests.harness.upgrade.workspaces import of_2024, of_2025, repaired

LOST = ("loses-data", "profile", "profiles", "lost")
ORDER = ("harmless", "request", "order of the root fields", "changed")


def delivery(action: str) -> Row:
    return "loses-data", "delivery", f"events of {action!r} to 'StackAdapt Acme'", "lost"


def of_property(name: str) -> list[Row]:
    """A custom property that is lost: in profiles, records and columns."""
    return [
        ("loses-data", "property", name, "removed"),
        ("loses-data", "record", name, "removed"),
        request(f"upsertProfileMapping column {name}", "removed", "loses-data"),
    ]


TO_2025 = [
    delivery("forwardProfile"),
    # One person has no email, which the generations of 2024 do without.
    delivery("forwardAudienceEvent"),
    ("loses-data", "property", "totalSpent", "removed"),
    ("changes-data", "consent", "INDETERMINATE → OPTED_IN", "changed"),
    request("upsertProfileMapping.input.isOptedIn", "added", "changes-data"),
    ("harmless", "record", "email", "added"),
    request("upsertProfiles.input.externalProvider", "changed"),
    request("upsertProfileMapping.input.mappingSchema", "removed"),
    request("upsertProfileMapping.input.mappingSchemaV2", "added"),
    request("upsertProfileMapping.input.mappableType", "changed"),
    request("upsertExternalAudienceMapping.input.mappingSchema", "changed"),
    request("upsertExternalAudienceMapping.input.mappableType", "changed"),
    request(f"{DELETE}.externalIds", "removed"),
    request(f"{DELETE}.externalProvider", "removed"),
    request(f"{DELETE}.input.externalIds", "added"),
    request(f"{DELETE}.input.externalProvider", "added"),
    request(f"{DELETE}.input.advertiserIds", "added"),
    request("upsertProfileMapping column userId", "removed"),
    request("upsertExternalAudienceMapping columns audienceId, audienceName", "changed"),
    request(
        "upsertProfileMapping columns email, first_name, last_name, phone, address, city, state, country, postal_code, "
        "timezone, birth_date",
        "added",
    ),
]
# The workspace before, the generation after, the mappings, and every finding.
UPGRADES: Mapping[str, tuple[Workspace, str, str, list[Row]]] = {
    "3.361.0 to 3.387.0": (of_2024("3.361.0"), "3.387.0", SAVED, []),
    "3.387.0 to 3.497.0": (
        of_2024(),
        "3.497.0",
        SAVED,
        [delivery("forwardProfile"), delivery("forwardAudienceEvent"), NOT_DELETED, LOST],
    ),
    "3.387.0 to 3.497.0, prepared": (repaired(), "3.497.0", SAVED, TO_2025),
    "3.497.0 to 3.517.0": (of_2025(), CURRENT, SAVED, [ORDER]),
    "3.497.0 to 3.517.0, made anew": (of_2025(), CURRENT, NEW, [*of_property("total_spent"), ORDER]),
}


@pytest.mark.parametrize("name", UPGRADES)
def test_each_upgrade_between_the_generations_is_classified(name: str) -> None:
    workspace, generation, mappings, expected = UPGRADES[name]
    [upgrade] = checked(workspace, built_in(generation), mappings=mappings).upgrades
    assert sorted(rows(upgrade)) == sorted(expected)
    assert upgrade.level == (min(expected, key=lambda row: row[0] != "loses-data")[0] if expected else "harmless")
    assert upgrade.plan.old.profiles == 8


def test_all_upgrades_in_a_row_run_under_the_api_version_that_each_needs() -> None:
    upgrades = checked(of_2024("3.361.0"), *map(built_in, ("3.387.0", "3.497.0", CURRENT))).upgrades
    assert [[side.api_version for side in upgrade.sides] for upgrade in upgrades] == [
        ["2025-05", "2025-05"],
        ["2025-05", "2026-06"],
        ["2026-06", "2026-06"],
    ]
    assert [upgrade.level for upgrade in upgrades] == ["harmless", "loses-data", "harmless"]


def test_the_causes_are_what_the_new_generation_needs() -> None:
    [upgrade] = checked(of_2024(), built_in("3.497.0")).upgrades
    lost = next(each for each in upgrade.findings if each.part == "profile")
    assert lost.count == 8
    assert lost.cause.split("; ") == [
        "3.497.0 has no action 'forwardProfile'",
        "3.497.0 requires the setting 'advertiser_id', which the instance does not have",
        "3.497.0 requires the mapping field 'marketing_status', which the saved mapping does not have",
        "3.497.0 requires the mapping field 'email', which the saved mapping does not have",
    ]
    assert "Map marketing_status in 'forwardAudienceEvent': Opted-in or Indeterminate." in str(lost.advice)


def test_the_default_of_a_new_field_is_the_cause_and_the_choice_that_helps_the_advice() -> None:
    [upgrade] = checked(of_2025(), built_in(CURRENT), mappings=NEW).upgrades
    [lost] = [each for each in upgrade.findings if each.part == "property"]
    assert 'custom_properties_mode\' is "v2" by the defaults of 3.517.0, and was not in the mapping' in lost.cause
    assert lost.advice == "Set custom_properties_mode to \"v1\" in 'forwardAudienceEvent'."
    assert {"advertiserId", "email", "old"} == set(lost.examples[0])


def with_default(key: str, default: Mapping[str, object]) -> Generation:
    """The current generation with another default of a mapping field."""
    generation = built_in(CURRENT)
    content = copy.deepcopy(dict(generation.content))
    content["actions"]["forwardAudienceEvent"]["fields"][key]["default"] = default
    return replace(generation, content=content)


def test_a_default_that_is_another_one_is_the_cause_for_new_mappings_only() -> None:
    generation = with_default("standard_traits", {"city": {"@path": "$.traits.city"}})
    [saved] = checked(of_2025(CURRENT), generation).upgrades
    assert saved.findings == []
    [made] = checked(of_2025(CURRENT), generation, mappings=NEW).upgrades
    lost = {each.what: each for each in made.findings if each.part == "property"}
    assert {"first_name", "last_name", "phone"} <= lost.keys()
    assert lost["phone"].level == "loses-data"
    assert lost["phone"].cause.startswith("the mapping field 'standard_traits' is {\"city\": ")
    assert str(lost["phone"].advice).startswith('Set standard_traits to {"first_name": ')


def test_an_end_that_only_the_whole_request_explains_names_what_differs() -> None:
    [upgrade] = checked(of_2025(CURRENT), edited(("advertiserId: 1001", "advertiserId: 1002"))).upgrades
    lost = next(each for each in upgrade.findings if each.part == "profile")
    elsewhere, differing = lost.cause.split("; ", 1)
    assert elsewhere == "StackAdapt, OTHER_ADVERTISER: their profiles are at advertiser 1002"
    assert differing.startswith("the requests or the records differ in upsertProfileMapping.input.advertiserId, ")
    assert "raise it with Segment" in str(lost.advice)


def test_an_unknown_generation_or_a_bad_token_is_an_error_with_its_place() -> None:
    unknown = replace(load_workspace().destinations[0], generation="9.9.9")
    with pytest.raises(WorkspaceError, match="destination 'StackAdapt Acme': generation: unknown generation '9.9.9'"):
        checked(replace(load_workspace(), destinations=(unknown,)), built_in(CURRENT))
    with pytest.raises(InputError, match="unknown generation '9.9.9'"):
        built_in("9.9.9")
    refused = replace(unknown, generation=CURRENT, settings={"apiKey": "other", "advertiser_id": "1001"})
    with pytest.raises(InputError, match="nothing to compare: 401: 401 Unauthorized"):
        checked(replace(load_workspace(), destinations=(refused,)), built_in(CURRENT))


COLUMN = '{incomingKey:"x",destinationKey:"x",label:"X",type:STRING,isPii:false}'
GAINED = ("changes-data", "profile", "profiles", "gained")
LEFT = ("loses-data", "membership", "vip_customers", "left")
EDITS: Mapping[str, tuple[list[tuple[str, str]], list[Row]]] = {
    "nothing": ([], []),
    "layout": ([(r"\n +", "\n")], []),
    "consent": (
        [("isOptedIn: true", "isOptedIn: false")],
        [
            ("changes-data", "consent", "OPTED_IN → INDETERMINATE", "changed"),
            request("upsertProfileMapping.input.isOptedIn", "changed", "changes-data"),
        ],
    ),
    "a value": (
        [(r'(\\"first_name\\":\\")', r"\1Dr. ")],
        [("changes-data", "property", "first_name", "changed"), ("changes-data", "record", "first_name", "changed")],
    ),
    "a member that is gone": (
        [(r'\\"first_name\\":\\"[^"]*\\",', "")],
        [("loses-data", "property", "first_name", "removed"), ("loses-data", "record", "first_name", "removed")],
    ),
    "a column that is gone": (
        [(r'\{incomingKey:"first_name".*?\},', "")],
        [
            ("loses-data", "property", "first_name", "removed"),
            request("upsertProfileMapping column first_name", "removed", "loses-data"),
        ],
    ),
    "a column that no record has": (
        [
            (
                r"mappingSchemaV2: \[",
                'mappingSchemaV2: [{incomingKey:"x",destinationKey:"x",label:"X",type:STRING,isPii:false},',
            )
        ],
        [request("upsertProfileMapping column x", "added")],
    ),
    "a membership": (
        [(r'\\"enter\\"', r'\\"exit\\"')],
        [LEFT, ("loses-data", "record", "action", "changed")],
    ),
    "an identifier": (
        [(r'\\"email\\":\\"[^"]*\\",', "")],
        [LOST, ("loses-data", "record", "email", "removed")],
    ),
    "an advertiser": (
        [("advertiserId: 1001", "advertiserId: 1002")],
        [
            LOST,
            GAINED,
            *(
                request(f"{name}.input.advertiserId", "changed", "loses-data")
                for name in ("upsertProfileMapping", "upsertProfiles", "upsertExternalAudienceMapping")
            ),
        ],
    ),
    "an argument that StackAdapt does not have": (
        [("isOptedIn: ", "hasOptedIn: ")],
        [
            delivery("forwardAudienceEvent"),
            LOST,
            # StackAdapt asks whether it was meant.
            request("upsertProfileMapping.input.isOptedIn", "removed", "loses-data"),
            request("upsertProfileMapping.input.hasOptedIn", "added", "loses-data"),
        ],
    ),
    "a root field that is gone": (
        [(r"(?s)      upsertExternalAudienceMapping\(.*\}\n(?=  \})", "")],
        [LEFT, request("upsertExternalAudienceMapping", "removed", "loses-data")],
    ),
    "a document that cannot be read": (
        [("mutation {", "mutation (")],
        [delivery("forwardAudienceEvent"), LOST, request("document", "changed", "loses-data")],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_kind_of_difference_has_its_level(name: str) -> None:
    edits, expected = EDITS[name]
    [upgrade] = checked(of_2025(CURRENT), edited(*edits)).upgrades
    assert sorted(rows(upgrade)) == sorted(expected)


def test_what_begins_to_arrive_changes_data() -> None:
    """The other way round, from a version whose requests are partly refused."""
    broken = edited((r'\\"email\\":\\"[^"]*\\",', ""))
    upgrades = checked(of_2025(CURRENT), broken, built_in(CURRENT)).upgrades
    assert sorted(rows(upgrades[1])) == [GAINED, ("changes-data", "record", "email", "added")]


def test_nothing_to_compare_is_an_error_with_the_remedy() -> None:
    with pytest.raises(
        InputError, match=r"generation 3\.387\.0: nothing of this workspace gets to StackAdapt"
    ) as error:
        upgrade_check(load_workspace(), [built_in(CURRENT)], PEOPLE, open_trial, source="3.387.0")
    assert "advertiser_id" in str(error.value)
    for call, message in (
        ({"type": "page", "userId": "u"}, "u: audience, CONDITION_FALSE: .* Send the traits or events that the condit"),
        ({"type": "identify"}, "Segment refused all calls, 1 as no_user_anon_id: .* Send `userId` or `anonymousId`"),
    ):
        population = CallsOf(text="one", calls=1, make=partial(list, [call]), at=PEOPLE.at)
        with pytest.raises(InputError, match=f"no event reaches a subscription, .* nothing to compare: {message}"):
            upgrade_check(load_workspace(), [built_in(CURRENT)], population, open_trial)


def test_a_workspace_that_the_first_generation_does_not_fit_is_an_error_with_its_place() -> None:
    with pytest.raises(WorkspaceError, match="subscription 'forwardProfile': action: unknown action"):
        upgrade_check(of_2024(), [built_in(CURRENT)], PEOPLE, open_trial, source="3.497.0")


def test_hostile_values_are_text_in_markdown() -> None:
    name = "<img src=x|> [a](http://b) @all `x`"
    traits = {"email": "a@example.com", "total_spent": 900, "first_name": name}
    calls = [{"type": "identify", "userId": "u", "traits": traits}]
    population = CallsOf(text="<b>me</b>", calls=1, make=lambda: calls, at=PEOPLE.at)
    found = checked(of_2025(CURRENT), edited((r'(\\"first_name\\":\\")', r"\1Dr. ")), population=population)
    markdown = check_as_markdown(found)
    assert "<img" not in markdown
    assert "<b>" not in markdown
    assert "Dr. &lt;img src=x\\|" in markdown


def test_a_batch_has_at_most_as_many_bytes_as_segment_sends() -> None:
    note = "é" * 14_000
    calls = [
        {"type": "identify", "userId": f"u{number}", "traits": {"email": f"{number}@example.com", "note": note}}
        for number in range(150)
    ]
    document = document_of(of_2025(CURRENT))
    document["audiences"][0]["condition"] = {"trait": "note", "operator": "exists"}
    document["destinations"][0]["audiences"][0] |= {"traits": ["note"], "sendTrack": False}
    population = CallsOf(text="large", calls=len(calls), make=lambda: calls, at=PEOPLE.at)
    side = first_side(parse_workspace(document), None)
    batches = event_batches(side, population, open_trial, further=timedelta(), report=lambda _: None)
    sizes = [sum(len(compact(event).encode()) for event in batch.events) for batch in batches]
    assert len(sizes) == 2
    assert max(sizes) <= 4 * 1024 * 1024 < sum(sizes)
