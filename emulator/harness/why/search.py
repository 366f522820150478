"""Finds the smallest change by trying: each candidate is run again, until one lets the person through."""

from __future__ import annotations

from itertools import islice

from emulator.harness.why.answer import Change, Stop
from emulator.harness.why.candidates import candidates
from emulator.harness.why.evidence import Evidence
from emulator.harness.why.rerun import Case, OpenTrial, play

# How many changes may be needed together, and how many are tried at each step.
_STEPS = 4
_TRIED = 16


def smallest_change(stop: Stop, case: Case, evidence: Evidence, open_trial: OpenTrial) -> tuple[Change, ...]:
    """The changes that let it through together; empty when none of those that were tried does.

    A change that only leads further is kept, and the next one is looked for from there.
    """
    found: tuple[Change, ...] = ()
    for _ in range(_STEPS):
        best: tuple[tuple[int, int], Change, Case, Stop, Evidence] | None = None
        for change, changed in islice(candidates(stop, case, evidence), _TRIED):
            outcome, known = play(changed, open_trial)
            if outcome is None:
                return (*found, change)
            if known is not None and outcome.depth > (best[0] if best else stop.depth):
                best = (outcome.depth, change, changed, outcome, known)
        if best is None:
            return ()
        _, change, case, stop, evidence = best
        found = (*found, change)
    return ()
