"""GraphQL documents: fast parsing, and limits on their size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # documented in the source only

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    Lexer,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    Token,
    TokenKind,
)
from graphql.error import GraphQLSyntaxError

from emulator.graphql_core import parser_of
from emulator.stackadapt import messages
from emulator.stackadapt.limits import Limits
from emulator.text import is_storable

# A string without \u escapes or half surrogates, like the megabytes of profiles that the client sends.
_PLAIN_STRING = re.compile(r'"([^"\\\r\n\ud800-\udfff]*(?:\\["\\/bfnrt][^"\\\r\n\ud800-\udfff]*)*)"', re.ASCII)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# Starts of a comment and a block string; two literals side by side look like the latter.
_NOT_PLAIN = ("#", '"""')
_INTROSPECTION = ("__schema", "__type")
# Marks an error that the real service would not send.
# Longer chains than any client writes.
_LONGEST_CHAIN = 100
_EMULATOR = {"emulator": True}


class DocumentTooLarge(GraphQLError):
    """A document that exceeds one of the `Limits`."""


class NoSuchOperation(GraphQLError):
    """The request names no operation of its document, or the document has none or several to choose from."""


class PlainStringLexer(Lexer):
    """The library's lexer reads strings character by character; this one reads ordinary strings at once."""

    def __init__(self, source: Source, *, comments: int) -> None:
        super().__init__(source)
        self._most_comments = self._comments_left = comments

    def read_comment(self, start: int) -> Token:
        # Not every version of the library counts them: a run of them fills the memory as other tokens do.
        self._comments_left -= 1
        if self._comments_left < 0:
            text = f"Document contains more than {self._most_comments} tokens. Parsing aborted."
            raise GraphQLSyntaxError(self.source, start, text)
        return super().read_comment(start)

    def read_string(self, start: int) -> Token:
        match = _PLAIN_STRING.match(self.source.body, start)
        if match is None:
            return super().read_string(start)
        return self.create_token(TokenKind.STRING, start, match.end(), _unescaped(match[1]))


def _unescaped(text: str) -> str:
    escapes = text.count("\\")
    if escapes == text.count('\\"'):
        return text.replace('\\"', '"') if escapes else text
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text)


def split_at_literals(text: str) -> tuple[str, list[str]] | None:
    """A document with each of its string literals empty, and their values.

    None unless all of them are plain: in one line, without escapes by number, and no comment or block string is near.
    """
    if "\\u" in text or not (text.isascii() or is_storable(text)):
        return None
    outside, literals, end = [], [], 0
    try:
        while (start := text.find('"', end)) >= 0:
            outside.append(text[end:start])
            # JSON's strings are those of GraphQL, with fewer characters; this reads them in C.
            literal, end = scanstring(text, start + 1, True)
            literals.append(literal)
    except ValueError:
        return None
    outside.append(text[end:])
    blank = '""'.join(outside)
    return None if any(mark in blank for mark in _NOT_PLAIN) else (blank, literals)


def parse_document(text: str, limits: Limits, *, places: bool = True) -> DocumentNode:
    """The syntax tree, with the place of each node unless `places` is false.

    Raises GraphQLSyntaxError, also for more tokens than `limits.tokens`.
    """
    source = Source(text)
    parser = parser_of(PlainStringLexer(source, comments=limits.tokens), tokens=limits.tokens, places=places)
    try:
        return parser.parse_document()
    except RecursionError:
        raise GraphQLSyntaxError(source, 0, "Document is nested too deeply. Parsing aborted.") from None


def check_size(document: DocumentNode, limits: Limits) -> None:
    """Raises DocumentTooLarge for too many aliases or selections, or too deeply nested fields."""
    fields = list(_selections(document))
    aliases = sum(isinstance(node, FieldNode) and node.alias is not None for node in fields)
    for what, found, limit in (("selections", len(fields), limits.selections), ("aliases", aliases, limits.aliases)):
        if found > limit:
            raise DocumentTooLarge(messages.TOO_MANY.format(found, what, limit), extensions=_EMULATOR)
    fragments = _fragments(document)
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            found = _depth(operation.selection_set, fragments, {}, 0)
            if found > limits.depth:
                raise DocumentTooLarge(messages.TOO_DEEP.format(found, limits.depth), extensions=_EMULATOR)


def chosen_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that `operationName` selects. Raises NoSuchOperation when there is none or more than one."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name is not None:
        operations = [each for each in operations if each.name is not None and each.name.value == name][:1]
    if len(operations) != 1:
        raise NoSuchOperation(messages.NO_SUCH_OPERATION)
    return operations[0]


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> tuple[FieldNode, ...]:
    """An operation's root fields in document order, those of its fragments included."""
    return tuple(_fields_of(operation.selection_set, _fragments(document)))


def fields_within(document: DocumentNode, node: FieldNode) -> tuple[FieldNode, ...]:
    """The fields that are selected of a field, those of its fragments included."""
    return tuple(_fields_of(node.selection_set, _fragments(document))) if node.selection_set else ()


def asks_introspection(text: str, limits: Limits) -> bool:
    """Whether any operation of the document queries the schema; False when it cannot be parsed."""
    try:
        document = parse_document(text, limits)
    except GraphQLError:
        return False
    return any(
        field.name.value in _INTROSPECTION
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        for field in root_fields(document, definition)
    )


def _selections(document: DocumentNode) -> Iterator[FieldNode | FragmentSpreadNode]:
    pending = [
        definition.selection_set
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FieldNode | FragmentSpreadNode):
                yield node
            inner = getattr(node, "selection_set", None)
            if inner is not None:
                pending.append(inner)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def _depth(
    selections: SelectionSetNode | None,
    fragments: dict[str, FragmentDefinitionNode],
    known: dict[str, int],
    opened: int,
) -> int:
    """How deep fields are nested, within `opened` fragments. `known` has the depth of the fragments visited so far.

    Raises DocumentTooLarge for a long chain of fragments, which other walks of the document follow recursively.
    """
    deepest = 0
    for node in selections.selections if selections else ():
        if isinstance(node, FragmentSpreadNode):
            inner = _fragment_depth(node.name.value, fragments, known, opened + 1)
        else:
            inner = _depth(getattr(node, "selection_set", None), fragments, known, opened) + isinstance(node, FieldNode)
        deepest = max(deepest, inner)
    return deepest


def _fragment_depth(name: str, fragments: dict[str, FragmentDefinitionNode], known: dict[str, int], opened: int) -> int:
    if opened > _LONGEST_CHAIN:
        text = messages.TOO_MANY.format(opened, "fragments within each other", _LONGEST_CHAIN)
        raise DocumentTooLarge(text, extensions=_EMULATOR)
    if name in fragments and name not in known:
        # A fragment within itself adds no depth; validation refuses it.
        known[name] = 0
        known[name] = _depth(fragments[name].selection_set, fragments, known, opened)
    return known.get(name, 0)


def _fields_of(selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    # Without recursion: the document may not have been checked for its size.
    opened: set[str] = set()
    pending = [iter(selections.selections)]
    while pending:
        node = next(pending[-1], None)
        inner: SelectionSetNode | None = None
        if node is None:
            pending.pop()
        elif isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in fragments and name not in opened:
                opened.add(name)
                inner = fragments[name].selection_set
        else:
            inner = getattr(node, "selection_set", None)
        if inner is not None:
            pending.append(iter(inner.selections))
