"""`why` on a running server: its text, its JSON, its exit codes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import httpx
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]


@pytest.fixture
def why(call: Run, emulate: Emulate) -> Run:
    url = emulate()
    for user, traits in (("u1", {"email": "ada@example.com"}), ("u2", {})):
        body = {"userId": user, "messageId": f"m-{user}", "traits": {**traits, "total_spent": 900}}
        httpx.post(f"{url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False, timeout=60)
    return lambda *arguments: call("why", *arguments, "--url", url)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--email", "ada@example.com"], 0),
        (["--message-id", "m-u1", "--property", "city"], 1),
        (["--user-id", "u2"], 1),
        (["--user-id", "u404"], 1),
        (["--user-id", "u1", "--segment", "9"], 2),
        ([], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_the_exit_code_says_whether_it_is_so(why: Run, arguments: list[str], code: int) -> None:
    assert why(*arguments).returncode == code


def test_the_answer_is_text_or_json(why: Run) -> None:
    text = why("--user-id", "u2").stdout
    answer = json.loads(why("--user-id", "u2", "--json").stdout)
    assert text.startswith("u2\n  call        identify m-u2: accepted\n  Engage      known as u2, in vip_customers\n")
    assert text.endswith('    send the identify call with the trait email: "u2@example.com"\n')
    assert answer["text"] == text.rstrip("\n")
    assert answer["changes"] == [
        {
            "kind": "trait",
            "where": "traits.email",
            "value": "u2@example.com",
            "text": 'send the identify call with the trait email: "u2@example.com"',
        }
    ]


def test_a_question_without_a_person_names_the_options(why: Run) -> None:
    assert why().stderr == "error: no person is given. Allowed: --email, --user-id or --message-id.\n"
