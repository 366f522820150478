"""A patch for the ledger: rows that were confirmed become `probed`, and those that differ say what was seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import unified_diff
from typing import Final

import httpx
import yaml

from emulator.artefacts import contract_text
from emulator.harness.ledger import behaviours
from emulator.harness.probe.row_results import CONFIRMED, NOT_SEEN, RowResult

_PATH: Final = "contracts/fidelity.yaml"
_WIDTH: Final = 110
_ROW: Final = re.compile(r"^  - id: (?P<id>\S+)$")
_KEY: Final = re.compile(r"^    (?P<key>\w+):")


def ledger_patch(results: Iterable[RowResult], *, url: str, at: datetime) -> str:
    """The unified diff for `contracts/fidelity.yaml`; empty when nothing was seen."""
    before = contract_text("fidelity.yaml").splitlines(keepends=True)
    seen = {each.row: each for each in results if each.result != NOT_SEEN}
    place = f"{at:%Y-%m-%d} at {httpx.URL(url).host}"
    after = [*_patched(before, seen, place)]
    return "".join(unified_diff(before, after, f"a/{_PATH}", f"b/{_PATH}"))


def _patched(lines: Sequence[str], seen: Mapping[str, RowResult], place: str) -> Iterator[str]:
    earlier = {row.id: row.source for row in behaviours()}
    result: RowResult | None = None
    skipping = False
    for line in lines:
        if (row := _ROW.match(line)) is not None:
            result, skipping = seen.get(row["id"]), False
        elif (key := _KEY.match(line)) is not None:
            skipping = result is not None and key["key"] == "source"
            if result is not None and key["key"] == "provenance" and result.result == CONFIRMED:
                yield "    provenance: probed\n"
                continue
            if result is not None and skipping:
                yield from _source(result, place, earlier[result.row])
        if not skipping:
            yield line


def _source(result: RowResult, place: str, earlier: str) -> Iterator[str]:
    """The lines of the new source: what was seen where and when, then what the row said before."""
    text = (
        f"seen on {place} by fidelity probe {', '.join(result.seen)}: {'; '.join(dict.fromkeys(result.seen.values()))}"
    )
    if result.result != CONFIRMED:
        expected = "; ".join(dict.fromkeys(result.expected.values())) or "nothing"
        text = f"differs: {text}, where the emulator shows {expected}"
    if result.setting is not None and result.value is not None:
        text = f"{text}; {result.setting}: {json.dumps(result.value)} plays it"
    written = yaml.safe_dump(
        {"source": f"{text.removesuffix('.')}. Before: {earlier}"}, width=_WIDTH, allow_unicode=True
    )
    return (f"    {line}" for line in written.splitlines(keepends=True))
