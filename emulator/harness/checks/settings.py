"""Checks of a destination instance's settings against the workspace's advertisers and tokens."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.clock import Clock
from emulator.errors import nearest
from emulator.harness.catalog import fits, fitting_api_versions, fitting_generations
from emulator.harness.checks.finding import ERROR, SUBSCRIPTION, WORKSPACE, Finding, check
from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import generations, newest
from emulator.stackadapt.graphql.schema import API_VERSIONS
from emulator.workspace import WRITE, Token, Workspace

_COPY_ID = "Copy the ID from StackAdapt's URL, after advertiser=."


@check("S001", ERROR, "No advertiser is set.", SUBSCRIPTION)
def advertiser_missing(context: SubscriptionContext) -> Iterator[Finding]:
    if _advertiser(context) == "":
        why = "The document is sent without an advertiser ID and is invalid."
        yield Finding(place=_advertiser_place(context), message="No advertiser is set.", why=why, fix=_COPY_ID)


@check("S002", ERROR, "The advertiser ID is not a number.", SUBSCRIPTION)
def advertiser_not_a_number(context: SubscriptionContext) -> Iterator[Finding]:
    if (found := _advertiser(context)) and not _is_number(found):
        message = f"The advertiser ID {found!r} is not a number."
        why = "It is written into the document without quotes, so StackAdapt rejects anything but a number."
        yield Finding(place=_advertiser_place(context), message=message, why=why, fix=_id_of(context, found))


@check("S003", ERROR, "The advertiser is not in the workspace.", SUBSCRIPTION)
def unknown_advertiser(context: SubscriptionContext) -> Iterator[Finding]:
    found, known = _advertiser(context), [advertiser.id for advertiser in context.workspace.advertisers]
    if _is_local(context) and found and _is_number(found) and found not in known:
        yield Finding(
            place=_advertiser_place(context),
            message=f"Unknown advertiser {found!r}.",
            allowed=", ".join(known),
            why="The workspace declares no advertiser with this ID.",
            fix=" ".join(filter(None, [_COPY_ID, nearest(found, known)])),
        )


@check("S004", ERROR, "The token is unknown.", SUBSCRIPTION)
def unknown_token(context: SubscriptionContext) -> Iterator[Finding]:
    if _is_local(context) and _token(context) is None:
        yield Finding(
            place=_setting(context, "apiKey"),
            message="StackAdapt does not know this token.",
            why="Every request is answered with 401, which Segment does not retry.",
            fix="Use one of the workspace's tokens.",
        )


@check("S005", ERROR, "The token may not write to the advertiser.", SUBSCRIPTION)
def token_without_write(context: SubscriptionContext) -> Iterator[Finding]:
    token, advertiser = _token(context), _advertiser(context)
    if (
        not _is_local(context)
        or token is None
        or advertiser is None
        or context.workspace.advertiser(advertiser) is None
    ):
        return
    if not token.allows(WRITE, advertiser):
        yield Finding(
            place=_setting(context, "apiKey"),
            message=f"The token {token.name!r} may not write to advertiser {advertiser}.",
            why="StackAdapt answers 200 with userErrors, which the destination ignores: Segment reports the events as "
            "delivered, and no profile appears.",
            fix="Use a token with the scope WRITE for that advertiser.",
        )


@check("S006", ERROR, "The token has expired.", SUBSCRIPTION)
def expired_token(context: SubscriptionContext) -> Iterator[Finding]:
    token = _token(context)
    if not _is_local(context) or token is None or token.expires_at is None or Clock().now() < token.expires_at:
        return
    yield Finding(
        place=_setting(context, "apiKey"),
        message=f"The token {token.name!r} has expired.",
        found=token.expires_at.isoformat(),
        why="Every request is answered with 401, which Segment does not retry.",
        fix="Use a token that is still valid, or change its expiresAt.",
    )


@check("S007", ERROR, "StackAdapt's API version does not take what the generation sends.", WORKSPACE)
def generation_without_api_version(workspace: Workspace) -> Iterator[Finding]:
    for index, destination in enumerate(workspace.destinations):
        generation, api_version = destination.generation or newest(), workspace.api_version
        # Unknown names are W001.
        if generation not in generations() or api_version not in API_VERSIONS or destination.endpoint is not None:
            continue
        if not fits(generation, api_version):
            versions = " or ".join(fitting_api_versions(generation))
            others = " or ".join(fitting_generations(api_version))
            yield Finding(
                place=f"destinations[{index}].generation",
                message=f"API version {api_version} does not take what generation {generation} sends.",
                why="StackAdapt answers every request with an error and status 200: Segment reports the events as "
                "delivered, and no profile appears.",
                fix=f"Set apiVersion to {versions}, or the generation to {others}.",
            )


def _advertiser(context: SubscriptionContext) -> str | None:
    """The advertiser ID as a string, empty if it is not set; None if a directive sets it."""
    found = context.advertiser_id()
    return None if isinstance(found, dict) else "" if found is None else str(found)


def _id_of(context: SubscriptionContext, written: str) -> str:
    """The ID of the only advertiser whose name starts with the text, as a fix; else where IDs are found."""
    wanted = written.strip().casefold()
    named = [each for each in context.workspace.advertisers if each.name.casefold() == wanted] or [
        each for each in context.workspace.advertisers if wanted and each.name.casefold().startswith(wanted)
    ]
    return f"Write {named[0].id!r}, the ID of {named[0].name!r}." if len(named) == 1 else _COPY_ID


def _is_local(context: SubscriptionContext) -> bool:
    """Whether the requests go to the emulator, which knows only the workspace's advertisers and tokens."""
    return context.destination.endpoint is None


def _token(context: SubscriptionContext) -> Token | None:
    return context.workspace.token(context.destination.settings["apiKey"])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _advertiser_place(context: SubscriptionContext) -> str:
    if context.definition.advertiser_from == "mapping":
        return f"{context.place}.mapping.advertiser_id"
    return _setting(context, "advertiser_id")


def _setting(context: SubscriptionContext, key: str) -> str:
    return f"{context.place.partition('.')[0]}.settings.{key}"
