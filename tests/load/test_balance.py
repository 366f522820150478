"""What was sent beside what arrived: sums of the ledgers, and the differences that are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from emulator.errors import InputError
from emulator.load.accounts import Accounts, differences
from emulator.load.person_request import SEGMENT, PersonRequest
from emulator.load.worker_ledger import ACKNOWLEDGED, ERRORS, FAILED, LIMITED, LOST, REFUSED, SENT, Ledger, Tally

BATCH = PersonRequest(person=1, name="batch", side=SEGMENT, path="/v1/batch", body=b"{}", calls=3)
UPSERT = PersonRequest(person=2, name="upsert", side="stackadapt", path="/graphql", body=b"{}", records=1)
NO_ENDS: Mapping[tuple[str, str | None], int] = {}


def tally_of(folder: Path, lines: Sequence[tuple[PersonRequest, str, int]]) -> Tally:
    ledger = Ledger(folder, 0)
    for request, end, status in lines:
        ledger.write(request, end, status)
    ledger.close()
    tally = Tally(folder)
    tally.update()
    return tally


def accounts(
    *, calls: int = 0, records: int = 0, duplicates: int = 0, ends: Mapping[tuple[str, str | None], int] = NO_ENDS
) -> Accounts:
    return Accounts(
        calls=calls,
        deliveries=0,
        left=0,
        steps=Counter({("failedOnIngest", "duplicate"): duplicates}),
        ends=Counter(ends),
        records=Counter({("visible", None): records}),
    )


@pytest.mark.parametrize(
    ("ends", "acknowledged", "uncertain", "repeated"),
    [
        ([(SENT, 0), (ACKNOWLEDGED, 200)], 3, 0, 0),
        ([(SENT, 0)], 0, 3, 0),
        ([(SENT, 0), (LOST, 0), (SENT, 0), (ACKNOWLEDGED, 200)], 3, 0, 3),
        ([(SENT, 0), (FAILED, 503), (SENT, 0)], 0, 3, 3),
        ([(SENT, 0), (LIMITED, 429), (SENT, 0), (ACKNOWLEDGED, 200)], 3, 0, 0),
        ([(SENT, 0), (REFUSED, 401)], 0, 3, 0),
    ],
)
def test_calls_are_certain_once_they_are_acknowledged(
    tmp_path: Path, ends: list[tuple[str, int]], acknowledged: int, uncertain: int, repeated: int
) -> None:
    tally = tally_of(tmp_path, [(BATCH, end, status) for end, status in ends])
    assert (tally.acknowledged_calls, tally.uncertain_calls, tally.repeated_calls) == (
        acknowledged,
        uncertain,
        repeated,
    )


@pytest.mark.parametrize(
    ("ends", "acknowledged", "uncertain"),
    [
        ([(SENT, 0), (ACKNOWLEDGED, 200)], 1, 0),
        ([(SENT, 0), (LOST, 0), (SENT, 0), (LOST, 0), (SENT, 0), (ACKNOWLEDGED, 200)], 1, 2),
        ([(SENT, 0), (LOST, 0), (SENT, 0)], 0, 2),
        ([(SENT, 0), (ERRORS, 200)], 0, 1),
    ],
)
def test_a_record_may_have_arrived_each_time_that_it_was_sent(
    tmp_path: Path, ends: list[tuple[str, int]], acknowledged: int, uncertain: int
) -> None:
    tally = tally_of(tmp_path, [(UPSERT, end, status) for end, status in ends])
    assert (tally.acknowledged_records, tally.uncertain_records) == (acknowledged, uncertain)


def test_a_tally_reads_on_and_leaves_a_line_that_is_not_complete(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, [(BATCH, SENT, 0)])
    with (tmp_path / "worker-1.tsv").open("ab") as file:
        file.write(b"1\tbatch\t3\t0\tacknow")
        file.flush()
        tally.update()
        assert tally.uncertain_calls == 3
        file.write(b"ledged\t200\n")
    tally.update()
    assert (tally.acknowledged_calls, tally.uncertain_calls) == (3, 0)


def test_a_ledger_is_written_once(tmp_path: Path) -> None:
    Ledger(tmp_path, 0).close()
    with pytest.raises(InputError, match="has written here before"):
        Ledger(tmp_path, 0)


ALL = [(BATCH, SENT, 0), (BATCH, ACKNOWLEDGED, 200), (UPSERT, SENT, 0), (UPSERT, ACKNOWLEDGED, 200)]
UNSURE = [*ALL[:3], (UPSERT, LOST, 0), (UPSERT, SENT, 0), (UPSERT, ACKNOWLEDGED, 200)]
AGAIN = [(BATCH, SENT, 0), (BATCH, LOST, 0), *ALL]


@pytest.mark.parametrize(
    ("lines", "found", "said"),
    [
        (ALL, accounts(calls=3, records=1), []),
        (ALL, accounts(calls=2, records=1), ["calls: 1 of 3 acknowledged calls are not accounted for"]),
        (ALL, accounts(calls=3), ["records: 1 of 1 acknowledged records are not accounted for"]),
        (ALL, accounts(calls=4, records=1), ["calls: 1 more are accounted for than the 3 acknowledged"]),
        (UNSURE, accounts(calls=3, records=1), []),
        (UNSURE, accounts(calls=3, records=2), []),
        (UNSURE, accounts(calls=3, records=3), ["records: 1 more are accounted for"]),
        (AGAIN, accounts(calls=6, records=1, duplicates=3), []),
        (AGAIN, accounts(calls=5, records=1, duplicates=3), ["calls: 1 of 3 acknowledged"]),
        (ALL, accounts(calls=3, records=1, duplicates=3), ["calls: 3 had been sent before"]),
        (ALL, accounts(calls=3, records=3, ends={("visible", None): 2}), []),
        (
            ALL,
            accounts(calls=3, records=1, ends={("unknown", None): 2}),
            ["deliveries: 2 ended nowhere at StackAdapt"],
        ),
    ],
)
def test_a_difference_is_named(
    tmp_path: Path, lines: list[tuple[PersonRequest, str, int]], found: Accounts, said: list[str]
) -> None:
    given = [*differences(found, tally_of(tmp_path, lines))]
    assert len(given) == len(said)
    assert [text for text, start in zip(given, said, strict=True) if not text.startswith(start)] == []


def test_an_imbalance_of_the_funnel_is_a_difference(tmp_path: Path) -> None:
    found = Accounts(
        calls=0, deliveries=0, left=0, steps=Counter(), ends=Counter(), records=Counter(), imbalances=("deliveries: 2",)
    )
    assert [*differences(found, Tally(tmp_path))] == ["the funnel does not balance: deliveries: 2"]
