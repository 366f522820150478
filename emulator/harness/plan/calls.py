"""The calls of a population: generated people, the rows of a file, or the people that a sandbox knows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from emulator.harness.event_files import event_in, read_documents
from emulator.harness.why import Services, identify_of, performed_by
from emulator.segment import BadRequest, parse_body
from emulator.text import counted_noun
from emulator.text_files import lines_of, suffix_of
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import Workspace
from emulator.workspace_document import document_of

MOST_PEOPLE = 1_000_000

_CSV = ".csv"
_USER_ID, _EMAIL = "user_id", "email"
_OTHER_COMMAS = frozenset(";\t|")
# Beyond, floating-point numbers have gaps.
_WHOLE = 2**53
_PAGE = 1000
Call = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsOf:
    """A population. `make` returns its `calls` calls, anew each time, and can be pickled; `at` is when they arrive.

    `members` are memberships to set after the calls, whatever the conditions say: arguments of `set_membership`.
    """

    text: str
    calls: int
    make: Callable[[], Iterable[Call]]
    at: datetime
    members: tuple[Call, ...] = ()


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
    InputError with the file and the line, also for a call for which the Tracking API refuses the whole body.
    """
    if suffix_of(path) == _CSV:
        numbers = frozenset().union(*map(numeric_traits, workspaces))
        calls = list(_rows(path, numbers))
    else:
        calls = [_sendable(event_in(each), each.where) for each in read_documents(str(path), what="an event")]
    if not calls:
        raise InputError("the file has no people", where=str(path))
    return CallsOf(text=path.name, calls=len(calls), make=partial(list, calls), at=_shown(Clock().now()))


def people_known(services: Services, *, where: str | None = None) -> CallsOf:
    """The people whom the Segment service of a sandbox knows: one identify with all traits each, then their events,
    and the memberships that were set there against the condition.

    They arrive at the sandbox's time. `where` is what they are of, in words; the sandbox without it.
    """
    calls: list[Call] = []
    members: list[Call] = []
    people = 0
    following: int | None = 0
    while following is not None:
        explained = services.segment.explain_audiences(after=following, limit=_PAGE)
        profiles, following = services.segment.profile_page(after=following, limit=_PAGE)
        people += len(profiles)
        members += _set_members(profiles, explained)
        for profile in profiles:
            place = f"profile {profile['userId'] or profile['email']}"
            calls += [
                _sendable(call, place) for call in (identify_of(profile), *performed_by(services, profile["userId"]))
            ]
    text = f"{counted_noun(people, 'person', 'people')} of {where or f'sandbox {services.sandbox.name!r}'}"
    at = _shown(services.sandbox.clock.now())
    return CallsOf(text=text, calls=len(calls), make=partial(list, calls), at=at, members=tuple(members))


def _set_members(profiles: Sequence[Call], explained: Sequence[Call]) -> Iterator[Call]:
    """The memberships that are not what the condition says. Those of batch audiences end with the next computation."""
    of = {profile["id"]: profile for profile in profiles}
    for each in explained:
        profile = of.get(each["profile"], {})
        differs = each["member"] != each["conditions"]["passed"]
        if (
            differs
            and each["audience"]
            and not each["nextComputation"]
            and (profile.get("userId") or profile.get("email"))
        ):
            who = {"user_id": profile["userId"], "email": profile["email"]}
            yield {"audience_key": each["audience"], "entered": each["member"], **who}


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


def emails_of(call: Mapping[str, Any]) -> list[str]:
    """The emails of a call or an event, in lower case."""
    context = call.get("context")
    places = [call.get("traits"), call.get("properties"), context.get("traits") if isinstance(context, dict) else None]
    emails = [place.get("email") for place in places if isinstance(place, dict)]
    return [*dict.fromkeys(each.lower() for each in emails if isinstance(each, str))]


def _shown(at: datetime) -> datetime:
    # Times are shown in milliseconds.
    return from_millis(to_millis(at))


def _generated(count: int, seed: int) -> Iterator[Call]:
    return map(identify, islice(Population(seed=seed, edge_cases={}).people(), count))


def _sendable(call: Call, where: str) -> Call:
    """The call, unless no body can have it."""
    try:
        parse_body("batch", {"batch": [call]})
    except BadRequest as error:
        raise InputError(f"Segment takes no such call: {error.message}", where=where, hint=error.hint) from None
    return call


def _rows(path: Path, numbers: frozenset[str]) -> Iterator[Call]:
    reader = csv.reader(lines_of(path), strict=True)
    try:
        header = _header([name.strip() for name in next(reader, [])], f"{path}, line 1")
        for cells in filter(None, reader):
            where = f"{path}, line {reader.line_num}"
            if len(cells) != len(header):
                raise InputError(f"the row has {len(cells)} cells, the header {len(header)}", where=where)
            yield _sendable(_identify(dict(zip(header, cells, strict=True)), numbers, where), where)
    except csv.Error as error:
        raise InputError(f"this is not CSV: {error}", where=f"{path}, line {reader.line_num}") from None


def _header(names: Sequence[str], where: str) -> Sequence[str]:
    """The columns, each with a name of its own. Raises InputError."""
    if not {_USER_ID, _EMAIL} & {*names}:
        raise InputError(
            "the file has no column for an identifier",
            where=where,
            found=", ".join(names),
            allowed=f"{_USER_ID}, {_EMAIL}, and a column for each further trait",
            hint="Separate the columns by commas." if len(names) == 1 and _OTHER_COMMAS & {*names[0]} else None,
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or "" in names:
        message = f"two columns are named {twice!r}" if twice else "a column has no name"
        raise InputError(message, where=where, hint="Give each column a name of its own.")
    return names


def _identify(row: dict[str, str], numbers: frozenset[str], where: str) -> Call:
    user_id = row.pop(_USER_ID, "")
    traits: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
    for name in numbers & traits.keys():
        traits[name] = _number(traits[name], f"{where}, column {name}")
    if not user_id and _EMAIL not in traits:
        raise InputError("the row has neither a user id nor an email", where=where)
    # Segment takes no call without an identifier; of a person with an email only, that is the anonymous id.
    who = {"userId": user_id} if user_id else {"anonymousId": traits[_EMAIL]}
    return {"type": "identify", **who, "traits": traits}


def _number(cell: str, where: str) -> float:
    try:
        # Python reads underscores between digits.
        number = nan if "_" in cell else float(cell)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise InputError("a condition compares this trait with a number", where=where, found=cell, allowed="a number")
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number
