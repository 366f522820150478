"""What comes with the package: the ledger, the documentation, the reason codes."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import query_args
from emulator.server.services import CurrentServices

MOST_FOUND = 200


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    # Asked seldom, what the views import themselves takes long.

    @routes.get("/fidelity")
    def fidelity() -> Response:
        from emulator.harness.ledger import search

        return jsonify(search(**query_args()))

    @routes.get("/documentation")
    def documentation() -> Response:
        from emulator.harness.documentation import PAGES, search, title_of

        found = [*search(query_args()["text"] or "")]
        pages = [{"page": page, "title": title_of(page)} for page in PAGES]
        return jsonify(pages=pages, found=[asdict(each) for each in found[:MOST_FOUND]], total=len(found))

    @routes.get("/documentation/<page>")
    def documentation_page(page: str) -> Response:
        from emulator.harness.documentation import headings_of, text_of, title_of

        query_args()
        text = text_of(page)
        return jsonify(
            page=page, title=title_of(page), text=text, headings=[asdict(each) for each in headings_of(page)]
        )

    @routes.get("/reasons")
    def reasons() -> Response:
        from emulator.harness.reasons import reasons as counted

        asked = query_args()
        current = services()
        current.process_due()
        return jsonify(reasons=counted(current, **asked))
