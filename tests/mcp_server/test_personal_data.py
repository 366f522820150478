"""Personal data in answers: hidden unless asked for, wherever it is quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from emulator.mcp_server.personal_data import PersonalData

Ask = Callable[..., dict[str, Any]]
TRAITS = {
    "first_name": 'Ada "Countess" King',
    "last_name": "Lovelace",
    "phone": "4165550100",
    "street": "Mayfair 12",
    "city": "Marylebone",
    "total_spent": 900,
}
SENT = {"type": "identify", "user_id": "u1", "email": "ada@example.com", "traits": TRAITS}
PERSONAL = re.compile(r"\b(Ada|ada(?=@)|Countess|King|Lovelace|4165550100|Mayfair|Marylebone)\b")
EVENT = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", **TRAITS}}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("send_event", SENT),
        ("why", {"email": "ada@example.com"}),
        ("why", {"user_id": "u1"}),
        ("explain", {"event": EVENT}),
        ("test_mapping", {"event": EVENT}),
        ("find_requests", {}),
        ("find_requests", {"longest": 900}),
        ("write_scenario", {"user_id": "u1"}),
        ("write_scenario", {"user_id": "u1", "as": "pytest"}),
        ("write_scenario", {"user_id": "u1", "as": "curl"}),
    ],
)
def test_it_is_shown_only_when_asked_for(ask: Ask, name: str, given: dict[str, Any]) -> None:
    ask("send_event", **SENT)
    assert not PERSONAL.search(json.dumps(ask(name, **given)))
    if given.get("longest") != 900:
        assert PERSONAL.search(json.dumps(ask(name, **given, show_personal_data=True)))


def test_a_message_id_selects_a_person_whose_data_is_hidden(ask: Ask) -> None:
    deliveries = ask("send_event", **SENT)["answer"]["deliveries"]
    message_id = deliveries[0]["messageId"]
    for name, given in (("why", {"message_id": message_id}), ("find_requests", {"person": message_id})):
        assert not PERSONAL.search(json.dumps(ask(name, **given)))


def test_an_address_has_one_pseudonym_in_a_session(ask: Ask) -> None:
    found = {ask("send_event", **SENT)["answer"]["who"], ask("why", user_id="u1")["answer"]["who"]}
    assert len(found) == 1
    assert re.fullmatch(r"person-[0-9a-f]{12}@example\.com \(u1\)", found.pop())


def test_a_pseudonym_is_taken_for_its_person(ask: Ask) -> None:
    ask("send_event", **SENT | {"traits": {"total_spent": 900}})
    records = ask("find_requests")["answer"]["requests"][0]["records"]
    email = records[0]["record"]["email"]
    assert not PERSONAL.search(email)
    answer = ask("why", email=email)["answer"]
    assert answer["arrived"]
    assert answer["question"] == {"email": email}
    unknown = ask("why", email="person-000000000000@example.com")["answer"]
    assert not unknown["arrived"]


def test_what_is_no_persons_is_as_it_is(ask: Ask) -> None:
    answer = ask("explain", event=EVENT)["answer"]["explanations"][0]
    assert "$.traits.first_name" in json.dumps(answer)
    assert answer["stopped"] == "validation"
    assert answer["subscription"] == "Sync Audience"


def test_names_that_the_emulator_gives_are_kept() -> None:
    answer = {"outcome": "visible", "text": "it is visible in Visible", "city": "visible", "note": "no one"}
    assert PersonalData("k").hidden(answer, []) == {
        "outcome": "visible",
        "text": "it is xxxxxxx in Visible",
        "city": "xxxxxxx",
        "note": "no one",
    }


def test_an_address_in_a_name_and_a_corrected_word_are_hidden() -> None:
    known = {"email": "ada.king@private.test", "first_name": 'Wil"helmina'}
    answer = {"text": "def test_ada_king_private_test_becomes_visible", "to": "change it to Wilhelmina"}
    shown = json.dumps(PersonalData("key").hidden(answer, [known]))
    assert not re.search("ada|king|private|helmina", shown, re.IGNORECASE)
    assert "_becomes_visible" in shown
