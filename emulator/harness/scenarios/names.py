"""Slips in a scenario that its schema cannot tell: names that the emulator's own lists do not have.

Each would be without effect when the scenario is played, or a check that always holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from emulator.errors import InputError, nearest
from emulator.faults import parse_definition
from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema
from emulator.stackadapt.rules.builtin_properties import BUILTIN_TYPES
from emulator.stackadapt.rules.reasons import REASONS
from emulator.stackadapt.rules.records import OUTCOMES
from emulator.stackadapt.rules.segment_rules import AUDIENCE_FIELDS, Not, Rule, Test, parse_rule
from emulator.workspace import Workspace

Document = Mapping[str, Any]

_RULE_FIELDS = ("email", "marketing_status", *sorted(AUDIENCE_FIELDS), *BUILTIN_TYPES)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a scenario may name. `words` are all that stand in its workspace, its people and its happenings but for
    faults: what a mapping or a GraphQL document names can be asked for.
    """

    workspace: Workspace
    words: frozenset[str]

    def audience(self, key: str, where: str) -> None:
        """Raises InputError for an audience that the workspace does not declare."""
        keys = [audience.key for audience in self.workspace.audiences]
        check_known(key, keys, where, "this scenario has no such audience.")

    def operation(self, name: str, where: str) -> None:
        """Raises InputError for a field that no API version of the schema has and no document asks for."""
        if name not in self.words:
            check_known(
                name, _root_fields(), where, "no API version of the schema has such a root field.", listing=False
            )

    def field(self, name: str, where: str) -> None:
        """Raises InputError for a field of a rule that nothing can fill."""
        # A name may be several words.
        if not self.words.issuperset(words_of(name)):
            fields = (*_RULE_FIELDS, *sorted(self.words))
            check_known(name, fields, where, "nothing in this scenario gives a profile such a field.", listing=False)


def words_of(value: Any) -> Iterator[str]:
    """Every word in a JSON value, keys included."""
    if isinstance(value, str):
        yield from _WORD.findall(value)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from words_of(key)
            yield from words_of(member)
    elif isinstance(value, list):
        for item in value:
            yield from words_of(item)


def check_known(name: str, known: Iterable[str], where: str, message: str, *, listing: bool = True) -> None:
    """Raises InputError with `message` for a name that is not known; `listing` tells all that are."""
    names = list(known)
    if name not in names:
        allowed = (", ".join(names) or "none is given") if listing else None
        raise InputError(message, where=where, found=name, allowed=allowed, hint=nearest(name, names))


def refuse_slips(step: Document, known: Known, where: str) -> None:
    """Raises InputError for the first name in a step, which fits the schema, that nothing has."""
    for index, happening in enumerate(step.get("when", ())):
        _look_at_happening(happening, known, f"{where}.when[{index}]")
    for kind, check in _EXPECTED.items():
        if kind in step.get("then", {}):
            check(step["then"][kind], known, f"{where}.then.{kind}")


def _look_at_happening(happening: Document, known: Known, where: str) -> None:
    for way in ("enter", "exit"):
        if way in happening:
            known.audience(happening[way], f"{where}.{way}")
    if "fault" in happening:
        with _placed(where):
            parse_definition(happening)
        if "operation" in happening:
            known.operation(happening["operation"], f"{where}.operation")


def _look_at_segments(segments: list[Document], known: Known, where: str) -> None:
    for index, segment in enumerate(segments):
        place = f"{where}[{index}]"
        with _placed(place):
            rule = parse_rule(segment["rule"])
        for test in _tests(rule):
            known.field(test.field, f"{place}.{test.place}.field")


def _look_at_requests(requests: list[Document], known: Known, where: str) -> None:
    for index, request in enumerate(requests):
        if "operation" in request:
            known.operation(request["operation"], f"{where}[{index}].operation")


def _look_at_audiences(sizes: Document, known: Known, where: str) -> None:
    for key in sizes:
        known.audience(key, where)


def _look_at_rejections(counts: Document, _: Known, where: str) -> None:
    for reason in counts:
        check_known(reason, REASONS, where, "there is no such reason code.")


def _look_at_records(counts: Document, _: Known, where: str) -> None:
    for outcome in counts:
        check_known(outcome, OUTCOMES, where, "no record has such an outcome.")


_EXPECTED: Mapping[str, Callable[[Any, Known, str], None]] = {
    "segments": _look_at_segments,
    "requests": _look_at_requests,
    "audiences": _look_at_audiences,
    "rejections": _look_at_rejections,
    "records": _look_at_records,
}


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Puts the place in the scenario before that within a part of it."""
    try:
        yield
    except InputError as error:
        error.where = f"{where}.{error.where}"
        raise


def _tests(rule: Rule) -> Iterator[Test]:
    if isinstance(rule, Test):
        yield rule
    else:
        for inner in (rule.rule,) if isinstance(rule, Not) else rule.rules:
            yield from _tests(inner)


@cache
def _root_fields() -> tuple[str, ...]:
    """The root fields of every API version: a client of another time asks for what an API version does not have."""
    schemas = [executable_schema(name) for name in API_VERSIONS]
    roots = [root for schema in schemas for root in (schema.query_type, schema.mutation_type) if root is not None]
    return tuple(dict.fromkeys(name for root in roots for name in root.fields))
