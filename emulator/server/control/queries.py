"""Routes that read both services: profiles, records, uploads, deletions, deliveries, audiences, counts and more."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import query_args
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    _add_stackadapt(routes, services)
    _add_segment(routes, services)

    @routes.get("/counts")
    def counts() -> Response:
        services().process_due()
        return jsonify(segment=services().segment.counts(), stackadapt=services().stackadapt.counts())


def _add_stackadapt(routes: Blueprint, services: CurrentServices) -> None:
    @routes.get("/profiles")
    def profiles() -> Response:
        asked = query_args()
        if asked["after"] is None and asked["before"] is None:
            del asked["after"], asked["before"]
            return jsonify(profiles=services().stackadapt.profiles(**asked))
        return jsonify(services().stackadapt.profile_page(**asked)._asdict())

    @routes.get("/profiles/history")
    def profile_history() -> Response:
        return jsonify(history=services().stackadapt.history(**query_args()))

    @routes.get("/rejections")
    def rejections() -> Response:
        return jsonify(rejections=services().stackadapt.rejections(**query_args()))

    @routes.get("/records")
    def records() -> Response:
        return jsonify(records=services().stackadapt.records(**query_args()))

    @routes.get("/uploads")
    def uploads() -> Response:
        return jsonify(uploads=services().stackadapt.uploads(**query_args()))

    @routes.get("/uploads/<upload_id>")
    def upload(upload_id: str) -> Response:
        return jsonify(services().stackadapt.upload(upload_id))

    @routes.get("/lists")
    def lists() -> Response:
        return jsonify(lists=services().stackadapt.lists(**query_args()))

    @routes.get("/lists/<list_id>")
    def profile_list(list_id: str) -> Response:
        return jsonify(services().stackadapt.profile_list(list_id, **query_args()))

    @routes.get("/properties")
    def properties() -> Response:
        return jsonify(services().stackadapt.properties(**query_args()))

    @routes.get("/deletions")
    def deletions() -> Response:
        return jsonify(deletions=services().stackadapt.deletions(**query_args()))


def _add_segment(routes: Blueprint, services: CurrentServices) -> None:
    @routes.get("/deliveries")
    def deliveries() -> Response:
        return jsonify(deliveries=services().segment.deliveries(**query_args()))

    @routes.get("/batches")
    def batches() -> Response:
        return jsonify(batches=services().segment.batches(**query_args()))

    @routes.get("/space/profiles")
    def space_profiles() -> Response:
        asked = query_args()
        if asked["after"] is None:
            del asked["after"]
            return jsonify(profiles=services().segment.profiles(**asked))
        return _page(services().segment.profile_page(**asked))

    @routes.get("/audiences/<key>/members")
    def members(key: str) -> Response:
        return _page(services().segment.member_page(key, **_given()))

    @routes.get("/journeys/<journey>/steps/<step>/members")
    def step_members(journey: str, step: str) -> Response:
        return _page(services().segment.step_page(journey, step, **_given()))

    @routes.get("/audiences")
    def audiences() -> Response:
        return jsonify(audiences=services().segment.audiences())

    @routes.get("/audiences/explain")
    def explain_audiences() -> Response:
        return jsonify(audiences=services().segment.explain_audiences(**query_args()))

    @routes.get("/journeys")
    def journeys() -> Response:
        return jsonify(journeys=services().segment.journeys())


def _given() -> dict[str, Any]:
    return {name: value for name, value in query_args().items() if value is not None}


def _page(page: tuple[list[dict[str, Any]], int | None]) -> Response:
    profiles, following = page
    return jsonify(profiles=profiles, next=following)
