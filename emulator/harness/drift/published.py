"""Compares an installed `@segment/action-destinations` with the recorded wire format of the nearest known version.

The mapping engine is that record: for each known version it sends the same bytes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from graphql import GraphQLError, parse, validate

from emulator.harness.checks.finding import BREAKING, CHANGES, DANGEROUS, SAFE, Finding, change, sentence
from emulator.harness.drift.cases import cases
from emulator.harness.drift.installed_package import PackageRun, content_of, package_in
from emulator.harness.recorded_cases import Difference, compare, replay
from emulator.mapping import load_definition, nearest_generation, stringify
from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema
from emulator.text import excerpts

_Content = Mapping[str, Any]

# How severe a change of each attribute of a field is. `required`, `choices` and `properties` are compared separately.
_ATTRIBUTES: Final = MappingProxyType(
    {
        "label": SAFE,
        "type": BREAKING,
        "dynamic": DANGEROUS,
        "multiple": BREAKING,
        "format": BREAKING,
        "additionalProperties": BREAKING,
        "depends_on": DANGEROUS,
        "default": DANGEROUS,
    }
)
_NEW_VALUES: Final = "Values that are accepted today are rejected or converted."
_CONSEQUENCES: Final = MappingProxyType(
    {
        "REMOVED": "Mappings that set it have no effect any more.",
        "REQUIRED": "Events fail with existing mappings until they set it.",
        "NAME": "Events routed to it by the old name no longer arrive.",
        "TRIGGER": "New subscriptions match other events; existing ones keep their trigger.",
        "default": "New subscriptions start with another mapping; existing ones keep theirs.",
        "choices": "Mappings with a removed choice fail validation.",
        **dict.fromkeys(("type", "multiple", "format"), _NEW_VALUES),
        "additionalProperties": "Properties that are passed on today are dropped, or the reverse.",
    }
)
_SHOWN_CHARACTERS = 80


def definition_findings(recorded: _Content, installed: _Content) -> Iterator[Finding]:
    """The differences in names, settings, actions, triggers, fields and defaults."""
    for name in ("name", "slug"):
        if recorded[name] != installed.get(name):
            yield _changed(DANGEROUS, name, recorded[name], installed.get(name), about="NAME")
    yield from _fields(recorded["settings"], installed["settings"], "settings")
    before, after = recorded["actions"], installed["actions"]
    for key in sorted(before.keys() - after):
        yield _finding(BREAKING, "REMOVED", f"actions.{key}", "The action was removed.")
    for key in sorted(after.keys() - before):
        yield _finding(SAFE, "ADDED", f"actions.{key}", "The action is new.")
    for key in sorted(before.keys() & after):
        yield from _action(before[key], after[key], f"actions.{key}")


def _action(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for key, severity, about in (("title", SAFE, ""), ("defaultSubscription", DANGEROUS, "TRIGGER")):
        if recorded[key] != installed.get(key):
            yield _changed(severity, f"{place}.{key}", recorded[key], installed.get(key), about=about)
    yield from _fields(recorded["fields"], installed["fields"], f"{place}.fields")


def _fields(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for key in sorted(recorded.keys() - installed):
        yield _finding(BREAKING, "REMOVED", f"{place}.{key}", "The field was removed.")
    for key in sorted(installed.keys() - recorded):
        if installed[key].get("required") and installed[key].get("default") is None:
            yield _finding(BREAKING, "REQUIRED", f"{place}.{key}", "The field is new and required.")
        else:
            yield _finding(SAFE, "ADDED", f"{place}.{key}", "The field is new.")
    for key in sorted(recorded.keys() & installed):
        yield from _field(recorded[key], installed[key], f"{place}.{key}")


def _field(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for name, severity in _ATTRIBUTES.items():
        before, after = _attribute(recorded, name), _attribute(installed, name)
        if before != after:
            yield _changed(severity, f"{place}.{name}", before, after, about=name)
    before, after = _attribute(recorded, "required"), _attribute(installed, "required")
    if before != after:
        rejects = bool(after) and installed.get("default") is None
        yield _changed(BREAKING if rejects else SAFE, f"{place}.required", before, after, about="REQUIRED")
    before, after = recorded.get("choices", []), installed.get("choices", [])
    if before != after:
        # Without choices, any value is accepted.
        narrower = bool(after) and (not before or any(choice not in after for choice in before))
        yield _changed(BREAKING if narrower else SAFE, f"{place}.choices", before, after, about="choices")
    yield from _fields(recorded.get("properties", {}), installed.get("properties", {}), f"{place}.properties")


def _attribute(field: _Content, name: str) -> Any:
    """An attribute's value; a flag that is false equals one that is absent."""
    value = field.get(name)
    return value if value is not False or name == "additionalProperties" else None


def _changed(severity: str, place: str, before: Any, after: Any, *, about: str = "") -> Finding:
    return _finding(severity, "CHANGED", place, f"Changed from {_shown(before)} to {_shown(after)}.", about=about)


def _finding(severity: str, code: str, place: str, message: str, *, about: str = "") -> Finding:
    return change(severity, code, place, message, None if severity == SAFE else _CONSEQUENCES.get(about or code))


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(stringify(value))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


_CONTEXT_CHARACTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An installed version, the known generation it was compared with, and the differences, worst first."""

    version: str
    generation: str
    findings: tuple[Finding, ...]


def compare_published(directory: Path) -> Compared:
    """Runs every case of the nearest known generation through the package in `directory` and the mapping engine.

    `directory` is the package or a folder with it in `node_modules`. Needs Node; no request leaves the machine. Raises
    InputError if the package is missing, UserMistake if it cannot be run.
    """
    package = package_in(directory)
    definition = load_definition(nearest_generation(package.version))
    installed, runs = package.run(list(cases(definition)))
    findings = [
        *definition_findings(content_of(definition.generation), installed),
        *_wire_findings(definition.endpoint, runs),
    ]
    findings.sort(key=lambda each: CHANGES.index(each.severity))
    return Compared(version=package.version, generation=definition.generation, findings=tuple(findings))


def _wire_findings(endpoint: str, runs: Sequence[PackageRun]) -> Iterator[Finding]:
    """One finding for each other URL, then one for each purpose and part of a request or result with its first case."""
    for url in sorted({url for run in runs for url in run.urls} - {endpoint}):
        message = f"Requests go to {url} instead of {endpoint}."
        yield change(BREAKING, "ENDPOINT", "endpoint", message, "The recorded endpoint receives nothing.")
    groups: defaultdict[tuple[str, str], list[tuple[PackageRun, Difference]]] = defaultdict(list)
    for run in runs:
        for difference in compare({**run.case, "expected": run.expected}, replay(run.case)):
            groups[run.case["purpose"], difference.where].append((run, difference))
    for (purpose, where), different in groups.items():
        run, difference = different[0]
        total = sum(each.case["purpose"] == purpose for each in runs)
        recorded, installed = excerpts(difference.found, difference.expected, _CONTEXT_CHARACTERS)
        message = (
            f"{len(different)} of {total} cases differ, first {run.case['id']!r}: "
            f"recorded {recorded}, installed {installed}."
        )
        place = f"{purpose}: {where}"
        if where.startswith("requests"):
            yield change(BREAKING, "WIRE", place, message, _acceptance(run))
        else:
            yield change(DANGEROUS, "RESULT", place, message, "Segment reports another result for the event.")


def _acceptance(run: PackageRun) -> str:
    """Whether StackAdapt's contract accepts the documents that the package sent."""
    problems = [_problem(request["body"]) for request in run.expected["requests"]]
    rejected = next((problem for problem in problems if problem is not None), None)
    if rejected is not None:
        return sentence(f"StackAdapt's contract rejects what is sent now: {rejected}")
    return "StackAdapt's contract accepts what is sent now." if problems else "Nothing is sent any more."


def _problem(body: str) -> str | None:
    """Why no API version of StackAdapt accepts a request's document; None if one accepts it."""
    try:
        document = parse(json.loads(body)["query"])
    except (GraphQLError, ValueError, KeyError, TypeError) as error:
        return str(error).partition("\n")[0]
    errors = [validate(executable_schema(api_version), document) for api_version in API_VERSIONS]
    return None if not all(errors) else errors[0][0].message.partition("\n")[0]
