"""The kinds of document that `validate` recognises. A new kind is a schema under `contracts/` and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from emulator import schemas
from emulator.errors import unknown
from emulator.segment.tracking.calls import CALLS

Document: TypeAlias = Mapping[str, Any]

# The events that Engage emits for an audience, and beside them the one for a journey step.
AUDIENCE_EVENTS = ("audience-identify", "audience-track")
ENGAGE_EVENTS = (*AUDIENCE_EVENTS, "journey-step")

_STEP = "journey_step"
# What Engage emits for journeys and computed traits: the same envelope, other content.
_OTHER_CLASSES = (_STEP, "trait", "computed_trait")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of document: its schema, how it is recognised, and the consequences of a missing key, by its path."""

    name: str
    schema: str
    recognised: Callable[[Document], bool]
    consequences: Mapping[schemas.Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """An object of a known kind. `path` is where it is in its document: empty, or that of a call in a batch.

    Files that it names are relative to `folder`.
    """

    kind: Kind
    value: Document
    path: schemas.Path = ()
    folder: Path = Path()

    def place(self, *path: str | int) -> str:
        """A path within the object as text, from the top of the document."""
        return schemas.place((*self.path, *path))

    def personas(self) -> Document:
        """`context.personas`, in which Engage describes the audience; empty when it is missing or not an object."""
        return _personas(self.value)

    def parts(self) -> Iterator[Content]:
        """The object itself and, of a batch, its calls."""
        yield self
        items = self.value.get("batch") if self.kind.name == "batch" else None
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and item.get("type") in CALLS:
                yield Content(kind=kind_named(item["type"]), value=item, path=("batch", index))


def _with_key(*keys: str) -> Callable[[Document], bool]:
    return lambda document: any(key in document for key in keys)


def _looks_like_engage(document: Document) -> bool:
    properties = document.get("properties")
    return (
        bool(_personas(document))
        or str(document.get("messageId")).startswith("personas_")
        or document.get("event") in ("Audience Entered", "Audience Exited")
        or (isinstance(properties, dict) and "audience_key" in properties)
    )


def _personas(document: Document) -> Document:
    context = document.get("context")
    personas = context.get("personas") if isinstance(context, dict) else None
    return personas if isinstance(personas, dict) else {}


def _has_directive(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return any(key.startswith("@") or _has_directive(member) for key, member in value.items())


def _audience_event(type_: str) -> Kind:
    """An event of an audience, recognised even if its `context.personas` is missing or malformed."""

    def recognised(document: Document) -> bool:
        if document.get("type") != type_:
            return False
        class_ = _personas(document).get("computation_class")
        return class_ == "audience" or (class_ not in _OTHER_CLASSES and _looks_like_engage(document))

    why = "The destination reads the audience's ID, key and class from context.personas and rejects events without it."
    return Kind(
        name=f"audience-{type_}",
        schema=f"segment/audience-{type_}.schema.json",
        recognised=recognised,
        consequences={("context",): why, ("context", "personas"): why},
    )


def _call(name: str, schema: str) -> Kind:
    return Kind(name=name, schema=f"segment/{schema}", recognised=lambda document: document.get("type") == name)


WORKSPACE_KIND = Kind(name="workspace", schema="workspace.schema.json", recognised=_with_key("advertisers", "tokens"))

# The first one that recognises a document applies.
KINDS = (
    WORKSPACE_KIND,
    Kind(name="scenario", schema="scenario.schema.json", recognised=_with_key("steps", "matrix")),
    Kind(
        name="destination-instance",
        schema="segment/destination-instance.schema.json",
        recognised=_with_key("subscriptions", "settings"),
    ),
    Kind(name="batch", schema="segment/batch.schema.json", recognised=_with_key("batch")),
    _audience_event("identify"),
    _audience_event("track"),
    Kind(
        name="journey-step",
        schema="segment/journey-step.schema.json",
        recognised=lambda document: (
            document.get("type") == "track" and _personas(document).get("computation_class") == _STEP
        ),
    ),
    _call("identify", "identify.schema.json"),
    _call("track", "track.schema.json"),
    _call("page", "batch.schema.json#/$defs/page"),
    _call("screen", "batch.schema.json#/$defs/page"),
    _call("group", "batch.schema.json#/$defs/group"),
    _call("alias", "batch.schema.json#/$defs/alias"),
    Kind(name="mapping", schema="segment/mapping.schema.json", recognised=_has_directive),
)


def kind_named(name: str) -> Kind:
    """Raises UnknownName for a name that no kind has."""
    kinds = {kind.name: kind for kind in KINDS}
    if name not in kinds:
        raise unknown("kind of document", name, kinds)
    return kinds[name]


def kind_of(document: Document) -> Kind | None:
    """The kind of a document, None when none recognises it."""
    return next((kind for kind in KINDS if kind.recognised(document)), None)
