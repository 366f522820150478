"""Changes of a schema compared with the contract: what is found, how severe it is, and what it affects."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from graphql import build_client_schema, build_schema, introspection_from_schema, utilities

from emulator.artefacts import contract
from emulator.harness.checks.finding import BREAKING, DANGEROUS, SAFE, Finding
from emulator.harness.drift import schema_drift
from emulator.harness.drift.comparison import schema_changes
from emulator.harness.drift.schema_changes import DEPRECATED, MISREAD, NEW_MEANING, REJECTED, schema_findings
from emulator.harness.drift.usage import Filled, Usage, usage_of
from emulator.mapping import generations, load_definition
from emulator.server.emulator import Emulator
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST, executable_schema

Run = Callable[..., CompletedProcess[str]]

SDL = contract(API_VERSIONS[LATEST].file).read_text(encoding="utf-8")
OF_2024 = [generation for generation in generations() if load_definition(generation).advertiser_from == "mapping"]
CURRENT = [generation for generation in generations() if generation not in OF_2024]
SYNC = tuple(f"{generation} Sync Audience" for generation in CURRENT)
DELETION = tuple(f"{generation} user deletion" for generation in CURRENT)
TEST = tuple(f"{generation} connection test" for generation in CURRENT)


@pytest.fixture(scope="module")
def usage() -> Usage:
    return usage_of(executable_schema(LATEST))


def edited(definition: str, before: str, after: str) -> str:
    """The contract's SDL with one line of a definition (`input UpsertProfilesInput`) replaced."""
    start = SDL.index(f"{definition} {{")
    end = SDL.index("\n}\n", start)
    body = SDL[start:end]
    assert body.count(f"\n  {before}") == 1, f"{definition}: {before}"
    return SDL[:start] + body.replace(f"\n  {before}", f"\n  {after}") + SDL[end:]


def found(sdl: str, usage: Usage) -> list[Finding]:
    return schema_findings(executable_schema(LATEST), build_schema(sdl), usage)


@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_an_unchanged_schema_has_no_findings(api_version: str) -> None:
    sdl = contract(API_VERSIONS[api_version].file).read_text(encoding="utf-8")
    assert schema_drift(build_schema(sdl), api_version) == []


def test_each_api_version_is_used_by_the_generations_written_for_it(usage: Usage) -> None:
    assert {each.writer.split()[0] for each in usage.written} == {*CURRENT}
    for api_version in ("2024-12", "2025-05"):
        earlier = usage_of(executable_schema(api_version))
        assert {each.writer.split()[0] for each in earlier.written} == {*OF_2024}


def test_usage_is_derived_from_the_documents(usage: Usage) -> None:
    assert usage.of("UpsertProfilesInput.syncId") == set(SYNC)
    assert usage.of("Mutation.upsertProfiles(input:)") == set(SYNC)
    assert usage.of("UserError.path") == set(DELETION)
    assert usage.of("ProfilePropertyData.NUMBER") == set(SYNC)
    assert usage.of("TokenScope.READ") == set(TEST)
    assert not usage.of("Query.cdpProfiles")
    assert not usage.of("ProfilePropertyData.CURRENCY")
    assert usage.lacking("ProfileMappingInput", "pollingDelay") == set(SYNC)
    assert not usage.lacking("ProfileMappingInput", "isOptedIn")


INPUT, PROFILES = "input ProfileMappingInput", "input UpsertProfilesInput"
UPSERT = "upsertProfiles(input: UpsertProfilesInput!): UpsertProfilesPayload!"
SCOPES = "scopes: [TokenScope!]!"


@pytest.mark.parametrize(
    ("definition", "before", "after", "member", "affected", "why"),
    [
        ("type UserError", "path: [String!]", "paths: [String!]", "path", DELETION, REJECTED),
        ("type Mutation", "upsertProfiles(", "upsertProfile(", "upsertProfiles", SYNC, REJECTED),
        (PROFILES, "syncId: String", "batchId: String", "syncId", SYNC, REJECTED),
        (PROFILES, "syncId: String", "syncId: String\n  region: ID!", "region", SYNC, REJECTED),
        (PROFILES, "advertiserId: ID!", "advertiserId: Int!", "advertiserId", SYNC, REJECTED),
        ("input MappingSchema", "type: ", "kind: ", "type", SYNC, REJECTED),
        (INPUT, "pollingDelay: Int", "pollingDelay: Int!", "pollingDelay", SYNC, REJECTED),
        ("enum ProfilePropertyData", "STRING\n", "TEXT\n", "STRING", SYNC, REJECTED),
        ("enum TokenScope", "WRITE", "EDIT", "WRITE", TEST, MISREAD),
        ("type AdvertiserTokenScopes", SCOPES, SCOPES.removesuffix("!"), "scopes", TEST, MISREAD),
        ("type Query", "tokenInfo: ", "tokenInfo(region: ID!): ", "tokenInfo(region:)", TEST, REJECTED),
    ],
)
def test_a_breaking_change_is_found_with_the_writers_it_affects(
    usage: Usage, definition: str, before: str, after: str, member: str, affected: tuple[str, ...], why: str
) -> None:
    path = f"{definition.split()[1]}.{member}"
    finding = next(each for each in found(edited(definition, before, after), usage) if each.place == path)
    assert (finding.severity, finding.used_by, finding.why) == (BREAKING, affected, why)


@pytest.mark.parametrize(
    ("definition", "before", "after", "member"),
    [
        # Every document sends it, so it may become required.
        (INPUT, "isOptedIn: Boolean", "isOptedIn: Boolean!", "isOptedIn"),
        (INPUT, "pollingDelay: Int", "pollingDelay: Int! = 1", "pollingDelay"),
        ("type Query", "user: User!", "me: User!", "user"),
        ("enum ProfilePropertyData", "CURRENCY", "MONEY", "CURRENCY"),
        ("type Profile", "email: String!", "email: String", "email"),
    ],
)
def test_a_breaking_change_of_an_unused_part_affects_nothing(
    usage: Usage, definition: str, before: str, after: str, member: str
) -> None:
    path = f"{definition.split()[1]}.{member}"
    finding = next(each for each in found(edited(definition, before, after), usage) if each.place == path)
    assert (finding.severity, finding.used_by, finding.why) == (BREAKING, (), None)


def test_a_new_enum_value_affects_its_readers_and_not_its_senders(usage: Usage) -> None:
    [scope] = found(edited("enum TokenScope", "WRITE", "WRITE\n  ADMIN"), usage)
    [kind] = found(edited("enum ProfilePropertyData", "DATE\n", "DATE\n  AGE\n"), usage)
    assert (scope.severity, scope.used_by, scope.why) == (DANGEROUS, TEST, MISREAD)
    assert (kind.severity, kind.used_by) == (DANGEROUS, ())


def test_a_new_default_affects_documents_that_omit_the_value(usage: Usage) -> None:
    before = build_schema(edited("input ProfileMappingInput", "pollingDelay: Int", "pollingDelay: Int = 1"))
    after = build_schema(edited("input ProfileMappingInput", "pollingDelay: Int", "pollingDelay: Int = 2"))
    [finding] = schema_findings(before, after, usage)
    assert (finding.severity, finding.used_by, finding.why) == (DANGEROUS, SYNC, NEW_MEANING)


def test_a_change_that_graphql_core_does_not_rate_is_found_by_validating_the_documents(usage: Usage) -> None:
    without_mutations = SDL.replace("  mutation: Mutation\n", "")
    assert without_mutations != SDL
    findings = found(without_mutations, usage)
    assert {(each.code, each.place) for each in findings} == {("DOCUMENT_REFUSED", name) for name in (*SYNC, *DELETION)}


ONE = """
directive @gone on FIELD
directive @kept(a: Int, b: Int = 1, c: Int) repeatable on FIELD | QUERY
type Query {
  a: A, gone(x: Int): Int, kept(gone: Int, kind: Int, value: Int = 1): Int, wider: Int, u: U, e: E, i: I, k: K
}
interface Named { name: ID }
type A implements Named { name: ID }
type B { a: Int }
type Removed { a: Int }
union U = A | B
enum E { A, B }
input In { gone: Int, kind: Int, value: Int = 1, plain: Int }
type I { f(in: In): Int }
type K { a: Int }
"""
TWO = """
directive @new on FIELD
directive @kept(a: String, b: Int = 2, d: Int!, e: Int, c: Int = 3) on FIELD | MUTATION
type Query {
  a: A, kept(kind: String, value: Int = 2, new: Int, must: Int!): Int, wider: Int!, u: U, e: E, i: I, k: K
}
interface Named { name: ID }
interface Other { name: ID }
type A implements Other { name: ID }
type B { a: Int }
type C { a: Int }
union U = A | C
enum E { A, C }
input In { kind: String, value: Int = 2, new: Int, must: Int!, plain: Int = 1 }
type I { f(in: In): Int }
scalar K
"""


def test_the_changes_are_those_of_graphql_core_in_its_words() -> None:
    find_schema_changes = getattr(utilities, "find_schema_changes", None)
    if find_schema_changes is None:
        pytest.skip("graphql-core 3.2 words fewer changes in another way")
    severities = {"BreakingChange": BREAKING, "DangerousChange": DANGEROUS, "SafeChange": SAFE}
    for before, after in ((ONE, TWO), (TWO, ONE)):
        one, two = build_schema(before), build_schema(after)
        expected = sorted(
            (severities[type(each).__name__], each.type.name, each.description)
            for each in find_schema_changes(one, two)
            if each.type.name != "DESCRIPTION_CHANGED"
        )
        assert sorted((each.severity, each.code, each.message) for each in schema_changes(one, two)) == expected
        assert len({code for _, code, _ in expected}) > 20


def test_every_change_has_a_coordinate_in_one_of_the_schemas() -> None:
    one, two = build_schema(ONE), build_schema(TWO)
    for finding in schema_findings(one, two, Usage()):
        member = re.fullmatch(r"@?(\w+)(?:\.(\w+))?(?:\((\w+):\))?", finding.place)
        assert member, finding
        assert all(name in ONE or name in TWO for name in member.groups() if name), finding
        assert finding.place.split(".")[-1].replace("@", "") in finding.message.replace("@", ""), finding


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("a: Int = 1", "a: Int = 2", "In.a has changed defaultValue from 1 to 2."),
        ("a: Int = 1", "a: Int", "In.a defaultValue was removed."),
        ("a: Float", "a: Float = 1.0", "In.a added a defaultValue 1."),
        ("a: [E] = A", "a: [E] = [B, A]", "In.a has changed defaultValue from [A] to [B, A]."),
        ("a: O", "a: O = {z: 1, b: null}", "In.a added a defaultValue {b: null, z: 1}."),
    ],
)
def test_a_default_is_printed_alike_from_sdl_and_introspection(before: str, after: str, text: str) -> None:
    rest = "enum E { A B } input O { b: Int, z: Int } type Query { f(in: In): Int } "
    schemas = [build_schema(rest + f"input In {{ {field} }}") for field in (before, after)]
    introspected = [build_client_schema(introspection_from_schema(schema)) for schema in schemas]
    for one, two in (schemas, introspected):
        assert [each.message for each in schema_changes(one, two)] == [text]


@pytest.mark.parametrize(
    ("definition", "line", "member", "affected"),
    [
        ("type Mutation", UPSERT, "upsertProfiles", SYNC),
        (PROFILES, "syncId: String", "syncId", SYNC),
        ("enum TokenScope", "WRITE", "WRITE", TEST),
        ("enum ProfilePropertyData", "CURRENCY", "CURRENCY", ()),
    ],
)
def test_a_deprecation_is_dangerous_and_its_withdrawal_is_safe(
    usage: Usage, definition: str, line: str, member: str, affected: tuple[str, ...]
) -> None:
    path = f"{definition.split()[1]}.{member}"
    after = edited(definition, line, f'{line} @deprecated(reason: "use\\nv2")')
    [finding] = found(after, usage)
    assert (finding.severity, finding.code, finding.place) == (DANGEROUS, "DEPRECATION_ADDED", path)
    assert (finding.message, finding.used_by) == (f"{path} was deprecated: use v2.", affected)
    assert finding.why == (DEPRECATED if affected else None)
    [ended] = schema_findings(build_schema(after), executable_schema(LATEST), usage)
    assert (ended.severity, ended.code, ended.place) == (SAFE, "DEPRECATION_REMOVED", path)
    assert (ended.used_by, ended.why) == (affected, None)


def test_a_deprecated_argument_is_dangerous() -> None:
    one = build_schema("directive @d(a: Int) on FIELD type Query { a(b: Int): Int }")
    two = build_schema("directive @d(a: Int @deprecated) on FIELD type Query { a(b: Int @deprecated): Int }")
    used = Usage(touched=defaultdict(set, {"Query.a(b:)": {"me"}}))
    findings = schema_findings(one, two, used)
    assert [(each.place, each.severity, each.used_by) for each in findings] == [
        ("Query.a(b:)", DANGEROUS, ("me",)),
        ("@d(a:)", DANGEROUS, ()),
    ]


def test_a_new_one_of_input_is_breaking_for_writers_that_set_several_fields(usage: Usage) -> None:
    before = SDL.replace("input MappingSchema {", "input MappingSchema {\n  other: Int").replace("!", "")
    one, two = (
        build_schema(before),
        build_schema(before.replace("input MappingSchema {", "input MappingSchema @oneOf {")),
    )
    [added] = schema_findings(one, two, usage)
    assert (added.severity, added.code, added.place) == (BREAKING, "ONE_OF_ADDED", "MappingSchema")
    assert (added.used_by, added.why) == (SYNC, REJECTED)
    [removed] = schema_findings(two, one, usage)
    assert (removed.severity, removed.code, removed.place) == (SAFE, "ONE_OF_REMOVED", "MappingSchema")


def test_a_new_one_of_input_does_not_affect_writers_that_set_one_field() -> None:
    one, two = (
        build_schema(f"input In {kind} {{ a: Int b: Int }} type Query {{ f(i: In): Int }}") for kind in ("", "@oneOf")
    )
    filled = {Filled(writer="me", container="In", names=frozenset({"a"}))}
    [finding] = schema_findings(one, two, Usage(filled=filled))
    assert (finding.severity, finding.used_by) == (BREAKING, ())


def test_the_command_prints_no_change_for_an_unchanged_schema(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "schema.graphql"
    path.write_text(SDL, encoding="utf-8")
    shown = call("drift", "--schema", str(path), "--used-only")
    assert (shown.returncode, shown.stdout.splitlines()[1:]) == (0, ["no change"])


def test_the_command_exits_1_only_for_a_printed_breaking_change(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "schema.graphql"
    path.write_text(edited("type Query", "user: User!", "me: User!"), encoding="utf-8")
    everything = call("drift", "--schema", str(path))
    assert (everything.returncode, "breaking Query.user" in everything.stdout) == (1, True)
    shown = call("drift", "--schema", str(path), "--used-only", "--json")
    assert (shown.returncode, json.loads(shown.stdout)["findings"]) == (0, [])


def test_the_command_prints_findings_as_json(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "schema.graphql"
    path.write_text(edited("type UserError", "path: [String!]", "paths: [String!]"), encoding="utf-8")
    printed = call("drift", "--schema", str(path), "--used-only", "--json")
    shown = json.loads(printed.stdout)
    assert printed.returncode == 1
    assert (shown["contract"], shown["breaking"], shown["dangerous"], shown["safe"]) == (LATEST, 1, 0, 0)
    assert shown["findings"] == [
        {
            "code": "FIELD_REMOVED",
            "severity": "breaking",
            "place": "UserError.path",
            "message": "Field UserError.path was removed.",
            "why": REJECTED,
            "used_by": list(DELETION),
        }
    ]


def test_the_command_introspects_this_machine_and_other_hosts_only_with_allow_remote(
    call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKADAPT_API_TOKEN", "sa-local-read")
    with Emulator() as emulator:
        shown = call("drift", "--url", f"{emulator.start()}/graphql?key=secret")
    assert shown.returncode == 0, shown.stderr
    assert "no change" in shown.stdout
    assert "secret" not in shown.stdout
    refused = call("drift", "--url", "https://api.stackadapt.com/graphql")
    assert (refused.returncode, "--allow-remote" in refused.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("--schema", "a", "--url", "b"), ("--destination", "a", "--used-only")])
def test_the_command_needs_exactly_one_thing_to_compare(call: Run, arguments: tuple[str, ...]) -> None:
    assert call("drift", *arguments).returncode == 2


def test_the_former_name_of_an_option_gets_the_new_one(call: Run) -> None:
    refused = call("drift", "--edition", LATEST, "--schema", "a")  # wording: exempt - the former name
    assert (refused.returncode, "it is now '--api-version'" in refused.stderr) == (2, True)
