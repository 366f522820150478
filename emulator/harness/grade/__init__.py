"""Grades a client that syncs to StackAdapt by what it does, run after run, when requests fail and when they do not."""

from emulator.harness.grade.grade_report import Grade, as_markdown, lines_of_grade
from emulator.harness.grade.people_given import People, generated_people, known_before, people_in_file
from emulator.harness.grade.points import NAMES, PLAIN, POINTS, FaultyRun, chosen, graded, runs_for
from emulator.harness.grade.seen_in_runs import Case
from emulator.harness.grade.sent_requests import Envelope, Run, SentRequest
from emulator.harness.grade.workspace_tokens import recorded_run, requests_in, secrets_of, writing

__all__ = [
    "NAMES",
    "PLAIN",
    "POINTS",
    "Case",
    "Envelope",
    "FaultyRun",
    "Grade",
    "People",
    "Run",
    "SentRequest",
    "as_markdown",
    "chosen",
    "generated_people",
    "graded",
    "known_before",
    "lines_of_grade",
    "people_in_file",
    "recorded_run",
    "requests_in",
    "runs_for",
    "secrets_of",
    "writing",
]
