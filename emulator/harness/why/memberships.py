"""Why a visible profile is not in an audience: followed from the condition in Engage to the record in StackAdapt."""

from __future__ import annotations

from emulator.harness.why.answer import AUDIENCE, RECORD, Stop
from emulator.harness.why.evidence import Evidence
from emulator.harness.why.stops import delivery_stop
from emulator.harness.why.unsent import missing_connection

_SENT = "sent"


def membership_stop(evidence: Evidence, audience_key: str) -> Stop:
    """Where the membership of a profile that is not in the audience got lost."""
    explained = [each for each in evidence.audiences if each["audience"] == audience_key]
    if not explained and evidence.workspace.audience(audience_key) is None:
        message = f"this workspace has no audience {audience_key!r}"
        return Stop(stage=AUDIENCE, reason="NO_AUDIENCE", message=message, advice="Add the audience to the workspace.")
    if not any(each["member"] for each in explained):
        return Stop(
            stage=AUDIENCE,
            reason="CONDITION_FALSE",
            message="the profile does not meet the audience's condition",
            found="; ".join(clause for each in explained for clause in each["failed"]) or None,
            advice="Send the traits or events that the condition needs.",
        )
    about = [each for each in evidence.deliveries if each["audienceKey"] == audience_key]
    if not about:
        return missing_connection((audience_key,), evidence.workspace)
    unsent = next((each for each in reversed(about) if each["outcome"] != _SENT), None)
    return delivery_stop(unsent, evidence) if unsent else _not_brought(evidence)


def _not_brought(evidence: Evidence) -> Stop:
    warnings = sorted({warning["code"] for each in evidence.records for warning in each["warnings"]})
    return Stop(
        stage=RECORD,
        reason="NO_MEMBERSHIP",
        message="the event about the audience was sent, and no record brought the membership",
        found=f"warnings of the records: {', '.join(warnings)}" if warnings else None,
        advice="Check which audience id and name the mapping sends, and that an external audience mapping names them.",
    )
