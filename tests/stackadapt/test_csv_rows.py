"""CSV row by row: each line is part of a row or of an error, whatever is in it."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from emulator.stackadapt.rules.csv_rows import BadRow, Lines, next_row, rows

TEXTS = st.text(st.sampled_from('ab",; \\\n\r\0\udce9'), max_size=40)


def lines_of(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))


@given(TEXTS, st.sampled_from([1, 2, None]))
def test_no_line_is_lost(text: str, width: int | None) -> None:
    lines, taken, numbers = Lines(lines_of(text)), list[str](), list[int]()
    while (row := next_row(lines, ",", width=width)) is not None:
        number, cells, own = row
        assert lines_of(text)[number - 1 : number - 1 + len(own)] == own
        assert len(own) == 1 or not isinstance(cells, BadRow)
        taken += own
        numbers.append(number)
    blank = [line for line in lines_of(text) if not line.strip()]
    # A blank line may be inside a cell.
    assert [line for line in taken if line.strip()] == [line for line in lines_of(text) if line.strip()]
    assert len(taken) <= len(lines_of(text)) <= len(taken) + len(blank)
    assert numbers == sorted(set(numbers))


@given(st.lists(st.lists(st.text(st.sampled_from('ab",; \n\r'), min_size=1), min_size=2, max_size=2), max_size=8))
def test_rows_that_a_writer_wrote_are_read(table: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(table)
    assert [cells for _, cells in rows(Lines(lines_of(text.getvalue())), ",", width=2)] == table


def test_a_quote_that_nothing_closes_takes_one_line_and_no_longer_than_its_share() -> None:
    text = ['a,"open\n', *["b,c\n"] * 3_000, 'd,"e"\n']
    read = list(rows(Lines(text), ",", width=2))
    assert [number for number, cells in read if isinstance(cells, BadRow)] == [1]
    assert len(read) == len(text)


def test_a_line_that_is_too_long_is_named_even_inside_a_cell() -> None:
    read = list(rows(Lines(['a,"open\n', None, 'b,c"\n']), ",", width=2))
    assert [(number, isinstance(cells, BadRow)) for number, cells in read] == [(1, True), (2, True), (3, False)]
