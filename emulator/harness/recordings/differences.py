"""Differences between two responses, except for values that change with every run.

Not compared: trace ids, timestamps, the columns of error locations (pseudonyms shift them), and the extension that
marks the emulator's own messages. Generated ids, cursors and URLs are mapped to those of the replay; the mapping must
be consistent, and is applied to later requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*")
_IGNORED: Final = ("traceId", "column")
_GENERATED: Final = re.compile(r"id|url|cursor|\w*(?:Id|ID|_id|Url|Cursor)")
_INDEX: Final = re.compile(r"\[\d+\]")
# A field or argument with an id in a request, at any depth of escaping.
_ID_SENT: Final = re.compile(r"(?:[iI]d|ID)s?\b\W{1,12}?(\w[\w.:/=-]*)")
# A string in a document, or a number that is an id.
_LITERAL: Final = re.compile(r'(?<=")[^"\\\n]+(?=")|(?<=[iI]d: )\d+')


class _Missing:
    """The value of a field that only the other response has."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A path with its recorded and its found value, which may be `MISSING`."""

    path: str
    recorded: Any
    found: Any


class GeneratedIds:
    """Maps ids, cursors and URLs that the service generated to those of the replay."""

    def __init__(self) -> None:
        self._by_path: dict[tuple[str, str], str] = {}
        self._latest: dict[str, str] = {}
        self._sent: set[str] = set()

    def add_request(self, request: str) -> None:
        """Excludes the ids that the client chose: they are the same in the replay."""
        self._sent.update(each for each in _ID_SENT.findall(request) if each not in self._latest)

    def matches(self, path: str, recorded: str, found: str) -> bool:
        """Whether two values may be the same id; maps them when they are new."""
        if recorded in self._sent:
            return recorded == found
        mapped = self._by_path.setdefault((_INDEX.sub("[]", path), recorded), found)
        self._latest[recorded] = mapped
        return mapped == found

    def translate(self, value: Any) -> Any:
        """A recorded request with the ids of the replay: as whole strings, and as literals in a document."""
        if isinstance(value, Mapping):
            return {name: self._field(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.translate(item) for item in value]
        if not isinstance(value, str):
            return value
        if value in self._latest:
            return self._latest[value]
        return _LITERAL.sub(lambda match: self._latest.get(match[0], match[0]), value)

    def _field(self, name: str, value: Any) -> Any:
        """Translates a number only in a field for ids."""
        if isinstance(value, int) and _GENERATED.fullmatch(name):
            return self._latest.get(str(value), value)
        return self.translate(value)


def differences(recorded: Any, found: Any, ids: GeneratedIds, path: str = "") -> Iterator[Difference]:
    """The paths at which two JSON values differ, the topmost of each branch."""
    if isinstance(recorded, Mapping) and isinstance(found, Mapping):
        left, right = _unmarked(recorded), _unmarked(found)
        for name in dict.fromkeys((*left, *right)):
            place = f"{path}.{name}" if path else name
            yield from differences(left.get(name, MISSING), right.get(name, MISSING), ids, place)
    elif isinstance(recorded, list) and isinstance(found, list):
        for index, (each, other) in enumerate(zip_longest(recorded, found, fillvalue=MISSING)):
            yield from differences(each, other, ids, f"{path}[{index}]")
    elif not _same(recorded, found, ids, path):
        yield Difference(path=path, recorded=recorded, found=found)


def _same(recorded: Any, found: Any, ids: GeneratedIds, path: str) -> bool:
    key = _INDEX.sub("", path).rpartition(".")[2]
    if MISSING in (recorded, found) or type(recorded) is not type(found):
        return False
    if key in _IGNORED:
        return True
    if isinstance(recorded, str):
        if _TIMESTAMP.fullmatch(recorded) and _TIMESTAMP.fullmatch(found):
            return True
        if _GENERATED.fullmatch(key):
            return ids.matches(path, recorded, found)
    return bool(recorded == found)


def _unmarked(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the emulator's extension, and without `extensions` when there is no other."""
    extensions = value.get("extensions")
    if not isinstance(extensions, Mapping) or "emulator" not in extensions:
        return value
    rest = {name: item for name, item in extensions.items() if name != "emulator"}
    return {
        name: rest if name == "extensions" else item for name, item in value.items() if name != "extensions" or rest
    }
