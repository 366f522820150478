"""The history of one profile: its records, in order, with what each brought that the one before had not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.stackadapt.rules.outcomes import UNMAPPED_KEY, VISIBLE

JsonObject = dict[str, Any]


def changes_of(records: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Each record, as `records` shows it, with `changed`: `key`, `before`, `after` and whether the key was `dropped`.

    A key is compared with its value in the last record of the profile that had it and became visible. Records that
    did not become visible changed nothing. A key that no mapping named changes no property: it was dropped.
    """
    known: JsonObject = {}
    for record in records:
        visible = record["outcome"] == VISIBLE
        yield {**record, "changed": list(_changed(record, known)) if visible else []}
        if visible:
            known |= record["record"]


def _changed(record: JsonObject, known: Mapping[str, Any]) -> Iterator[JsonObject]:
    dropped = {each.get("key") for each in record["warnings"] if each["code"] == UNMAPPED_KEY}
    for key, value in record["record"].items():
        before = known.get(key)
        if before != value:
            yield {"key": key, "before": before, "after": value, "dropped": key in dropped}
