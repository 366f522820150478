"""The people whom a client is given to send, with their consent: generated, or the rows of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from emulator.errors import InputError
from emulator.generator.people import Population
from emulator.text_files import lines_of

EMAIL, CONSENT = "email", "consent"
_CONSENTS: Final[Mapping[str, bool]] = {"yes": True, "no": False}
_GENERATED, _ONE_IN = 1300, 26
_FEW_WITH, _FEW_WITHOUT = 20, 5
_KNOWN, _SEED = 150, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """People as the rows of a CSV file. `rows` have `email`, `consent` (`yes` or `no`) and further columns."""

    rows: Sequence[Mapping[str, str]]

    @property
    def consents(self) -> Mapping[str, bool]:
        """Whether each agreed, by email in lower case."""
        return {row[EMAIL].strip().lower(): _CONSENTS[row[CONSENT]] for row in self.rows}

    def few(self) -> People:
        """The first of them, with and without consent."""
        groups = [[row for row in self.rows if _CONSENTS[row[CONSENT]] is agreed] for agreed in (True, False)]
        return People(rows=[*groups[0][:_FEW_WITH], *groups[1][:_FEW_WITHOUT]])

    def as_csv(self) -> str:
        """The text of the file that a client reads."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=[*self.rows[0]])
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()


def generated_people() -> People:
    """1,300 generated people, of whom 50 have not agreed."""
    rows = [
        {
            EMAIL: email,
            "first_name": first_name,
            "last_name": last_name,
            CONSENT: "no" if index % _ONE_IN == _ONE_IN - 1 else "yes",
        }
        for index, (email, first_name, last_name) in enumerate(_names(0, _GENERATED))
    ]
    return People(rows=rows)


def known_before() -> Sequence[str]:
    """The emails of the profiles that a run starts with: more than one page of them."""
    return [email for email, _, _ in _names(_GENERATED, _GENERATED + _KNOWN)]


def people_in_file(path: Path) -> People:
    """The rows of a CSV file with the columns `email` and `consent`. Raises InputError with the file and the line."""
    reader = csv.reader(lines_of(path), strict=True)
    rows: list[Mapping[str, str]] = []
    try:
        header = next(reader, [])
        missing = [name for name in (EMAIL, CONSENT) if name not in header]
        if missing:
            raise InputError(
                f"the file has no column {missing[0]!r}",
                where=f"{path}, line 1",
                found=", ".join(header),
                allowed="email, consent, and whatever else the client reads",
            )
        for cells in filter(None, reader):
            rows.append(_row(header, cells, f"{path}, line {reader.line_num}"))
    except csv.Error as error:
        raise InputError(f"this is not CSV: {error}", where=f"{path}, line {reader.line_num}") from None
    if not rows:
        raise InputError("the file has no people", where=str(path))
    return People(rows=rows)


def _row(header: Sequence[str], cells: Sequence[str], where: str) -> Mapping[str, str]:
    if len(cells) != len(header):
        raise InputError(f"the row has {len(cells)} cells, the header {len(header)}", where=where)
    row = dict(zip(header, cells, strict=True))
    if "@" not in row[EMAIL]:
        raise InputError("this is not an email address", where=where, found=row[EMAIL])
    if row[CONSENT] not in _CONSENTS:
        raise InputError("unknown consent", where=where, found=row[CONSENT], allowed=", ".join(_CONSENTS))
    return row


def _names(start: int, end: int) -> Iterator[tuple[str, str, str]]:
    population = Population(seed=_SEED, missing_email=0, invalid_email=0, edge_cases={})
    for person in islice(population.people(), start, end):
        yield str(person.email), person.traits["first_name"], person.traits["last_name"]
