"""Documents that differ in their string literals only, parsed and validated once.

A client writes the same document again and again with other strings in it. A *shape* is such a document with each
literal lifted to a variable of the type at its place; if that document is valid, so is every document of the shape.
What is unusual (comments, block strings, unicode escapes, a document that is not valid) has no shape and takes the
ordinary way, which also words all errors.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLScalarType,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    parse_type,
    visit,
)

from emulator.stackadapt.graphql.document import (
    check_size,
    chosen_operation,
    parse_document,
    root_fields,
    split_at_literals,
)
from emulator.stackadapt.graphql.plans import NotPlanned, Plan
from emulator.stackadapt.graphql.schema import executable_schema
from emulator.stackadapt.graphql.validation import validation_errors
from emulator.stackadapt.limits import Limits

_MOST: Final = 100
# A document with its literals left out; longer ones are rare, and must not fill the memory.
_LONGEST: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A valid document with its literals lifted to the variables `names`, in their order in the text.

    `operation` is the one to run, `written` the same as in the text: without the variables for literals. `plan` is None
    for what the library must execute.
    """

    document: DocumentNode
    operation: OperationDefinitionNode
    written: OperationDefinitionNode
    fields: tuple[FieldNode, ...]
    names: tuple[str, ...]
    plan: Plan | None


@cache
def shapes_of(api_version: str, limits: Limits) -> Shapes:
    """The shapes of the documents of an API version, one collection per process."""
    return Shapes(executable_schema(api_version), limits)


class Shapes:
    """The shapes of one schema that were used last."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._known: OrderedDict[tuple[str, str | None], Shape | None] = OrderedDict()
        self._lock = Lock()

    def of(self, text: str, operation_name: str | None) -> tuple[Shape, dict[str, str]] | None:
        """The shape of a document and the values of its variables for literals; None for one that has no shape."""
        split = split_at_literals(text)
        if split is None or len(split[0]) > _LONGEST:
            return None
        blank, values = split
        key = (blank, operation_name)
        with self._lock:
            known = key in self._known
            if known:
                self._known.move_to_end(key)
            shape = self._known.get(key)
        if not known:
            shape = self._shape_of(text, operation_name, len(values))
            with self._lock:
                self._known[key] = shape
                if len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return (shape, dict(zip(shape.names, values, strict=True))) if shape else None

    def _shape_of(self, text: str, operation_name: str | None, literals: int) -> Shape | None:
        try:
            document = parse_document(text, self._limits, places=False)
            check_size(document, self._limits)
            written = chosen_operation(document, operation_name)
        except GraphQLError:
            return None
        lifted, names = _lifted(self._schema, document, written, taken=text)
        if lifted is None or len(names) != literals or validation_errors(self._schema, lifted):
            return None
        operation = chosen_operation(lifted, operation_name)
        if operation.operation is OperationType.SUBSCRIPTION:
            return None
        fields = root_fields(lifted, operation)
        return Shape(
            document=lifted,
            operation=operation,
            written=written,
            fields=fields,
            names=tuple(names),
            plan=_plan(self._schema, operation) if not written.variable_definitions else None,
        )


def _plan(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Plan | None:
    try:
        return Plan(schema, operation)
    except (NotPlanned, RecursionError):
        return None


def _lifted(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, *, taken: str
) -> tuple[DocumentNode | None, list[str]]:
    """The document with a variable in place of each literal, declared by the operation, and the variables' names.

    None for a literal in a place that takes no string. The names do not occur in the text `taken`.
    """
    prefix = "literal"
    while prefix in taken:
        prefix += "_"
    types = TypeInfo(schema)
    lifting = _Lifting(types, prefix)
    index = document.definitions.index(operation)
    changed = visit(document, TypeInfoVisitor(types, lifting))
    names = [f"{prefix}{number}" for number in range(len(lifting.kinds))]
    if None in lifting.kinds:
        return None, names
    definitions = list(changed.definitions)
    definitions[index] = _declaring(definitions[index], dict(zip(names, lifting.kinds, strict=True)))
    return DocumentNode(definitions=tuple(definitions)), names


def _declaring(operation: OperationDefinitionNode, kinds: Mapping[str, GraphQLInputType | None]) -> Any:
    """The operation with more variables, of these types."""
    added = (
        VariableDefinitionNode(
            variable=VariableNode(name=NameNode(value=name)),
            type=parse_type(str(kind), no_location=True),
            default_value=None,
            directives=(),
        )
        for name, kind in kinds.items()
    )
    return OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=(*(operation.variable_definitions or ()), *added),
        directives=operation.directives,
        selection_set=operation.selection_set,
    )


class _Lifting(Visitor):
    """Replaces each string literal by a variable, but for defaults of variables, which may not have one."""

    def __init__(self, types: TypeInfo, prefix: str) -> None:
        super().__init__()
        self.kinds: list[GraphQLInputType | None] = []
        self._types = types
        self._prefix = prefix

    def enter_variable_definition(self, *_: Any) -> Any:
        return self.SKIP

    def enter_string_value(self, *_: Any) -> Any:
        name = f"{self._prefix}{len(self.kinds)}"
        kind = self._types.get_input_type()
        # An enum takes a string as a variable, but not as a literal.
        self.kinds.append(kind if isinstance(get_named_type(kind), GraphQLScalarType) else None)
        return VariableNode(name=NameNode(value=name))
