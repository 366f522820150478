"""`GET /_emulator/why`: the way of a person through both services, where it stopped, and what would let it through."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import query_args
from emulator.server.services import CurrentServices
from emulator.server.trial import open_trial


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/why")
    def answer() -> Response:
        from emulator.harness.why import Question, why  # asked seldom, imports much

        return jsonify(why(Question(**query_args()), services(), open_trial).as_dict())
