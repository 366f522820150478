"""The reason codes, each with what it means, what to do, and how often it is the reason of something in a sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from emulator.artefacts import contract_text
from emulator.harness.funnel import REFUSED, SUCCESSFUL, Services, codes, funnel
from emulator.harness.ledger import rows_about
from emulator.yaml_files import load_yaml

SEGMENT: Final = "Segment"
STACKADAPT: Final = "StackAdapt"
WARNINGS: Final = "warnings"


def reasons(services: Services, *, text: str | None = None) -> list[dict[str, Any]]:
    """The codes with `text` in code, meaning or advice, in the order of the pipeline, as dicts of JSON values.

    `service` is `Segment` or `StackAdapt`, and `stage` the step of Segment's Delivery Overview or the outcome of the
    record; `warnings` is the stage of what StackAdapt accepts in part. `counts` says what `count` counts now, calls,
    deliveries or records, None for a warning; `behaviours` are the ids of the rows of the ledger about it.
    Codes that are no part of the table, such as a status, are there when something has them, without advice.
    """
    wanted = (text or "").casefold()
    found = _all(funnel(services))
    return [each for each in found if wanted in f"{each['code']} {each['meaning']} {each['fix'] or ''}".casefold()]


def refusal(code: str) -> tuple[str, str | None]:
    """What it means that Segment refuses a call with this code, and what to do."""
    found = next((each for each in _table()["segment"] if each["code"] == code), {"meaning": "not in the table"})
    return found["meaning"], found.get("fix")


def _all(counted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    table = _table()
    for step, content in counted["steps"].items():
        if step == SUCCESSFUL:
            # Its reasons are those of StackAdapt, which Segment does not see.
            continue
        listed = [each for each in table["segment"] if each["step"] == step]
        about = codes().steps[step]
        yield from _of_stage(SEGMENT, about["name"], about["counts"], listed, content["reasons"])
    for outcome, content in counted["stackadapt"].items():
        if outcome in table["ends"]:
            listed = [each for each in table["segment"] if outcome == REFUSED and each["step"] == SUCCESSFUL]
            yield from _of_stage(STACKADAPT, outcome, "deliveries", listed, content["reasons"])
            continue
        listed = [each for each in table["reasons"] if each["outcome"] == outcome]
        yield from _of_stage(STACKADAPT, outcome, "records", listed, content["reasons"])
    for each in table["warnings"]:
        yield _reason(STACKADAPT, WARNINGS, "records", each, None)


def _of_stage(
    service: str, stage: str, what: str, listed: list[Mapping[str, Any]], counted: list[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    counts = {each["code"]: each["count"] for each in counted}
    for each in listed:
        yield _reason(service, stage, what, each, counts.pop(each["code"], 0))
    meanings = {each["code"]: each["meaning"] for each in counted}
    for code, count in counts.items():
        yield _reason(service, stage, what, {"code": code, "meaning": meanings[code]}, count)


def _reason(service: str, stage: str, what: str, of: Mapping[str, Any], count: int | None) -> dict[str, Any]:
    return {
        "code": of["code"],
        "service": service,
        "stage": stage,
        "meaning": of["meaning"],
        "fix": of.get("fix"),
        "counts": what,
        "count": count,
        "behaviours": [row.id for row in rows_about(of["code"])],
    }


@cache
def _table() -> Any:
    return load_yaml(contract_text("reason-codes.yaml"))
