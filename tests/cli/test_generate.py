"""`generate` as a user meets it: files, pipes, interruptions, a running Tracking API."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.workspace import load_workspace
from tests.conftest import ROOT, command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]

MANY = "200000"


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["people", "identifies", "audience-events", "workspace"])
def test_every_kind_has_help_with_an_example(call: Run, name: str) -> None:
    shown = call("generate", name, "--help")
    assert shown.returncode == 0
    assert f"stackadapt-emulator generate {name}" in shown.stdout


def test_without_a_file_lines_are_printed_and_nothing_else(run: Run) -> None:
    shown = run("generate", "identifies", "--count", "3", "--seed", "9")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [call["userId"] for call in lines(shown.stdout)] == [f"user-9-000000{index}" for index in range(3)]


def test_the_file_s_name_says_format_and_compression(call: Run, tmp_path: Path) -> None:
    names = ("people.csv", "people.json.gz", "people")
    for name in names:
        message = call("generate", "people", "--count", "2", "-o", str(tmp_path / name))
        assert message.returncode == 0, message.stderr
        assert message.stdout.startswith(f"wrote {tmp_path / name}: 2 people, ")
    made = {name: (tmp_path / name).read_bytes() for name in names}
    assert made["people.csv"].startswith(b"user_id,email,")
    assert json.loads(gzip.decompress(made["people.json.gz"])) == lines(made["people"].decode())


def test_knobs_reach_the_people(call: Run) -> None:
    shown = call(
        *("generate", "people", "--count", "40", "--locale", "ja_JP"),
        *("--missing-email", "0", "--invalid-email", "0", "--edge-case", "quote=0.5", "--edge-case", "newline=0.5"),
    )
    people = lines(shown.stdout)
    assert all(person["country"] == "JP" and "@example." in person["email"] for person in people)
    assert all('"' in person["first_name"] or "\n" in person["street"] for person in people)
    plain = call("generate", "people", "--count", "300").stdout
    assert not any(set('"\\\n') & set("".join(map(str, person.values()))) for person in lines(plain))


def test_audience_events_go_through_the_mapping_engine(call: Run, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    well_formed = ("--missing-email", "0", "--invalid-email", "0")
    call("generate", "audience-events", "--count", "6", "--churn", "1", *well_formed, "-o", str(events))
    shown = call("map", str(events))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("mutation") == 6


def test_a_generated_workspace_can_be_used(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "workspace.yaml"
    made = call("generate", "workspace", "--audiences", "7", "--advertisers", "3", "-o", str(path))
    assert (made.returncode, made.stdout) == (0, f"wrote {path}\n")
    assert len(load_workspace(path).audiences) == 7
    assert call("lint", str(path)).returncode == 0
    shown = call("generate", "audience-events", "--workspace", str(path), "--count", "20")
    message = {event["context"]["personas"]["computation_key"] for event in lines(shown.stdout)}
    assert message == {audience.key for audience in load_workspace(path).audiences}
    again = call("generate", "workspace", "-o", str(path))
    assert (again.returncode, "--force" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("people", "--locale", "en_UX"), "Did you mean"),
        (("people", "--edge-case", "quotes=0.1"), "Did you mean 'quote'?"),
        (("people", "--edge-case", "quote"), "such as quote=0.01"),
        (("people", "--resume"), "Add --output FILE."),
        (("identifies", "--format", "csv"), "cannot hold nested events"),
        (("identifies", "--events-per-second", "5"), "Add --send URL."),
        (("identifies", "--send", "http://192.0.2.1:80"), "Add --allow-remote"),
        (("identifies", "--send", "http://localhost.example.com"), "Add --allow-remote"),
        (("identifies", "--send", "127.0.0.1:8585"), "invalid URL"),
        (("identifies", "--send", "http://127.0.0.1:1", "-o", "calls.jsonl"), "cannot be combined with --output"),
        (("audience-events", "--workspace", "missing.yaml"), "cannot read missing.yaml: no such file"),
        (
            ("people", "-o", "people.parquet"),
            "Allowed: .jsonl, .json, .csv, with or without .gz. Rename the file, or add",
        ),
        (("people", "-o", "people.txt.gz"), "--output: the file name has no known format"),
        (("people", "--missing-email", "0.9", "--invalid-email", "0.9"), "add up to more than 1. Found: 1.8."),
    ],
)
def test_invalid_options_print_one_line_and_exit_2(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("generate", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert message in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("people", "--start", "99999999999999999999"),
        ("identifies", "--start", "1000000000000"),
        ("audience-events", "--count", "1000000000000"),
        ("identifies", "--send", "http://127.0.0.1:9", "--events-per-second", "inf"),
        ("identifies", "--send", "http://127.0.0.1:9", "--events-per-second", "nan"),
    ],
)
def test_a_number_out_of_range_is_bad_usage(call: Run, arguments: tuple[str, ...]) -> None:
    shown = call("generate", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "is not in the range" in shown.stderr or "is not a finite number" in shown.stderr


def test_the_last_number_of_all_can_be_made(call: Run) -> None:
    for kind in ("people", "identifies", "audience-events"):
        shown = call("generate", kind, "--start", "1000000000", "--count", "1")
        assert shown.returncode == 0, shown.stderr
        assert "user-1-1000000000" in shown.stdout


def test_a_format_that_is_named_goes_before_the_file_s_name(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    assert call("generate", "people", "--count", "2", "--format", "json", "-o", str(path)).returncode == 0
    assert len(json.loads(path.read_text())) == 2


@pytest.mark.parametrize(("name", "count"), [("calls.jsonl", "10"), ("calls.json.gz", "3000")])
def test_a_file_that_is_finished_has_nothing_to_resume(call: Run, tmp_path: Path, name: str, count: str) -> None:
    path = tmp_path / name
    arguments = ("generate", "identifies", "-o", str(path), "--resume")
    assert call(*arguments, "--count", count).stdout.startswith(f"wrote {path}")
    made = path.read_bytes()
    again = call(*arguments, "--count", count)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"{path} is already complete\n"
    for other in (("--count", f"{count}0"), ("--count", count, "--seed", "2"), ("--count", "9")):
        refused = call(*arguments, *other)
        assert refused.returncode == 2
        assert "the file already exists and was not made with these options. Add --force" in refused.stderr
    assert path.read_bytes() == made


def test_a_reader_that_goes_away_is_no_mistake() -> None:
    with subprocess.Popen(
        command("generate", "identifies", "--count", MANY, "--processes", "2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["type"] == "identify"
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(timeout=60)


@pytest.mark.parametrize(("name", "processes"), [("identifies.jsonl", "1"), ("identifies.json.gz", "2")])
def test_a_process_that_was_killed_is_continued_to_the_same_file(
    call: Run, tmp_path: Path, name: str, processes: str
) -> None:
    arguments = ("generate", "identifies", "--count", "6000", "--churn", "0.2", "--duplicates", "0.1")
    killed, whole = tmp_path / name, tmp_path / f"whole-{name}"
    process = subprocess.Popen(
        command(*arguments, "--processes", processes, "-o", str(killed)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        cwd=ROOT,
    )
    mark = tmp_path / f"{name}.part.json"
    while not mark.exists():
        assert process.poll() is None, "it ended before its first block"
    process.kill()
    process.wait()
    assert not killed.exists()
    continued = call(*arguments, "-o", str(killed), "--resume")
    assert continued.returncode == 0, continued.stderr
    call(*arguments, "-o", str(whole))
    assert killed.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, whole.name])


def test_calls_are_sent_to_a_running_emulator(call: Run, emulate: Emulate) -> None:
    url = emulate()
    sent = call("generate", "identifies", "--count", "300", "--duplicates", "0.1", "--send", url)
    assert (sent.returncode, sent.stdout, sent.stderr) == (0, f"sent 300 calls to {url}\n", "")
    calls = httpx.get(f"{url}/_emulator/counts", trust_env=False).json()["segment"]["calls"]
    assert calls["accepted"] + calls["failed"]["duplicate"] == 300
    assert calls["failed"]["duplicate"] > 10


def test_a_failed_send_prints_how_to_continue(call: Run) -> None:
    sent = call("generate", "identifies", "--count", "10", "--start", "5", "--send", "http://127.0.0.1:9")
    assert sent.returncode == 2
    first, second = sent.stderr.splitlines()
    assert first == "sent 0 of 10 calls; to continue, repeat the command with --start 5 --count 10"
    assert second.startswith("error: http://127.0.0.1:9: the Tracking API does not respond")


def test_shards_are_joined_to_the_file_of_one_run(call: Run, tmp_path: Path) -> None:
    options = ("generate", "identifies", "--count", "50", "--seed", "4", "--churn", "0.3")
    parts = [tmp_path / f"{number}.jsonl" for number in (1, 2, 3)]
    for number, part in enumerate(parts, start=1):
        assert call(*options, "--shard", f"{number}/3", "-o", str(part)).returncode == 0
    joined, whole = tmp_path / "joined.jsonl", tmp_path / "whole.jsonl"
    shown = call("generate", "join", *map(str, parts), "-o", str(joined))
    assert shown.stdout == f"wrote {joined}: 3 shards, 50 records, {joined.stat().st_size:,} bytes\n", shown.stderr
    assert call(*options, "-o", str(whole)).returncode == 0
    assert joined.read_bytes() == whole.read_bytes()
    again = call("generate", "join", str(parts[0]), "-o", str(joined))
    assert (again.returncode, again.stderr) == (
        2,
        f"error: {joined}: the file already exists. Add --force to replace it.\n",
    )


def test_a_manifest_that_an_interruption_left_out_is_written_by_resume(call: Run, tmp_path: Path) -> None:
    part = tmp_path / "1.jsonl"
    options = ("generate", "people", "--count", "9", "--shard", "1/2", "-o", str(part))
    assert call(*options).returncode == 0
    manifest = tmp_path / "1.jsonl.manifest.json"
    before = manifest.read_text()
    manifest.unlink()
    assert call(*options, "--resume").stdout == f"{part} is already complete\n"
    assert manifest.read_text() == before


def test_shards_that_are_sent_are_the_whole_population_once(call: Run, emulate: Emulate) -> None:
    url = emulate()
    for number in (1, 2, 3):
        options = ("--count", "20", "--shard", f"{number}/3", "--send", url)
        assert call("generate", "identifies", *options).returncode == 0
    sent = httpx.get(f"{url}/_emulator/calls", params={"limit": 100}, trust_env=False).json()["calls"]
    assert sorted(each["userId"] for each in sent) == [f"user-1-{index:07}" for index in range(20)]


def test_a_shard_that_is_refused_says_how_to_continue(call: Run, emulate: Emulate) -> None:
    options = ("--count", "20", "--shard", "2/2", "--send", emulate(), "--write-key", "wrong")
    shown = call("generate", "identifies", *options)
    assert "repeat the command with --start 10 --count 10, without --shard" in shown.stderr
