"""Looking inside: profiles on both sides, rejections, records, deliveries, batches, audiences, totals."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from emulator.server.control.reading import Chosen, flag, page


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
        found = world().stackadapt.profiles(
            advertiser_id=request.args.get("advertiserId"), email=request.args.get("email"), **page()
        )
        return jsonify(profiles=found)

    @routes.get("/rejections")
    def rejections() -> Response:
        found = world().stackadapt.rejections(
            advertiser_id=request.args.get("advertiserId"), reason=request.args.get("reason"), **page()
        )
        return jsonify(rejections=found)

    @routes.get("/records")
    def records() -> Response:
        found = world().stackadapt.records(
            outcome=request.args.get("outcome"),
            request_id=request.args.get("requestId"),
            email=request.args.get("email"),
            **page(),
        )
        return jsonify(records=found)


def _add_segment(routes: Blueprint, world: Chosen) -> None:
    @routes.get("/deliveries")
    def deliveries() -> Response:
        world().segment.tick()
        found = world().segment.deliveries(
            outcome=request.args.get("outcome"),
            destination=request.args.get("destination"),
            user_id=request.args.get("userId"),
            email=request.args.get("email"),
            **page(),
        )
        return jsonify(deliveries=found)

    @routes.get("/batches")
    def batches() -> Response:
        world().segment.tick()
        return jsonify(batches=world().segment.batches(failed=flag("failed"), **page()))

    @routes.get("/space/profiles")
    def space_profiles() -> Response:
        world().segment.tick()
        found = world().segment.profiles(user_id=request.args.get("userId"), email=request.args.get("email"), **page())
        return jsonify(profiles=found)

    @routes.get("/audiences")
    def audiences() -> Response:
        world().segment.tick()
        return jsonify(audiences=world().segment.audiences())

    @routes.get("/journeys")
    def journeys() -> Response:
        world().segment.tick()
        return jsonify(journeys=world().segment.journeys())
