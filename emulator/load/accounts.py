"""What the emulator accounts for, beside what was acknowledged.

    calls acknowledged   <= calls received - duplicates                  <= those, and the calls without an answer
    records acknowledged <= records at StackAdapt - records of deliveries <= those, and the records without an answer

What arrives through Segment balances by itself (`emulator.harness.funnel`): every call, event and delivery is at a
step, or stopped for a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.clock import polls
from emulator.harness.client import Control
from emulator.load.worker_ledger import Tally

_SETTLING_SECONDS = 60.0
_EVERY_SECONDS = 0.2
_DUPLICATE = "duplicate"
# Ends of deliveries that are no records at StackAdapt.
_NO_RECORD = ("refused", "unknown")

# The place and the reason, None where nothing stopped.
Place = tuple[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Counts of an emulator: `steps` are Segment's, `ends` those of deliveries, `records` of everything at StackAdapt.

    `calls`, `deliveries` and `left` are totals; `left` are records whose event was deleted or replayed since.
    """

    calls: int
    deliveries: int
    left: int
    steps: Counter[Place]
    ends: Counter[Place]
    records: Counter[Place]
    imbalances: tuple[str, ...] = ()

    def since(self, before: Accounts) -> Accounts:
        """What was added since."""
        return Accounts(
            calls=self.calls - before.calls,
            deliveries=self.deliveries - before.deliveries,
            left=self.left - before.left,
            steps=_added(before.steps, self.steps),
            ends=_added(before.ends, self.ends),
            records=_added(before.records, self.records),
            imbalances=self.imbalances,
        )

    @property
    def duplicates(self) -> int:
        """The calls that Segment has dropped because it had their `messageId`."""
        return sum(number for (_, reason), number in self.steps.items() if reason == _DUPLICATE)

    @property
    def of_clients(self) -> int:
        """The records that came to StackAdapt from other clients than Segment."""
        delivered = sum(number for (end, _), number in self.ends.items() if end not in _NO_RECORD)
        return self.records.total() - delivered - self.left


def read_accounts(control: Control) -> Accounts:
    """The counts of an emulator once nothing is under way. Raises what the control API refuses."""
    last: dict[str, Any] = {}
    for _ in polls(_SETTLING_SECONDS, every=_EVERY_SECONDS):
        counts = control.get("counts")
        # Read between two equal counts, the funnel is of the same time.
        if last and counts == last["counts"]:
            break
        last = {"counts": counts, "funnel": control.get("funnel")}
    funnel, stackadapt = last["funnel"], last["counts"]["stackadapt"]
    totals = funnel["totals"]
    return Accounts(
        calls=totals["calls"],
        deliveries=totals["deliveries"],
        left=totals["recordsWithoutEvent"],
        steps=_places(funnel["steps"]),
        ends=_places(funnel["stackadapt"]),
        records=Counter({(outcome, None): number for outcome, number in stackadapt["records"].items()}),
        imbalances=tuple(funnel["imbalances"]),
    )


def differences(added: Accounts, tally: Tally) -> Iterator[str]:
    """What is not accounted for, as text; nothing where everything is."""
    for imbalance in added.imbalances:
        yield f"the funnel does not balance: {imbalance}"
    unknown = sum(number for (end, _), number in added.ends.items() if end == "unknown")
    if unknown:
        yield f"deliveries: {unknown:,} ended nowhere at StackAdapt"
    sent_before = added.duplicates - tally.repeated_calls
    if sent_before > 0:
        yield f"calls: {sent_before:,} had been sent before; choose another --seed or --start"
    else:
        arrived = added.calls - added.duplicates
        yield from _outside("calls", arrived, tally.acknowledged_calls, tally.uncertain_calls)
    yield from _outside("records", added.of_clients, tally.acknowledged_records, tally.uncertain_records)


def _outside(what: str, arrived: int, acknowledged: int, uncertain: int) -> Iterator[str]:
    if arrived < acknowledged:
        yield f"{what}: {acknowledged - arrived:,} of {acknowledged:,} acknowledged {what} are not accounted for"
    elif arrived > acknowledged + uncertain:
        more = arrived - acknowledged - uncertain
        yield (
            f"{what}: {more:,} more are accounted for than the {acknowledged:,} acknowledged and {uncertain:,} without"
            " an answer; does something else send to this emulator?"
        )


def _places(content: dict[str, Any]) -> Counter[Place]:
    """The counts of a part of the funnel, by place and reason; None for what has no reason."""
    places = Counter[Place]()
    for place, shown in content.items():
        places[place, None] = shown["count"]
        for reason in shown["reasons"]:
            places[place, None] -= reason["count"]
            places[place, reason["code"]] = reason["count"]
    return +places


def _added(before: Counter[Place], after: Counter[Place]) -> Counter[Place]:
    added = Counter(after)
    added.subtract(before)
    return Counter({place: number for place, number in added.items() if number})
