"""Generated functions give the payloads, errors and documents of the ordinary way, for random and hostile input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from emulator.harness.recorded_cases import compare, read_cases, replay
from emulator.mapping import DestinationInstance, EngineError, Ready, Subscription, load_definition, newest, stringify
from emulator.mapping.fitting_payload import compile_fitting_payload, never_fits
from emulator.mapping.schema import PayloadCheck
from tests.conformance import destination_cases, edge_values, mapping_cases
from tests.mapping.destination.test_recorded_outcomes import RECORDED

SETTINGS = {"apiKey": "k", "advertiser_id": "23"}
GENERATIONS = ("3.361.0", "3.497.0", "3.517.0")
MAPPINGS = 400
EVENTS_A_MAPPING = 25
CHECK = PayloadCheck(load_definition(newest()).actions["forwardAudienceEvent"].fields)


@pytest.fixture(autouse=True)
def every_batch_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.mapping.subscription._WORTH_GENERATING", 1)


def stored_subscription(rng: Random, generation: str) -> dict[str, Any]:
    """A subscription, one in three with a random directive in one of its fields."""
    stored = destination_cases.subscription(rng, generation)
    if rng.random() < 0.3:
        mapping = stored["mapping"]
        mapping[rng.choice([*mapping, "custom_traits"])] = mapping_cases.expression(rng, 2)
    return stored


def hostile(rng: Random) -> Any:
    """An event of another shape than the mapping expects, or none at all."""
    return mapping_cases.payload(rng) if rng.random() < 0.8 else rng.choice(mapping_cases.ODD_PAYLOADS)


def usual(rng: Random) -> dict[str, Any]:
    """An event of Engage with some of the standard traits as strings, some of them null or missing."""
    body = destination_cases.event(rng)
    names = rng.sample(destination_cases.STANDARD_TRAITS, 5)
    traits = {name: rng.choice((*edge_values.TEXTS, None)) for name in names}
    body["traits"] = {**traits, "email": "a@b.com", "birthday": "1990-06-15", "plan": edge_values.value(rng)}
    personas = {"computation_class": "audience", "computation_id": "aud_1", "computation_key": "vip"}
    return {**body, "userId": "u1", "type": "identify", "context": {"personas": personas}}


def drawn(rng: Random) -> Any:
    kind = rng.random()
    return hostile(rng) if kind < 0.1 else usual(rng) if kind < 0.5 else destination_cases.event(rng)


def cases() -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    for index in range(MAPPINGS):
        rng = Random(f"fitting/{index}")
        generation = GENERATIONS[index % len(GENERATIONS)]
        yield generation, stored_subscription(rng, generation), [drawn(rng) for _ in range(EVENTS_A_MAPPING)]


def subscription(generation: str, stored: dict[str, Any], *, generated: bool) -> Subscription:
    (built,) = DestinationInstance(generation, SETTINGS, [stored]).subscriptions
    if not generated:
        built.__dict__["_fitting_payload"] = never_fits
    return built


def outcome(built: Subscription, events: list[Any]) -> Any:
    """All that can be seen of a batch, as text."""
    try:
        prepared = built.prepare(events, batch=True)
    except EngineError as error:
        return error.as_dict()
    described = [
        (type(event).__name__, stringify(event.payload) if isinstance(event, Ready) else event.message)
        for event in prepared.events
    ]
    return described, prepared.request and prepared.request.body, stringify(list(prepared.records))


def test_ten_thousand_events_have_the_same_outcome_in_both_ways() -> None:
    fitting: Counter[bool] = Counter()
    for generation, stored, events in cases():
        usual = subscription(generation, stored, generated=False)
        generated = subscription(generation, stored, generated=True)
        for batch in ([event] for event in events):
            assert outcome(generated, batch) == outcome(usual, batch), (generation, stored, batch)
        assert outcome(generated, events) == outcome(usual, events), (generation, stored, events)
        fitting.update(generated._fitting_payload(event) is not None for event in events)
    assert fitting.total() == 10_000
    assert fitting[True] > 2500


@pytest.mark.parametrize("path", sorted(RECORDED.glob("destination-*.jsonl")), ids=lambda path: path.stem)
def test_recorded_outcomes_are_the_same_with_generated_functions(path: Any) -> None:
    assert {case["id"]: found for case in read_cases(path) if (found := compare(case, replay(case)))} == {}


def test_a_default_mapping_fits_a_usual_event_and_shares_nothing_with_it() -> None:
    mapping = {**load_definition(newest()).actions["forwardAudienceEvent"].default_mapping()}
    fitting = compile_fitting_payload({**mapping, "marketing_status": "Opted-in"}, CHECK.schema, now=None)
    traits = {"email": "a@b.com", "first_name": None, "city": "London", "tags": [1]}
    event = {"type": "identify", "userId": "u", "traits": traits, "context": {"personas": dict(PERSONAS)}}
    payload = fitting(event)
    assert payload is not None
    assert payload["standard_traits"] == {"city": "London"}
    payload["traits_or_props"]["tags"].append(2)
    assert traits["tags"] == [1]
    assert fitting({**event, "traits": {**traits, "city": 5}}) is None


WITHOUT_QUOTES = str.maketrans("", "", "\"'")
PERSONAS = {"computation_class": "audience", "computation_id": "aud_1", "computation_key": "vip"}


@pytest.mark.parametrize("key", ["'", '"', "\\", "\n", "'''", "\ud800", "😀", "{0}", "%s", "#", "a b", "import os"])
def test_a_path_with_any_key_finds_its_value(key: str) -> None:
    fitting = compile_fitting_payload({"user_id": {"@path": f"$.{key}"}}, {**CHECK.schema, "required": []}, now=None)
    assert fitting({key.translate(WITHOUT_QUOTES): "found"}) == {"user_id": "found"}


@pytest.mark.parametrize(
    "mapping",
    [
        {"@path": "$.properties"},
        {"email": {"@nope": 1}},
        {"email": 5},
        {"unknown": {"@template": "{{a}}"}},
        {"dynamicAuthSettings": {"@path": "$.a"}},
        {"enable_batching": "true"},
        {"email": {"@liquid": "{% increment n %}"}},
    ],
)
def test_a_mapping_that_always_needs_the_ordinary_way_has_no_function(mapping: dict[str, Any]) -> None:
    assert compile_fitting_payload(mapping, {**CHECK.schema, "required": []}, now=None) is never_fits
