"""Routes for snapshots of a sandbox, and for exports and imports of its profiles."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from flask import Blueprint, Response, jsonify, request

from emulator.server import snapshot
from emulator.server.control.request_args import query_args
from emulator.server.services import CurrentServices
from emulator.stackadapt.profiles.import_export import export_profiles, import_profiles

_BODY_LIMIT_BYTES = 1024 * 1024 * 1024
_IN_MEMORY_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/snapshot")
    def save() -> Response:
        current = services()
        # Written completely first: the response must be one consistent state, and the receiver may be slow.
        file = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when it has been sent
        try:
            snapshot.save(current, file)
        except BaseException:
            file.close()
            raise
        return Response(
            _chunks(file),
            mimetype="application/gzip",
            headers={
                "Content-Length": str(file.tell()),
                "Content-Disposition": f'attachment; filename="{current.sandbox.name}.snapshot.gz"',
            },
        )

    @routes.put("/snapshot")
    def load() -> Response:
        request.max_content_length = _BODY_LIMIT_BYTES
        snapshot.load(services(), request.stream)
        return jsonify(status="loaded", sandbox=services().sandbox.name)

    @routes.get("/profiles/export")
    def export() -> Response:
        current, asked = services(), query_args()
        current.stackadapt.process_due()
        lines = export_profiles(current.sandbox, asked["format"], asked["advertiser_id"])
        return Response((line.encode("utf-8", "replace") for line in lines), content_type=_TYPES[asked["format"]])

    @routes.post("/profiles/import")
    def import_() -> Response:
        current, asked = services(), query_args()
        request.max_content_length = _BODY_LIMIT_BYTES
        current.stackadapt.process_due()
        result = import_profiles(current.sandbox, request.stream, asked["format"], asked["advertiser_id"])
        return jsonify(result.as_dict())


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
