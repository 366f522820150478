"""Fault injection: the active rules, and those that had no effect."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.faults import PRESETS, check_operation, fault_kinds
from emulator.server.control.request_args import json_body
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/faults")
    def faults() -> Response:
        return jsonify(faults=[rule.as_dict() for rule in services().sandbox.faults.rules()])

    @routes.post("/faults")
    def add_fault() -> tuple[Response, int]:
        definition = json_body()
        current = services()
        check_operation(definition.get("operation"), current.stackadapt.operations)
        rule = current.sandbox.faults.add(definition)
        return jsonify(rule.as_dict()), 201

    @routes.get("/faults/kinds")
    def kinds() -> Response:
        return jsonify(kinds=fault_kinds(), presets=[preset.as_dict() for preset in PRESETS])

    @routes.get("/faults/unused")
    def unused() -> Response:
        sandbox = services().sandbox
        return jsonify(
            faults=[rule.as_dict() for rule in sandbox.faults.unused()],
            rateLimits=[limit.as_dict() for limit in sandbox.rate_limiter.unused()],
        )

    @routes.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        services().sandbox.faults.clear()
        return "", 204

    @routes.delete("/faults/<int:rule_id>")
    def remove_fault(rule_id: int) -> tuple[str, int]:
        services().sandbox.faults.remove(rule_id)
        return "", 204
