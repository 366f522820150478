"""Routes about one person: the way through both services, what would let it through, and sending it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices
from emulator.server.trial import open_trial

# `emulator.harness.why` is imported when it is asked for: that is seldom, and it imports much.


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/why")
    def answer() -> Response:
        from emulator.harness.why import Question, why

        asked = query_args()
        search = asked.pop("search")
        return jsonify(why(Question(**asked), services(), open_trial, search=search).as_dict())

    @routes.get("/why/case")
    def case() -> Response:
        from emulator.harness.why import Question, case_text

        asked = query_args()
        form = asked.pop("as")
        text = case_text(Question(**asked), services(), form, url=request.host_url.rstrip("/"))
        return jsonify({"as": form, "text": text})

    @routes.post("/why/send-again")
    def send() -> Response:
        from emulator.harness.why import Question, send_again

        return jsonify(send_again(Question(**_question(json_body())), services()).as_dict())

    @routes.post("/why/apply")
    def apply_changes() -> Response:
        from emulator.harness.why import Question, apply, why

        question = Question(**_question(json_body()))
        changes = why(question, services(), open_trial).changes
        apply(changes, question, services())
        now = why(question, services(), open_trial)
        return jsonify(applied=[change.as_dict() for change in changes], answer=now.as_dict())


def _question(body: Mapping[str, Any]) -> dict[str, Any]:
    names = {"userId": "user_id", "messageId": "message_id"}
    return {names.get(name, name): value for name, value in body.items()}
