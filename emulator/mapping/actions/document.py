"""GraphQL documents as the destination writes them: values are inlined without escaping.

Its known defects follow from that: in the JSON of the profiles quotes are escaped once and backslashes not at all, so a
quote or a backslash inside a value changes the document.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from emulator.mapping.actions.profiles_json import Profile, escaped_profiles
from emulator.mapping.javascript.prototypes import member
from emulator.mapping.javascript.values import UNDEFINED, stringify, truthy

Payload: TypeAlias = dict[str, Any]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document, the profiles in it, and the payloads after the action changed them, which a batch reports."""

    text: str
    profiles: Sequence[Profile]
    payloads: Sequence[Payload]

    @property
    def records(self) -> tuple[Profile, ...]:
        """The profiles without their undefined members."""
        return tuple(
            {name: value for name, value in profile.items() if value is not UNDEFINED} for profile in self.profiles
        )


def mutation(fields: Iterable[str], *, closing_indent: int) -> str:
    """A mutation with these root fields."""
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
    """One root field with one argument a line, and the selection of its `userErrors`."""
    level = [" " * (indent + 2 * depth) for depth in range(4)]
    separator = f",\n{level[2 if in_input else 1]}"
    listed = separator[2:] + separator.join(arguments) + ("," if trailing_comma else "")
    if in_input:
        listed = f"{level[1]}input: {{\n{listed}\n{level[1]}}}"
    errors = [f"{level[1]}userErrors {{", *(f"{level[2]}{member}" for member in selection), f"{level[1]}}}"]
    return "\n".join([f"      {name}(", listed, f"{level[0]}) {{", *errors, f"{level[0]}}}"])


def sync_id(text: str) -> str:
    """The SHA-256 in lower-case hexadecimal; lone surrogates are hashed as U+FFFD, as in Node."""
    whole = text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
    return hashlib.sha256(whole.encode()).hexdigest()


def membership(payload: Payload) -> str:
    """`enter` if the member named by the audience key is truthy, otherwise `exit`.

    A missing member means `exit`, the string `"false"` means `enter`, and a key with dots is not a path.
    """
    return "enter" if truthy(member(payload["traits_or_props"], payload["segment_computation_key"])) else "exit"


def upsert_profiles(advertiser: str, provider: str, profiles: Sequence[Profile]) -> str:
    """The root field `upsertProfiles`, the same in all generations."""
    text = escaped_profiles(profiles)
    arguments = [f"advertiserId: {advertiser}", f'externalProvider: "{provider}"', f'syncId: "{sync_id(text)}"']
    return root_field("upsertProfiles", [*arguments, f'profiles: "{text}"'])


def graphql_object(members: Mapping[str, object]) -> str:
    """A GraphQL input object of JSON values; the member `type` is written without quotes, as an enum value."""
    parts = (
        (name, value if name == "type" and isinstance(value, str) else stringify(value))
        for name, value in members.items()
    )
    return "{" + ",".join(f"{name}:{text}" for name, text in parts if text is not UNDEFINED) + "}"
