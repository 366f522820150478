"""The result for each row of the ledger: what was seen against what the emulator does, and the setting that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.clock import to_iso
from emulator.harness.ledger import behaviours
from emulator.harness.probe.ledger_settings import setting_of, values_of, with_value
from emulator.harness.probe.player_of_probes import Player, Progress
from emulator.harness.probe.probe_parts import Probe, Seen, lacks_field
from emulator.harness.probe.reference_emulator import ByRow, Reference, seen_by

CONFIRMED, DIFFERS, NOT_SEEN = "confirmed", "differs", "not seen"
RESULTS: Final = (CONFIRMED, DIFFERS, NOT_SEEN)
# The emulator refuses nothing by itself: what a refusal looks like is seen under a limit.
_UNDER: Final[Mapping[str, tuple[str, Any]]] = {"faults.status-envelope": ("rateLimit", {"requests": 1})}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """`seen` and `expected` are by probe. `value` is the value of the `setting` that fits; None when none does."""

    row: str
    provenance: str
    result: str
    seen: Mapping[str, str]
    expected: Mapping[str, str]
    setting: str | None = None
    value: Any = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form (`contracts/probe.schema.json`)."""
        fits = None if self.setting is None or self.value is None else {"name": self.setting, "value": self.value}
        return {
            "row": self.row,
            "provenance": self.provenance,
            "result": self.result,
            "seen": dict(self.seen),
            "expected": dict(self.expected),
            "setting": fits,
            "reason": self.reason,
        }


class Judged:
    """Compares what probes showed with the reference, each run of which is made once."""

    def __init__(self, probes: Sequence[Probe], player: Player, progress: Progress, reference: Reference) -> None:
        self._over = [probe for probe in probes if probe.id in progress.over]
        self._observed = {probe.id: seen_by(probe, player) for probe in self._over}
        self._player = player
        self._progress = progress
        self._reference = reference
        self._runs: dict[tuple[str, str, tuple[str, ...]], Mapping[str, ByRow]] = {}

    def rows(self, probes: Sequence[Probe], why_not: Callable[[Probe], str | None]) -> Iterator[RowResult]:
        """A result for each row that one of the probes can settle, in the order of the ledger."""
        for row in behaviours():
            claimed = [probe for probe in probes if row.id in probe.rows]
            if claimed:
                yield self._result(row.id, row.provenance, claimed, why_not)

    def _result(
        self, row: str, provenance: str, claimed: Sequence[Probe], why_not: Callable[[Probe], str | None]
    ) -> RowResult:
        seen = {
            probe.id: found for probe in claimed if (found := self._observed.get(probe.id, {}).get(row)) is not None
        }
        texts = {probe: each.text for probe, each in seen.items()}
        if not seen:
            reason = _joined({probe.id: self._unseen(probe, why_not) for probe in claimed})
            return RowResult(row=row, provenance=provenance, result=NOT_SEEN, seen={}, expected={}, reason=reason)
        expected = self._expected(row, tuple(seen))
        setting, value = setting_of(row), None
        measured = next((each.value for each in seen.values() if each.value is not None), None)
        result = CONFIRMED if expected == texts else DIFFERS
        if setting is not None and not values_of(setting):
            value = measured
        elif setting is not None:
            value = values_of(setting)[0] if result == CONFIRMED else self._fitting(row, setting, texts)
            if value is not None and not expected:
                # The row is about this value: by default there is nothing to see.
                result, expected = CONFIRMED, texts
        return RowResult(
            row=row,
            provenance=provenance,
            result=result,
            seen=texts,
            expected=expected,
            setting=setting,
            value=value,
        )

    def _unseen(self, probe: Probe, why_not: Callable[[Probe], str | None]) -> str:
        if (reason := why_not(probe)) is not None:
            return reason
        if (until := self._progress.waiting.get(probe.id)) is not None:
            return f"{probe.id} waits for what it sent, until {to_iso(until)}."
        if probe.id not in self._progress.over:
            return f"{probe.id} was not reached."
        answers = self._player.answers(probe).by_name.values()
        lacking = next((answer.message for answer in answers if probe.valid and lacks_field(answer)), None)
        if lacking is not None:
            return f"The schema of the service lacks what {probe.id} asks for: {lacking}"
        if not self._player.appeared(probe):
            return f"What {probe.id} sent did not appear in time."
        return probe.unseen

    def _expected(self, row: str, probes: tuple[str, ...]) -> dict[str, str]:
        setting, value = _UNDER.get(row, ("", None))
        chosen = probes if setting else tuple(probe.id for probe in self._over)
        return self._texts(row, probes, self._run(setting, value, chosen))

    def _fitting(self, row: str, setting: str, texts: Mapping[str, str]) -> Any:
        """The first value under which the emulator shows the same."""
        for value in values_of(setting):
            if self._texts(row, tuple(texts), self._run(setting, value, tuple(texts))) == texts:
                return value
        return None

    def _run(self, setting: str, value: Any, chosen: tuple[str, ...]) -> Mapping[str, ByRow]:
        key = setting, repr(value), chosen

        def change(workspace: dict[str, Any]) -> dict[str, Any]:
            return with_value(workspace, setting, value) if setting else workspace

        if key not in self._runs:
            self._runs[key] = self._reference.observed([each for each in self._over if each.id in chosen], change)
        return self._runs[key]

    @staticmethod
    def _texts(row: str, probes: Sequence[str], run: Mapping[str, ByRow]) -> dict[str, str]:
        found: dict[str, Seen | None] = {probe: run.get(probe, {}).get(row) for probe in probes}
        return {probe: seen.text for probe, seen in found.items() if seen is not None}


def _joined(reasons: Mapping[str, str]) -> str:
    """The reasons of several probes; each names its probe where they are not the same."""
    different = dict.fromkeys(reasons.values())
    if len(different) == 1:
        return next(iter(different))
    return " ".join(
        f"{probe}{reason.removeprefix('It')}" if reason.startswith("It ") else reason
        for probe, reason in reasons.items()
    )
