"""Which parts of a schema the published destination uses, according to the documents that it writes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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
    """A document of the destination, and the part of the destination that writes it (`3.517.0 Sync Audience`)."""

    writer: str
    document: DocumentNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One use of a field with arguments or of an input object: the names that have a value in it."""

    writer: str
    container: str
    names: frozenset[str]


@dataclass(slots=True)
class Usage:
    """Schema coordinates with their writers: types, fields, arguments, input fields and enum values.

    An enum value is used if it is sent, or if a response field of its type is read. `written` are the documents that
    differ in what they use.
    """

    written: list[Written] = field(default_factory=list)
    touched: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    read: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    filled: set[Filled] = field(default_factory=set)

    def of(self, coordinate: str) -> frozenset[str]:
        """The writers that use a coordinate."""
        return frozenset(self.touched.get(coordinate, ()))

    def reading(self, type_name: str) -> frozenset[str]:
        """The writers that read values of this type from a response."""
        return frozenset(self.read.get(type_name, ()))

    def lacking(self, container: str, name: str) -> frozenset[str]:
        """The writers that use the container, a field or an input type, at least once without a value for the name."""
        return frozenset(each.writer for each in self.filled if each.container == container and name not in each.names)

    def filling_other_than_one(self, container: str) -> frozenset[str]:
        """The writers that set none or several fields of this input type at least once."""
        return frozenset(each.writer for each in self.filled if each.container == container and len(each.names) != 1)

    def size(self) -> int:
        """The number of uses; a document that adds none uses only what others use."""
        return sum(map(len, self.touched.values())) + len(self.filled)


def usage_of(schema: GraphQLSchema) -> Usage:
    """What the generations written for this schema use of it: those whose documents are all valid."""
    usage = Usage()
    for generation in generations():
        documents = list(_documents(generation))
        if any(validate(schema, each.document) for each in documents):
            continue
        for each in documents:
            before, types = usage.size(), TypeInfo(schema)
            visit(each.document, TypeInfoVisitor(types, _UsageVisitor(types, each.writer, usage)))
            if usage.size() > before:
                usage.written.append(each)
    return usage


def _documents(generation: str) -> Iterator[Written]:
    """Every document of a generation, except those that its known defects make unparsable."""
    for case in cases(load_definition(generation)):
        for request in replay(case)["requests"]:
            try:
                document = parse(json.loads(request["body"])["query"])
            except GraphQLError:
                continue
            yield Written(writer=f"{generation} {case['purpose']}", document=document)


class _UsageVisitor(Visitor):
    """Visits one document. It is valid, so everything in it has a type."""

    def __init__(self, types: TypeInfo, writer: str, usage: Usage) -> None:
        super().__init__()
        self._types = types
        self._writer = writer
        self._usage = usage

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        coordinate = f"{self._types.get_parent_type()}.{node.name.value}"
        returned = get_named_type(self._types.get_type())
        self._touch(str(self._types.get_parent_type()), coordinate, str(returned))
        self._usage.read[str(returned)].add(self._writer)
        if isinstance(returned, GraphQLEnumType):
            self._touch(*(f"{returned}.{value}" for value in returned.values))
        for argument in node.arguments or ():
            self._touch(f"{coordinate}({argument.name.value}:)")
        self._fill(coordinate, node.arguments or ())

    def enter_argument(self, *_: Any) -> None:
        self._touch(str(self._input_type()))

    enter_object_field = enter_argument

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
            self._usage.touched[coordinate].add(self._writer)

    def _fill(self, container: str, members: Iterable[ArgumentNode | ObjectFieldNode]) -> None:
        names = frozenset(member.name.value for member in members if not isinstance(member.value, NullValueNode))
        self._usage.filled.add(Filled(writer=self._writer, container=container, names=names))
