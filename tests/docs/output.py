"""What a command printed, compared with what a page shows of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

# What differs from run to run.
_CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "TIME"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "TRACE"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "URL"),
)


@dataclass(frozen=True, slots=True)
class Output:
    """What was printed: of a pytest run the lines marked E."""

    text: str

    def shows(self, expected: str) -> bool:
        """Whether a page's block is what was printed; `…` matches anything, on a line of its own any lines.

        JSON is compared as JSON; an object with the key `…` may have more keys.
        """
        if expected.lstrip().startswith("{"):
            return _same(json.loads(_steady(expected)), json.loads(_steady(self.text)))
        pattern = re.escape(_plain(expected))
        pattern = re.sub(r"(?m)^…(\n|\Z)", r"(?:.*\\n?)*?", pattern).replace("…", ".*")
        return re.fullmatch(pattern, _plain(self.text)) is not None


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in _steady(text).strip("\n").splitlines())


def _steady(text: str) -> str:
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return text


def _same(expected: Any, found: Any) -> bool:
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        rest = "…" in expected
        names = expected.keys() - {"…"}
        return (rest or names == found.keys()) and all(
            name in found and _same(expected[name], found[name]) for name in names
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_same, expected, found))
    return bool(expected == found)
