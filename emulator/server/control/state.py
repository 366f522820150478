"""Routes for snapshots of a sandbox, and for exports and imports of its profiles."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from flask import Blueprint, Response, jsonify, request

from emulator.server import snapshot
from emulator.server.control.request_args import Chosen, filters
from emulator.stackadapt.profiles.file_formats import check_format
from emulator.stackadapt.profiles.import_export import export_profiles, import_profiles

_BODY_LIMIT_BYTES = 1024 * 1024 * 1024
_IN_MEMORY_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.get("/snapshot")
    def save() -> Response:
        services = world()
        # Written completely first: the response must be one consistent state, and the receiver may be slow.
        file = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when it has been sent
        snapshot.save(services, file)
        return Response(
            _chunks(file),
            mimetype="application/gzip",
            headers={
                "Content-Length": str(file.tell()),
                "Content-Disposition": f'attachment; filename="{services.sandbox.name}.snapshot.gz"',
            },
        )

    @routes.put("/snapshot")
    def load() -> Response:
        request.max_content_length = _BODY_LIMIT_BYTES
        snapshot.load(world(), request.stream)
        return jsonify(status="loaded", sandbox=world().sandbox.name)

    @routes.get("/profiles/export")
    def export() -> Response:
        services, (name, advertiser) = world(), _format_and_advertiser()
        services.stackadapt.process_due()
        lines = export_profiles(services.sandbox, name, advertiser)
        return Response((line.encode("utf-8", "replace") for line in lines), content_type=_TYPES[name])

    @routes.post("/profiles/import")
    def import_() -> Response:
        services, (name, advertiser) = world(), _format_and_advertiser()
        request.max_content_length = _BODY_LIMIT_BYTES
        services.stackadapt.process_due()
        result = import_profiles(services.sandbox, request.stream, name, advertiser)
        return jsonify(result.as_dict())


def _format_and_advertiser() -> tuple[str, str | None]:
    """The format and the advertiser in the query string."""
    query = filters("format", "advertiserId", others=())
    name = query["format"]
    return "jsonl" if name is None else check_format(name), query["advertiserId"]


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
