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
    "/console/profiles?email=missing@example.com",
    "/console/destinations?destination=StackAdapt+Acme&new=on",
    "/console/destinations?destination=unknown",
    "/console/destinations/catalog?search=stackadapt+audience",
    "/console/destinations/catalog?search=nothing",
    "/console/destinations/new?generation=3.361.0",
    "/console/destinations/mappings?destination=StackAdapt+Acme&new=on&delete=Sync+Audience",
    "/console/destinations/filters?destination=StackAdapt+Acme&new=drop&event={}",
    "/console/destinations/filters?destination=StackAdapt+Acme&new=sample&event={",
    "/console/destinations/delivery?destination=StackAdapt+Acme&step=failedDelivery&reason=PAYLOAD_VALIDATION_FAILED",
    "/console/destinations/delivery?destination=StackAdapt+Acme&step=stackadapt.visible&message=unknown&person=ada",
    "/console/nothing",
    "/?sandbox=unknown",
    "/console/sign-in",
]
