"""The `validate` command."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]

GOOD = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}}
NO_EMAIL = {"type": "identify", "userId": "u2", "traits": {}}
BAD = {"type": "track", "userId": "u3"}


def lines(*documents: Any) -> str:
    return "".join(f"{json.dumps(document)}\n" for document in documents)


def piped(text: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command("validate", *arguments, "-"), input=text, capture_output=True, env=environment(), cwd=ROOT, check=False
    )


def test_valid_documents_are_counted_and_exit_0(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(lines(GOOD, NO_EMAIL))
    shown = call("validate", str(path))
    assert shown.returncode == 0
    assert f"E001 warning {path}, line 2 (identify): (top level)" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "2 documents (2 identify): 0 errors, 1 warning"
    assert call("validate", "--strict", str(path)).returncode == 1


def test_a_finding_names_file_line_place_and_the_missing_key(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(lines(GOOD, BAD))
    shown = call("validate", str(path))
    assert shown.returncode == 1
    assert shown.stdout.splitlines()[:3] == [
        f"V005 error {path}, line 2 (track): (top level)",
        "  The key 'event' is missing.",
        '  Found: "type, userId"',
    ]


def test_json_has_the_findings_and_a_summary(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps([GOOD, BAD], indent=2))
    shown = call("validate", "--json", str(path))
    assert shown.returncode == 1
    assert json.loads(shown.stdout) == {
        "summary": {
            "documents": 2,
            "kinds": {"identify": 1, "track": 1},
            "errors": 1,
            "warnings": 0,
            "notes": 0,
            "unreadable": 0,
        },
        "findings": [
            {
                "file": str(path),
                "index": 1,
                "kind": "track",
                "code": "V005",
                "severity": "error",
                "place": "(top level)",
                "message": "The key 'event' is missing.",
                "found": "type, userId",
            }
        ],
    }


@pytest.mark.parametrize(
    "text", [lines(GOOD, BAD).encode(), gzip.compress(lines(GOOD, BAD).encode())], ids=["plain", "gzip"]
)
def test_standard_input_is_read_plain_or_gzipped(text: bytes) -> None:
    shown = piped(text)
    assert shown.returncode == 1
    assert b"standard input, line 2 (track)" in shown.stdout


def test_an_unreadable_document_exits_2_and_hides_no_other(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(f"{lines(GOOD)}{{broken\n{lines(BAD)}")
    shown = call("validate", str(path), str(tmp_path / "none.json"))
    assert shown.returncode == 2
    assert f"V001 unreadable {path}, line 2: (top level)\n  This is not JSON" in shown.stdout
    assert f"V005 error {path}, line 3 (track)" in shown.stdout
    assert "none.json: (top level)\n  Cannot read" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "2 documents (1 identify, 1 track): 1 error, 0 warnings, 2 unreadable"
    assert shown.stderr == ""


def test_the_default_workspace_is_valid(call: Run) -> None:
    shown = call("validate", "fixtures/workspace.yaml")
    assert shown.stdout.splitlines()[-1].startswith("1 document (1 workspace): 0 errors, ")
    assert shown.returncode == 0


def test_an_unknown_kind_is_a_usage_error(call: Run) -> None:
    shown = call("validate", "--as", "trak", "x.json")
    assert shown.returncode == 2
    assert "Did you mean 'track'?" in shown.stderr


def test_a_long_file_is_read_line_by_line(tmp_path: Path) -> None:
    """The first finding of an endless pipe arrives before its end."""
    process = subprocess.Popen(
        command("validate", "-"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        # More than one read returns; the output still fits into the pipe.
        process.stdin.write(lines(*[BAD] * 300).encode())
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"V005 error standard input, line 1 (track)")
        process.kill()


def test_a_pipe_closed_early_is_not_a_defect(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(lines(*[BAD] * 5000))
    shell = f"{sys.executable} -m emulator validate {path} | head -n 1"
    shown = subprocess.run(["sh", "-c", shell], capture_output=True, env=environment(), cwd=ROOT, check=False)
    assert shown.stdout.startswith(b"V005 error")
    assert shown.stderr == b""
