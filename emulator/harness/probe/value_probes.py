"""The probes of property values, W15: text where a type is declared, and a type that changes."""

from __future__ import annotations

from typing import Final

from emulator.harness.probe.forms import listed, nodes, refused
from emulator.harness.probe.limit_probes import SEGMENT
from emulator.harness.probe.probe_parts import Observed, Phase, ProbeResponse, ProbeResponses, query
from emulator.harness.probe.write_requests import (
    IN_SEGMENT,
    SEGMENT_DAY,
    found,
    is_there,
    look,
    mapping,
    upsert,
    write,
)

_OF_VALUES, _OF_DAYS = "AMPLITUDE", "ACTIVECAMPAIGN"
_CATALOGUE: Final = """query ($a: ID!) { advertiser(id: $a) { cdpProfilePropertiesConnection(first: 100)
    { nodes { key dataType } } } }"""
_BIRTH: Final = "birth_date"


def _values(answers: ProbeResponses) -> Observed:
    record = f"{refused(answers['unreadable'], 'upsertProfiles')}, its profile is {is_there(answers, 'look', 'a')}"
    before, after = (_types(answers[name]) for name in ("typed", "retyped"))
    changed = {"as NUMBER": before.get("probe_value"), "then as STRING": after.get("probe_value")}
    birth = before.get(_BIRTH)
    return {
        "ingestion.unreadable-value": f"a record with text as NUMBER and DATE: {record}",
        "ingestion.builtin-types": None if birth is None else f"{_BIRTH} declared as STRING: {birth}",
        "properties.catalogue": None if None in changed.values() else listed(changed),
    }


def _types(answer: ProbeResponse) -> dict[str, str]:
    found = nodes(answer, "data.advertiser.cdpProfilePropertiesConnection") or ()
    return {str(each.get("key")): str(each.get("dataType")) for each in found}


def _kept(answers: ProbeResponses) -> Observed:
    if not found(answers, "before", "a"):
        return {"ingestion.unreadable-value": None}
    return {"ingestion.unreadable-value": f"a DATE after text was sent for it: {is_there(answers, 'after', 'a')}"}


def _marked(provider: str, *columns: tuple[str, str, str]) -> Phase:
    """A mapping and a marker, which appears after the mapping became active."""
    return Phase(
        send=(mapping("map", provider, *columns), upsert("mark", {"email": "<mail marker>"})),
        look=(look("marked", "marker"), query("typed", _CATALOGUE, a="<advertiser>")),
        appear=("marker",),
    )


VALUE_PROBES: Final = (
    write(
        "W15",
        "Text as NUMBER and DATE, and a type that changes",
        "ingestion.unreadable-value ingestion.builtin-types properties.catalogue",
        _values,
        _marked(
            _OF_VALUES,
            ("probe_value", "probe_value", "NUMBER"),
            ("probe_day", "probe_day", "DATE"),
            (_BIRTH, _BIRTH, "STRING"),
        ),
        Phase(
            send=(
                upsert(
                    "unreadable", {"email": "<mail a>", "probe_value": "abc", "probe_day": "x"}, provider=_OF_VALUES
                ),
                upsert("control", {"email": "<mail b>"}),
                mapping("retype", _OF_VALUES, ("probe_value", "probe_value", "STRING")),
            ),
            look=(look("look", "a", "b"), query("retyped", _CATALOGUE, a="<advertiser>")),
            appear=("b",),
            whole=True,
        ),
        unseen="The catalogue lacks the property.",
    ),
    write(
        "W15b",
        "A date, and then text, seen by a rule of a segment",
        "ingestion.unreadable-value",
        _kept,
        _marked(_OF_DAYS, (_BIRTH, _BIRTH, "DATE")),
        Phase(
            send=(upsert("date", {"email": "<mail a>", _BIRTH: SEGMENT_DAY}, provider=_OF_DAYS),),
            look=(look("profile", "a"), look("before", "a", **IN_SEGMENT)),
            appear=("a",),
            whole=True,
        ),
        Phase(
            send=(
                upsert("text", {"email": "<mail a>", _BIRTH: "x"}, provider=_OF_DAYS),
                upsert("control", {"email": "<mail b>"}),
            ),
            look=(look("control-look", "b"), look("after", "a", **IN_SEGMENT)),
            appear=("b",),
            whole=True,
        ),
        needs=SEGMENT,
        unseen=f"The segment has no rule for the birth date {SEGMENT_DAY}.",
    ),
)
