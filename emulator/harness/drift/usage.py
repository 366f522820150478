"""Which parts of a schema the published destination uses, according to the documents that it writes."""

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
    """A document of the destination, and the part of the destination that writes it (`3.517.0 Sync Audience`)."""

    writer: str
    document: DocumentNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One use of a field with arguments or of an input object: the names that have a value in it."""

    writer: str
    container: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Schema coordinates with their writers: types, fields, arguments, input fields and enum values.

    An enum value is used if it is sent, or if a response field of its type is read. `written` are the documents that
    differ in what they use.
    """

    written: tuple[Written, ...]
    touched: Mapping[str, frozenset[str]]
    read: Mapping[str, frozenset[str]]
    filled: frozenset[Filled]

    def of(self, coordinate: str) -> frozenset[str]:
        """The writers that use a coordinate."""
        return self.touched.get(coordinate, frozenset())

    def reading(self, type_name: str) -> frozenset[str]:
        """The writers that read values of this type from a response."""
        return self.read.get(type_name, frozenset())

    def lacking(self, container: str, name: str) -> frozenset[str]:
        """The writers that use the container, a field or an input type, at least once without a value for the name."""
        return frozenset(each.writer for each in self.filled if each.container == container and name not in each.names)

    def filling_other_than_one(self, container: str) -> frozenset[str]:
        """The writers that set none or several fields of this input type at least once."""
        return frozenset(each.writer for each in self.filled if each.container == container and len(each.names) != 1)


def usage_of(schema: GraphQLSchema) -> Usage:
    """What the generations written for this schema use of it: those whose documents are all valid."""
    collector = _Collector(schema)
    written: list[Written] = []
    for generation in generations():
        documents = list(_documents(generation))
        if not any(validate(schema, each.document) for each in documents):
            written += [each for each in documents if collector.adds(each)]
    return Usage(
        written=tuple(written),
        touched={coordinate: frozenset(writers) for coordinate, writers in collector.touched.items()},
        read={name: frozenset(writers) for name, writers in collector.read.items()},
        filled=frozenset(collector.filled),
    )


def _documents(generation: str) -> Iterator[Written]:
    """Every document of a generation, except those that its known defects make unparsable."""
    for case in cases(load_definition(generation)):
        for request in replay(case)["requests"]:
            try:
                document = parse(json.loads(request["body"])["query"])
            except GraphQLError:
                continue
            yield Written(writer=f"{generation} {case['purpose']}", document=document)


class _Collector:
    """Collects what documents use."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.touched: defaultdict[str, set[str]] = defaultdict(set)
        self.read: defaultdict[str, set[str]] = defaultdict(set)
        self.filled: set[Filled] = set()

    def adds(self, written: Written) -> bool:
        """Visits a document. Whether it uses or omits anything that none before did."""
        before = self._size()
        types = TypeInfo(self._schema)
        visit(written.document, TypeInfoVisitor(types, _UsageVisitor(types, written.writer, self)))
        return self._size() > before

    def _size(self) -> int:
        return sum(map(len, self.touched.values())) + len(self.filled)


class _UsageVisitor(Visitor):
    """Visits one document. It is valid, so everything in it has a type."""

    def __init__(self, types: TypeInfo, writer: str, collector: _Collector) -> None:
        super().__init__()
        self._types = types
        self._writer = writer
        self._collector = collector

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        coordinate = f"{self._types.get_parent_type()}.{node.name.value}"
        returned = get_named_type(self._types.get_type())
        self._touch(str(self._types.get_parent_type()), coordinate, str(returned))
        self._collector.read[str(returned)].add(self._writer)
        if isinstance(returned, GraphQLEnumType):
            self._touch(*(f"{returned}.{value}" for value in returned.values))
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
            self._collector.touched[coordinate].add(self._writer)

    def _fill(self, container: str, members: Iterable[ArgumentNode | ObjectFieldNode]) -> None:
        names = frozenset(member.name.value for member in members if not isinstance(member.value, NullValueNode))
        self._collector.filled.add(Filled(writer=self._writer, container=container, names=names))
