"""The kinds of document that `validate` knows. A new kind is a schema under `contracts/` and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from emulator.errors import NotFound, nearest
from emulator.harness.checks import (
    audience_events as audiences,
)
from emulator.harness.checks import (
    calls,
    emails,
)
from emulator.harness.checks import (
    scenarios as timelines,
)
from emulator.harness.checks import (
    workspaces as settings,
)
from emulator.harness.checks.document_finding import ERROR, Finding
from emulator.schemas import Path
from emulator.segment.tracking.calls import CALLS

Content: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[Content], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of document: how it is recognised, its schema, and what to look at beyond the schema.

    `causes` has what a member that is missing leads to, by its path.
    """

    name: str
    schema: str
    recognised: Callable[[Content], bool]
    checks: tuple[Check, ...] = ()
    causes: Mapping[Path, str] = field(default_factory=dict)


def with_keys(*keys: str) -> Callable[[Content], bool]:
    """Recognises a document by a member that only its kind has."""
    return lambda document: any(key in document for key in keys)


def call(type_: str) -> Callable[[Content], bool]:
    """Recognises a call of the Tracking API by its type."""
    return lambda document: document.get("type") == type_


def audience(type_: str) -> Callable[[Content], bool]:
    """Recognises an event of an audience, also one whose `context.personas` is missing or spoilt."""

    def recognised(document: Content) -> bool:
        if document.get("type") != type_:
            return False
        class_ = _personas(document).get("computation_class")
        return class_ == "audience" or (class_ not in _OTHER_CLASSES and _says_audience(document))

    return recognised


def step(document: Content) -> bool:
    """Recognises the event of a journey step by its class."""
    return document.get("type") == "track" and _personas(document).get("computation_class") == _STEP


_STEP = "journey_step"
# What Engage emits for journeys and computed traits: the same envelope, another content.
_OTHER_CLASSES = (_STEP, "trait", "computed_trait")


def _says_audience(document: Content) -> bool:
    properties = document.get("properties")
    return (
        bool(_personas(document))
        or str(document.get("messageId")).startswith("personas_")
        or document.get("event") in ("Audience Entered", "Audience Exited")
        or (isinstance(properties, dict) and "audience_key" in properties)
    )


def _personas(document: Content) -> Content:
    context = document.get("context")
    personas = context.get("personas") if isinstance(context, dict) else None
    return personas if isinstance(personas, dict) else {}


def _has_directive(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return any(key.startswith("@") or _has_directive(member) for key, member in value.items())


def of_batch(document: Content) -> Iterator[Finding]:
    """What the checks of its calls find in a batch."""
    items = document.get("batch")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        for look in _CALL_CHECKS.get(item.get("type"), ()) if isinstance(item, dict) else ():
            yield from (replace(finding, path=("batch", index, *finding.path)) for finding in look(item))


def _call(name: str, schema: str) -> Kind:
    checks: tuple[Check, ...] = (*_CALL_CHECKS[name], partial(calls.fits_the_route, name))
    return Kind(name=name, schema=schema, recognised=call(name), checks=checks)


_ANY_CALL: tuple[Check, ...] = (calls.members, calls.moments)
_CALL_CHECKS: Mapping[Any, tuple[Check, ...]] = MappingProxyType(
    {
        **dict.fromkeys(CALLS, _ANY_CALL),
        "identify": (*_ANY_CALL, emails.of_identify),
        "track": (*_ANY_CALL, emails.of_track),
    }
)
# The first that recognises a document has it.
KINDS = (
    Kind(
        name="workspace",
        schema="workspace.schema.json",
        recognised=with_keys("advertisers", "tokens"),
        checks=(settings.of_workspace,),
    ),
    Kind(
        name="scenario",
        schema=timelines.SCHEMA,
        recognised=with_keys("steps", "matrix"),
        checks=(timelines.of_scenario,),
    ),
    Kind(
        name="destination-instance",
        schema="segment/destination-instance.schema.json",
        recognised=with_keys("subscriptions", "settings"),
        checks=(settings.of_destination_instance,),
    ),
    Kind(
        name="batch",
        schema="segment/batch.schema.json",
        recognised=with_keys("batch"),
        checks=(of_batch, partial(calls.fits_the_route, "batch")),
    ),
    Kind(
        name="audience-identify",
        schema="segment/audience-identify.schema.json",
        recognised=audience("identify"),
        checks=(calls.members, audiences.membership_in_traits, emails.of_audience_identify),
        causes=audiences.CAUSES,
    ),
    Kind(
        name="audience-track",
        schema="segment/audience-track.schema.json",
        recognised=audience("track"),
        checks=(calls.members, audiences.membership_in_properties, emails.of_audience_track),
        causes=audiences.CAUSES,
    ),
    Kind(
        name="journey-step",
        schema="segment/journey-step.schema.json",
        recognised=step,
        checks=(calls.members, emails.of_audience_track),
    ),
    _call("identify", "segment/identify.schema.json"),
    _call("track", "segment/track.schema.json"),
    _call("page", "segment/batch.schema.json#/$defs/page"),
    _call("screen", "segment/batch.schema.json#/$defs/page"),
    _call("group", "segment/batch.schema.json#/$defs/group"),
    _call("alias", "segment/batch.schema.json#/$defs/alias"),
    Kind(name="mapping", schema=settings.MAPPING_SCHEMA, recognised=_has_directive),
)


def kind_named(name: str) -> Kind:
    """Raises NotFound for a name that no kind has."""
    names = [kind.name for kind in KINDS]
    if name not in names:
        raise NotFound(
            "there is no such kind of document", found=name, allowed=", ".join(names), hint=nearest(name, names)
        )
    return KINDS[names.index(name)]


def kind_of(document: Content) -> Kind | None:
    """The kind of a document, None when none recognises it."""
    return next((kind for kind in KINDS if kind.recognised(document)), None)


def unknown_kind(document: Content) -> Finding:
    """Says that nothing recognises a document."""
    type_ = document.get("type")
    if type_ is None:
        found, hint = ", ".join(map(str, document)), "Say what it is with --as KIND."
    else:
        found, hint = str(type_), nearest(str(type_), CALLS) or "Say what it is with --as KIND."
    return Finding(
        severity=ERROR,
        path=() if type_ is None else ("type",),
        message="this is no kind of document that is known here.",
        found=found,
        allowed=", ".join(kind.name for kind in KINDS),
        fix=hint,
    )
