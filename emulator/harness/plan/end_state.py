"""How a population ends in one workspace: its profiles in StackAdapt, and why the others have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A profile of StackAdapt: the advertiser's id and the email.
Who = tuple[str, str]
# The advertiser's id, the field and the value of a segment's rule.
SegmentKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ProfileState:
    """`audiences` are the names that the records brought. `hours` are those until it was visible."""

    marketing_status: str
    properties: Mapping[str, Any]
    audiences: frozenset[str]
    hours: float


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a person has no profile: the stage, the reason code there, and its message."""

    stage: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndState:
    """The end of a run. `causes` are by email in lower case and by user id; `requests` by outcome,
    `refused` calls by the code of Segment.

    `segments` are the sizes of segments whose rule compares one field with one value.
    """

    profiles: Mapping[Who, ProfileState]
    causes: Mapping[str, Cause]
    segments: Mapping[SegmentKey, int]
    requests: Mapping[str, int]
    refused: Mapping[str, int]
