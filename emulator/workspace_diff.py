"""What applying a workspace would change, line by line of its YAML."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from emulator.yaml_files import dump_yaml

_MASK = "***"


def diff(before: Mapping[str, Any], after: Mapping[str, Any], *, names: tuple[str, str], secrets: bool) -> list[str]:
    """The lines of a unified diff of two documents with their defaults written out; none for equal ones.

    `names` are what the two are called in it. Without `secrets`, tokens and write keys are not compared.
    """
    if not secrets:
        before, after = _without_secrets(before), _without_secrets(after)
    old, new = (dump_yaml(document).splitlines() for document in (before, after))
    return [*difflib.unified_diff(old, new, *names, lineterm="")]


def _without_secrets(document: Mapping[str, Any]) -> dict[str, Any]:
    tokens = {token["token"] for token in document["tokens"]}

    def compared(destination: dict[str, Any]) -> dict[str, Any]:
        settings = {key: _MASK if value in tokens else value for key, value in destination["settings"].items()}
        return {**destination, "settings": settings}

    return {
        **document,
        "tokens": [{**token, "token": _MASK} for token in document["tokens"]],
        "sources": [{**source, "writeKey": _MASK} for source in document["sources"]],
        "destinations": [compared(destination) for destination in document["destinations"]],
    }
