"""Addresses of the console, for what holds of every page. `filled` in `conftest.py` has what they name."""

from __future__ import annotations

from emulator.console.screens import SCREENS


def address(path: str) -> str:
    return f"/console/{path}" if path else "/"


VIEWS = [
    *(address(screen.path) for screen in SCREENS),
    "/console/person?person=ada",
    "/console/person?person=grace",
    "/console/person?person=unknown",
    "/console/segments?create=on&segment=1",
    "/console/segments?segment=99",
    "/console/requests?trace=unknown",
    "/console/requests?email=nobody@example.com",  # wording: exempt, an address
    "/console/requests?reason=MISSING_EMAIL&count=times&number=2",
    "/console/graphql?saved=3.517.0/forwardAudienceEvent",
    "/console/graphql?document={x}&variables={}&token=unknown",
    "/console/faults?kind=status",
    "/console/faults?kind=userErrors",
    "/console/profiles?email=missing@example.com",
    "/console/nothing",
    "/?sandbox=unknown",
    "/console/sign-in",
]
