"""The report of a run as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from emulator.harness.mutate.judged import Judged, Mutants
from emulator.harness.mutate.mutation import Mutation
from emulator.text import escaped_markdown

_EQUIVALENT: Final = "no event found that differs, in {:,}: the mutation may be equivalent"
_NONE: Final = "Nothing survives."


def lines_of_mutants(mutants: Mutants) -> Iterator[str]:
    """The text."""
    yield f"{mutants.workspace}: {_counted(mutants)} against {mutants.against}"
    yield ""
    width = max(len(kind) for kind in mutants.kinds())
    for kind, counts in mutants.kinds().items():
        yield f"  {kind:<{width}}  {counts['killed']:>4} of {sum(counts.values())} killed"
    yield f"  {'score':<{width}}  {mutants.score:>4g} %"
    if not mutants.survivors:
        yield from ("", _NONE)
    for each in mutants.survivors:
        yield from ("", f"survives: {where_of(each)}", *_change(each.mutation))
        if each.explanation:
            yield f"    accepted: {each.explanation}"
        elif each.revealing is None:
            yield f"    {_EQUIVALENT.format(mutants.events)}"
        else:
            yield f"    revealed by: {json.dumps(each.revealing.event, ensure_ascii=False)}"
            yield f"      {each.revealing.difference}"
    for old in mutants.outdated:
        yield from ("", f"accepted, but no survivor: {old.kind}  {old.place}", f"    → {old.after}")


def lines_of_mutations(mutations: list[tuple[Mutation, int | None]]) -> Iterator[str]:
    """What could be mutated, without a run; each with its line."""
    for mutation, line in mutations:
        yield _where(mutation, line)
        yield from _change(mutation)


def as_markdown(mutants: Mutants) -> str:
    """The Markdown text, with a line end."""
    return "\n".join([*_markdown(mutants), ""])


def where_of(judged: Judged) -> str:
    """Kind and place of a mutation, a line."""
    return _where(judged.mutation, judged.line)


def _where(mutation: Mutation, line: int | None) -> str:
    at = " (a default of the generation)" if mutation.inherited else f", line {line}" if line else ""
    return f"{mutation.kind}  {mutation.place}{at}"


def _change(mutation: Mutation) -> Iterator[str]:
    yield f"    - {mutation.before}"
    yield f"    + {mutation.after}"


def _counted(mutants: Mutants) -> str:
    run = len(mutants.judged)
    of = "" if run == mutants.possible else f" of {mutants.possible:,}"
    return f"{run:,}{of} {'mutation' if run == 1 and not of else 'mutations'}"


def _markdown(mutants: Mutants) -> Iterator[str]:
    yield f"### Mutations of {escaped_markdown(mutants.workspace)}: {mutants.score:g} % killed"
    yield from (
        "",
        f"{_counted(mutants)} against {escaped_markdown(mutants.against)}.",
        "",
        "| kind | killed | survived |",
    )
    yield "|---|--:|--:|"
    for kind, counts in mutants.kinds().items():
        yield f"| {kind} | {counts['killed']} | {counts['survived']} |"
    if not mutants.survivors:
        yield from ("", f"**{_NONE}**")
        return
    yield from ("", "| survivor | before | after | |", "|---|---|---|---|")
    for each in mutants.survivors:
        found = each.explanation or (each.revealing and each.revealing.difference)
        cells = (where_of(each), each.mutation.before, each.mutation.after, found or "may be equivalent")
        yield f"| {' | '.join(map(escaped_markdown, cells))} |"
    for each in mutants.survivors:
        if each.revealing is not None and each.explanation is None:
            yield from ("", f"<details><summary>{escaped_markdown(where_of(each))}</summary>", "", "```json")
            yield json.dumps(each.revealing.event, ensure_ascii=False, indent=2).replace("```", "'''")
            yield from ("```", "", "</details>")
