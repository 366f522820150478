"""Fault injection: the active rules."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.faults import check_operation
from emulator.server.control.request_args import Chosen, json_body


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.get("/faults")
    def faults() -> Response:
        return jsonify(faults=[rule.as_dict() for rule in world().sandbox.faults.rules()])

    @routes.post("/faults")
    def add_fault() -> tuple[Response, int]:
        definition = json_body()
        services = world()
        check_operation(definition.get("operation"), services.stackadapt.operations)
        rule = services.sandbox.faults.add(definition)
        return jsonify(rule.as_dict()), 201

    @routes.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        world().sandbox.faults.clear()
        return "", 204

    @routes.delete("/faults/<int:rule_id>")
    def remove_fault(rule_id: int) -> tuple[str, int]:
        world().sandbox.faults.remove(rule_id)
        return "", 204
