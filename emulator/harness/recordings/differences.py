"""Where two answers differ, apart from what is another each time.

Never compared: trace ids, moments in time, the columns of error locations (pseudonyms shift them), and the mark with
which the emulator owns up to a message of its own. Ids, cursors and URLs that the service gave are bound to what the
emulator gives in their place, and must stay so; in later requests the one stands for the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*")
_FREE: Final = ("traceId", "column")
_GIVEN_BY_SERVICE: Final = re.compile(r"id|url|cursor|\w*(?:Id|ID|_id|Url|Cursor)")
_INDEX: Final = re.compile(r"\[\d+\]")
# A member or argument with an id in a request, at any depth of escaping.
_ID_SENT: Final = re.compile(r"(?:[iI]d|ID)s?\b\W{1,12}?(\w[\w.:/=-]*)")
# A text in a document, or a number that is an id.
_LITERAL: Final = re.compile(r'(?<=")[^"\\\n]+(?=")|(?<=[iI]d: )\d+')


class _Nothing:
    """Stands where one answer has a member and the other has none."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place, and what stands there in the recording and in the emulator's answer; `NOTHING` where nothing does."""

    path: str
    recorded: Any
    found: Any


class Names:
    """What the service called things in the recording, and what they are called in the replay."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], str] = {}
        self._latest: dict[str, str] = {}
        self._sent: set[str] = set()

    def sent(self, request: str) -> None:
        """Takes note of the ids that a client sends: what is named by a client has the same name everywhere."""
        self._sent.update(name for name in _ID_SENT.findall(request) if name not in self._latest)

    def agree(self, path: str, recorded: str, found: str) -> bool:
        """Whether two names may stand for one thing; binds them when they are new."""
        if recorded in self._sent:
            return recorded == found
        bound = self._by_place.setdefault((_INDEX.sub("[]", path), recorded), found)
        self._latest[recorded] = bound
        return bound == found

    def in_request(self, value: Any) -> Any:
        """A recorded request in the names of the replay: whole texts, and literals in a document."""
        if isinstance(value, Mapping):
            return {name: self._in_member(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.in_request(item) for item in value]
        if not isinstance(value, str):
            return value
        if value in self._latest:
            return self._latest[value]
        return _LITERAL.sub(lambda match: self._latest.get(match[0], match[0]), value)

    def _in_member(self, name: str, value: Any) -> Any:
        """Of numbers only those that are ids."""
        if isinstance(value, int) and _GIVEN_BY_SERVICE.fullmatch(name):
            return self._latest.get(str(value), value)
        return self.in_request(value)


def differences(recorded: Any, found: Any, names: Names, path: str = "") -> Iterator[Difference]:
    """Every place at which two JSON values differ, the first of each branch."""
    if isinstance(recorded, Mapping) and isinstance(found, Mapping):
        left, right = _unmarked(recorded), _unmarked(found)
        for name in dict.fromkeys((*left, *right)):
            place = f"{path}.{name}" if path else name
            yield from differences(left.get(name, NOTHING), right.get(name, NOTHING), names, place)
    elif isinstance(recorded, list) and isinstance(found, list):
        for index, (each, other) in enumerate(zip_longest(recorded, found, fillvalue=NOTHING)):
            yield from differences(each, other, names, f"{path}[{index}]")
    elif not _same(recorded, found, names, path):
        yield Difference(path=path, recorded=recorded, found=found)


def _same(recorded: Any, found: Any, names: Names, path: str) -> bool:
    member = _INDEX.sub("", path).rpartition(".")[2]
    if NOTHING in (recorded, found) or type(recorded) is not type(found):
        return False
    if member in _FREE:
        return True
    if isinstance(recorded, str):
        if _MOMENT.fullmatch(recorded) and _MOMENT.fullmatch(found):
            return True
        if _GIVEN_BY_SERVICE.fullmatch(member):
            return names.agree(path, recorded, found)
    return bool(recorded == found)


def _unmarked(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the emulator's mark: alone in `extensions` it takes them along."""
    extensions = value.get("extensions")
    if not isinstance(extensions, Mapping) or "emulator" not in extensions:
        return value
    rest = {name: item for name, item in extensions.items() if name != "emulator"}
    return {
        name: rest if name == "extensions" else item for name, item in value.items() if name != "extensions" or rest
    }
