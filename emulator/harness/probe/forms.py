"""How answers are put into words, so that the same behaviour has the same words wherever it is seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulator.harness.probe.probe_parts import ProbeResponse


def form(answer: ProbeResponse) -> str:
    """`200 with data`, `401 with errors`, `404 without JSON`."""
    parts = []
    data = answer.body.get("data")
    if isinstance(data, Mapping) and any(value is not None for value in data.values()):
        parts.append("data")
    elif "data" in answer.body:
        parts.append("null")
    if answer.errors:
        parts.append("errors")
    if not parts:
        return f"{answer.status} without JSON" if not answer.body else f"{answer.status} with JSON of another form"
    return f"{answer.status} with {' and '.join(parts)}"


def envelope(answer: ProbeResponse) -> str:
    """`401, errors with a traceId`; what an error that is no result of a document looks like."""
    if not answer.errors:
        return form(answer)
    extensions = answer.errors[0].get("extensions")
    traced = isinstance(extensions, Mapping) and "traceId" in extensions
    return f"{answer.status}, errors {'with' if traced else 'without'} a traceId"


def refused(answer: ProbeResponse, field: str) -> str:
    """How a mutation took its input: `accepted`, `a user error at input.profiles`, or the form of the answer."""
    errors = answer.user_errors(field)
    if errors is None:
        return form(answer)
    if not errors:
        return "accepted"
    places = dict.fromkeys(".".join(map(str, items(each.get("path")))) or "no path" for each in errors)
    return f"a user error at {', '.join(places)}"


def listed(parts: Mapping[str, object]) -> str:
    """`syntax: 200; variables: 400`."""
    return "; ".join(f"{name}: {value}" for name, value in parts.items())


def some(names: Iterable[str], nothing: str = "none") -> str:
    """Names in order, joined."""
    return ", ".join(sorted(names)) or nothing


def items(value: Any) -> Sequence[Any]:
    """A list; none in anything else."""
    return value if isinstance(value, list) else ()


def nodes(answer: ProbeResponse, path: str) -> Sequence[Mapping[str, Any]] | None:
    """The nodes of a connection; None when there is none."""
    found = answer.at_path(f"{path}.nodes")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else None
