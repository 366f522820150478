"""`POST /uploads/<sandbox>/`: where a file goes that `createUploadTargets` asked for.

A form (`multipart/form-data`) with the target's `key` and the `file`, as object stores take signed uploads.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from emulator.errors import InputError, NotFound
from emulator.stackadapt import StackAdapt
from emulator.stackadapt.ingestion.upload_targets import store_sent

Find = Callable[[str], StackAdapt | None]


def blueprint(find: Find) -> Blueprint:
    """The route `/uploads/<sandbox>/`. `find` gives the sandbox of this name, or None."""
    routes = Blueprint("uploads", __name__)

    @routes.post("/uploads/<sandbox>/")
    def upload(sandbox: str) -> Response | tuple[Response, int]:
        stackadapt = find(sandbox)
        if stackadapt is None:
            raise NotFound("there is no such sandbox", where="sandbox", found=sandbox)
        most = stackadapt.limits.body_bytes
        request.max_content_length = most
        if (request.content_length or 0) > most:
            return jsonify(error="Request Entity Too Large", message=f"A file has at most {most} bytes."), 413
        sent = request.files.get("file")
        if sent is None:
            raise InputError("the form has no file", where="file", hint="Send multipart/form-data.")
        try:
            content = sent.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError("this file is not UTF-8 text", where="file", found=sent.filename) from None
        with stackadapt.sandbox.store.begin() as connection:
            if not store_sent(connection, request.form.get("key", ""), content):
                raise NotFound("there is no such upload target", where="key", hint="Ask createUploadTargets for one.")
        return Response(status=204)

    return routes
