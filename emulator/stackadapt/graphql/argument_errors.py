"""Arguments that turn out to be wrong when a field is executed, in the words of graphql-js 16.

A variable with a default may be null where null is not allowed: only its value shows that. The library here then names
the variable, where graphql-js prints the whole argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from graphql import ArgumentNode, DocumentNode, GraphQLError, VariableNode, Visitor, visit

from emulator.stackadapt.graphql.error_format import GraphQLJSError
from emulator.stackadapt.graphql.javascript_text import printed

_WRONG: Final = re.compile(r"^Argument ['\"](\w+)['\"] has invalid value", re.DOTALL)
_TYPE: Final = re.compile(r"non-null type ['\"]([^'\"]+)['\"]")


def reworded(errors: Iterable[GraphQLError], document: DocumentNode) -> Iterator[GraphQLError]:
    """The errors of an executed document, those of its arguments with the text and the place of graphql-js."""
    for error in errors:
        wrong = _WRONG.match(error.message)
        argument = _argument_at(document, wrong[1], error) if wrong else None
        yield _reworded(error, argument) if argument else error


def _reworded(error: GraphQLError, argument: ArgumentNode) -> GraphQLError:
    name, kind = argument.name.value, _TYPE.search(error.message)
    if isinstance(argument.value, VariableNode) and kind:
        text = f'Argument "{name}" of non-null type "{kind[1]}" must not be null.'
    else:
        text = f'Argument "{name}" has invalid value {printed(argument.value)}.'
    return GraphQLJSError(text, argument.value, path=error.path)


def _argument_at(document: DocumentNode, name: str, error: GraphQLError) -> ArgumentNode | None:
    """The argument of this name that contains the place of the error."""
    search = _Search(name, next(iter(error.positions or ()), -1))
    visit(document, search)
    return search.found


class _Search(Visitor):
    def __init__(self, name: str, position: int) -> None:
        super().__init__()
        self.found: ArgumentNode | None = None
        self._name, self._position = name, position

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if node.name.value == self._name and node.loc and node.loc.start <= self._position < node.loc.end:
            self.found = node
