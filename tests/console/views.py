"""Addresses of the console, for what holds of every page. `filled` in `conftest.py` has what they name."""

from __future__ import annotations

from emulator.console.screens import SCREENS


def address(path: str) -> str:
    return f"/console/{path}" if path else "/"


VIEWS = [
    *(address(screen.path) for screen in SCREENS),
    "/console/debugger?live=off&search=ada&outcome=accepted",
    "/console/debugger?send=identify&person=ada@example.com",  # wording: exempt, an address
    "/console/debugger?send=track&add=source",
    "/console/debugger?message=unknown",
    "/console/debugger?reason=duplicate&raw=on",
    "/console/audiences?audience=vip_customers",
    "/console/audiences?audience=vip_customers&edit=on",
    "/console/audiences?audience=vip_customers&connect=choose&saved=StackAdapt+Acme",
    "/console/audiences?audience=vip_customers&connect=StackAdapt+Acme",
    "/console/audiences?audience=unknown&new=on",
    "/console/journeys?journey=unknown&step=unknown",
    "/console/explorer?person=ada&profile=use_000000000000000000000000001",
    "/console/explorer?person=unknown&profile=unknown",
    "/console/destinations/mapping?destination=StackAdapt+Acme&mapping=Sync+Audience",
    "/console/destinations/mapping?destination=StackAdapt+Acme&mapping=Sync+Audience&event=unknown&saved=on",
    "/console/destinations/mapping?destination=StackAdapt+Acme&mapping=Sync+Audience&mask=on",
    "/console/destinations/mapping?destination=StackAdapt+Acme&mapping=unknown",
    "/console/destinations/mapping?destination=StackAdapt+Acme&mapping=Sync+Audience&event=%7B%22type%22:%22page%22%7D",
    "/console/person?person=ada",
    "/console/person?person=grace",
    "/console/person?person=unknown",
    "/console/segments?create=on&segment=1",
    "/console/segments?segment=99",
    "/console/requests?trace=unknown",
    "/console/requests?email=nobody@example.com",  # wording: exempt, an address
    "/console/requests?reason=MISSING_EMAIL&count=times&number=2",
    "/console/requests/grade?without=ada@example.com",
    "/console/graphql?saved=3.517.0/forwardAudienceEvent",
    "/console/graphql?document={x}&variables={}&token=unknown",
    "/console/faults?kind=status",
    "/console/faults?kind=userErrors",
    "/console/profiles?email=missing@example.com",
    "/console/destinations?destination=StackAdapt+Acme&new=on",
    "/console/destinations?destination=unknown",
    "/console/destinations/catalog?search=stackadapt+audience",
    "/console/destinations/catalog?search=nothing",
    "/console/destinations/new?generation=3.361.0",
    "/console/destinations/mappings?destination=StackAdapt+Acme&new=on&delete=Sync+Audience",
    "/console/destinations/filters?destination=StackAdapt+Acme&new=drop&event={}",
    "/console/destinations/filters?destination=StackAdapt+Acme&new=sample&event={",
    "/console/destinations/upgrade?destination=StackAdapt+Acme",
    "/console/destinations/upgrade?destination=StackAdapt+Acme&to=3.497.0&mappings=new",
    "/console/destinations/delivery?destination=StackAdapt+Acme&step=failedDelivery&reason=PAYLOAD_VALIDATION_FAILED",
    "/console/destinations/delivery?destination=StackAdapt+Acme&step=stackadapt.visible&message=unknown&person=ada",
    "/console/profiles?profile=ada@example.com&of=1001",
    "/console/profiles?profile=nobody@example.com&of=9",  # wording: exempt, an address
    "/console/segments?segment=1&edit=on",
    "/console/segments?create=on&field=city&value=x&advertiser=9",
    "/console/lists?list=1",
    "/console/lists?advertiser=x",
    "/console/uploads?upload=1&outcome=unknown",
    "/console/properties?advertiser=9",
    "/console/rejections?person=ada&reason=UNKNOWN",
    "/console/person?reason=PAYLOAD_VALIDATION_FAILED",
    "/console/person?person=grace&as=scenario",
    "/console/person?person=ada&as=pytest&mask=on",
    "/console/workspace?reveal=on&begin=starter",
    "/console/workspace?setting=destinations[].batch.age&mask=on",
    "/console/plan?reveal=on",
    "/console/coverage?group=ledger&from=50",
    "/console/coverage?group=mappings&covered=on",
    "/console/coverage?group=unknown",
    "/console/fidelity?provenance=assumed&text=retry",
    "/console/fidelity?from=300",
    "/console/fidelity?area=unknown",
    "/console/scenarios?scenario=generations/generation-by-api-version",
    "/console/scenarios?own=on&text=emails",
    "/console/scenarios?scenario=unknown/unknown",
    "/console/documentation?text=dead+letters",
    "/console/documentation?text=unfindable",
    "/console/documentation?page=console",
    "/console/documentation?page=delivery",
    "/console/documentation?page=unknown",
    "/console/reasons?text=email",
    "/console/nothing",
    "/?sandbox=unknown",
    "/console/sign-in",
]

# Of each screen the view with the most on it.
FULLEST = [*{view.partition("?")[0]: view for view in sorted(VIEWS, key=len)}.values()]
