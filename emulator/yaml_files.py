"""Reads YAML and JSON files safely, with the line of what does not parse.

The result is always representable in JSON: a date stays a string, and keys are strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecodeError
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.constructor import ConstructorError

from emulator import strict_json
from emulator.errors import UserMistake
from emulator.schemas import in_words, is_deeper_than
from emulator.text_files import read_text, suffix_of

try:
    # libyaml reads the default workspace in 1 ms instead of 6.
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

_JSON = ".json"
_NESTING_LIMIT = 64
_TAG = "tag:yaml.org,2002:"
_KINDS = tuple(f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map"))


class _Loader(SafeLoader):
    """Accepts only the types that JSON has."""

    # Plain scalars that look like another type, such as a date, are strings.
    yaml_implicit_resolvers = {  # noqa: RUF012 - a class attribute by PyYAML's design
        first: [(tag, form) for tag, form in forms if tag in (*_KINDS, f"{_TAG}merge")]
        for first, forms in SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {tag: SafeLoader.yaml_constructors[tag] for tag in _KINDS}  # noqa: RUF012

    def construct_document(self, node: Any) -> Any:
        _check_keys(node)
        # Everything at once, so that a value that contains itself is refused.
        self.deep_construct = True
        return super().construct_document(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        for key, _ in node.value:
            if key.tag != f"{_TAG}str":
                raise ConstructorError(None, None, f"the key {key.value} is not a string: quote it", key.start_mark)
        return mapping

    def finite(self, node: Any) -> float:
        """A number. Raises ConstructorError for one that JSON cannot represent."""
        number = self.construct_yaml_float(node)
        if not isfinite(number):
            raise ConstructorError(None, None, f"{node.value} is not a JSON number", node.start_mark)
        return number

    def refuse(self, node: Any) -> NoReturn:
        """Raises ConstructorError for a type that JSON does not have."""
        kind = node.tag.replace(_TAG, "!!")
        raise ConstructorError(None, None, f"{kind} has no equivalent in JSON", node.start_mark)


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


_Loader.add_constructor(f"{_TAG}float", _Loader.finite)
_Loader.add_constructor(None, _Loader.refuse)


def load_yaml(text: str) -> Any:
    """The value of a YAML string that the package ships."""
    return yaml.load(text, SafeLoader)


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
    except JSONDecodeError as error:
        place = f"{where}, line {error.lineno}, column {error.colno}"
        raise mistake(f"not JSON: {error.msg}", where=place) from None
    except (ValueError, LookupError) as error:
        # Such as a value that does not match its tag, `!!int x`.
        raise mistake(f"invalid value: {error}", where=where) from None
    except RecursionError:
        raise _too_deep(where, mistake) from None
    if not isinstance(document, dict):
        raise mistake(f"{what} must be an object", where=where, found=in_words(document))
    if is_deeper_than(_NESTING_LIMIT, document):
        raise _too_deep(where, mistake)
    return document


def _parsed(text: str, *, json: bool) -> Any:
    # YAML is almost a superset of JSON: not for tabs and the escapes of surrogate pairs.
    if json:
        return strict_json.parse(text)
    return yaml.load(text, _Loader)  # noqa: S506 - more restrictive than the safe loader


def _too_deep(where: str, mistake: type[UserMistake]) -> UserMistake:
    return mistake("nested too deeply", where=where, allowed=f"{_NESTING_LIMIT} levels")
