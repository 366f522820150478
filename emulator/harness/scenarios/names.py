"""Checks of the names in a scenario that its schema cannot state: each must be known to the workspace or the emulator.

An action with an unknown name would have no effect, and an expectation with one could pass by accident.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from emulator.errors import InputError, unknown
from emulator.faults import parse_definition
from emulator.harness.scenarios.model import Document
from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema
from emulator.stackadapt.rules.mapping_columns import BUILTIN_TYPES
from emulator.stackadapt.rules.outcomes import OUTCOMES, REASONS
from emulator.stackadapt.rules.segment_rules import AUDIENCE_FIELDS, Not, Rule, Test, parse_rule
from emulator.workspace import Workspace

_RULE_FIELDS = ("email", "marketing_status", *sorted(AUDIENCE_FIELDS), *BUILTIN_TYPES)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """The names that a scenario may use. `words` are those in its workspace, its people and its actions except faults:
    a mapping or a GraphQL document can name fields and operations of its own.
    """

    workspace: Workspace
    words: frozenset[str]

    def audience(self, key: str, where: str) -> None:
        """Raises UnknownName for an audience that the workspace does not declare."""
        check_name("audience", key, [audience.key for audience in self.workspace.audiences], where)

    def operation(self, name: str, where: str) -> None:
        """Raises UnknownName for a root field that no API version has and no document requests."""
        if name not in self.words:
            check_name("root field", name, _root_fields(), where, listing=False)

    def field(self, name: str, where: str) -> None:
        """Raises UnknownName for a field of a rule that nothing in the scenario sets."""
        # A name may consist of several words.
        if not self.words.issuperset(words_of(name)):
            check_name("profile field", name, (*_RULE_FIELDS, *sorted(self.words)), where, listing=False)


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


def check_name(kind: str, name: str, known: Iterable[str], where: str, *, listing: bool = True) -> None:
    """Raises UnknownName for a name that is not among the known ones; `listing` prints those."""
    names = list(known)
    if name not in names:
        raise unknown(kind, name, names, where=where, listing=listing)


def check_names(step: Document, known: KnownNames, where: str) -> None:
    """Raises InputError for the first unknown name in a step that fits the schema."""
    for index, action in enumerate(step.get("when", ())):
        _check_action(action, known, f"{where}.when[{index}]")
    then, where = step.get("then", {}), f"{where}.then"
    for index, segment in enumerate(then.get("segments", ())):
        place = f"{where}.segments[{index}]"
        with _inside(place):
            rule = parse_rule(segment["rule"])
        for test in _tests(rule):
            known.field(test.field, f"{place}.{test.place}.field")
    for index, request in enumerate(then.get("requests", ())):
        if "operation" in request:
            known.operation(request["operation"], f"{where}.requests[{index}].operation")
    for key in then.get("audiences", ()):
        known.audience(key, f"{where}.audiences")
    for reason in then.get("rejections", ()):
        check_name("reason code", reason, REASONS, f"{where}.rejections")
    for outcome in then.get("records", ()):
        check_name("record outcome", outcome, OUTCOMES, f"{where}.records")


def _check_action(action: Document, known: KnownNames, where: str) -> None:
    for verb in ("enter", "exit", "compute"):
        if verb in action:
            known.audience(action[verb], f"{where}.{verb}")
    if "fault" in action:
        with _inside(where):
            parse_definition(action)
        if "operation" in action:
            known.operation(action["operation"], f"{where}.operation")


@contextmanager
def _inside(where: str) -> Iterator[None]:
    """Prefixes the place in an error with the place in the scenario."""
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
    """The root fields of all API versions: a client may request what the version under test does not have."""
    schemas = [executable_schema(name) for name in API_VERSIONS]
    roots = [root for schema in schemas for root in (schema.query_type, schema.mutation_type) if root is not None]
    return tuple(dict.fromkeys(name for root in roots for name in root.fields))
