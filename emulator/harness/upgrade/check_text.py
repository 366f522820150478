"""An upgrade check as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.harness.upgrade.upgrade_findings import (
    DELETION,
    DELIVERY,
    EXAMPLES,
    LEVELS,
    PROFILE,
    Upgrade,
    UpgradeCheck,
    UpgradeFinding,
)
from emulator.text import counted_noun, escaped_markdown, on_one_line

_WORDS = {level: level.replace("-", " ") for level in LEVELS}
_NO_DIFFERENCE = "No difference."
_MAPPINGS = {"saved": "saved mappings", "new": "mappings made anew"}


def lines_of_check(check: UpgradeCheck) -> Iterator[str]:
    """The text."""
    # Names and values may have line breaks and codes that a terminal obeys.
    return map(on_one_line, _lines(check))


def _lines(check: UpgradeCheck) -> Iterator[str]:
    yield f"{_asked(check)} to the destination, {_MAPPINGS[check.mappings]}"
    for upgrade in check.upgrades:
        old, new = upgrade.sides
        yield ""
        yield f"{old.name} → {new.name}: {_verdict(upgrade)}"
        table = [*_table(upgrade)]
        width, numbers = (max(len(row[column]) for row in table) for column in (0, 1))
        yield from (f"  {name:<{width}}  {one:>{numbers}} → {other}" for name, one, other in table)
        for each in upgrade.findings:
            yield from ("", f"{_WORDS[each.level]}: {_title(each)}: {each.count:,}")
            yield f"    {each.cause}"
            yield from (f"    {example_line(example)}" for example in each.examples if example)
            if each.count > EXAMPLES:
                yield f"    and {each.count - EXAMPLES:,} more"
            if each.advice:
                yield f"    What to do: {each.advice}"


def check_as_markdown(check: UpgradeCheck) -> str:
    """The Markdown text, with a line end."""
    return "\n".join([*_markdown(check), ""])


def example_line(example: Mapping[str, Any]) -> str:
    """An example: who, which event, and the values before and after, where it has them."""
    who = [str(example[name]) for name in ("email", "userId", "event") if example.get(name)]
    values = [json.dumps(example[name], ensure_ascii=False) for name in ("old", "new") if name in example]
    return " ".join([*who, *([" → ".join(values)] if values else [])])


def _asked(check: UpgradeCheck) -> str:
    events, deletions = counted_noun(check.events, "event"), counted_noun(check.deletions, "deletion")
    return f"{check.people}, {counted_noun(check.calls, 'call')}: {events} and {deletions}"


def _title(each: UpgradeFinding) -> str:
    # Deliveries, deletions and profiles say what they are.
    part = "" if each.part in (DELIVERY, DELETION, PROFILE) else f"{each.part} "
    return f"{part}{each.what} {each.how}"


def _verdict(upgrade: Upgrade) -> str:
    if not upgrade.findings:
        return _NO_DIFFERENCE
    counts = ", ".join(f"{number} {_WORDS[level]}" for level, number in upgrade.totals.items() if number)
    return f"{_WORDS[upgrade.level]} ({counts})"


def _table(upgrade: Upgrade) -> Iterator[tuple[str, str, str]]:
    old, new = upgrade.sides
    yield "API version", old.api_version, new.api_version
    yield "events that got to StackAdapt", f"{old.events.arrived:,}", f"{new.events.arrived:,}"
    yield "events rejected by the destination", f"{old.events.rejected:,}", f"{new.events.rejected:,}"
    yield "events in refused requests", f"{old.events.refused:,}", f"{new.events.refused:,}"
    yield "requests", f"{old.requests:,}", f"{new.requests:,}"
    yield "profiles in StackAdapt", f"{upgrade.plan.old.profiles:,}", f"{upgrade.plan.new.profiles:,}"
    for each in upgrade.plan.segments:
        if each.old or each.new:
            name = f"segment {each.field.rpartition('_')[2]} {each.value} ({each.advertiser_id})"
            yield name, f"{each.old:,}", f"{each.new:,}"
    yield "deletions that got to StackAdapt", f"{old.deletions.arrived:,}", f"{new.deletions.arrived:,}"
    yield "profiles that they deleted", f"{old.deleted:,}", f"{new.deleted:,}"


def _markdown(check: UpgradeCheck) -> Iterator[str]:
    for upgrade in check.upgrades:
        old, new = upgrade.sides
        yield f"### Upgrade check: {escaped_markdown(old.name)} → {escaped_markdown(new.name)}"
        yield from ("", f"**{_verdict(upgrade).capitalize()}**", "")
        yield f"{escaped_markdown(_asked(check))}, {_MAPPINGS[check.mappings]}."
        yield from ("", "| | before | after |", "|---|--:|--:|")
        yield from (f"| {escaped_markdown(name)} | {one} | {other} |" for name, one, other in _table(upgrade))
        yield ""
        if upgrade.findings:
            yield from ("| level | difference | count | cause | what to do | examples |", "|---|---|--:|---|---|---|")
            yield from map(_row, upgrade.findings)
            yield ""


def _row(each: UpgradeFinding) -> str:
    examples = "<br>".join(escaped_markdown(example_line(example)) for example in each.examples if example)
    what = escaped_markdown(_title(each))
    cause, advice = escaped_markdown(each.cause), escaped_markdown(each.advice or "")
    return f"| {_WORDS[each.level]} | {what} | {each.count:,} | {cause} | {advice} | {examples} |"
