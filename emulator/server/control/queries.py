"""Looking inside: profiles on both sides, rejections, records, deliveries, batches, audiences, totals."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import filters, flag, page
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    _add_stackadapt(routes, services)
    _add_segment(routes, services)

    @routes.get("/counts")
    def counts() -> Response:
        services().catch_up()
        return jsonify(segment=services().segment.counts(), stackadapt=services().stackadapt.counts())


def _add_stackadapt(routes: Blueprint, services: CurrentServices) -> None:
    @routes.get("/profiles")
    def profiles() -> Response:
        asked = filters("advertiserId", "email")
        found = services().stackadapt.profiles(advertiser_id=asked["advertiserId"], email=asked["email"], **page())
        return jsonify(profiles=found)

    @routes.get("/rejections")
    def rejections() -> Response:
        asked = filters("advertiserId", "reason")
        found = services().stackadapt.rejections(advertiser_id=asked["advertiserId"], reason=asked["reason"], **page())
        return jsonify(rejections=found)

    @routes.get("/records")
    def records() -> Response:
        asked = filters("outcome", "requestId", "email")
        found = services().stackadapt.records(
            outcome=asked["outcome"], request_id=asked["requestId"], email=asked["email"], **page()
        )
        return jsonify(records=found)


def _add_segment(routes: Blueprint, services: CurrentServices) -> None:
    @routes.get("/deliveries")
    def deliveries() -> Response:
        services().segment.process_due()
        asked = filters("outcome", "destination", "userId", "email")
        found = services().segment.deliveries(
            outcome=asked["outcome"],
            destination=asked["destination"],
            user_id=asked["userId"],
            email=asked["email"],
            **page(),
        )
        return jsonify(deliveries=found)

    @routes.get("/batches")
    def batches() -> Response:
        filters("failed")
        services().segment.process_due()
        return jsonify(batches=services().segment.batches(failed=flag("failed"), **page()))

    @routes.get("/space/profiles")
    def space_profiles() -> Response:
        services().segment.process_due()
        asked = filters("userId", "email")
        found = services().segment.profiles(user_id=asked["userId"], email=asked["email"], **page())
        return jsonify(profiles=found)

    @routes.get("/audiences")
    def audiences() -> Response:
        services().segment.process_due()
        return jsonify(audiences=services().segment.audiences())

    @routes.get("/journeys")
    def journeys() -> Response:
        services().segment.process_due()
        return jsonify(journeys=services().segment.journeys())
