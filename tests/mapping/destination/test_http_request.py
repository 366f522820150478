"""Redirects and responses, as in node-fetch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.mapping import CredentialsError, EngineTypeError, HTTPError, IntegrationError, SendError

Make = Callable[..., Any]
DELETED: dict[str, object] = {"data": {"deleteProfilesWithExternalIds": {"userErrors": []}}}


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirect_drops_the_body_unless_it_keeps_the_method(
    instance: Make, responding: Make, response: Make, status: int, method: str
) -> None:
    provider = responding(response(status, location="/elsewhere?a=1"), response(body=DELETED))
    instance().on_delete({"userId": "u"}, provider.send)
    first, second = provider.requests
    assert (second.method, second.url) == (method, "https://api.stackadapt.com/elsewhere?a=1")
    assert second.body == (first.body if method == "POST" else "")
    assert second.headers["authorization"] == "Bearer k"


def test_a_redirect_to_another_host_omits_the_token(instance: Make, responding: Make, response: Make) -> None:
    provider = responding(response(307, location="https://other.example/graphql"), response(body=DELETED))
    instance().on_delete({"userId": "u"}, provider.send)
    assert "authorization" not in provider.requests[1].headers


def test_a_redirect_without_a_location_is_an_error(instance: Make, responding: Make, response: Make) -> None:
    with pytest.raises(HTTPError, match="Found"):
        instance().on_delete({"userId": "u"}, responding(response(302, reason="Found")).send)


def test_at_most_twenty_redirects_are_followed(instance: Make, responding: Make, response: Make) -> None:
    provider = responding(response(302, location="/again"))
    with pytest.raises(SendError, match="maximum redirect reached at: https://api.stackadapt.com/again"):
        instance().on_delete({"userId": "u"}, provider.send)
    assert len(provider.requests) == 21


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Unexpected end of JSON input"),
        ("hello", "Unexpected token 'h', \"hello\" is not valid JSON"),
        ("<html><head></head></html>", "Unexpected token '<', \"<html><hea\"... is not valid JSON"),
    ],
)
def test_invalid_json_has_the_message_of_v8(
    instance: Make, responding: Make, response: Make, text: str, reason: str
) -> None:
    url = "https://api.stackadapt.com/graphql"
    with pytest.raises(SendError) as raised:
        instance().on_delete({"userId": "u"}, responding(response(200, text)).send)
    assert raised.value.message == f"invalid json response body at {url} reason: {reason}"
    with pytest.raises(CredentialsError) as refused:
        instance().test_authentication(responding(response(200, text)).send)
    assert refused.value.message.endswith(reason)


def test_invalid_json_is_reported_with_the_final_url(instance: Make, responding: Make, response: Make) -> None:
    provider = responding(response(302, location="/elsewhere"), response(200, "hello"))
    with pytest.raises(SendError, match="invalid json response body at https://api.stackadapt.com/elsewhere reason"):
        instance().on_delete({"userId": "u"}, provider.send)


@pytest.mark.parametrize(
    ("advertiser", "number"),
    [("12abc", "12"), (" 7", "7"), ("0x10", "0"), ("-5", "-5"), ("abc", "NaN"), ("9" * 23, "1e+23"), ("-0", "0")],
)
def test_a_deletion_uses_the_leading_integer_of_the_advertiser(
    instance: Make, responding: Make, response: Make, advertiser: str, number: str
) -> None:
    provider = responding(response(body=DELETED))
    instance(advertiser_id=advertiser).on_delete({"userId": "u"}, provider.send)
    assert f"advertiserIds: [{number}]" in provider.document


@pytest.mark.parametrize(
    ("event_", "ids"),
    [
        ({}, '["undefined"]'),
        ({"userId": None}, '["null"]'),
        ({"userId": 'a","b'}, '["a","b"]'),
        ({"userId": 5}, '["5"]'),
    ],
)
def test_a_deletion_inlines_the_user_id_unchanged(
    instance: Make, responding: Make, response: Make, event_: object, ids: str
) -> None:
    provider = responding(response(body=DELETED))
    assert instance().on_delete(event_, provider.send) == DELETED
    assert f"externalIds: {ids}," in provider.document


def test_a_user_id_that_cannot_be_converted_is_a_javascript_error(instance: Make, provider: Any) -> None:
    with pytest.raises(EngineTypeError, match="Cannot convert object to primitive value"):
        instance().on_delete({"userId": {"toString": 1}}, provider.send)


def test_user_errors_of_a_deletion_are_an_error(instance: Make, responding: Make, response: Make) -> None:
    errors = [{"message": "no such profile"}, {"message": "twice"}]
    body = {"data": {"deleteProfilesWithExternalIds": {"userErrors": errors}}}
    with pytest.raises(IntegrationError) as raised:
        instance().on_delete({"userId": "u"}, responding(response(body=body)).send)
    assert raised.value.as_dict() == {
        "name": "IntegrationError",
        "message": "Profile deletion was not successful: no such profile, twice",
        "code": "DELETE_FAILED",
        "status": 400,
    }
