"""An unknown external provider is refused with the closest source and where the known ones are listed."""

from __future__ import annotations

import pytest

from tests.stackadapt.conftest import Make, Service

FORGET = """mutation($p: String!) { deleteProfilesWithExternalIds(
  input: {externalProvider: $p, externalIds: ["u1"]}) { userErrors { message path } } }"""
FORGET_2024 = """mutation($p: String!) { deleteProfilesWithExternalIds(
  externalProvider: $p, externalIds: ["u1"]) { userErrors { message path } } }"""
WEBHOOK = """mutation($p: String!) { dataHubWebhookApi { upsertProfiles(integration: $p, input: {
  requestId: "r", integrationId: 1, subAdvertiserId: 1001, data: []}) { status } } }"""
INPUTS = """{
  upsert: __type(name: "UpsertProfilesInput") { inputFields { name description } }
  delete: __type(name: "DeleteProfilesWithExternalIdsInput") { inputFields { name description } }
}"""
KNOWN = (
    "The 745 known sources are the values of the enum Source, such as SEGMENT_IO, SHOPIFY and USER_UPLOADED;"
    " letter case and underscores do not matter."
)


@pytest.mark.parametrize(
    ("provider", "nearest"),
    [
        ("segmentIO ", None),
        ("segment", "Did you mean SEGMENT_IO? "),
        ("Segmnt-IO", "Did you mean SEGMENT_IO? "),
        ("hubspt", "Did you mean HUB_SPOT? "),
        ("???", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("api_version", ["2026-06", "2025-05", "2024-12"])
def test_an_unknown_provider_is_refused_with_the_closest(
    make_service: Make, api_version: str, provider: str, nearest: str | None
) -> None:
    service = make_service(api_version=api_version)
    errors = service.upsert({"email": "ann@example.com"}, provider=provider)
    deletion = service.run(FORGET if api_version == "2026-06" else FORGET_2024, p=provider)
    assert deletion["deleteProfilesWithExternalIds"]["userErrors"] == errors
    if nearest is None:
        assert errors == []
    else:
        message = f"externalProvider {provider!r} is not a known source. {nearest}{KNOWN}"
        assert errors == [{"message": message, "path": ["input", "externalProvider"]}]


def test_an_unknown_integration_of_the_webhook_is_refused_with_the_closest(service: Service) -> None:
    answer = service.post({"query": WEBHOOK, "variables": {"p": "shopfy"}}).json
    message = f'"shopfy" is not an integration. Did you mean SHOPIFY? {KNOWN}'
    assert [error["message"] for error in answer["errors"]] == [message]


def test_the_schema_says_where_the_known_providers_are(service: Service) -> None:
    for found in service.run(INPUTS).values():
        (description,) = [each["description"] for each in found["inputFields"] if each["name"] == "externalProvider"]
        assert description.endswith(
            "a value of the enum Source in any letter case, with or without underscores: SEGMENT_IO, segmentio."
        )
