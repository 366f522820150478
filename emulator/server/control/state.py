"""A sandbox's state in and out: everything as a snapshot, or its profiles as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from flask import Blueprint, Response, jsonify, request

from emulator.server import snapshot
from emulator.server.control.request_args import filters
from emulator.server.services import CurrentServices
from emulator.stackadapt.profiles.file_formats import check_format
from emulator.stackadapt.profiles.import_export import export_profiles, import_profiles

_BODY_LIMIT_BYTES = 1024 * 1024 * 1024
_IN_MEMORY_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/snapshot")
    def save() -> Response:
        chosen = services()
        # Written whole first: what is sent must be one moment, and the receiver may be slow.
        file = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when it has been sent
        snapshot.save(chosen, file)
        return Response(
            _chunks(file),
            mimetype="application/gzip",
            headers={
                "Content-Length": str(file.tell()),
                "Content-Disposition": f'attachment; filename="{chosen.sandbox.name}.snapshot.gz"',
            },
        )

    @routes.put("/snapshot")
    def load() -> Response:
        request.max_content_length = _BODY_LIMIT_BYTES
        snapshot.load(services(), request.stream)
        return jsonify(status="loaded", sandbox=services().sandbox.name)

    @routes.get("/profiles/export")
    def export() -> Response:
        chosen, (name, advertiser) = services(), _transfer()
        chosen.stackadapt.settle()
        lines = export_profiles(chosen.sandbox, name, advertiser)
        return Response((line.encode("utf-8", "replace") for line in lines), content_type=_TYPES[name])

    @routes.post("/profiles/import")
    def deduplicate() -> Response:
        chosen, (name, advertiser) = services(), _transfer()
        request.max_content_length = _BODY_LIMIT_BYTES
        chosen.stackadapt.settle()
        done = import_profiles(chosen.sandbox, request.stream, name, advertiser)
        return jsonify(done.as_dict())


def _transfer() -> tuple[str, str | None]:
    """The format and the advertiser that the query string names."""
    asked = filters("format", "advertiserId", others=())
    name = asked["format"]
    return "jsonl" if name is None else check_format(name), asked["advertiserId"]


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
