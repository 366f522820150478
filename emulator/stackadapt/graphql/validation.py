"""Validation of a document by the rules of graphql-js 16, with its errors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from graphql import (
    ASTValidationRule,
    BooleanValueNode,
    DocumentNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    ValidationRule,
    ValueNode,
    get_named_type,
    is_leaf_type,
    is_non_null_type,
    is_required_input_field,
    specified_rules,
    validate,
)
from graphql.language import SKIP, VisitorAction

from emulator.stackadapt.graphql.error_format import GraphQLJSError
from emulator.stackadapt.graphql.javascript_text import printed, suggested
from emulator.stackadapt.graphql.leaf_values import literal_mistake


class LiteralsRule(ValidationRule):
    """The rule ValuesOfCorrectType as in graphql-js 16; newer versions word it anew and visit in another order."""

    def enter_list_value(self, node: ListValueNode, *_: Any) -> VisitorAction:
        # The current type is that of the items; that of the list is the parent's.
        parent = self.context.get_parent_input_type()
        kind = parent.of_type if isinstance(parent, GraphQLNonNull) else parent
        if isinstance(kind, GraphQLList):
            return None
        self._check(node, kind)
        return SKIP

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> VisitorAction:
        kind = get_named_type(self.context.get_input_type())
        if not isinstance(kind, GraphQLInputObjectType):
            self._check(node, self.context.get_input_type())
            return SKIP
        given = {field.name.value for field in node.fields}
        for name, field in kind.fields.items():
            if name not in given and is_required_input_field(field):
                self._report(f'Field "{kind.name}.{name}" of required type "{field.type}" was not provided.', node)
        return None

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        parent = get_named_type(self.context.get_parent_input_type())
        if self.context.get_input_type() is None and isinstance(parent, GraphQLInputObjectType):
            name = node.name.value
            suggestion = suggested(name, parent.fields)
            self._report(f'Field "{name}" is not defined by type "{parent.name}".{suggestion}', node)

    def enter_null_value(self, node: NullValueNode, *_: Any) -> None:
        kind = self.context.get_input_type()
        if is_non_null_type(kind):
            self._report(f'Expected value of type "{kind}", found null.', node)

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        self._check(node, self.context.get_input_type())

    def enter_int_value(self, node: IntValueNode, *_: Any) -> None:
        self._check(node, self.context.get_input_type())

    def enter_float_value(self, node: FloatValueNode, *_: Any) -> None:
        self._check(node, self.context.get_input_type())

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        self._check(node, self.context.get_input_type())

    def enter_boolean_value(self, node: BooleanValueNode, *_: Any) -> None:
        self._check(node, self.context.get_input_type())

    def _check(self, node: ValueNode, expected: GraphQLInputType | None) -> None:
        kind = get_named_type(expected)
        if kind is None:
            return
        if not is_leaf_type(kind):
            self._report(f'Expected value of type "{expected}", found {printed(node)}.', node)
            return
        try:
            mistake = literal_mistake(kind, node)
        except GraphQLError as error:
            self.report_error(error)
        else:
            if mistake is not None:
                self._report(mistake, node)

    def _report(self, message: str, node: ValueNode | ObjectFieldNode) -> None:
        self.report_error(GraphQLJSError(message, node))


class UndefinedVariablesRule(ValidationRule):
    """The rule NoUndefinedVariables, which reports at the end of an operation; newer versions do at its start."""

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        defined = {each.variable.name.value for each in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            name = usage.node.name.value
            if name not in defined:
                by = f' by operation "{operation.name.value}"' if operation.name else ""
                self.report_error(GraphQLJSError(f'Variable "${name}" is not defined{by}.', [usage.node, operation]))


class UnusedVariablesRule(ValidationRule):
    """The rule NoUnusedVariables, which reports at the end of an operation; newer versions do at its start."""

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        used = {usage.node.name.value for usage in self.context.get_recursive_variable_usages(operation)}
        within = f' in operation "{operation.name.value}"' if operation.name else ""
        for each in operation.variable_definitions or ():
            name = each.variable.name.value
            if name not in used:
                self.report_error(GraphQLJSError(f'Variable "${name}" is never used{within}.', each))


# By the rule of the library. It has one that graphql-js 16 does not have: a subscription is refused when it is to run.
_OWN: Final[Mapping[str, type[ASTValidationRule] | None]] = MappingProxyType(
    {
        "KnownOperationTypesRule": None,
        "NoUndefinedVariablesRule": UndefinedVariablesRule,
        "NoUnusedVariablesRule": UnusedVariablesRule,
        "ValuesOfCorrectTypeRule": LiteralsRule,
    }
)
_RULES: Final = tuple(own for rule in specified_rules if (own := _OWN.get(rule.__name__, rule)) is not None)


def validation_errors(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """The errors of a document; empty if it may run."""
    return validate(schema, document, _RULES)
