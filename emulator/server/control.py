"""The control API, `/_emulator/*`: what the real services do not offer. Look inside, move time, make segments."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from emulator import __version__
from emulator.clock import to_iso
from emulator.durations import parse_duration
from emulator.errors import InputError, nearest

if TYPE_CHECKING:
    from emulator.server.emulator import Emulator

_UNITS = ("days", "hours", "minutes", "seconds")
_PAGE = 100
_LARGEST_PAGE = 10_000


def blueprint(emulator: Emulator) -> Blueprint:
    """The routes, speaking to one emulator."""
    routes = Blueprint("control", __name__)
    _health(routes, emulator)
    _clock(routes, emulator)
    _segments(routes, emulator)
    _read_models(routes, emulator)
    _faults(routes, emulator)
    return routes


def _health(routes: Blueprint, emulator: Emulator) -> None:
    @routes.get("/health")
    def health() -> Response:
        return jsonify(status="ok", version=__version__, sandbox=emulator.sandbox.name, now=_now(emulator))

    @routes.post("/reset")
    def reset() -> Response:
        emulator.world.reset()
        return jsonify(status="reset", now=_now(emulator))


def _clock(routes: Blueprint, emulator: Emulator) -> None:
    @routes.get("/clock")
    def clock() -> Response:
        return jsonify(_clock_state(emulator))

    @routes.post("/clock/advance")
    def advance() -> Response:
        emulator.sandbox.clock.advance(_duration(_body()))
        emulator.world.advance()
        return jsonify(_clock_state(emulator))

    @routes.post("/clock/freeze")
    def freeze() -> Response:
        emulator.sandbox.clock.freeze()
        return jsonify(_clock_state(emulator))

    @routes.post("/clock/resume")
    def resume() -> Response:
        emulator.sandbox.clock.resume()
        return jsonify(_clock_state(emulator))


def _segments(routes: Blueprint, emulator: Emulator) -> None:
    @routes.post("/segments")
    def create_segment() -> tuple[Response, int]:
        body = _body(required=("advertiserId", "name", "rule"))
        created = emulator.stackadapt.segments.create(str(body["advertiserId"]), _text(body, "name"), body["rule"])
        return jsonify(created), 201

    @routes.get("/segments")
    def segments() -> Response:
        return jsonify(segments=emulator.stackadapt.segments.list())

    @routes.get("/segments/<segment_id>")
    def segment(segment_id: str) -> Response:
        return jsonify(emulator.stackadapt.segments.get(segment_id, members=True, **_page()))

    @routes.delete("/segments/<segment_id>")
    def delete_segment(segment_id: str) -> tuple[str, int]:
        emulator.stackadapt.segments.delete(segment_id)
        return "", 204


def _read_models(routes: Blueprint, emulator: Emulator) -> None:
    @routes.get("/profiles")
    def profiles() -> Response:
        found = emulator.stackadapt.profiles(
            advertiser_id=request.args.get("advertiserId"), email=request.args.get("email"), **_page()
        )
        return jsonify(profiles=found)

    @routes.get("/rejections")
    def rejections() -> Response:
        found = emulator.stackadapt.rejections(
            advertiser_id=request.args.get("advertiserId"), reason=request.args.get("reason"), **_page()
        )
        return jsonify(rejections=found)

    @routes.get("/records")
    def records() -> Response:
        found = emulator.stackadapt.records(
            outcome=request.args.get("outcome"), request_id=request.args.get("requestId"), **_page()
        )
        return jsonify(records=found)

    @routes.get("/deliveries")
    def deliveries() -> Response:
        emulator.segment.tick()
        found = emulator.segment.deliveries(
            outcome=request.args.get("outcome"), destination=request.args.get("destination"), **_page()
        )
        return jsonify(deliveries=found)

    @routes.get("/batches")
    def batches() -> Response:
        emulator.segment.tick()
        return jsonify(batches=emulator.segment.batches(failed=request.args.get("failed") == "true" or None))

    @routes.get("/audiences")
    def audiences() -> Response:
        return jsonify(audiences=emulator.segment.audiences())

    @routes.get("/counts")
    def counts() -> Response:
        emulator.world.advance()
        return jsonify(segment=emulator.segment.counts(), stackadapt=emulator.stackadapt.counts())


def _faults(routes: Blueprint, emulator: Emulator) -> None:
    @routes.get("/faults")
    def faults() -> Response:
        return jsonify(faults=[rule.as_dict() for rule in emulator.sandbox.faults.rules()])

    @routes.post("/faults")
    def add_fault() -> tuple[Response, int]:
        return jsonify(emulator.sandbox.faults.add(_body()).as_dict()), 201

    @routes.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        emulator.sandbox.faults.clear()
        return "", 204


def _now(emulator: Emulator) -> str:
    return to_iso(emulator.sandbox.clock.now())


def _clock_state(emulator: Emulator) -> dict[str, Any]:
    clock = emulator.sandbox.clock
    return {"now": to_iso(clock.now()), "frozen": clock.frozen, "aheadSeconds": clock.offset.total_seconds()}


def _body(*, required: tuple[str, ...] = ()) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InputError(
            "the body must be a JSON object.",
            where=request.path,
            found=request.mimetype or "no content type",
            hint="Send it with Content-Type: application/json.",
        )
    for key in required:
        if key not in body:
            raise InputError(f"the key {key!r} is missing.", where=request.path, allowed=", ".join(required))
    return body


def _text(body: dict[str, Any], key: str) -> str:
    value = body[key]
    if not isinstance(value, str) or not value:
        raise InputError("this is not a text.", where=key, found=value)
    return value


def _duration(body: dict[str, Any]) -> timedelta:
    if set(body) == {"duration"}:
        return parse_duration(str(body["duration"]), where="duration")
    for key, value in body.items():
        if key not in _UNITS:
            raise InputError(
                "this is not a unit of time.",
                where=key,
                allowed=", ".join((*_UNITS, "duration")),
                hint=nearest(key, _UNITS),
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1_000_000:
            raise InputError("this is not an amount of time.", where=key, found=value, allowed="0 to 1000000")
    if not body:
        raise InputError("say how far.", where=request.path, hint='For example {"hours": 4}.')
    return timedelta(**body)


def _page() -> dict[str, int]:
    return {"limit": _number("limit", _PAGE, _LARGEST_PAGE), "offset": _number("offset", 0, 2**53)}


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise InputError("this is not a number in range.", where=name, found=text, allowed=f"0 to {most}")
    return int(text)
