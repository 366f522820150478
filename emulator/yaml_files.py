"""Reads YAML and JSON files safely, with the line of what does not parse.

The result is always representable in JSON: keys are strings, and a plain scalar is text unless it is a null, a boolean
or a number of the core schema of YAML 1.2. So what only YAML 1.1 gives another type is text: `no` is Norway, `1:30` a
time, `2026-01-01` a date. So is a number that starts with a zero: `02134` is a postal code. In YAML 1.1 it is octal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from json import JSONDecodeError
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.constructor import ConstructorError

from emulator import strict_json
from emulator.errors import UserMistake
from emulator.schemas import NESTING_LIMIT, in_words, is_deeper_than
from emulator.text_files import read_text, suffix_of

try:
    # libyaml reads the default workspace in 1 ms instead of 6.
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]  # the same in Python

_JSON = ".json"
# Those of YAML 1.1 besides the usual ones.
_OLD_LINE_BREAKS = frozenset("\x85\u2028\u2029")
_TAG = "tag:yaml.org,2002:"
_NULL, _BOOL, _INT, _FLOAT, _MERGE = (f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "merge"))
_CONSTRUCTED = (_NULL, f"{_TAG}str", f"{_TAG}seq", f"{_TAG}map")
# Everything that reads a document visits a value once for each alias to it, so a few lines of aliases to aliases would
# be billions of values.
REPEATED_VALUES_LIMIT = 100_000
_BOOLEANS = {"true": True, "false": False}
_HEXADECIMAL = "0x"
# Which plain scalars are not text, and the characters that they start with. `<<` merges another mapping where it is a
# key; YAML 1.2 has no such key, but files use it.
_FORMS = (
    (_NULL, r"~|null|Null|NULL|", ("~", "n", "N", "")),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    (_INT, r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+", tuple("-+0123456789")),
    (
        _FLOAT,
        r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        tuple("-+.0123456789"),
    ),
    (_MERGE, "<<", ("<",)),
)


class _Loader(SafeLoader):
    """Accepts only the types that JSON has."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the base class declares it so - a class attribute by PyYAML's design
    yaml_constructors = {tag: SafeLoader.yaml_constructors[tag] for tag in _CONSTRUCTED}  # noqa: RUF012 - as above

    def construct_document(self, node: Any) -> Any:
        _check_keys(node)
        _check_aliases(node)
        # Everything at once, so that a value that contains itself is refused.
        self.deep_construct = True
        return super().construct_document(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        for key, _ in node.value:
            if key.tag != f"{_TAG}str":
                raise ConstructorError(None, None, f"the key {key.value} is not a string: quote it", key.start_mark)
        return mapping

    def text(self, node: Any) -> str:
        """`<<` where it is a value."""
        return str(node.value)

    def boolean(self, node: Any) -> bool:
        """True or false. Raises ConstructorError for another word with the tag of a boolean."""
        value = _BOOLEANS.get(node.value.lower())
        if value is None:
            raise ConstructorError(None, None, f"{node.value!r} is neither true nor false", node.start_mark)
        return value

    def integer(self, node: Any) -> int:
        """An integer. Raises ConstructorError for one of too many digits, and for a word with the tag of an integer."""
        try:
            return int(node.value, 16 if node.value.startswith(_HEXADECIMAL) else 10)
        except ValueError as error:
            raise ConstructorError(None, None, f"invalid integer: {error}", node.start_mark) from None

    def finite(self, node: Any) -> float:
        """A number. Raises ConstructorError for one that JSON cannot represent."""
        try:
            number = float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError as error:
            raise ConstructorError(None, None, f"invalid number: {error}", node.start_mark) from None
        if not isfinite(number):
            raise ConstructorError(None, None, f"{node.value} is not a JSON number", node.start_mark)
        return number

    def refuse(self, node: Any) -> NoReturn:
        """Raises ConstructorError for a type that JSON does not have."""
        kind = node.tag.replace(_TAG, "!!")
        raise ConstructorError(None, None, f"{kind} has no equivalent in JSON", node.start_mark)


class _Dumper(yaml.SafeDumper):
    """Writes repeated values in full, and quotes what readers of YAML 1.1 or 1.2 would not take for text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """As the library does, with line breaks escaped that only YAML 1.1 knows: a reader may take one for a space."""
        escaped = not _OLD_LINE_BREAKS.isdisjoint(data)
        return self.represent_scalar(f"{_TAG}str", data, style='"' if escaped else None)


def _check_keys(top: yaml.Node) -> None:
    """Raises ConstructorError for a duplicate key. Runs before merging, which may add duplicates legitimately."""
    waiting, seen = [top], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(reversed(node.value))
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, _ in node.value:
                if key.tag == f"{_TAG}str" and key.value in lines:
                    problem = f"duplicate key {key.value!r}, first in line {lines[key.value]}"
                    raise ConstructorError(None, None, problem, key.start_mark)
                lines[str(key.value)] = key.start_mark.line + 1
            waiting.extend(value for _, value in reversed(node.value))


def _check_aliases(top: yaml.Node) -> None:
    """Raises ConstructorError when aliases repeat too many values. Visits each node once, whatever refers to it."""
    sizes: dict[int, int] = {}
    waiting: list[tuple[yaml.Node, bool]] = [(top, False)]
    while waiting:
        node, complete = waiting.pop()
        inner = _inner(node)
        if complete:
            sizes[id(node)] = 1 + sum(sizes[id(each)] for each in inner)
        elif id(node) not in sizes:
            # A value that contains itself counts once here; it is refused when it is constructed.
            sizes[id(node)] = 1
            waiting.append((node, True))
            waiting.extend((each, False) for each in inner)
    if (repeated := sizes[id(top)] - len(sizes)) > REPEATED_VALUES_LIMIT:
        problem = f"aliases repeat {repeated} values, and at most {REPEATED_VALUES_LIMIT} are allowed"
        raise ConstructorError(None, None, problem, top.start_mark)


def _inner(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


_Dumper.add_representer(str, _Dumper.represent_str)
_Loader.add_constructor(_BOOL, _Loader.boolean)
_Loader.add_constructor(_INT, _Loader.integer)
_Loader.add_constructor(_FLOAT, _Loader.finite)
_Loader.add_constructor(_MERGE, _Loader.text)
_Loader.add_constructor(None, _Loader.refuse)
for _tag, _form, _first in _FORMS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(rf"(?:{_form})\Z"), _first)


def load_yaml(text: str) -> Any:
    """The value of a YAML string. Raises YAMLError."""
    return yaml.load(text, _Loader)  # noqa: S506 - more restrictive than the safe loader


def dump_yaml(document: object) -> str:
    """A document as YAML that readers of any version read alike."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read_mapping(path: Path, *, what: str, mistake: type[UserMistake]) -> Mapping[str, Any]:
    """The mapping in a file; `what` names it in messages: `a workspace`. Raises `mistake` when it cannot be read."""
    text = read_text(path, mistake=mistake)
    return parse_mapping(text, where=str(path), what=what, mistake=mistake, json=suffix_of(path) == _JSON)


def parse_mapping(
    text: str, *, where: str, what: str, mistake: type[UserMistake], json: bool = False
) -> Mapping[str, Any]:
    """The mapping in a YAML string, or JSON with `json`, from `where`. Raises `mistake` as `read_mapping` does."""
    try:
        document = _parsed(text, json=json)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}, column {mark.column + 1}" if mark else where
        problem = getattr(error, "problem", None) or "it does not parse"
        message = problem if isinstance(error, ConstructorError) else f"neither YAML nor JSON: {problem}"
        raise mistake(message, where=place) from None
    except strict_json.DuplicateKey as error:
        raise mistake(str(error), where=f"{where}, line {error.line}, column {error.column}") from None
    except JSONDecodeError as error:
        place = f"{where}, line {error.lineno}, column {error.colno}"
        raise mistake(f"not JSON: {error.msg}", where=place) from None
    except ValueError as error:
        # Such as NaN in JSON.
        raise mistake(f"invalid value: {error}", where=where) from None
    except RecursionError:
        raise _too_deep(where, mistake) from None
    if not isinstance(document, dict):
        raise mistake(f"{what} must be an object", where=where, found=in_words(document))
    if is_deeper_than(NESTING_LIMIT, document):
        raise _too_deep(where, mistake)
    return document


def _parsed(text: str, *, json: bool) -> Any:
    # YAML is almost a superset of JSON: not for tabs and the escapes of surrogate pairs.
    if json:
        document = strict_json.parse(text)
        strict_json.check_keys(text)
        return document
    return load_yaml(text)


def _too_deep(where: str, mistake: type[UserMistake]) -> UserMistake:
    return mistake("nested too deeply", where=where, allowed=f"{NESTING_LIMIT} levels")
