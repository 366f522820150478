"""The test of a token, and the choice of an advertiser in the mappings of 2024."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.mapping import CredentialsError

Make = Callable[..., Any]
REFUSED = "Credentials are invalid:  Please verify your GQL Token or contact support"


@pytest.fixture
def token(responding: Make, response: Make) -> Callable[..., Any]:
    """A provider whose token has these scopes by advertiser name; ids count from 0."""

    def build(**scopes: object) -> Any:
        nodes = [
            {"advertiser": {"id": str(at), "name": name}, "scopes": each}
            for at, (name, each) in enumerate(scopes.items())
        ]
        return responding(response(body={"data": {"tokenInfo": {"scopesByAdvertiser": {"nodes": nodes}}}}))

    return build


def test_a_token_with_any_write_scope_passes(instance: Make, token: Make) -> None:
    provider = token(a=["READ"], b=["READ", "WRITE"])
    instance(advertiser_id="another").test_authentication(provider.send)
    assert "scopesByAdvertiser" in provider.document


def test_a_read_only_token_fails(instance: Make, token: Make) -> None:
    with pytest.raises(CredentialsError, match=REFUSED):
        instance().test_authentication(token(a=["READ"]).send)


def test_a_status_other_than_200_is_in_the_message(instance: Make, responding: Make, response: Make) -> None:
    with pytest.raises(CredentialsError) as raised:
        instance().test_authentication(responding(response(401, reason="Unauthorized")).send)
    assert raised.value.message == "Credentials are invalid:  401Unauthorized"
    assert (raised.value.name, raised.value.status) == ("Error", None)


def test_missing_scopes_are_a_javascript_error(instance: Make, token: Make) -> None:
    with pytest.raises(CredentialsError, match="Cannot read properties of null .reading 'includes'."):
        instance().test_authentication(token(a=None).send)


def test_advertisers_are_sorted_by_name(instance: Make, token: Make) -> None:
    provider = token(zebra=["WRITE"], Éclair=["WRITE"], apple=["WRITE"], ABLE=["READ"], Apple=["WRITE"])
    found = instance("3.361.0").dynamic_field("forwardProfile", "advertiser_id", provider.send)
    assert [choice["label"] for choice in found["choices"]] == ["apple", "Apple", "Éclair", "zebra"]
    assert found["choices"][0] == {"value": "2", "label": "apple"}


@pytest.mark.parametrize(
    ("generation", "field"), [("3.361.0", "user_id"), ("3.361.0", "zz"), ("3.517.0", "advertiser_id")]
)
def test_a_field_without_choices_is_an_error(instance: Make, provider: Any, generation: str, field: str) -> None:
    found = instance(generation).dynamic_field("forwardAudienceEvent", field, provider.send)
    message = f"No dynamic field named {field} found."
    assert found == {"choices": [], "nextPage": "", "error": {"message": message, "code": "404"}}
    assert provider.requests == []


def test_an_invalid_token_has_no_choices(instance: Make, responding: Make, response: Make) -> None:
    provider = responding(response(401, reason="Unauthorized"))
    found = instance("3.361.0").dynamic_field("forwardProfile", "advertiser_id", provider.send)
    assert found["error"] == {"message": "Unauthorized", "code": "Unknown error"}


def test_an_unknown_action_has_no_choices(instance: Make, provider: Any) -> None:
    assert instance("3.361.0").dynamic_field("zz", "advertiser_id", provider.send) == []
