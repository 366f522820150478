"""What a client does after a request that failed: whether, when and how it sends the request again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from itertools import combinations, pairwise, takewhile
from operator import eq
from statistics import median
from typing import Final

from emulator.harness.grade.seen_in_runs import Case, Evidence, how_it_ended, seen
from emulator.harness.grade.sent_requests import Attempts, Run, SentRequest

# A client may give up after as many attempts, if it says so.
FEWEST_ATTEMPTS: Final = 3
GROWTH: Final = 1.5
# A client gives up before that.
LONGEST_SECONDS: Final = 30
# Longer than a request that follows at once takes to arrive.
_NO_PAUSE_SECONDS = 0.02
# Pauses that differ by less are equal: the machine is not exact.
_EQUAL_SECONDS, _EQUAL_SHARE = 0.02, 0.01
_EARLY_SECONDS = 0.05
# The clocks of requests and of their run do not start together.
_INEXACT_SECONDS = 0.1
_TEMPORARY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
# What creates something with each request.
_CREATING = frozenset(
    {"createAdvertiser", "createProfileList", "createUserUploadedProfiles", "createUserUploadedProfilesWithJson"}
)
_KEY = re.compile(r'(\w+)\\*"?\s*:\s*\\*"?[^"\\:]*$')


def repeats_429(case: Case) -> Iterator[Evidence]:
    """Whether requests with status 429 are sent again."""
    return _repeats(case, lambda request: request.status == HTTPStatus.TOO_MANY_REQUESTS)


def repeats_5xx(case: Case) -> Iterator[Evidence]:
    """Whether requests with a status of 500 or above are sent again."""
    return _repeats(case, lambda request: request.server_failed)


def _repeats(case: Case, failed: Callable[[SentRequest], bool]) -> Iterator[Evidence]:
    for run in case.runs:
        for attempts in run.attempts:
            if any(map(failed, attempts)):
                yield _repeated(run, attempts, ended=not failed(attempts[-1]))


def _repeated(run: Run, attempts: Attempts, *, ended: bool) -> Evidence:
    """`ended` is whether the last attempt no longer failed in this way."""
    last, count = attempts[-1], len(attempts)
    if ended:
        return seen(True, f"sent {count} times, at last {last.outcome}", run, *attempts)
    if count < FEWEST_ATTEMPTS:
        again = "not sent again" if count == 1 else "given up after 2 attempts"
        return seen(False, f"{last}, and {again}", run, *attempts)
    if run.recorded or run.exit_code:
        return seen(True, f"given up after {count} attempts, and the failure was reported", run, *attempts)
    return seen(False, f"never accepted in {count} attempts, but the command {how_it_ended(run)}", run, *attempts)


def growing_pauses(case: Case) -> Iterator[Evidence]:
    """Whether the last pause before a repeat is longer than the first."""
    series = [(run, attempts) for run, attempts in _backing_off(case) if len(attempts) >= FEWEST_ATTEMPTS]
    if not series:
        return
    pauses = [_pauses(attempts) for _, attempts in series]
    run, attempts = series[0]
    if _at_once(pauses):
        yield seen(False, f"no pause before repeats: {_shown(pauses[0])}", run, *attempts)
        return
    first, last = (sum(each[place] for each in pauses) for place in (0, -1))
    yield from (
        seen(last >= GROWTH * first, f"pauses of {_shown(each)}", run, *attempts)
        for (run, attempts), each in zip(series, pauses, strict=True)
    )


def jitter(case: Case) -> Iterator[Evidence]:
    """Whether the same pause differs between series of repeats after the same statuses.

    After another status a client may wait for another time, which is not random either.
    """
    series = [
        (run, attempts, _pauses(attempts), [each.status for each in attempts[:-1]])
        for run, attempts in _backing_off(case)
    ]
    pairs = [(one, other) for one, other in combinations(series, 2) if all(map(eq, one[3], other[3]))]
    if not pairs:
        return
    compared = [each for each in series if any(each in pair for pair in pairs)]
    differs = not _at_once([pauses for _, _, pauses, _ in compared]) and any(
        not _equal(mine, its) for one, other in pairs for mine, its in zip(one[2], other[2], strict=False)
    )
    yield from (seen(differs, f"pauses of {_shown(pauses)}", run, *attempts) for run, attempts, pauses, _ in compared)


def retry_after(case: Case) -> Iterator[Evidence]:
    """Whether a repeat comes no earlier than `Retry-After` says."""
    for run in case.runs:
        for attempts in run.attempts:
            for one, other in pairwise(attempts):
                wanted = one.envelope.retry_after
                if wanted is not None:
                    pause = other.started - one.envelope.ended
                    text = f"Retry-After: {wanted:g}, and sent again after {pause:.2f} s"
                    yield seen(pause >= wanted - _EARLY_SECONDS, text, run, one, other)


def gives_up(case: Case) -> Iterator[Evidence]:
    """Whether a request whose response does not come is sent again, or the command ends, instead of waiting for it."""
    for run in case.runs:
        for place, request in enumerate(run.requests):
            if run.recorded or (request.late or 0) < LONGEST_SECONDS:
                continue
            again = next((each for each in run.requests[place + 1 :] if each.repeats(request)), None)
            waited = (again.started if again else run.seconds) - request.started
            what = f"{', '.join(request.operations) or 'a request'} without a response"
            if waited >= LONGEST_SECONDS - _INEXACT_SECONDS:
                yield seen(False, f"{what}, and the command waited {waited:.1f} s", run, request)
            elif again:
                yield seen(True, f"{what}, sent again after {waited:.1f} s", run, request, again)
            elif not run.stopped:
                yield seen(True, f"{what}, and the command {how_it_ended(run)} after {waited:.1f} s", run, request)


def stops_after_4xx(case: Case) -> Iterator[Evidence]:
    """Whether a refused request is left alone, and the failure reported."""
    for run in case.runs:
        for attempts in run.attempts:
            refused = next((each for each in attempts if _is_refused(each)), None)
            if refused is None:
                continue
            again = [each for each in attempts if each.number > refused.number]
            if again:
                text = f"{refused}, and sent again {len(again)} {'time' if len(again) == 1 else 'times'}"
                yield seen(False, text, run, refused, *again)
            elif run.recorded:
                yield seen(True, f"{refused}, not sent again", run, refused)
            elif run.exit_code:
                yield seen(True, f"{refused}, not sent again, and the command {how_it_ended(run)}", run, refused)
            else:
                yield seen(False, f"{refused}, but the command {how_it_ended(run)}", run, refused)


def lost_response(case: Case) -> Iterator[Evidence]:
    """Whether a write whose response was lost is repeated without a second effect."""
    for run in case.runs:
        for attempts in run.attempts:
            lost = next((each for each in attempts if each.mutates and each.status is None), None)
            if lost is None:
                continue
            again = next((each for each in attempts if each.number > lost.number), None)
            if again is not None:
                yield _repeated_write(run, lost, again)
            elif not run.recorded:
                reported = bool(run.exit_code)
                then = "and the failure was reported" if reported else f"but the command {how_it_ended(run)}"
                yield seen(reported, f"{lost}, not sent again, {then}", run, lost)


def _repeated_write(run: Run, lost: SentRequest, again: SentRequest) -> Evidence:
    creating = sorted(_CREATING.intersection(lost.operations))
    if creating:
        return seen(False, f"{creating[0]} sent again: there are two now", run, lost, again)
    if again.document != lost.document:
        return seen(False, f"sent again with another {_first_difference(lost, again)}", run, lost, again)
    return seen(True, "sent again without a change", run, lost, again)


def _first_difference(lost: SentRequest, again: SentRequest) -> str:
    """The key whose value differs first, or what else does. Values may be personal data."""
    equal = takewhile(lambda pair: pair[0] == pair[1], zip(lost.document, again.document, strict=False))
    key = _KEY.search("".join(one for one, _ in equal))
    return key[1] if key else "document"


def _is_refused(request: SentRequest) -> bool:
    status = request.status
    return status is not None and HTTPStatus.BAD_REQUEST <= status < 500 and status not in _TEMPORARY


def _backing_off(case: Case) -> Iterator[tuple[Run, Attempts]]:
    """The requests that were repeated although no response said when to."""
    for run in case.runs:
        for attempts in run.attempts:
            failed = [*attempts[:-1]]
            asked = all(each.status == HTTPStatus.TOO_MANY_REQUESTS or each.server_failed for each in failed)
            if failed and asked and all(each.envelope.retry_after is None for each in failed):
                yield run, attempts


def _pauses(attempts: Attempts) -> Sequence[float]:
    return [max(0.0, other.started - one.envelope.ended) for one, other in pairwise(attempts)]


def _at_once(pauses: Sequence[Sequence[float]]) -> bool:
    # The median: a busy machine delays some of the requests.
    return median(pause for each in pauses for pause in each) < _NO_PAUSE_SECONDS


def _equal(one: float, other: float) -> bool:
    return abs(one - other) <= _EQUAL_SECONDS + _EQUAL_SHARE * max(one, other)


def _shown(pauses: Sequence[float]) -> str:
    return ", ".join(f"{pause:.2f}" for pause in pauses) + " s"
