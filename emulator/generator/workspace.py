"""A generated workspace with a given number of advertisers, audiences and destination instances.

Everything else, such as trigger, mapping and event settings, is copied from the default workspace.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from faker import Faker

from emulator.artefacts import fixture
from emulator.generator.names import check_locale
from emulator.ids import Ids, base62
from emulator.workspace_file import read
from emulator.yaml_files import dump_yaml

_FIRST_ADVERTISER = 1001
_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_SPACE_DIGITS = 22
# One for each audience, so that keys are unique.
AMOUNTS = range(10, 5010, 10)
_WRITE_TOKEN = "sa-generated-write"  # noqa: S105 - a public name
_READ_TOKEN = "sa-generated-read"  # noqa: S105 - a public name


def workspace_document(
    seed: int, *, advertisers: int, audiences: int, destinations: int, locale: str = "en_US"
) -> dict[str, Any]:
    """The JSON form of a valid workspace: instances take turns on the advertisers, audiences on the instances.

    Every instance has an audience and every audience an instance. Raises InputError for an unknown locale.
    """
    check_locale(locale)
    template = read(fixture("workspace.yaml"))
    ids, names = Ids(seed), Faker(locale)
    names.seed_instance(seed)
    owners = [{"id": str(_FIRST_ADVERTISER + index), "name": names.company()} for index in range(advertisers)]
    amounts = ids.stream("amounts").sample(AMOUNTS, len(AMOUNTS))
    groups = [_audience(ids, spent, needs_email=bool(index % 2)) for index, spent in enumerate(amounts[:audiences])]
    keys = [group["key"] for group in groups]
    return {
        "name": f"generated-{seed}",
        "seed": seed,
        "user": template["user"],
        "advertisers": owners,
        "tokens": [
            _token(_WRITE_TOKEN, "Read and write", owners, ["READ", "WRITE"]),
            _token(_READ_TOKEN, "Read only", owners, ["READ"]),
        ],
        "sources": template["sources"],
        "space": {"id": _space_id(ids), "name": "Generated"},
        "audiences": groups,
        "destinations": [
            _destination(
                template["destinations"][0],
                index,
                owners[index % advertisers],
                keys[index::destinations] or [keys[index % audiences]],
            )
            for index in range(destinations)
        ],
        "ingestion": template["ingestion"],
    }


def as_yaml(document: dict[str, Any]) -> str:
    """The text of a workspace file."""
    return dump_yaml(document)


def _audience(ids: Ids, spent: int, *, needs_email: bool) -> dict[str, Any]:
    condition: dict[str, Any] = {"trait": "total_spent", "operator": "at_least", "value": spent}
    name = f"Spent {spent}"
    if needs_email:
        condition = {"all": [condition, {"trait": "email", "operator": "exists"}]}
        name += " with email"
    return {
        "key": name.lower().replace(" ", "_"),
        "id": f"aud_{ids.ksuid(_CREATED)}",
        "name": name,
        "condition": condition,
    }


def _destination(template: Any, index: int, owner: dict[str, str], keys: list[str]) -> dict[str, Any]:
    return {
        **template,
        "name": f"StackAdapt {owner['name']} {index + 1}",
        "settings": {"apiKey": _WRITE_TOKEN, "advertiser_id": owner["id"]},
        "audiences": [template["audiences"][0] | {"key": key} for key in keys],
    }


def _space_id(ids: Ids) -> str:
    return f"spa_{base62(ids.stream('space').getrandbits(128), _SPACE_DIGITS)}"


def _token(secret: str, name: str, owners: list[dict[str, str]], scopes: list[str]) -> dict[str, Any]:
    return {"token": secret, "name": name, "scopes": {owner["id"]: list(scopes) for owner in owners}}
