"""`POST /uploads/<sandbox>/`: uploads of files to the targets of `createUploadTargets`.

A form (`multipart/form-data`) with the target's `key` and the `file`, as object stores accept signed uploads.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from emulator.errors import InputError, NotFound
from emulator.stackadapt.ingestion.upload_targets import store_sent
from emulator.stackadapt.service import StackAdapt
from emulator.store import STACKADAPT_LOCK
from emulator.text_files import NotUtf8, decode

Find = Callable[[str], StackAdapt | None]


def blueprint(find: Find) -> Blueprint:
    """The route `/uploads/<sandbox>/`. `find` returns the service of the sandbox with this name, or None."""
    routes = Blueprint("uploads", __name__)

    @routes.post("/uploads/<sandbox>/")
    def upload(sandbox: str) -> Response | tuple[Response, int]:
        stackadapt = find(sandbox)
        if stackadapt is None:
            raise NotFound(f"unknown sandbox {sandbox!r}", where="sandbox")
        most = stackadapt.limits.body_bytes
        request.max_content_length = most
        if (request.content_length or 0) > most:
            return jsonify(error="Request Entity Too Large", message=f"A file has at most {most} bytes."), 413
        file = request.files.get("file")
        if file is None:
            raise InputError("the form has no file", where="file", hint="Send multipart/form-data.")
        try:
            content = decode(file.read())
        except NotUtf8 as error:
            raise InputError(f"cannot read {file.filename}: {error}", where="file", hint=error.hint) from None
        with stackadapt.sandbox.store.begin(locks=STACKADAPT_LOCK) as connection:
            if not store_sent(connection, request.form.get("key", ""), content):
                raise NotFound("unknown upload target", where="key", hint="Create one with createUploadTargets.")
        return Response(status=204)

    return routes
