"""A plan as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.harness.plan.planned import EXAMPLES, Change, Group, Numbers, Plan
from emulator.text import counted_noun, escaped_markdown, on_one_line

# More lines of the difference are in the workspaces themselves.
_LINES = 40
_NO_CHANGE = "No profile changes."


def lines_of_plan(plan: Plan, *, verbose: bool = False) -> Iterator[str]:
    """The text. The difference of the workspaces is left out unless `verbose`."""
    # Names and values may have line breaks and codes that a terminal obeys.
    return map(on_one_line, _lines(plan, verbose=verbose))


def _lines(plan: Plan, *, verbose: bool) -> Iterator[str]:
    yield f"{plan.people}, {counted_noun(plan.calls, 'call')}, through {plan.names[0]} and {plan.names[1]}"
    yield from plan.difference if verbose else ()
    yield ""
    table = [*_table(plan)]
    width, numbers = (max(len(row[column]) for row in table) for column in (0, 1))
    for name, one, other in table:
        yield f"  {name:<{width}}  {one:>{numbers}} → {other}"
    sections = [*_sections(plan)]
    if not sections:
        yield from ("", plan.warning or _NO_CHANGE)
    for title, group, sign in sections:
        yield from ("", f"{sign} {title}: {group.count:,}", f"    {group.cause}")
        yield from (f"    {example_line(each)}" for each in group.examples)
        if group.count > EXAMPLES:
            yield f"    and {group.count - EXAMPLES:,} more"
        if advice := _advice(group, sign):
            yield f"    What to do: {advice}"


def as_markdown(plan: Plan) -> str:
    """The Markdown text, with a line end."""
    return "\n".join([*_markdown(plan), ""])


def example_line(example: Mapping[str, Any]) -> str:
    """An example: who, and the values before and after, where it has them."""
    values = [json.dumps(example[name], ensure_ascii=False) for name in ("old", "new") if name in example]
    return " ".join([example["email"], *([" → ".join(values)] if values else [])])


def _sections(plan: Plan) -> Iterator[tuple[str, Group, str]]:
    """Title, group and sign of each change, losses first."""
    yield from (("profiles lost", group, "-") for group in plan.lost)
    yield from (("profiles gained", group, "+") for group in plan.gained)
    yield from ((f"consent {each.what}", each.group, "~") for each in plan.consent)
    yield from ((f"audience {each.what!r} {each.how}", each.group, _sign(each)) for each in plan.memberships)
    yield from ((f"property {each.what!r} {each.how}", each.group, _sign(each)) for each in plan.properties)


def _advice(group: Group, sign: str) -> str:
    """What to do about a change; nothing about a gain."""
    return "" if sign == "+" else group.advice or ""


def _sign(change: Change) -> str:
    return {"added": "+", "joined": "+", "removed": "-", "left": "-"}.get(change.how, "~")


def _table(plan: Plan) -> Iterator[tuple[str, str, str]]:
    yield "profiles in StackAdapt", f"{plan.old.profiles:,}", f"{plan.new.profiles:,}"
    if plan.old.refused or plan.new.refused:
        yield from _counted("calls refused", plan.old.refused, plan.new.refused)
    yield from _counted("requests", plan.old.requests, plan.new.requests)
    yield "hours until visible", _hours(plan.old), _hours(plan.new)
    for each in plan.segments:
        if each.old or each.new:
            name = f"segment {each.field.rpartition('_')[2]} {each.value}"
            yield f"{name} ({each.advertiser_id})", f"{each.old:,}", f"{each.new:,}"


def _counted(name: str, old: Mapping[str, int], new: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    """A row with the sums, and one for each kind."""
    yield name, f"{sum(old.values()):,}", f"{sum(new.values()):,}"
    for kind in {**old, **new}:
        yield f"  {kind}", f"{old.get(kind, 0):,}", f"{new.get(kind, 0):,}"


def _hours(numbers: Numbers) -> str:
    return "–" if numbers.hours is None else f"{numbers.hours[1]:g}"


def _markdown(plan: Plan) -> Iterator[str]:
    yield f"### Plan: {escaped_markdown(plan.names[0])} → {escaped_markdown(plan.names[1])}"
    yield from (
        "",
        f"{escaped_markdown(plan.people)}, {counted_noun(plan.calls, 'call')}.",
        "",
        "| | old | new |",
        "|---|--:|--:|",
    )
    yield from (f"| {escaped_markdown(name.strip())} | {one} | {other} |" for name, one, other in _table(plan))
    sections = [*_sections(plan)]
    if not sections:
        yield from ("", f"**{escaped_markdown(plan.warning or _NO_CHANGE)}**")
        return
    yield from ("", "| change | count | cause | what to do | examples |", "|---|--:|---|---|---|")
    for title, group, sign in sections:
        examples = "<br>".join(escaped_markdown(example_line(each)) for each in group.examples)
        cause, advice = escaped_markdown(group.cause), escaped_markdown(_advice(group, sign))
        yield f"| {sign} {escaped_markdown(title)} | {group.count:,} | {cause} | {advice} | {examples} |"
    if plan.difference:
        yield from ("", "<details><summary>Difference of the workspaces</summary>", "", "```diff")
        yield from _shortened(plan.difference)
        yield from ("```", "", "</details>")


def _shortened(lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    yield from (line.replace("```", "'''") for line in lines[:_LINES])
    if len(lines) > _LINES:
        yield f"… and {len(lines) - _LINES:,} more lines"
