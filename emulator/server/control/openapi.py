"""The OpenAPI document of the Tracking API and of the control API, kept in `contracts/openapi.yaml`."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from flask import Blueprint, Response, jsonify

from emulator.artefacts import contract
from emulator.server.services import CurrentServices

CONTRACT = "openapi.yaml"


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(_document())


@cache
def _document() -> Any:
    # Read when it is asked for: YAML is slow, and most runs never ask.
    return yaml.safe_load(contract(CONTRACT).read_text(encoding="utf-8"))
