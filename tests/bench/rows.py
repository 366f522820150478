"""The rows of the bench: what is measured, beside what, and the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tests.bench.scale import Scale

YOGA = "GraphQL Yoga stub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A bound of the ratio to the peer, or of the figure itself. Exactly one is given."""

    ratio_at_most: float | None = None
    ratio_at_least: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        sign = "≤" if self.ratio_at_least is None and self.at_least is None else "≥"
        bound = next(
            each for each in (self.ratio_at_most, self.ratio_at_least, self.at_most, self.at_least) if each is not None
        )
        return f"{sign} {bound:,g}{'' if self.of_figure else ' ×'}"

    @property
    def of_figure(self) -> bool:
        return self.at_most is not None or self.at_least is not None

    def met(self, figure: float, ratio: float | None) -> bool:
        """Whether a row reaches it; a ratio that was not measured does not."""
        value = figure if self.of_figure else ratio
        if value is None:
            return False
        most = self.at_most if self.of_figure else self.ratio_at_most
        least = self.at_least if self.of_figure else self.ratio_at_least
        return value <= most if most is not None else least is not None and value >= least


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `group` is what measures it, maybe together with others."""

    name: str
    group: str
    work: str
    unit: str
    target: Target
    peer: str = "–"

    def work_at(self, scale: Scale) -> str:
        """What was measured, with the numbers of the scale."""
        return self.work.format(**asdict(scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured for a row, in every round; or why nothing was."""

    figures: Sequence[float] = ()
    peers: Sequence[float] = ()
    skipped: str | None = None

    @property
    def figure(self) -> float | None:
        return median(self.figures) if self.figures else None

    @property
    def peer(self) -> float | None:
        return median(self.peers) if self.peers else None

    @property
    def ratio(self) -> float | None:
        """The figure divided by the peer's."""
        figure, peer = self.figure, self.peer
        return None if figure is None or not peer else figure / peer


Results = Mapping[str, Measured]


def _row(group: str, name: str, work: str, unit: str, peer: str = "–", **target: float) -> Row:
    return Row(name=name, group=group, work=work, unit=unit, peer=peer, target=Target(**target))


ROWS = (
    _row("one", "one-p50", "one-profile mutation, 1 connection, p50", "ms", YOGA, ratio_at_most=1.3),
    _row("one", "one-p99", "one-profile mutation, 1 connection, p99", "ms", YOGA, ratio_at_most=1),
    _row("one", "one-naive", "one-profile mutation, 1 connection, p50", "ms", "naive Ariadne stub", ratio_at_most=1),
    _row("one", "one-8", "one-profile mutation, 8 connections", "requests/s", YOGA, ratio_at_least=0.6),
    _row("thousand", "thousand-memory", "1,000-profile documents", "profiles/s", YOGA, ratio_at_least=0.5),
    _row("thousand", "thousand-data", "1,000-profile documents, --data", "profiles/s", YOGA, ratio_at_least=0.5),
    _row("page", "page", "page of 100 of {page_profiles:,}, p50", "ms", YOGA, ratio_at_most=2),
    _row(
        "million",
        "million",
        "page of 100 of {million_profiles:,}, p50",
        "ms",
        "itself at 1,000",
        ratio_at_most=1.5,
    ),
    _row("mixed", "mixed-64", "mixed, 64 connections", "requests/s", YOGA, ratio_at_least=0.5),
    _row("mixed", "mixed-64-p99", "mixed, 64 connections, p99", "ms", "its own p50", ratio_at_most=3),
    _row("mixed", "mixed-512", "mixed, 512 connections", "requests/s", YOGA, ratio_at_least=0.5),
    _row("mixed", "mixed-512-p99", "mixed, 512 connections, p99", "ms", "its own p50", ratio_at_most=3),
    _row("mixed", "mixed-512-beside-64", "mixed, 512 connections", "requests/s", "itself at 64", ratio_at_least=0.85),
    _row("mixed", "mixed-errors", "mixed, requests that failed", "", YOGA, at_most=0),
    _row("mapping", "mapping", "mapping, 1,000-event batches", "events/CPU s", "the npm engine", ratio_at_least=3),
    _row("batch", "batch-memory", "/v1/batch, identify to visible", "people/s", "in-memory stub", at_least=10_000),
    _row("batch", "batch-data", "/v1/batch, --data", "people/s", "in-memory stub", at_least=8_000),
    _row("batch", "memory", "memory per person", "KiB", at_most=1.5),
    _row("audiences", "audiences", "/v1/batch, 50 audiences", "people/s", "itself with 1", at_least=1_500),
    _row("clock", "clock", "clock past a window, {clock_people:,} members leave", "s", at_most=6),
    _row("clock", "clock-health", "health meanwhile, longest", "ms", at_most=100),
    _row("clock", "console-profiles", "console, Profiles of {clock_people:,}, first paint", "ms", at_most=300),
    _row("clock", "console-person", "console, Person among {clock_people:,}, first paint", "ms", at_most=300),
    _row("clock", "console-requests", "console, Requests, first paint", "ms", at_most=300),
    _row("plan", "plan", "plan of a change, {plan_people:,} people", "s", at_most=60),
    _row("start", "start", "cold start until the first mutation is answered", "ms", YOGA, ratio_at_most=2),
    _row("pytest", "pytest", "pytest, one identify and one expectation", "ms a test", "an empty test", at_most=12),
    _row("generator", "generator", "people generated", "people/s", "Faker, no weighting", ratio_at_least=15),
    _row("postgresql", "postgresql", "one-profile on PostgreSQL, 8 conn.", "requests/s", "SQLite", ratio_at_least=0.8),
    _row("workers", "workers", "one-profile, 2 workers, one sandbox", "requests/s", "1 worker", ratio_at_least=1.3),
    _row("workers", "workers-cpu", "the same, CPU of a request", "ms", "1 worker", ratio_at_most=1.1),
)
GROUPS = tuple(dict.fromkeys(row.group for row in ROWS))


def as_json(row: Row, measured: Measured, scale: Scale) -> dict[str, Any]:
    """A row of the file; values of all rounds, medians, and whether the target is reached."""
    figure, ratio = measured.figure, measured.ratio
    return {
        "row": row.name,
        "work": row.work_at(scale),
        "unit": row.unit,
        "figure": _rounded(figure),
        "beside": row.peer,
        "peer": _rounded(measured.peer),
        "ratio": _rounded(ratio),
        "target": str(row.target),
        "met": None if figure is None else row.target.met(figure, ratio),
        "skipped": measured.skipped,
        "rounds": {"figure": [*map(_rounded, measured.figures)], "peer": [*map(_rounded, measured.peers)]},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
