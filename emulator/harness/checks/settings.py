"""Checks of a destination instance's settings against the workspace's advertisers and tokens."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import nearest
from emulator.harness.checks.finding import ERROR, Finding
from emulator.harness.subscription_context import SubscriptionContext
from emulator.workspace import WRITE


def advertiser(subject: SubscriptionContext) -> Iterator[Finding]:
    """S001, S002, S003: the advertiser is missing, is no number, or is not in the workspace."""
    from_mapping = subject.definition.advertiser_from == "mapping"
    root = subject.place.split(".")[0]
    place = f"{subject.place}.mapping.advertiser_id" if from_mapping else f"{root}.settings.advertiser_id"
    found = subject.advertiser_id()
    if found in (None, ""):
        yield _advertiser(place, "S001", "No advertiser is set.", "Without it the document has a hole in it.")
    elif isinstance(found, dict):
        return
    elif not (str(found).isascii() and str(found).isdigit()):
        why = "It is written into the document without quotes: anything but a number is refused by the schema."
        yield _advertiser(place, "S002", f"{found!r} is not a number.", why)
    elif subject.workspace.advertiser(str(found)) is None:
        known = [advertiser.id for advertiser in subject.workspace.advertisers]
        why = f"This workspace has {', '.join(known)}. {nearest(str(found), known) or ''}".strip()
        yield _advertiser(place, "S003", f"There is no advertiser {found!r}.", why)


def token(subject: SubscriptionContext) -> Iterator[Finding]:
    """S004, S005: the token is not in the workspace, or may not write to the advertiser."""
    place = f"{subject.place.split('.')[0]}.settings.apiKey"
    known = subject.workspace.token(subject.destination.settings["apiKey"])
    if known is None:
        yield Finding(
            code="S004",
            severity=ERROR,
            place=place,
            message="StackAdapt does not know this token.",
            why="Every request is answered 401, and Segment does not retry it.",
            fix="Use one of the workspace's tokens.",
        )
    elif not known.allows(WRITE, str(subject.advertiser_id())):
        yield Finding(
            code="S005",
            severity=ERROR,
            place=place,
            message=f"The token {known.name!r} may not write to advertiser {subject.advertiser_id()}.",
            why="StackAdapt answers userErrors with status 200, which the destination does not read: Segment reports "
            "the events as delivered, and no profile appears.",
            fix="Use a token with the scope WRITE on that advertiser.",
        )


def _advertiser(place: str, code: str, message: str, why: str) -> Finding:
    return Finding(
        code=code,
        severity=ERROR,
        place=place,
        message=message,
        why=why,
        fix="Take the id from StackAdapt's URL, after advertiser=.",
    )
