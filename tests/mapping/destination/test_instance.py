"""Events and batches through subscriptions, and their results."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.errors import UserMistake
from emulator.mapping import (
    AggregateAjvError,
    DestinationInstance,
    EngineError,
    EngineTypeError,
    HTTPError,
    Invalid,
    MappingError,
    NotSubscribed,
    Ready,
    SendError,
)

Make = Callable[..., Any]
MISSED = "Payload is either invalid or does not match the subscription"
TRACK = 'type = "track"'


@pytest.fixture
def subscribed(event: Make) -> Callable[..., DestinationInstance]:
    """An instance with these subscriptions, each a set of changes to a valid one."""

    def build(*differences: dict[str, object], settings: dict[str, object] | None = None) -> DestinationInstance:
        mapping = {key: {"@path": f"$.m.{key}"} for key in event()["m"]}
        stored = {"partnerAction": "forwardAudienceEvent", "subscribe": TRACK, "mapping": mapping}
        usual = {"apiKey": "k", "advertiser_id": "23"}
        given = usual if settings is None else settings
        return DestinationInstance("3.497.0", given, [{**stored, **difference} for difference in differences])

    return build


def refused(message: str) -> dict[str, object]:
    return {
        "status": 400,
        "errortype": "PAYLOAD_VALIDATION_FAILED",
        "errormessage": message,
        "errorreporter": "INTEGRATIONS",
    }


def test_the_result_of_an_event_lists_its_steps(
    subscribed: Make, event: Make, responding: Make, response: Make
) -> None:
    provider = responding(response(body={"data": {"upsertProfiles": {"userErrors": [{"message": "no"}]}}}))
    assert subscribed({}).on_event(event(), provider.send) == [
        {"output": "Mappings resolved"},
        {"output": "Payload validated"},
        {"data": {"data": {"upsertProfiles": {"userErrors": [{"message": "no"}]}}}, "output": "Action Executed"},
    ]


def test_a_null_response_is_reported_as_a_string(
    subscribed: Make, event: Make, responding: Make, response: Make
) -> None:
    provider = responding(response(200, "null"))
    assert subscribed({}).on_event(event(), provider.send)[-1] == {"data": "null", "output": "Action Executed"}
    (result,) = subscribed({}).on_batch([event()], provider.send)
    assert [node["body"] for node in result["multistatus"]] == ["null"]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (None, "Cannot destructure property 'personas' of '{}' as it is null."),
        ({"personas": None}, "Cannot read properties of null (reading 'computation_class')"),
    ],
)
def test_an_event_without_context_fails_the_whole_call_once_an_event_is_ready(
    subscribed: Make, event: Make, provider: Any, context: object, message: str
) -> None:
    odd = {**event(email="bad"), "context": context}
    for call in (
        lambda: subscribed({}).on_batch([event(), odd], provider.send),
        lambda: subscribed({}).on_event({**event(), "context": context}, provider.send),
    ):
        with pytest.raises(EngineTypeError) as raised:
            call()
        assert raised.value.message == message
    assert provider.requests == []
    (result,) = subscribed({}).on_batch([odd, {"type": "page", "context": None}], provider.send)
    assert [node["status"] for node in result["multistatus"]] == [400, 400]


def test_an_event_that_does_not_match_is_not_sent(subscribed: Make, provider: Any) -> None:
    assert subscribed({}).on_event({"type": "page"}, provider.send) == [{"output": "not subscribed"}]
    assert provider.requests == []


def test_an_invalid_event_is_an_error_with_status_400(subscribed: Make, event: Make, provider: Any) -> None:
    with pytest.raises(AggregateAjvError, match="missing the required field 'email'") as raised:
        subscribed({}).on_event(event(email=...), provider.send)
    assert (raised.value.name, raised.value.code, raised.value.status) == ("AggregateAjvError", None, 400)
    assert provider.requests == []


def test_a_batch_is_reported_in_input_order(subscribed: Make, event: Make, responding: Make, response: Make) -> None:
    provider = responding(response(201, {"ok": 1}))
    events = [event(email="bad"), event(user_id="u2"), {"type": "identify"}, event(user_id="u3")]
    (result,) = subscribed({}).on_batch(events, provider.send)
    nodes = result["multistatus"]
    assert nodes[0] == refused("Email must be a valid email address string but it was not.")
    assert nodes[2] == refused(MISSED)
    assert [(nodes[at]["status"], nodes[at]["body"], nodes[at]["sent"]["user_id"]) for at in (1, 3)] == [
        (201, {"ok": 1}, "u2"),
        (201, {"ok": 1}, "u3"),
    ]
    assert len(provider.requests) == 1


@pytest.mark.parametrize("events", [[], [{"type": "page"}]])
def test_a_batch_without_a_match_has_one_result(subscribed: Make, provider: Any, events: list[object]) -> None:
    assert subscribed({}).on_batch(events, provider.send) == [{"output": "not subscribed"}]


def test_a_batch_without_a_valid_event_is_not_sent(subscribed: Make, event: Make, provider: Any) -> None:
    (result,) = subscribed({}).on_batch([event(email="bad")], provider.send)
    assert [node["status"] for node in result["multistatus"]] == [400]
    assert provider.requests == []


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        (None, "Failed to validate subscription"),
        ("", "Failed to validate subscription"),
        ("((", "Invalid subscription : Cannot read properties of undefined (reading 'type')"),
    ],
)
def test_an_invalid_trigger_is_reported_and_not_raised(
    subscribed: Make, event: Make, provider: Any, trigger: object, message: str
) -> None:
    instance = subscribed({"subscribe": trigger})
    assert instance.on_event(event(), provider.send) == [{"output": message}]
    assert instance.on_batch([event(), event()], provider.send) == [{"multistatus": [refused(message)] * 2}]


def test_an_invalid_mapping_fails_the_call_when_an_event_matches(subscribed: Make, event: Make, provider: Any) -> None:
    instance = subscribed({"mapping": {"@nope": 1}})
    assert instance.on_event({"type": "page"}, provider.send) == [{"output": "not subscribed"}]
    with pytest.raises(MappingError, match="/ has an invalid directive: @nope") as raised:
        instance.on_batch([event()], provider.send)
    assert (raised.value.name, raised.value.status) == ("ValidationError", 400)


@pytest.mark.parametrize("mapping", [None, "x", [], 5])
def test_a_mapping_that_is_not_an_object_is_empty(
    subscribed: Make, event: Make, provider: Any, mapping: object
) -> None:
    with pytest.raises(AggregateAjvError, match="missing the required field 'event_type'"):
        subscribed({"mapping": mapping}).on_event(event(), provider.send)


def test_an_unknown_action_ignores_an_event_and_fails_a_batch(subscribed: Make, event: Make, provider: Any) -> None:
    assert subscribed({"partnerAction": {}}).on_event(event(), provider.send) == []
    instance = subscribed({"partnerAction": "zz"})
    assert instance.on_event(event(), provider.send) == []
    with pytest.raises(EngineTypeError, match="Cannot read properties of undefined"):
        instance.on_batch([event()], provider.send)
    (prepared,) = instance.subscriptions[0].prepare([event()], batch=False).events
    assert prepared.message == "Generation 3.497.0 has no action 'zz'."


def test_an_unknown_action_fails_a_batch_only_after_everything_else(
    subscribed: Make, event: Make, provider: Any
) -> None:
    with pytest.raises(EngineTypeError, match="reading 'status'"):
        subscribed({"partnerAction": "zz"}, {}).on_batch([event()], provider.send)
    assert len(provider.requests) == 1
    with pytest.raises(MappingError, match="@nope"):
        subscribed({"partnerAction": "zz"}, {"mapping": {"@nope": 1}}).on_batch([event()], provider.send)


@pytest.mark.parametrize(
    ("event_", "message"),
    [(None, "Cannot read properties of null (reading 'type')"), (5, "data must be an object, got number")],
)
def test_an_event_that_is_not_an_object_fails(subscribed: Make, provider: Any, event_: object, message: str) -> None:
    with pytest.raises(EngineError) as raised:
        subscribed({"subscribe": 'type != "x"'}).on_event(event_, provider.send)
    assert raised.value.message == message


def test_invalid_settings_fail_before_any_trigger(subscribed: Make, provider: Any) -> None:
    instance = subscribed({}, settings={"apiKey": {}})
    violation = "'advertiser_id'. GraphQL Token must be a string"
    with pytest.raises(AggregateAjvError, match=violation):
        instance.on_event({}, provider.send)
    with pytest.raises(AggregateAjvError, match=violation):
        instance.on_batch([], provider.send)


def test_a_token_illegal_in_a_header_fails_before_sending(instance: Make, event: Make, provider: Any) -> None:
    with pytest.raises(EngineTypeError, match="is not a legal HTTP header value"):
        instance(apiKey="k\nx").on_event(event(), provider.send)
    assert provider.requests == []


@pytest.mark.parametrize("status", [302, 400, 401, 429, 503])
def test_a_status_outside_200_fails_the_whole_batch(
    subscribed: Make, event: Make, responding: Make, response: Make, status: int
) -> None:
    provider = responding(response(status, reason="Oh No"))
    with pytest.raises(HTTPError, match="Oh No") as raised:
        subscribed({}).on_batch([event(), event(email="bad")], provider.send)
    assert (raised.value.status, raised.value.response.status) == (status, status)


def test_a_send_error_is_raised(subscribed: Make, event: Make) -> None:
    def send(_request: object) -> Any:
        raise SendError("TimeoutError", "Request timed out after 10000ms", "ETIMEDOUT")

    with pytest.raises(SendError) as raised:
        subscribed({}).on_event(event(), send)
    assert (raised.value.name, raised.value.code, raised.value.status) == ("TimeoutError", "ETIMEDOUT", None)


def test_all_subscriptions_send_the_event(subscribed: Make, event: Make, responding: Make, response: Make) -> None:
    provider = responding(response(body={"n": 1}), response(body={"n": 2}))
    results = subscribed({}, {"subscribe": 'type = "page"'}, {}).on_event(event(), provider.send)
    assert [result["output"] for result in results if "data" not in result] == [
        *("Mappings resolved", "Payload validated", "not subscribed"),
        *("Mappings resolved", "Payload validated"),
    ]
    assert [result["data"] for result in results if "data" in result] == [{"n": 1}, {"n": 2}]


def test_the_earliest_error_is_raised_and_the_other_requests_are_sent(
    subscribed: Make, event: Make, responding: Make, response: Make
) -> None:
    provider = responding(response(500, reason="late"))
    with pytest.raises(AggregateAjvError):
        subscribed({}, {"mapping": {}}).on_event(event(), provider.send)
    assert len(provider.requests) == 1


def test_preparing_does_not_send(subscribed: Make, event: Make) -> None:
    (subscription,) = subscribed({}).subscriptions
    prepared = subscription.prepare([event(email="bad"), event(), {"type": "page"}], batch=True)
    assert [type(each) for each in prepared.events] == [Invalid, Ready, NotSubscribed]
    assert [record["userId"] for record in prepared.records] == ["u1"]
    assert '"query":"mutation {' in prepared.request.body
    assert prepared.trigger_error is None


def test_templates_use_the_given_clock(event: Make, provider: Any, profiles: Make) -> None:
    mapping = {key: {"@path": f"$.m.{key}"} for key in event()["m"]}
    mapping["user_id"] = {"@liquid": "{{ 'now' | date: '%Y' }}"}
    subscription = {"partnerAction": "forwardAudienceEvent", "subscribe": TRACK, "mapping": mapping}
    DestinationInstance(
        "3.497.0", {"apiKey": "k", "advertiser_id": "1"}, [subscription], now=lambda: datetime(2031, 5, 1, tzinfo=UTC)
    ).on_event(event(), provider.send)
    assert profiles()[0]["userId"] == "2031"


def test_only_an_unknown_generation_fails_at_once() -> None:
    DestinationInstance("3.497.0", {}, [{"mapping": {"@nope": 1}, "subscribe": "(("}])
    with pytest.raises(UserMistake):
        DestinationInstance("1.0.0", {})


@pytest.mark.parametrize(
    ("status", "again"),
    [
        (400, False),
        (401, False),
        (404, False),
        (408, True),
        (423, True),
        (429, True),
        (500, True),
        (501, False),
        (503, True),
        (505, True),
        (599, True),
        (None, True),
    ],
)
def test_statuses_are_retried_as_published(status: int | None, again: bool) -> None:
    assert EngineError("X", "x", status=status).retryable is again


@pytest.mark.parametrize(
    ("text", "content_type", "shown"),
    [
        ('{"a":1.0}', "application/json; charset=utf-8", {"a": 1}),
        ("x", "application/json", "x"),
        ("", "application/json", ""),
        ('{"a":1}', "text/html", '{"a":1}'),
        ("5", "Application/JSON", "5"),
    ],
)
def test_a_response_is_json_only_with_its_content_type(
    subscribed: Make, event: Make, responding: Make, response: Make, text: str, content_type: str, shown: object
) -> None:
    provider = responding(response(200, text, content_type=content_type))
    assert subscribed({}).on_event(event(), provider.send)[-1]["data"] == shown
