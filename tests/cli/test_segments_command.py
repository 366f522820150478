"""`segments` on a running server: what the console does with segments."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]


@pytest.fixture
def segments(call: Run, serve: Serve) -> Run:
    url = serve().url
    body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
    httpx.post(f"{url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False, timeout=60)
    return lambda *arguments: call("segments", *arguments, "--url", url)


def test_a_segment_is_previewed_created_listed_and_deleted(segments: Run) -> None:
    assert segments("values").stdout == "vip_customers\n"
    assert segments("preview", "--audience", "vip_customers").stdout == "1 profile\n  ada@example.com\n"
    assert segments("list").stdout == "no segment\n"
    made = json.loads(segments("create", "VIPs", "--audience", "vip_customers", "--json").stdout)
    assert made["members"] == ["ada@example.com"]
    assert segments("list").stdout == f"{made['id']}  VIPs: 1 profile\n"
    assert segments("delete", made["id"]).stdout == f"segment {made['id']} is deleted\n"
    assert json.loads(segments("list", "--json").stdout) == []


def test_a_value_that_matches_nobody_is_warned_about(segments: Run) -> None:
    shown = segments("preview", "--audience", "vip_custmers").stdout
    assert shown.startswith("0 profiles, rule.value: ")
    assert "the closest is 'vip_customers'" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["preview"], "--rule or --audience"),
        (["preview", "--rule", "{}", "--audience", "x"], "--rule or --audience"),
        (["preview", "--rule", "{"], "the rule is not JSON"),
        (["preview", "--rule", "{}"], "a rule needs the name of a field"),
        (["preview", "--audience", "x", "--advertiser", "9"], "unknown advertiser"),
        (["delete", "7"], "unknown segment"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_named(segments: Run, arguments: list[str], words: str) -> None:
    answer = segments(*arguments)
    assert answer.returncode == 2
    assert words in answer.stderr
