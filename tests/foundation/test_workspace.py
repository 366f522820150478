from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.errors import InputError, WorkspaceError
from emulator.workspace import (
    READ,
    WRITE,
    Audience,
    Connection,
    Destination,
    Filter,
    Source,
    StepConnection,
    Subscription,
    load_workspace,
    parse_workspace,
)
from emulator.workspace_document import document_of
from emulator.workspace_protocols import ALLOW, Rule
from tests.docs.schema_keys import keys_of

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DEFAULT), **changes}


def test_the_default_workspace_is_the_documented_one() -> None:
    workspace = load_workspace()
    assert {advertiser.id: advertiser.name for advertiser in workspace.advertisers} == {
        "1001": "Acme Outfitters",
        "1002": "Globex Travel",
    }
    write, read = workspace.token("sa-local-write"), workspace.token("sa-local-read")
    assert write is not None
    assert read is not None
    assert all(write.allows(scope, advertiser) for scope in (READ, WRITE) for advertiser in ("1001", "1002"))
    assert read.allows(READ, "1001")
    assert not read.allows(WRITE, "1001")
    assert workspace.source("segment-local") is not None
    audience = workspace.audience("vip_customers")
    assert audience is not None
    assert (audience.id, audience.name) == ("aud_local_vip", "VIP Customers")
    destination = workspace.destinations[0]
    assert destination.settings["advertiser_id"] == "1001"
    connection = destination.connections[0]
    assert connection.send_track
    assert connection.send_identify


def test_norway_is_a_country_in_a_list(tmp_path: Path) -> None:
    text = fixture("workspace.yaml").read_text()
    changed = re.sub(
        r"condition: .*", "condition: {trait: country, operator: one_of, value: [SE, NO, DK]}", text, count=1
    )
    (tmp_path / "w.yaml").write_text(changed)
    assert load_workspace(tmp_path / "w.yaml").audiences[0].condition["value"] == ["SE", "NO", "DK"]


@pytest.mark.parametrize("word", ["yes", "On", "'true'", "Y"])
def test_a_word_for_a_boolean_is_refused_with_what_to_write(tmp_path: Path, word: str) -> None:
    text = fixture("workspace.yaml").read_text().replace("writeKey: segment-local}", f"writeKey: k, enabled: {word}}}")
    (tmp_path / "w.yaml").write_text(text)
    with pytest.raises(
        WorkspaceError, match=r"sources\[0\].enabled: must be true or false.* Write true without quotes"
    ):
        load_workspace(tmp_path / "w.yaml")


# A year that UTC does not have there, and one that no date has.
@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "10000-01-01T00:00:00Z"])
def test_a_time_without_a_date_in_utc_is_refused(at: str) -> None:
    document = changed(tokens=[DEFAULT["tokens"][0] | {"expiresAt": at}])
    with pytest.raises(WorkspaceError, match=r"expiresAt: invalid timestamp\. Found: "):
        parse_workspace(document)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1960-01-01T00:00:00+02:00", "9999-12-31T23:59:59Z"])
def test_any_other_time_is_read(at: str) -> None:
    document = changed(tokens=[DEFAULT["tokens"][0] | {"expiresAt": at}])
    assert parse_workspace(document).tokens[0].expires_at == datetime.fromisoformat(at)


def test_an_unknown_token_or_write_key_finds_nothing() -> None:
    assert load_workspace().token("nope") is None
    assert load_workspace().source("\ud800") is None


def test_the_repr_of_a_workspace_has_no_secrets() -> None:
    printed = repr(load_workspace())
    assert "sa-local" not in printed
    assert "segment-local" not in printed


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (changed(tokns=[]), r"\(top level\): unknown key 'tokns'. Known: name, .*Did you mean 'tokens'"),
        (changed(ingestion={"latency": "soon"}), "ingestion.latency.*4h"),
        (changed(ingestion={"reportRejections": "silnt"}), "reportRejections.*'silnt'.*Did you mean 'silent'"),
        (
            changed(advertisers=[{"id": 1001, "name": "A"}]),
            r"advertisers\[0\].id: .* Found: 1001.*quotes",
        ),
        (changed(advertisers=[{"id": "1"}]), r"advertisers\[0\]: the key 'name' is missing"),
        (changed(advertisers=[{"id": "1", "name": "A"}] * 2, tokens=[]), "tokens"),
        (changed(audiences=[]), r"destinations\[0\].audiences\[0\].key: unknown audience 'vip_customers'. Known: none"),
        (changed(advertisers=[{"id": "1003", "name": "A"}]), r"tokens\[0\].scopes: unknown advertiser '1001'"),
        (changed(sources=DEFAULT["sources"] * 2), r"sources\[1\]: duplicates sources\[0\]"),
        (
            changed(sources=[DEFAULT["sources"][0], {"name": "Website", "writeKey": "other"}]),
            r"sources\[1\]: duplicates sources\[0\]. Found: 'Website'",
        ),
        (
            changed(destinations=[DEFAULT["destinations"][0] | {"source": "Webiste"}]),
            r"destinations\[0\].source: unknown source 'Webiste'. Known: Website. Did you mean 'Website'\?",
        ),
        (changed(space={"id": "shop", "name": "S"}), r"space.id: .*Allowed: A string that starts with spa_\.$"),
        (
            changed(destinations=[DEFAULT["destinations"][0] | {"generation": 3.517}]),
            "generation: .*in quotes: '3.517.0'",
        ),
        (changed(tokens=[]), r"tokens: this array is too short\. .*Allowed: 1 or more\.$"),
        (changed(tokens=[DEFAULT["tokens"][0] | {"expiresAt": "soon"}]), "expiresAt: invalid timestamp"),
        (changed(tokens=[DEFAULT["tokens"][0] | {"expiresAt": "2030-01-01"}]), "expiresAt: .*with a time zone"),
    ],
    ids=[
        "key",
        "latency",
        "enum",
        "type",
        "required",
        "empty",
        "audience",
        "advertiser",
        "duplicate",
        "duplicate name",
        "source",
        "space",
        "number",
        "few",
        "timestamp",
        "time zone",
    ],
)
def test_an_error_names_the_place_the_value_and_the_closest_allowed_one(document: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkspaceError, match=message):
        parse_workspace(document)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"evnt": "Order Completed"}, "condition: unknown key 'evnt'. Known: trait, event, .*Did you mean 'event'"),
        ({}, "condition: .*too few keys.*one of trait, event"),
        ({"event": "e", "withn": "7d"}, "condition: unknown key 'withn'.*Did you mean 'within'"),
        ({"not": {"event": "e", "within": "7 weeks"}}, r"condition\.not\.within: .*Found: '7 weeks'.*2d"),
        (
            {"trait": "t", "value": 5},
            (
                r"condition: the key 'operator' is missing. Found: 'trait, value'. Allowed: equals, not_equals, "
                r"less_than, greater_than, at_most, at_least, one_of, .*, after_next\.$"
            ),
        ),
        ({"trait": "t", "operator": ">=", "value": 5}, r"operator: .*Found: '>='. .*Write 'at_least' for '>='\.$"),
        ({"event": "e", "operator": "="}, r"Found: '='. Allowed: at_least, at_most, exactly\.$"),
        ({"trait": "t", "operator": "within"}, r"condition\.operator: .*Did you mean 'within_\w+'"),
        (
            {"any": [{"event": "e", "where": [{"property": "p", "operator": "within_last"}]}]},
            r"any\[0\]\.where\[0\]\.operator: invalid value. Found: 'within_last'",
        ),
    ],
)
def test_an_error_in_a_condition_names_what_is_allowed_there(condition: dict[str, Any], message: str) -> None:
    document = changed()
    document["audiences"][0]["condition"] = condition
    with pytest.raises(WorkspaceError, match=message):
        parse_workspace(document)


def test_a_duplicate_secret_is_not_printed() -> None:
    with pytest.raises(WorkspaceError) as caught:
        parse_workspace(changed(tokens=DEFAULT["tokens"][:1] * 2))
    assert "sa-local-write" not in str(caught.value)


def test_an_endpoint_on_another_machine_is_rejected() -> None:
    document = changed()
    document["destinations"][0]["endpoint"] = "https://api.stackadapt.com/graphql"
    with pytest.raises(WorkspaceError, match="loopback"):
        parse_workspace(document)


def test_a_file_that_is_missing_or_not_yaml_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no such file"):
        load_workspace(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("advertisers: [\n")
    with pytest.raises(WorkspaceError, match="line 2, column 1"):
        load_workspace(broken)
    broken.write_text("- an item\n")
    with pytest.raises(WorkspaceError, match="a workspace must be an object"):
        load_workspace(broken)


def test_yaml_cannot_run_code(tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.yaml"
    hostile.write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(WorkspaceError, match="has no equivalent in JSON"):
        load_workspace(hostile)


def test_json_is_read_like_yaml(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(DEFAULT))
    assert load_workspace(path) == load_workspace()


def test_batches_have_a_size_an_age_and_a_concurrency() -> None:
    document = changed()
    document["destinations"][0]["batch"] = {"size": 10, "age": "90s", "concurrency": 4}
    destination = parse_workspace(document).destinations[0]
    assert (destination.batch_size, destination.batch_age) == (10, timedelta(seconds=90))
    assert destination.batch_concurrency == 4


@pytest.mark.parametrize("concurrency", [0, 33, 1.5, "4"])
def test_an_invalid_concurrency_is_located(concurrency: object) -> None:
    document = changed()
    document["destinations"][0]["batch"] = {"concurrency": concurrency}
    with pytest.raises(WorkspaceError, match=r"destinations\[0\].batch.concurrency"):
        parse_workspace(document)


def test_options_of_a_command_line_override_the_file() -> None:
    workspace = load_workspace().with_options(latency="4h", api_version="2024-12")
    assert (workspace.ingestion.latency, workspace.api_version) == ("4h", "2024-12")
    assert load_workspace().with_options() == load_workspace()
    with pytest.raises(InputError, match="latency.*'soon'"):
        load_workspace().with_options(latency="soon")


@pytest.mark.parametrize(
    ("given", "latency", "age"),
    [
        ({}, "instant", 0),
        ({"timing": "instant"}, "instant", 0),
        ({"timing": "realistic"}, "realistic", 60),
        ({"timing": "realistic", "ingestion": {"latency": "instant"}}, "instant", 60),
        ({"timing": "realistic", "ingestion": {"latency": "2h"}}, "2h", 60),
        ({"ingestion": {"latency": "realistic"}}, "realistic", 0),
    ],
)
def test_realistic_timing_takes_every_delay_that_has_no_setting_of_its_own(
    given: dict[str, Any], latency: str, age: int
) -> None:
    workspace = parse_workspace({**DEFAULT, "ingestion": {}, **given})
    [destination] = workspace.destinations
    assert (workspace.latency, workspace.batch_age(destination).total_seconds()) == (latency, age)
    at_once = replace(destination, batch_age=timedelta())
    assert workspace.batch_age(at_once) == timedelta()
    assert document_of(workspace).get("timing", "instant") == workspace.timing
    assert parse_workspace(document_of(workspace)) == workspace


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"if": "type = 'track'", "actions": [{"type": "DROP"}]}, r"filters\[0\]"),
        ({"title": "f", "if": "type = 'track'", "actions": []}, r"filters\[0\]\.actions"),
        ({"title": "f", "if": "type = 'track'", "actions": [{"type": "drop"}]}, r"actions\[0\]\.type"),
        ({"title": "f", "if": "type = 'track'", "actions": [{"type": "SAMPLE"}]}, r"actions\[0\]"),
        ({"title": "f", "if": "type = 'track'", "actions": [{"type": "SAMPLE", "percent": 25}]}, "percent"),
        ({"title": "f", "if": "type = 'track'", "actions": [{"type": "DROP", "percent": 0.5}]}, r"actions\[0\]"),
        ({"title": "f", "if": "type = 'track'", "actions": [{"type": "ALLOW_PROPERTIES"}]}, r"actions\[0\]"),
        ({"title": "f", "if": f"event = '{'é' * 2560}'", "actions": [{"type": "DROP"}]}, r"if.*5130 bytes.*5120"),
    ],
)
def test_a_filter_that_segment_would_refuse_is_located(given: dict[str, Any], place: str) -> None:
    document = changed()
    document["destinations"][0]["filters"] = [given]
    with pytest.raises(WorkspaceError, match=rf"destinations\[0\]\.{place}" if "filters" in place else place):
        parse_workspace(document)


def test_an_invalid_latency_gets_the_allowed_values_and_the_closest_one() -> None:
    with pytest.raises(
        InputError, match="Allowed: instant, realistic, or a duration.*Did you mean 'realistic'"
    ) as caught:
        load_workspace().with_options(latency="realistc")
    assert caught.value.where == "latency"
    with pytest.raises(InputError, match="too long"):
        load_workspace().with_options(latency=f"{'9' * 20}d")


_EVENTS = ("allowUnplannedEvents", "allowUnplannedEventProperties", "allowEventOnViolations")
_TRAITS = ("allowUnplannedTraits", "allowTraitsOnViolations")


def test_the_schema_s_defaults_are_those_of_a_workspace_without_these_keys() -> None:
    documented = {key.path: key.default for key in keys_of("workspace.schema.json") if key.default is not None}
    bare = parse_workspace({key: DEFAULT[key] for key in ("advertisers", "tokens")})
    connection = Connection(audience_key="a")
    subscription = Subscription(name="s", action="a", trigger="t", mapping={})
    source = Source(name="s", write_key="w")
    instance = Destination(name="d", generation=None, settings={}, subscriptions=())
    assert documented == {
        "name": bare.name,
        "timing": bare.timing,
        "apiVersion": bare.api_version,
        "user.email": bare.user_email,
        "sources[].enabled": source.enabled,
        "destinations[].filters[].enabled": Filter(title="t", condition="type = 'a'", actions=()).enabled,
        **{f"sources[].schema.track.{key}": True for key in (*_EVENTS, "allowPropertiesOnViolations")},
        **{f"sources[].schema.{call}.{key}": True for call in ("identify", "group") for key in _TRAITS},
        **{f"sources[].schema.{call}.commonEventOnViolations": ALLOW for call in ("track", "identify", "group")},
        "trackingPlans[].rules[].version": Rule(type="COMMON").version,
        "space.id": bare.space.id,
        "space.name": bare.space.name,
        "space.keepAllEvents": bare.space.keep_all_events,
        "audiences[].includeHistory": Audience(id="aud_x", key="x", name="X", condition={}).include_history,
        "journeys[].steps[].wait": "0s",
        "destinations[].enabled": instance.enabled,
        "destinations[].audiences[].sendTrack": connection.send_track,
        "destinations[].audiences[].sendIdentify": connection.send_identify,
        "destinations[].audiences[].enterEvent": connection.enter_event,
        "destinations[].audiences[].exitEvent": connection.exit_event,
        "destinations[].journeySteps[].events": StepConnection(step_key="s").events,
        "destinations[].batch.size": instance.batch_size,
        "destinations[].batch.concurrency": instance.batch_concurrency,
        "destinations[].batch.retries": instance.batch_retries,
        "destinations[].subscriptions[].enabled": subscription.enabled,
        "destinations[].subscriptions[].defaults": subscription.defaults,
        "ingestion.sharedExternalId": bare.ingestion.shared_external_id,
        "ingestion.reportRejections": bare.ingestion.report_rejections,
        "ingestion.mappingRace": bare.ingestion.mapping_race,
        "rateLimit.per": "1s",
    }


def test_every_key_of_the_schema_is_listed_once_with_a_type() -> None:
    keys = list(keys_of("workspace.schema.json"))
    assert len({key.path for key in keys}) == len(keys) > 80
    assert all(key.type for key in keys)
    assert [key.path for key in keys if key.required and "." not in key.path] == ["advertisers", "tokens"]


def test_a_name_is_not_compared_with_all_others() -> None:
    class Counting(str):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counting.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    sources = [{"name": Counting(f"s{number}"), "writeKey": f"k{number}"} for number in range(500)]
    parse_workspace(DEFAULT | {"sources": sources})
    assert Counting.compared < 20 * len(sources)
