"""What the published destination uses of a schema, read off the documents that it writes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    validate,
    visit,
)

from emulator.harness.drift.cases import cases
from emulator.harness.recorded_cases import replay
from emulator.mapping import generations, load_definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document that the destination writes, and the part of it that does (`3.517.0 Sync Audience`)."""

    writer: str
    document: DocumentNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One place where arguments or the members of an input object are written: all names that have a value there."""

    writer: str
    container: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Schema coordinates with their writers: types, fields, arguments, input fields, and enum values.

    A value of an enum counts when it is sent, or when the answer's field that holds it is read: whatever it is then
    means something to the destination. `written` are the documents that differ in what they use.
    """

    written: tuple[Written, ...]
    touched: Mapping[str, frozenset[str]]
    read: Mapping[str, frozenset[str]]
    filled: frozenset[Filled]

    def of(self, coordinate: str) -> frozenset[str]:
        """Who uses this."""
        return self.touched.get(coordinate, frozenset())

    def reading(self, type_name: str) -> frozenset[str]:
        """Who reads values of this type from an answer."""
        return self.read.get(type_name, frozenset())

    def lacking(self, container: str, name: str) -> frozenset[str]:
        """Who writes the container, a field or an input type, somewhere without a value for the name."""
        return frozenset(
            place.writer for place in self.filled if place.container == container and name not in place.names
        )

    def filling_other_than_one(self, container: str) -> frozenset[str]:
        """Who writes this input type somewhere with values for none, or for more than one, of its fields."""
        return frozenset(
            place.writer for place in self.filled if place.container == container and len(place.names) != 1
        )


def usage_of(schema: GraphQLSchema) -> Usage:
    """What the generations that speak this schema use of it: those all of whose documents are valid."""
    walk = _Walk(schema)
    written: list[Written] = []
    for generation in generations():
        documents = list(_documents(generation))
        if not any(validate(schema, each.document) for each in documents):
            written += [each for each in documents if walk.learns_from(each)]
    return Usage(
        written=tuple(written),
        touched={coordinate: frozenset(writers) for coordinate, writers in walk.touched.items()},
        read={name: frozenset(writers) for name, writers in walk.read.items()},
        filled=frozenset(walk.filled),
    )


def _documents(generation: str) -> Iterator[Written]:
    """Every document of a generation, but for those that its known defects make unreadable."""
    for case in cases(load_definition(generation)):
        for request in replay(case)["requests"]:
            try:
                document = parse(json.loads(request["body"])["query"])
            except GraphQLError:
                continue
            yield Written(writer=f"{generation} {case['purpose']}", document=document)


class _Walk:
    """Gathers what documents touch."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.touched: defaultdict[str, set[str]] = defaultdict(set)
        self.read: defaultdict[str, set[str]] = defaultdict(set)
        self.filled: set[Filled] = set()

    def learns_from(self, written: Written) -> bool:
        """Walks a document; whether it used anything, or left out anything, for the first time."""
        before = self._known()
        types = TypeInfo(self._schema)
        visit(written.document, TypeInfoVisitor(types, _Touch(types, written.writer, self)))
        return self._known() > before

    def _known(self) -> int:
        return sum(map(len, self.touched.values())) + len(self.filled)


class _Touch(Visitor):
    """One document's walk. The document is valid, so that everything in it has a type."""

    def __init__(self, types: TypeInfo, writer: str, walk: _Walk) -> None:
        super().__init__()
        self._types = types
        self._writer = writer
        self._walk = walk

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        coordinate = f"{self._types.get_parent_type()}.{node.name.value}"
        answered = get_named_type(self._types.get_type())
        self._touch(str(self._types.get_parent_type()), coordinate, str(answered))
        self._walk.read[str(answered)].add(self._writer)
        if isinstance(answered, GraphQLEnumType):
            self._touch(*(f"{answered}.{value}" for value in answered.values))
        for argument in node.arguments or ():
            self._touch(f"{coordinate}({argument.name.value}:)")
        self._fill(coordinate, node.arguments or ())

    def enter_argument(self, *_: Any) -> None:
        self._touch(str(self._input_type()))

    def enter_object_field(self, *_: Any) -> None:
        self._touch(str(self._input_type()))

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self._touch(f"@{node.name.value}")

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> None:
        container = str(self._input_type())
        self._touch(*(f"{container}.{member.name.value}" for member in node.fields))
        self._fill(container, node.fields)

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        self._touch(f"{self._input_type()}.{node.value}")

    def _input_type(self) -> GraphQLNamedType | None:
        return get_named_type(self._types.get_input_type())

    def _touch(self, *coordinates: str) -> None:
        for coordinate in coordinates:
            self._walk.touched[coordinate].add(self._writer)

    def _fill(self, container: str, members: Iterable[ArgumentNode | ObjectFieldNode]) -> None:
        names = frozenset(member.name.value for member in members if not isinstance(member.value, NullValueNode))
        self._walk.filled.add(Filled(writer=self._writer, container=container, names=names))
