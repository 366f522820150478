"""What a run exercised, as items that are covered or not; several runs are one by the union of their items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.errors import InputError, unknown

# Also of the names of items: files of another format would not be about the same ones.
FORMAT: Final = 2
TOTAL: Final = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A kind of item. `missing` is what one that is not covered was never. `of_sync`: the sync decides what there is;
    the other groups are lists of what the emulator can do, which no sync needs in full, and are not in the total.
    """

    name: str
    title: str
    missing: str
    of_sync: bool = True


GROUPS: Final = (
    Group(name="audiences", title="changes of membership", missing="never happened"),
    Group(name="triggers", title="conditions of triggers", missing="never seen"),
    Group(name="sent", title="fields that clients sent", missing="never read"),
    Group(name="responses", title="parts of responses to clients", missing="never read"),
    Group(name="fields", title="fields of the destination", missing="never had a value"),
    Group(name="mappings", title="arms of mappings", missing="never chosen with a value"),
    Group(name="arguments", title="arguments of the fields in use", missing="never given", of_sync=False),
    Group(name="outcomes", title="outcomes of the operations in use", missing="never seen", of_sync=False),
    Group(name="operations", title="GraphQL operations", missing="never called", of_sync=False),
    Group(name="reasons", title="reason codes", missing="never produced", of_sync=False),
    Group(name="ledger", title="rows of the ledger", missing="never exercised", of_sync=False),
)
NAMES: Final = tuple(group.name for group in GROUPS)


@dataclass(frozen=True, slots=True, order=True)
class Section:
    """What items belong to: a mapping, an operation, a call; `digest` tells mappings of one name apart."""

    name: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of a number of items are covered."""

    covered: int
    total: int

    @property
    def percent(self) -> float | None:
        """To one decimal, rounded down, so that 100 means all; None for no items."""
        return self.covered * 1000 // self.total / 10 if self.total else None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"covered": self.covered, "total": self.total, "percent": self.percent}


@dataclass(slots=True)
class Coverage:
    """Items by group and section, each with whether it is covered. `runs` is the number of sandboxes.

    `notes` say what the runs did and is not counted.
    """

    runs: int = 0
    items: dict[str, dict[Section, dict[str, bool]]] = field(default_factory=lambda: {name: {} for name in NAMES})
    notes: set[str] = field(default_factory=set)

    def add(self, group: str, section: Section, item: str, *, covered: bool) -> None:
        """Adds an item, or covers one that is there; one that is covered stays so."""
        known = self.items[group].setdefault(section, {})
        known[item] = covered or known.get(item, False)

    def merge(self, other: Coverage) -> None:
        """Adds everything of another coverage."""
        self.runs += other.runs
        self.notes |= other.notes
        for group, sections in other.items.items():
            for section, items in sections.items():
                for item, covered in items.items():
                    self.add(group, section, item, covered=covered)

    def rate(self, name: str = TOTAL) -> Rate:
        """That of a group, or of all groups that are of the sync."""
        groups = [group.name for group in GROUPS if group.of_sync] if name == TOTAL else [name]
        found = [covered for group in groups for items in self.items[group].values() for covered in items.values()]
        return Rate(sum(found), len(found))

    def missing(self, group: str) -> Iterator[tuple[str, list[str]]]:
        """The names of the sections with the items that are not covered."""
        named = Counter(section.name for section in self.items[group])
        for section, items in sorted(self.items[group].items()):
            if left := sorted(item for item, covered in items.items() if not covered):
                twice = named[section.name] > 1
                yield f"{section.name} ({section.digest})" if twice else section.name, left

    def failed(self, least: Mapping[str, float]) -> list[str]:
        """A line for each group, or the total, that is covered to less than so many percent.

        One without items fails nothing. Without a sandbox everything does: then it is not known what there is.
        """
        if not self.runs:
            return [f"{name}: no sandbox is counted, {wanted:g} % wanted" for name, wanted in least.items()]
        found = {name: self.rate(name).percent for name in least}
        return [
            f"{name}: {percent:g} %, less than {least[name]:g} %"
            for name, percent in found.items()
            if percent is not None and percent < least[name]
        ]

    def without_items(self, least: Mapping[str, float]) -> list[str]:
        """A line for each of them that has nothing to cover, although there are sandboxes."""
        empty = [name for name in least if self.runs and not self.rate(name).total]
        return [f"{name}: nothing to cover, so that {least[name]:g} % is met" for name in empty]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form (`contracts/coverage.schema.json`)."""
        return {
            "format": FORMAT,
            "runs": self.runs,
            "notes": sorted(self.notes),
            TOTAL: self.rate().as_dict(),
            "groups": {
                group.name: {
                    **self.rate(group.name).as_dict(),
                    "title": group.title,
                    "missing": group.missing,
                    "inTotal": group.of_sync,
                    "sections": [
                        {"name": section.name, "digest": section.digest, "items": dict(sorted(items.items()))}
                        for section, items in sorted(self.items[group.name].items())
                    ],
                }
                for group in GROUPS
            },
        }


def check_format(document: object, where: str) -> None:
    """Raises InputError for the JSON form of another version. Everything else that is wrong is left to its schema."""
    found = document.get("format") if isinstance(document, dict) else None
    if isinstance(found, int) and found != FORMAT:
        hint = "Use one version of stackadapt-emulator for all runs: run again what has written it."
        message = "a coverage of another version, with other items"
        raise InputError(message, where=f"{where}: format", found=found, allowed=str(FORMAT), hint=hint)


def coverage_in(document: Mapping[str, Any]) -> Coverage:
    """The coverage in its JSON form, which is valid already."""
    found = Coverage(runs=int(document["runs"]), notes=set(document["notes"]))
    for name in NAMES:
        for each in document["groups"][name]["sections"]:
            section = Section(each["name"], each["digest"])
            for item, covered in each["items"].items():
                found.add(name, section, item, covered=covered)
    return found


def combined(coverages: Iterable[Coverage]) -> Coverage:
    """All of them as one."""
    found = Coverage()
    for each in coverages:
        found.merge(each)
    return found


def least_of(texts: Iterable[str], where: str) -> dict[str, float]:
    """The percents that are wanted: `90` of the total, `triggers=90` of a group. Raises InputError."""
    least = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        name = name if equals else TOTAL
        if name not in (TOTAL, *NAMES):
            raise unknown("group", name, (TOTAL, *NAMES), where=where)
        if not number.isascii() or not number.replace(".", "", 1).isdigit() or float(number) > 100:
            raise InputError(
                "not a percent", where=where, found=text, allowed="a number from 0 to 100, or GROUP=NUMBER"
            )
        least[name] = float(number)
    return least
