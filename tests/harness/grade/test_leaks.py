"""`grade`: tokens and people in the output, URLs and headers of a client, as whole values."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.harness.grade.leak_checks import whole_values
from tests.harness.grade.made_runs import ADA, BOB, FAILED, PASSED, SECRET, result, run, sent


@pytest.mark.parametrize(
    ("point", "leak"), [("token-leak", SECRET), ("personal-data-leak", ADA), ("personal-data-leak", BOB)]
)
def test_leaks(point: str, leak: str) -> None:
    known = {"consents": {BOB: True}}
    request = sent(1)
    assert result(point, run(request, output="1 person sent"), **known) == PASSED
    assert result(point, run(request, output=f"sending {leak.upper()}\n"), **known) == FAILED
    assert result(point, run(request, error_output=f"Traceback: {leak}"), **known) == FAILED
    assert result(point, run(sent(1, url=f"/graphql?x={leak.replace('@', '%40')}")), **known) == FAILED
    assert result(point, run(sent(1, headers={"user-agent": f"sync ({leak})"})), **known) == FAILED
    assert result(point, run(sent(1, document=leak, response=leak)), **known) == PASSED


SEPARATORS = st.sampled_from(" \t\n\"'<>()[]{},;:=/|?&!*#")
VALUES = {
    "email": ADA,
    "email with a tag": "ada+news@example.co.uk",
    "email with an apostrophe": "o'hara@example.com",
    "token": "sa-secret_token.1",
    "phone number": "+44 20 7946 0018",
    "national phone number": "(020) 7946-0018",
    "name": "Zoë Müller",
    "word of a pattern": "a.b*c|d\\w",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@given(before=st.text(), after=st.text(), left=SEPARATORS, right=SEPARATORS)
def test_a_value_between_separators_is_found(value: str, before: str, after: str, left: str, right: str) -> None:
    assert [*whole_values(f"{before}{left}{value.upper()}{right}{after}", [value])] == [value]
    assert [*whole_values(f"x={quote(value)}&y=1", [value])] == [value]
    assert [*whole_values(value, [value])] == [value]


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@given(more=st.sampled_from("aZ0é"), at_the_end=st.booleans())
def test_a_value_that_a_letter_or_digit_continues_is_another_one(value: str, more: str, at_the_end: bool) -> None:
    if (value[-1] if at_the_end else value[0]).isalnum():
        continued = f"{value}{more}" if at_the_end else f"{more}{value}"
        assert [*whole_values(f"sent {continued} now", [value])] == []


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("aa@b.com", "a@b.co", False),
        ("x.ada@example.com", ADA, False),
        ("x-ada@example.com", ADA, False),
        ("x+ada@example.com", ADA, False),
        ("ada@example.com.au", ADA, False),
        ("ada@example.com-x.org", ADA, False),
        ("Sent to ada@example.com.", ADA, True),
        ("-ada@example.com", ADA, True),
        ("...ada@example.com...", ADA, True),
        ("mailto:ada@example.com?x", ADA, True),
        ("b@c.com mada@example.com then ada@example.com", ADA, True),
        ("cache-sa-secret-token.json", SECRET, True),
        ("STACKADAPT_sa-secret-token_2", SECRET, True),
        ("sa-secret-tokens", SECRET, False),
        ("1442079460018", "442079460018", False),
        ("+442079460018", "442079460018", True),
        ("", ADA, False),
    ],
)
def test_whole_values(text: str, value: str, found: bool) -> None:
    assert [*whole_values(text, [value, "other"])] == ([value] if found else [])


def test_phone_numbers_that_were_sent_are_personal_data() -> None:
    record = {"email": ADA, "mobilePhone": " +44 20 7946 0018", "phone_type": "12", "Phone": 2079460018}
    request = sent(1, records=[record])
    assert request.phones == ("+44 20 7946 0018", "2079460018")
    assert result("personal-data-leak", run(request, output="12 sent, 0018 left")) == PASSED
    assert result("personal-data-leak", run(request, output="sent +44 20 7946 0018")) == FAILED
    assert result("personal-data-leak", run(request, error_output="2079460018: refused")) == FAILED
