"""What the checking commands add in a job of GitHub Actions: annotations at lines of files, and a summary."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from emulator.artefacts import contract, fixture
from emulator.cli.annotations import Annotation, fenced, summary, workflow_command
from emulator.harness.checks import lint
from emulator.harness.drift import line_in
from emulator.harness.recordings.exchange import Exchange
from emulator.workspace import parse_workspace
from emulator.yaml_files import dump_yaml
from emulator.yaml_lines import lines_in
from tests.harness.test_lint import MISTAKES

Call = Callable[..., subprocess.CompletedProcess[str]]

WORKSPACE = fixture("workspace.yaml").read_text(encoding="utf-8")
SCENARIO = """\
title: A name | with a mark
about: It expects what does not happen.
given:
  people: {ada: {email: ada@example.com}}
steps:
  - when:
      - identify: ada
    then:
      profiles:
        - person: ada
          marketingStatus: OPTED_OUT
"""
NASTY = ["a|b", "<script>x</script>", "`code`", "**no**", "[a](javascript:b)", "a\\|b", "$x$ &amp; _y_", "# no", "- no"]


class Job:
    """A step of a job: a folder that is the workspace of the runner, and the file of the summary."""

    def __init__(self, folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._call = call
        self._summary = folder.parent / "summary.md"
        monkeypatch.chdir(folder)
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(self._summary))

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    def run(self, *arguments: str) -> tuple[subprocess.CompletedProcess[str], list[dict[str, str]]]:
        ended = self._call(*arguments)
        return ended, [parsed(line) for line in ended.stderr.splitlines() if line.startswith("::")]

    @property
    def summary(self) -> str:
        return self._summary.read_text(encoding="utf-8")


@pytest.fixture
def job(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Job:
    folder = tmp_path / "repository"
    folder.mkdir()
    return Job(folder, call, monkeypatch)


def parsed(line: str) -> dict[str, str]:
    """A workflow command as the runner reads it."""
    found = re.fullmatch(r"::(error|warning) ([^:\r\n]*)::([^\r\n]*)", line)
    assert found, line
    properties = dict(each.split("=", 1) for each in found[2].split(","))
    escapes = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}
    texts = {"level": found[1], **properties, "message": found[3]}
    return {name: re.sub("%[0-9A-F]{2}", lambda each: escapes[each[0]], text) for name, text in texts.items()}


@given(title=st.text(min_size=1), message=st.text(), name=st.text(alphabet="a:,%\n\r=é", min_size=1))
def test_the_runner_reads_what_was_written(title: str, message: str, name: str) -> None:
    root = Path("/repository")
    annotation = Annotation(level="error", title=title, message=message, file=f"/repository/{name}", line=3, column=5)
    read = parsed(workflow_command(annotation, root))
    expected = {"level": "error", "title": title, "message": message, "file": name, "line": "3", "col": "5"}
    assert read == expected


@pytest.mark.parametrize("text", NASTY)
def test_the_summary_shows_text_as_it_is(text: str) -> None:
    annotation = Annotation(level="error", title=text, message=f"{text}\n{text}", file=f"/a/{text}", details=text)
    markdown = summary(text, [annotation], 0, Path("/a"))
    tokens = MarkdownIt().enable("table").parse(markdown)
    inline = [each for each in tokens if each.type == "inline"]
    shown = ["".join(part.content for part in each.children or () if part.type == "text") for each in inline]
    assert shown[:1] == [text]
    assert shown[4:] == ["error", text, text * 3]
    kinds = {part.type for each in inline for part in each.children or ()}
    # `<br>` is the only HTML.
    assert kinds <= {"text", "strong_open", "strong_close", "html_inline", "text_special"}
    assert [each.content.strip() for each in tokens if each.type == "fence"] == [text]


@pytest.mark.parametrize("character", ["*", "`", "\N{CJK UNIFIED IDEOGRAPH-4E00}", "&", "\n"])
def test_the_largest_summary_is_one_that_github_takes(character: str) -> None:
    long = character * 100_000
    annotation = Annotation(level="error", title=long, message=long, file="é" * 1000, details=long)
    assert len(summary(long, [annotation] * 200, 5, Path()).encode()) <= 1024 * 1024


@pytest.mark.parametrize("text", ["", "a", "```\nb\n```", "`````"])
def test_a_block_of_code_ends_where_its_text_does(text: str) -> None:
    [block] = MarkdownIt().parse(fenced(text))
    assert block.content == f"{text}\n" or (block.content, text) == ("\n", "")


@pytest.mark.parametrize(("document", "code"), MISTAKES)
def test_each_finding_of_lint_has_a_line(document: dict[str, Any], code: str) -> None:
    line = lines_in(dump_yaml(document))
    for finding in lint(parse_workspace(document)):
        assert line(finding.place) is not None, finding


def test_lint_marks_the_line(job: Job) -> None:
    wrong = WORKSPACE.replace('type = "identify"', 'type == "identify"')
    file = job.file("config/workspace.yaml", wrong)
    ended, [found] = job.run("lint", file)
    assert ended.returncode == 1
    assert (found["level"], found["file"]) == ("error", file)
    assert "type ==" in wrong.splitlines()[int(found["line"]) - 1]
    assert found["title"] == "T004 destinations[0].subscriptions[0].trigger"
    assert found["message"].startswith("The engine does not support `==`")
    assert "### stackadapt-emulator lint: 1 error, 0 warnings, 2 notes" in job.summary
    assert f"| error | {file}:{found['line']} | **T004 " in job.summary


@pytest.mark.parametrize("command", ["lint", "validate"])
@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("w.yaml", "name: a\nname: b\n", 2),
        ("w.yaml", "a: 1\nb: [\n", 3),
        ("w.yaml", WORKSPACE.replace("operator: at_least", "operator: most"), 29),
        ("w.json", '{\n\t"name": "a",\n\t"tokens": 7,\n\t"advertisers": []\n}', 3),
        ("w.json", '{\n\t"name": "a",\n\t"tokens": \n}', 4),
    ],
)
def test_a_file_that_cannot_be_used_is_marked(job: Job, command: str, name: str, text: str, line: int) -> None:
    file = job.file(name, text)
    ended, found = job.run(command, file, *(["--as", "workspace"] if command == "validate" else []))
    assert ended.returncode
    assert (file, str(line)) in [(each["file"], each.get("line")) for each in found], found


def test_a_missing_file_is_an_annotation_without_a_file(job: Job) -> None:
    ended, [found] = job.run("lint", "missing.yaml")
    assert ended.returncode == 2
    assert "file" not in found
    assert found["message"].startswith("cannot read missing.yaml: no such file")
    assert "lint: failed" in job.summary


CALLS = [{"type": "identify", "userId": "u1", "traits": {}}, {"type": "track", "userId": "u1"}]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("calls.jsonl", "".join(f"{json.dumps(each)}\n" for each in CALLS), ["1", "2"]),
        ("calls.json", json.dumps(CALLS, indent=2), ["2", "7"]),
        ("call.json", json.dumps({**CALLS[1], "context": 7}, indent=2), [None, "4"]),
    ],
)
def test_validate_marks_lines_and_items(job: Job, name: str, text: str, lines: list[str | None]) -> None:
    ended, found = job.run("validate", "--json", job.file(name, text))
    assert [each.get("line") for each in found] == lines
    assert {each["file"] for each in found} == {name}
    assert [each["level"] for each in found] == [
        {"E001": "warning", "V005": "error"}[each["title"][:4]] for each in found
    ]
    # The object on standard output is still one.
    assert len(json.loads(ended.stdout)["findings"]) == len(found)


def test_verify_marks_the_expectation_and_shows_the_timeline(job: Job) -> None:
    file = job.file("scenarios/a.yaml", SCENARIO)
    ended, [found] = job.run("verify", file)
    assert ended.returncode == 1
    assert (found["file"], found["line"], found["title"]) == (file, "9", "A name | with a mark")
    assert found["message"] == "expected visible in StackAdapt: ada\nfound none"
    assert r"verify: 0 passed, 1 failed, 0 skipped, against emulators in this process" in job.summary
    assert r"**A name \| with a mark**" in job.summary
    assert "```text\nat        steps[0].then.profiles\n" in job.summary
    assert "ada@example.com (ada)\n  Segment " in job.summary


def test_verify_marks_an_action_that_is_refused(job: Job) -> None:
    text = SCENARIO.replace("      - identify: ada\n", "      - identify: ada\n      - advance: -1h\n")
    _, [found] = job.run("verify", job.file("a.yaml", text))
    assert found["file"] == "a.yaml"
    assert found["line"] == "8"


def test_verify_marks_the_line_of_a_recording(job: Job) -> None:
    exchange = Exchange(
        at=datetime(2026, 6, 14, tzinfo=UTC),
        upstream="https://example.com/graphql",
        token="token-1",
        accept="application/json",
        request={"query": "{ __typename }"},
        status=200,
        headers={"content-type": "application/json"},
        response={"data": {"__typename": "Query"}},
    )
    text = exchange.as_line() + replace(exchange, response={"data": {"__typename": "Other"}}).as_line()
    _, [found] = job.run("verify", "--exchanges", job.file("r.jsonl", text))
    assert (found["file"], found["line"], found["title"]) == ("r.jsonl", "2", "line 2: query __typename")
    assert found["message"] == 'expected data.__typename: "Other"\nfound "Query"'


@pytest.mark.parametrize("listing", [["verify", "--list"], ["lint", "--help"]])
def test_a_command_that_checks_nothing_adds_nothing(job: Job, listing: list[str]) -> None:
    ended, found = job.run(*listing)
    assert (ended.returncode, found, ended.stderr) == (0, [], "")
    assert not (job.folder.parent / "summary.md").exists()


def test_a_check_that_passes_adds_a_heading(job: Job) -> None:
    ended, found = job.run("validate", job.file("a.json", '{"type": "page", "userId": "u1", "name": "x"}'))
    assert (ended.returncode, found) == (0, [])
    assert job.summary == "### stackadapt-emulator validate: 1 document: 0 errors, 0 warnings\n\n"


SDL = '''\
"""Everything."""
type Query {
  "One."
  one(a: Int, b: Kind): String
}

enum Kind {
  "A."
  A
}

directive @here(a: Int) on FIELD
'''


@pytest.mark.parametrize(
    ("coordinate", "line"),
    [
        ("Query", 2),
        ("Query.one", 4),
        ("Query.one(b:)", 4),
        ("Query.gone", 2),
        ("Query.gone(b:)", 2),
        ("Kind.A", 9),
        ("@here(a:)", 12),
        ("@gone", None),
        ("Gone.one", None),
        ("String", None),
    ],
)
def test_the_line_of_a_coordinate(coordinate: str, line: int | None) -> None:
    assert line_in(build_schema(SDL), coordinate) == line


def test_drift_marks_the_type_that_lost_a_field(job: Job) -> None:
    text = contract("stackadapt/2026-06/schema.graphql").read_text(encoding="utf-8")
    changed = re.sub(r"\n  marketingStatus:[^\n]*", "", text)
    assert changed != text
    ended, found = job.run("drift", "--schema", job.file("schema.graphql", changed))
    assert ended.returncode == 1
    assert {each["level"] for each in found} >= {"error"}
    for each in found:
        if "line" in each:
            container = re.split(r"[ .(]", each["title"])[1]
            assert container in changed.splitlines()[int(each["line"]) - 1]
    assert any("line" in each for each in found)
    assert "### stackadapt-emulator drift: " in job.summary


def test_only_a_hundred_of_each_level_are_written(job: Job) -> None:
    lines = f"{json.dumps(CALLS[0])}\n" * 150 + f"{json.dumps(CALLS[1])}\n" * 120
    _, found = job.run("validate", job.file("calls.jsonl", lines))
    assert [each["level"] for each in found] == ["warning"] * 100 + ["error"] * 100
    assert "\n70 more in the log.\n" in job.summary


def test_a_file_outside_of_the_workspace_keeps_its_path(job: Job, tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("a: [", encoding="utf-8")
    _, [found] = job.run("lint", str(path))
    assert found["file"] == str(path)


def test_a_summary_that_cannot_be_written_is_an_error(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job.folder))
    ended, _ = job.run("lint")
    assert ended.returncode == 2
    assert f"cannot write {job.folder}: it is a folder" in ended.stderr


@pytest.mark.parametrize("value", [None, "", "false", "1"])
def test_outside_of_a_job_nothing_is_added(job: Job, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    if value is not None:
        monkeypatch.setenv("GITHUB_ACTIONS", value)
    file = job.file("w.yaml", WORKSPACE.replace('type = "identify"', 'type == "identify"'))
    ended, found = job.run("lint", file)
    assert (ended.returncode, ended.stderr, found) == (1, "", [])
    assert not (job.folder.parent / "summary.md").exists()
