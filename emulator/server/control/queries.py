"""Routes that read both services: profiles, records, rejections, deliveries, batches, audiences, journeys, counts."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import Chosen, filters, flag, page


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""
    _add_stackadapt(routes, world)
    _add_segment(routes, world)

    @routes.get("/counts")
    def counts() -> Response:
        world().catch_up()
        return jsonify(segment=world().segment.counts(), stackadapt=world().stackadapt.counts())


def _add_stackadapt(routes: Blueprint, world: Chosen) -> None:
    @routes.get("/profiles")
    def profiles() -> Response:
        query = filters("advertiserId", "email")
        found = world().stackadapt.profiles(query["advertiserId"], query["email"], **page())
        return jsonify(profiles=found)

    @routes.get("/rejections")
    def rejections() -> Response:
        query = filters("advertiserId", "reason")
        found = world().stackadapt.rejections(query["advertiserId"], query["reason"], **page())
        return jsonify(rejections=found)

    @routes.get("/records")
    def records() -> Response:
        query = filters("outcome", "requestId", "email")
        found = world().stackadapt.records(query["outcome"], query["requestId"], query["email"], **page())
        return jsonify(records=found)


def _add_segment(routes: Blueprint, world: Chosen) -> None:
    @routes.get("/deliveries")
    def deliveries() -> Response:
        asked = filters("outcome", "destination", "userId", "email")
        found = world().segment.deliveries(
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
        return jsonify(batches=world().segment.batches(failed=flag("failed"), **page()))

    @routes.get("/space/profiles")
    def space_profiles() -> Response:
        asked = filters("userId", "email")
        found = world().segment.profiles(user_id=asked["userId"], email=asked["email"], **page())
        return jsonify(profiles=found)

    @routes.get("/audiences")
    def audiences() -> Response:
        return jsonify(audiences=world().segment.audiences())

    @routes.get("/journeys")
    def journeys() -> Response:
        return jsonify(journeys=world().segment.journeys())
