"""The fidelity ledger, `contracts/fidelity.yaml`, searched: where the knowledge of each behaviour comes from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from emulator.artefacts import contract_text
from emulator.errors import unknown
from emulator.harness.scenarios import scenarios_by_ledger_id
from emulator.yaml_files import load_yaml

# As the head of the ledger explains them.
PROVENANCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "documented": "The vendor says so.",
        "introspected": "Seen in the public schema.",
        "probed": "Observed on the live service by others.",
        "client": "Read off or run on Segment's published code.",
        "third-party": "In another integrator's documentation.",
        "assumed": "Not public: a choice of the emulator, which the setting changes.",
    }
)
# A comment names the area of the rows below it.
_AREA_OR_ID = re.compile(r"^  (?:# (?P<area>.+)|- id: (?P<id>\S+))$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """A row. `settings` are keys of the workspace, or options of `serve`, that change the behaviour; `no_setting` says
    why there is none. `scenarios` are the names of those that show it. `exercised_by` are patterns of what a run covers
    when it exercises the behaviour: `GROUP: SECTION / ITEM`.
    """

    id: str
    area: str
    behaviour: str
    provenance: str
    source: str
    settings: tuple[str, ...]
    no_setting: str | None
    tests: tuple[str, ...]
    scenarios: tuple[str, ...]
    exercised_by: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        shown = asdict(self)
        no_setting, exercised_by = shown.pop("no_setting"), shown.pop("exercised_by")
        return {**shown, "noSetting": no_setting, "exercisedBy": exercised_by}

    def has(self, text: str) -> bool:
        """Whether any of its texts contains `text`, ignoring case."""
        texts = (self.id, self.behaviour, self.source, *self.settings, *self.tests, *self.scenarios)
        return any(text.casefold() in each.casefold() for each in texts)


@cache
def behaviours() -> tuple[Behaviour, ...]:
    """All rows, in the order of the file."""
    text = contract_text("fidelity.yaml")
    areas, area = {}, ""
    for found in _AREA_OR_ID.finditer(text):
        area = found["area"] or area
        areas[found["id"]] = area
    shown_by = scenarios_by_ledger_id()
    return tuple(_behaviour(row, areas[row["id"]], shown_by) for row in load_yaml(text)["behaviours"])


@cache
def rows_about(code: str) -> tuple[Behaviour, ...]:
    """The rows about a reason code: those that `contracts/reason-codes.yaml` lists, else those that name it.

    A code that is an ordinary word is named where it follows the word code.
    """
    listed = _listed().get(code)
    if listed is not None:
        return tuple(row for row in behaviours() if row.id in listed)
    named = rf"(?<!\w)(?:{re.escape(code)})(?!\w)"
    pattern = named if code.isupper() or "_" in code else rf"(?:\bcode |`){named}"
    return tuple(row for row in behaviours() if re.search(pattern, row.behaviour))


@cache
def _listed() -> Mapping[str, frozenset[str]]:
    table = load_yaml(contract_text("reason-codes.yaml"))
    codes = (each for part in ("reasons", "warnings", "segment") for each in table[part])
    return {each["code"]: frozenset(each["behaviours"]) for each in codes if "behaviours" in each}


def search(*, provenance: str | None = None, area: str | None = None, text: str | None = None) -> dict[str, Any]:
    """The rows with a provenance, in an area, with `text`, as a dict of JSON values: `behaviours`, their number by
    `provenances` and by `areas`, and the `total` of the ledger. Each number counts what the other two filters leave.

    Raises UnknownName for a provenance or an area that no row has.
    """
    every = behaviours()
    known = dict.fromkeys(row.area for row in every)
    for noun, name, names in (("provenance", provenance, PROVENANCES), ("area", area, known)):
        if name is not None and name not in names:
            raise unknown(noun, name, names, where=noun)
    with_text = [row for row in every if text is None or row.has(text)]
    of_provenance = [row for row in with_text if provenance in (None, row.provenance)]
    of_area = [row for row in with_text if area in (None, row.area)]
    return {
        "behaviours": [row.as_dict() for row in of_provenance if area in (None, row.area)],
        "provenances": [
            {"name": name, "meaning": meaning, "count": count}
            for (name, meaning), count in zip(
                PROVENANCES.items(), _counts(of_area, PROVENANCES, lambda row: row.provenance), strict=True
            )
        ],
        "areas": [
            {"name": name, "count": count}
            for name, count in zip(known, _counts(of_provenance, known, lambda row: row.area), strict=True)
        ],
        "total": len(every),
    }


def _counts(rows: Sequence[Behaviour], names: Mapping[str, Any], name_of: Callable[[Behaviour], str]) -> list[int]:
    counted = Counter(map(name_of, rows))
    return [counted[name] for name in names]


def _behaviour(row: Mapping[str, Any], area: str, shown_by: Mapping[str, Sequence[str]]) -> Behaviour:
    return Behaviour(
        id=row["id"],
        area=area,
        behaviour=row["behaviour"],
        provenance=row["provenance"],
        source=row["source"],
        settings=tuple(row["setting"].split(", ")) if "setting" in row else (),
        no_setting=row.get("no_setting"),
        tests=_texts(row["test"]),
        scenarios=tuple(shown_by.get(row["id"], ())),
        exercised_by=_texts(row.get("exercised_by", ())),
    )


def _texts(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
