"""Why a visible profile is not in a segment: the tests of the rule, each with the profile's values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.errors import InputError, nearest
from emulator.harness.why.answer import SEGMENT, Stop
from emulator.harness.why.evidence import Evidence, Services, Shown
from emulator.stackadapt.rules.segment_rules import AUDIENCE_ID, AUDIENCE_NAME, EMAIL, MARKETING_STATUS, canonical_field
from emulator.stored_values import NOT_SHOWN

Path = tuple[str | int, ...]


def segment_stop(evidence: Evidence, services: Services) -> Stop | None:
    """Why no profile of the person is in the segment of the question; None when one is.

    Raises NotFound, and InputError for a segment that is damaged in the store.
    """
    segment = services.stackadapt.segments.get(str(evidence.question.segment), members=False)
    if NOT_SHOWN in segment:
        raise InputError(
            "the segment cannot be computed: it, or a profile, is damaged in the store",
            where="segment",
            found="; ".join(segment[NOT_SHOWN]),
            hint=f"PATCH /_emulator/segments/{segment['id']} gives it another rule.",
        )
    own = [each for each in evidence.profiles if each["advertiserId"] == segment["advertiserId"]]
    if any(services.stackadapt.segments.has_member(segment["id"], each["email"]) for each in own):
        return None
    if not own:
        return Stop(
            stage=SEGMENT,
            reason="OTHER_ADVERTISER",
            message=f"segment {segment['name']!r} is of advertiser {segment['advertiserId']}, and the profile of "
            f"{', '.join(each['advertiserId'] for each in evidence.profiles)}",
            advice="Send the person to that advertiser, or build the segment there.",
            about=segment,
        )
    profile = own[-1]
    audience = _audience_of(segment["rule"], profile, evidence)
    tests = "; ".join(_described(test, profile) for _, test in leaves_of(segment["rule"]))
    if audience is not None:
        failed = [clause for each in evidence.audiences if each["audience"] == audience for clause in each["failed"]]
        return Stop(
            stage=SEGMENT,
            reason="NOT_IN_AUDIENCE",
            message=f"the segment {segment['name']!r} selects the audience {audience}, and the profile is not in it",
            found="; ".join([tests, *failed]),
            advice="Send the traits or events that the audience's condition needs.",
            about={**segment, "audience": audience},
        )
    return Stop(
        stage=SEGMENT,
        reason="RULE_FALSE",
        message=f"the profile does not meet the rule of segment {segment['name']!r}",
        found="; ".join([tests, *segment["warnings"]]),
        advice=_advice(segment, profile),
        about={**segment, "profile": profile},
    )


def leaves_of(rule: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The tests of a rule with their paths."""
    for key in ("all", "any"):
        for index, part in enumerate(rule.get(key, ())):
            yield from leaves_of(part, (*path, key, index))
    if "not" in rule:
        yield from leaves_of(rule["not"], (*path, "not"))
    if "field" in rule:
        yield path, rule


def values_of(profile: Shown, field: str) -> list[Any]:
    """The values that a profile has for the field of a rule."""
    name = canonical_field(field)
    if name == AUDIENCE_ID:
        return [each["id"] for each in profile["audiences"]]
    if name == AUDIENCE_NAME:
        return [each["name"] for each in profile["audiences"]]
    if name in (EMAIL, MARKETING_STATUS):
        return [profile[{EMAIL: "email", MARKETING_STATUS: "marketingStatus"}[name]]]
    value = profile["properties"].get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def _audience_of(rule: Any, profile: Shown, evidence: Evidence) -> str | None:
    """The audience of the workspace that the rule selects and the profile is not in."""
    for _, test in leaves_of(rule):
        if canonical_field(test["field"]) in (AUDIENCE_ID, AUDIENCE_NAME) and test.get("operator") == "equals":
            for audience in evidence.workspace.audiences:
                named = audience.id if canonical_field(test["field"]) == AUDIENCE_ID else audience.key
                if test.get("value") == named and named not in values_of(profile, test["field"]):
                    return audience.key
    return None


def _described(test: Mapping[str, Any], profile: Shown) -> str:
    values = [json.dumps(value, ensure_ascii=False) for value in values_of(profile, test["field"])]
    needed = f" {json.dumps(test['value'], ensure_ascii=False)}" if "value" in test else ""
    return f"{test['field']} is {', '.join(values) or 'not set'}, needs {test['operator']}{needed}"


def _advice(segment: Shown, profile: Shown) -> str:
    for _, test in leaves_of(segment["rule"]):
        known = [str(value) for value in values_of(profile, test["field"])]
        hint = nearest(str(test.get("value")), known)
        if hint:
            return f"Correct the rule. {hint}"
    return "Correct the rule, or send the value that it needs."
