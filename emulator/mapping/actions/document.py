"""GraphQL documents as the destination writes them: values go into the text as they are, nothing is escaped anew.

That is where its known defects come from: a quote or a backslash inside a value changes the document, because the JSON
of the profiles has its quotes escaped once and its backslashes not at all.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from emulator.mapping.javascript.values import UNDEFINED, stringify

Payload: TypeAlias = dict[str, Any]
Profile: TypeAlias = dict[str, Any]

_ALIKE = frozenset({str, bool, type(None)})
_PRINTER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A written document, the profiles in it, and the payloads as the action left them (a batch reports those)."""

    text: str
    records: tuple[Profile, ...]
    payloads: tuple[Payload, ...]


def mutation(fields: Iterable[str], *, closing_indent: int) -> str:
    """A mutation of these root fields."""
    return "\n".join(["mutation {", *fields, " " * closing_indent + "}"])


def root_field(
    name: str,
    arguments: Sequence[str],
    *,
    indent: int = 6,
    in_input: bool = True,
    trailing_comma: bool = False,
    selection: Sequence[str] = ("message",),
) -> str:
    """One root field with its arguments, a line each, and the selection of its `userErrors`."""
    level = [" " * (indent + 2 * depth) for depth in range(4)]
    depth = 2 if in_input else 1
    lines = [f"{level[depth]}{argument}," for argument in arguments]
    if not trailing_comma:
        lines[-1] = lines[-1][:-1]
    if in_input:
        lines = [f"{level[1]}input: {{", *lines, f"{level[1]}}}"]
    selected = [f"{level[2]}{member}" for member in selection]
    return "\n".join(
        [
            f"      {name}(",
            *lines,
            f"{level[0]}) {{",
            f"{level[1]}userErrors {{",
            *selected,
            f"{level[1]}}}",
            f"{level[0]}}}",
        ]
    )


def escaped_json(value: object) -> str:
    """The JSON of a value with `"` written `\\"`: what stands between quotes in a document."""
    return str(stringify(value)).replace('"', '\\"')


def sync_id(text: str) -> str:
    """The SHA-256 of a text, in lower-case hexadecimal; halves of surrogate pairs count as U+FFFD, as in Node."""
    return hashlib.sha256(_LONE_SURROGATE.sub("\ufffd", text).encode()).hexdigest()


def profiles_arguments(advertiser: str, provider: str, profiles: Sequence[Profile]) -> list[str]:
    """The arguments of `upsertProfiles`, the same in all generations."""
    text = _profiles_json(profiles).replace('"', '\\"')
    return [
        f"advertiserId: {advertiser}",
        f'externalProvider: "{provider}"',
        f'syncId: "{sync_id(text)}"',
        f'profiles: "{text}"',
    ]


def _profiles_json(profiles: Sequence[Profile]) -> str:
    """The JSON of the profiles; what Python and JavaScript print alike is left to Python, which is faster."""
    if all(map(_prints_alike, profiles)):
        text = _PRINTER.encode(list(profiles))
        if text.isascii() or not _LONE_SURROGATE.search(text):
            return text
    return str(stringify(list(profiles)))


def _prints_alike(profile: Profile) -> bool:
    """Text, booleans and null print alike; numbers, nested values and names that may be indices need care."""
    return all(type(value) in _ALIKE and not name[:1].isdigit() for name, value in profile.items())


def graphql_object(members: Mapping[str, object], *, bare: str) -> str:
    """A GraphQL input object of JSON values; the member named `bare` is written without quotes, as an enum value is."""
    parts = (
        (name, str(value) if name == bare and isinstance(value, str) else stringify(value))
        for name, value in members.items()
    )
    return "{" + ",".join(f"{name}:{text}" for name, text in parts if text is not UNDEFINED) + "}"


def defined(profile: Profile) -> Profile:
    """The profile without its undefined members."""
    return {name: value for name, value in profile.items() if value is not UNDEFINED}
