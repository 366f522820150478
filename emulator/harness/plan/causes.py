"""Why a profile that both ends have differs: which condition, connection or field of a mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from emulator.harness.plan.sent_fields import Sent, SentField
from emulator.harness.why import MODE_FIELD, NOT_IN_MAPPING, OTHER_PROPERTIES_MODE, TRAIT_OF, Stop

Found = tuple[str, str | None]

_STATUS_FIELD = "marketing_status"
_SHOWN_FIELDS = 3
_SHOWN_CHARACTERS = 60


class Side(Protocol):
    """A run that can be asked about a person (`playing.Run`)."""

    def stop(
        self, email: str | None, *, user_id: str | None = None, property_key: str | None = None
    ) -> Stop | None: ...

    def not_in_audience(self, email: str, audience_name: str) -> Stop: ...

    def sent(self, email: str) -> Sent: ...


def of_consent(email: str, sides: tuple[Side, Side]) -> Found:
    """Why the marketing status of a profile differs, and what to do."""
    differences = [*_differences(email, sides)]
    of_status = [each for each in differences if each.field == _STATUS_FIELD]
    if of_status or differences:
        return _in_words(of_status or differences), _advice(of_status)
    return (
        f"both workspaces send the same {_STATUS_FIELD} about them: the first event of a batch decides for all in it",
        None,
    )


def of_property(email: str, key: str, sides: tuple[Side, Side], *, lacking: Side | None) -> Found:
    """Why a property differs; `lacking` is the side on which it is missing, if it is on one."""
    own = {_plain(key), _plain(TRAIT_OF.get(key, key))}
    differences = [
        each
        for each in _differences(email, sides)
        if each.field == MODE_FIELD or _plain(each.field.rpartition(".")[2]) in own
    ]
    stop = lacking.stop(email, property_key=key) if lacking else None
    if stop and differences and stop.reason in (NOT_IN_MAPPING, OTHER_PROPERTIES_MODE):
        # How the mappings differ says more.
        stop = None
    parts = [in_words(stop)] if stop else []
    parts += [_in_words(differences)] if differences else []
    if not parts:
        return "the mappings send the same about them: the value came by another event", None
    before = "was missing before: " if lacking is sides[0] else ""
    return f"{before}{'; '.join(parts)}", _advice(differences) or (stop.advice if stop else None)


def of_membership(email: str, audience_name: str, sides: tuple[Side, Side], *, lacking: Side) -> Found:
    """Why a profile is in an audience on one side only, and what to do."""
    stop = lacking.not_in_audience(email, audience_name)
    return f"{'was not in it before: ' if lacking is sides[0] else ''}{in_words(stop)}", stop.advice


def in_words(stop: Stop) -> str:
    """Where someone or something stopped, and what was found there."""
    found = f" ({stop.found})" if stop.found else ""
    return f"{stop.stage}, {stop.reason}: {stop.message}{found}"


@dataclass(frozen=True, slots=True)
class _Difference:
    """A field of a mapping that the two workspaces send with other values; None where one does not send it."""

    mapping: tuple[str, str]
    field: str
    old: SentField | None
    new: SentField | None


def _differences(email: str, sides: tuple[Side, Side]) -> Iterator[_Difference]:
    old, new = (side.sent(email) for side in sides)
    for mapping in {**old, **new}:
        one, other = _of(mapping, old, new), _of(mapping, new, old)
        for field in {**one, **other}:
            before, after = one.get(field), other.get(field)
            if (before and before.value) != (after and after.value):
                yield _Difference(mapping, field, before, after)


def _plain(name: str) -> str:
    """A name as the generations of 2024 and of 2026 have in common: they write it in camel and in snake case."""
    return name.replace("_", "").lower()


def _of(mapping: tuple[str, str], sent: Sent, other: Sent) -> Any:
    """The fields of a mapping; where each side has one mapping, that one, whatever its name."""
    if mapping in sent or len(sent) != 1 or len(other) != 1:
        return sent.get(mapping, {})
    return next(iter(sent.values()))


def _in_words(differences: Sequence[_Difference]) -> str:
    """The differences, each pair of values once: the same trait is often in several fields."""
    unique = {(each.mapping, _value(each.old), _value(each.new)): each for each in reversed(differences)}
    shown = [_difference(each) for each in reversed(unique.values())]
    left = len(shown) - _SHOWN_FIELDS
    return "; ".join([*shown[:_SHOWN_FIELDS], *([f"and {left} more fields"] if left > 0 else [])])


def _difference(each: _Difference) -> str:
    text = f"{each.field} of {each.mapping[1]!r} at {each.mapping[0]!r}: {_value(each.old)} → {_value(each.new)}"
    return f"{text}; v2 reads custom_user_properties, other modes custom_traits" if each.field == MODE_FIELD else text


def _value(sent: SentField | None) -> str:
    if sent is None:
        return "not sent"
    text = json.dumps(sent.value, ensure_ascii=False)
    return f"{text if len(text) <= _SHOWN_CHARACTERS else f'{text[:_SHOWN_CHARACTERS]} …'} ({sent.origin})"


def _advice(differences: Sequence[_Difference]) -> str | None:
    """What to write into the new mapping where a default brought the change."""
    for each in differences:
        if each.new is not None and each.new.origin.startswith("default"):
            return f"Write {each.field} into the mapping of {each.mapping[1]!r}; without it, it is {_value(each.new)}."
    return None
