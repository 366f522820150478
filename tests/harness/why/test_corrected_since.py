"""A workspace that was corrected after someone stopped: nothing has to change, the person is sent again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.why.situations import Situation, workspace
from tests.harness.why.stops import CONNECTION, SUBSCRIPTION

ACME = "destinations__0__"
NOWHERE = {"@path": "$.traits.nowhere"}
# What was wrong when the calls came; the default workspace has it right.
BROKEN: dict[str, dict[str, Any]] = {
    "an email from nowhere": {f"{SUBSCRIPTION}mapping__email": NOWHERE},
    "an email from nowhere, beside a source": {f"{SUBSCRIPTION}mapping__email": NOWHERE, f"{ACME}source": "Website"},
    "an email from nowhere of another source": {f"{ACME}source": "Website", f"{SUBSCRIPTION}mapping__email": NOWHERE},
    "a fixed email that is none": {f"{SUBSCRIPTION}mapping__email": "ada"},
    "another trigger": {f"{SUBSCRIPTION}trigger": 'event = "Other"'},
    "a mapping that was off": {f"{SUBSCRIPTION}enabled": False},
    "a destination that was off": {f"{ACME}enabled": False},
    "switches that were off": {f"{CONNECTION}sendIdentify": False, f"{CONNECTION}sendTrack": False},
    "an unknown token": {f"{ACME}settings__apiKey": "unknown"},
    "a filter": {f"{ACME}filters": [{"title": "No", "if": "type != 'x'", "actions": [{"type": "DROP"}]}]},
}
SOURCE_STAYS = "an email from nowhere, beside a source"


@pytest.mark.parametrize("broken", BROKEN, ids=[*BROKEN])
def test_the_person_is_sent_again_without_a_change(broken: str) -> None:
    situation = Situation(workspace=workspace(**BROKEN[broken]))
    corrected = workspace(**({f"{ACME}source": "Website"} if broken == SOURCE_STAYS else {}))
    with situation.played() as emulator:
        assert emulator.client.put("/_emulator/workspace", json=corrected).status_code == 200
        answer = situation.ask(emulator)
        assert not answer["arrived"]
        assert [(each["kind"], each["value"]) for each in answer["changes"]] == [("resend", None)], answer["text"]
        applied = emulator.client.post("/_emulator/why/apply", json=dict(situation.question))
        assert applied.status_code == 200, applied.text
        emulator.client.post("/_emulator/clock/advance", json={"hours": 9})
        assert situation.ask(emulator)["arrived"]


def test_all_members_are_sent_by_computing_the_audience() -> None:
    situation = Situation(workspace=workspace(**BROKEN["an email from nowhere"]))
    with situation.played() as emulator:
        emulator.client.put("/_emulator/workspace", json=workspace())
        (change,) = situation.ask(emulator)["changes"]
        assert "all members of vip_customers: Audiences, Compute with Resync" in change["text"]
        body = {"destination": "StackAdapt Acme", "resync": True}
        assert emulator.client.post("/_emulator/audiences/vip_customers/compute", json=body).status_code == 200
        emulator.client.post("/_emulator/clock/advance", json={"hours": 9})
        assert situation.ask(emulator)["arrived"]
