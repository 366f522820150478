"""A coverage as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.harness.coverage.covered import GROUPS, TOTAL, Coverage, Group, Rate
from emulator.text import escaped_markdown, on_one_line

_ALL = "Everything is covered."


def headline(coverage: Coverage) -> str:
    """The total in a few words: `coverage 50.7 % (33/65)`."""
    rate = coverage.rate()
    return f"coverage {_percent(rate)} ({_parts(rate)})"


def lines_of_coverage(coverage: Coverage, *, catalogue: bool = False) -> Iterator[str]:
    """The numbers, and what is missing of the sync; with `catalogue`, what is missing of the other groups, too."""
    yield f"coverage of {coverage.runs:,} {'sandbox' if coverage.runs == 1 else 'sandboxes'}"
    yield ""
    for title, rate, of_sync in _table(coverage):
        yield f"  {title:<36}{_parts(rate):>12}{_percent(rate):>9}{'' if of_sync else '   not in the total'}".rstrip()
    yield from (f"note: {on_one_line(note)}" for note in sorted(coverage.notes))
    shown = [group for group in GROUPS if group.of_sync or catalogue]
    for group in shown:
        yield from _missing(coverage, group)
    if coverage.rate().covered == coverage.rate().total > 0:
        yield from ("", _ALL)


def as_markdown(coverage: Coverage) -> str:
    """The Markdown text, with a line end."""
    return "\n".join([*_markdown(coverage), ""])


def _table(coverage: Coverage) -> Iterator[tuple[str, Rate, bool]]:
    yield TOTAL, coverage.rate(), True
    for group in GROUPS:
        yield group.title, coverage.rate(group.name), group.of_sync


def _parts(rate: Rate) -> str:
    return f"{rate.covered:,}/{rate.total:,}"


def _percent(rate: Rate) -> str:
    return "–" if rate.percent is None else f"{rate.percent:.1f} %"


def _missing(coverage: Coverage, group: Group) -> Iterator[str]:
    left = list(coverage.missing(group.name))
    if left:
        yield from ("", f"{group.title}, {group.missing}:")
    for section, items in left:
        yield from [f"  {on_one_line(section)}"] if section else []
        yield from (f"  {'  ' if section else ''}{on_one_line(item)}" for item in items)


def _markdown(coverage: Coverage) -> Iterator[str]:
    rate = coverage.rate()
    yield f"### Coverage: {_percent(rate)} ({_parts(rate)})"
    yield from ("", "| | covered | percent |", "|---|--:|--:|")
    for title, each, of_sync in _table(coverage):
        yield f"| {title}{'' if of_sync else ' (not in the total)'} | {_parts(each)} | {_percent(each)} |"
    yield from (f"\n{_escaped(note)}" for note in sorted(coverage.notes))
    for group in GROUPS:
        left = list(coverage.missing(group.name))
        if not left:
            continue
        number = sum(len(items) for _, items in left)
        yield from ("", f"<details><summary>{group.title}, {group.missing}: {number}</summary>", "")
        for section, items in left:
            before = f"{_escaped(section)}: " if section else ""
            yield from (f"- {before}{_escaped(item)}" for item in items)
        yield from ("", "</details>")


def _escaped(text: str) -> str:
    return escaped_markdown(on_one_line(text))
