"""The calls of a population: generated people, the rows of a file, or the people that a sandbox knows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from math import isfinite, nan
from pathlib import Path
from typing import Any

from emulator.clock import Clock
from emulator.errors import InputError
from emulator.generator.people import FIRST_CALL, Population, identify
from emulator.harness.event_files import read_events
from emulator.harness.why import Services, identify_of, performed_by
from emulator.text_files import lines_of, suffix_of
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import Workspace
from emulator.workspace_document import document_of

MOST_PEOPLE = 1_000_000

_CSV = ".csv"
_USER_ID, _EMAIL = "user_id", "email"
_PAGE = 1000
Call = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsOf:
    """A population. `make` returns its `calls` calls, anew each time, and can be pickled; `at` is when they arrive."""

    text: str
    calls: int
    make: Callable[[], Iterable[Call]]
    at: datetime


def generated_people(count: int, seed: int) -> CallsOf:
    """One identify call for each generated person; some have no email or an invalid one."""
    # After the last of their timestamps.
    at = FIRST_CALL + timedelta(seconds=count)
    return CallsOf(
        text=f"{count:,} generated people, seed {seed}", calls=count, make=partial(_generated, count, seed), at=at
    )


def people_in_file(path: Path, workspaces: Sequence[Workspace]) -> CallsOf:
    """The rows of a CSV file with `user_id`, `email` or both, as identify calls; or the calls in a file of JSON lines.

    Cells are text, apart from those of a trait that a condition of a workspace compares with a number. Raises
    InputError with the file and the line.
    """
    if suffix_of(path) == _CSV:
        numbers = frozenset().union(*map(numeric_traits, workspaces))
        calls = list(_rows(path, numbers))
    else:
        calls = read_events(str(path))
    if not calls:
        raise InputError("the file has no people", where=str(path))
    count = f"{len(calls):,} {'call' if len(calls) == 1 else 'calls'}"
    return CallsOf(text=f"{count} of {path.name}", calls=len(calls), make=partial(list, calls), at=_now())


def people_known(services: Services) -> CallsOf:
    """The people whom the Segment service of a sandbox knows: one identify with all traits each, then their events."""
    calls: list[Call] = []
    people = 0
    following: int | None = 0
    while following is not None:
        profiles, following = services.segment.profile_page(after=following, limit=_PAGE)
        people += len(profiles)
        for profile in profiles:
            calls += [identify_of(profile), *performed_by(services, profile["userId"])]
    text = f"{people:,} people of sandbox {services.sandbox.name!r}"
    return CallsOf(text=text, calls=len(calls), make=partial(list, calls), at=_now())


def numeric_traits(workspace: Workspace) -> frozenset[str]:
    """The traits that conditions of audiences and journeys compare with a number."""
    document = document_of(workspace)
    return frozenset(_compared([document["audiences"], document["journeys"]]))


def _compared(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        value = part.get("value")
        values = value if isinstance(value, list | tuple) else [value]
        if "trait" in part and any(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
            yield part["trait"]
        part = list(part.values())
    if isinstance(part, list | tuple):
        for each in part:
            yield from _compared(each)


def _now() -> datetime:
    # Times are shown in milliseconds.
    return from_millis(to_millis(Clock().now()))


def _generated(count: int, seed: int) -> Iterator[Call]:
    return map(identify, islice(Population(seed=seed, edge_cases={}).people(), count))


def _rows(path: Path, numbers: frozenset[str]) -> Iterator[Call]:
    reader = csv.reader(lines_of(path), strict=True)
    try:
        header = next(reader, [])
        if not {_USER_ID, _EMAIL} & set(header):
            raise InputError(
                "the file has no column for an identifier",
                where=f"{path}, line 1",
                found=", ".join(header),
                allowed=f"{_USER_ID}, {_EMAIL}, and a column for each further trait",
            )
        for cells in filter(None, reader):
            where = f"{path}, line {reader.line_num}"
            if len(cells) != len(header):
                raise InputError(f"the row has {len(cells)} cells, the header {len(header)}", where=where)
            yield _identify(dict(zip(header, cells, strict=True)), numbers, where)
    except csv.Error as error:
        raise InputError(f"this is not CSV: {error}", where=f"{path}, line {reader.line_num}") from None


def _identify(row: dict[str, str], numbers: frozenset[str], where: str) -> Call:
    user_id = row.pop(_USER_ID, "")
    traits: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
    for name in numbers & traits.keys():
        try:
            number = float(traits[name])
        except ValueError:
            number = nan
        if not isfinite(number):
            raise InputError(f"{name!r} is compared with a number", where=where, found=traits[name])
        traits[name] = int(number) if number.is_integer() else number
    if not user_id and _EMAIL not in traits:
        raise InputError("the row has neither a user id nor an email", where=where)
    # Segment takes no call without an identifier; of a person with an email only, that is the anonymous id.
    who = {"userId": user_id} if user_id else {"anonymousId": traits[_EMAIL]}
    return {"type": "identify", **who, "traits": traits}
