"""What `lint`, `validate`, `verify` and `drift` add in a job of GitHub Actions: annotations and a job summary.

The job is recognised by GITHUB_ACTIONS=true, which every runner sets. Annotations go to standard error, where the
runner reads them as well, so that what is printed on standard output, such as JSON, stays as it is.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
import yaml

from emulator.cli.annotations import Annotation, summary, workflow_command
from emulator.errors import EmulatorError, InputError, unwritable
from emulator.harness.checks.at_start import finding_lines
from emulator.harness.checks.finding import BREAKING, DANGEROUS, ERROR, UNREADABLE, WARNING, Finding
from emulator.text_files import read_text, suffix_of
from emulator.yaml_lines import lines_in

_LEVELS: Mapping[str, str] = {
    **dict.fromkeys((ERROR, UNREADABLE, BREAKING), ERROR),
    **dict.fromkeys((WARNING, DANGEROUS), WARNING),
}
# Of each level. GitHub shows ten in a step; the summary lists these.
_MOST = 100
# Finding the lines of a larger file takes longer than checking it.
_LONGEST = 4_000_000
_POSITION = re.compile(r"(?P<file>.+?)(?:, line |:)(?P<line>\d+)(?:, column (?P<column>\d+))?")


def in_job() -> bool:
    """Whether this is a step of a job in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


class JobReport:
    """The annotations of one command. Outside of a job it takes them and does nothing."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._active = in_job()
        self._kept: list[Annotation] = []
        self._left_out: Counter[str] = Counter()
        self._lines: dict[str, Callable[[str], int | None]] = {}
        # What the command found, in a few words; None for one that checked nothing.
        self.outcome: str | None = None

    def add_finding(self, finding: Finding, *, file: str | None, line: int | None) -> None:
        """Adds an error or a warning; notes and safe changes need no attention."""
        if finding.severity in _LEVELS and self._is_wanted(_LEVELS[finding.severity]):
            _, *message = finding_lines(finding, severity=finding.severity)
            self._kept.append(
                Annotation(
                    level=_LEVELS[finding.severity],
                    title=f"{finding.code} {finding.place}",
                    message="\n".join(each.removeprefix("  ") for each in message),
                    file=file,
                    line=line,
                )
            )

    def add_failure(self, title: str, message: str, *, file: str, line: int | None, details: str | None) -> None:
        """Adds something that failed. The details are shown once, in the summary."""
        if self._is_wanted(ERROR):
            self._kept.append(
                Annotation(level=ERROR, title=title, message=message, file=file, line=line, details=details)
            )

    def add_error(self, error: EmulatorError, *, line: int | None = None) -> None:
        """Adds an error, such as the one with which the command ends, at the file and line that it names."""
        if self._is_wanted(ERROR):
            file, found, column = self._position(error.where or "")
            title = f"stackadapt-emulator {self._command}"
            self._kept.append(
                Annotation(level=ERROR, title=title, message=str(error), file=file, line=found or line, column=column)
            )

    def line_of(self, file: str | None, place: str | None) -> int | None:
        """The line of a place in a YAML or JSON file; None if it cannot be found, and outside of a job."""
        if file is None or place is None or not self._active:
            return None
        if file not in self._lines:
            self._lines[file] = _lines_of(file)
        return self._lines[file](place)

    def write(self) -> None:
        """Prints the annotations, and appends the summary to the one of the step. Raises InputError if it cannot."""
        if not self._active:
            return
        root = Path(os.environ.get("GITHUB_WORKSPACE") or ".")
        for each in self._kept:
            click.echo(workflow_command(each, root), err=True)
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if path and (self.outcome or self._kept):
            heading = f"stackadapt-emulator {self._command}: {self.outcome or 'failed'}"
            text = summary(heading, self._kept, self._left_out.total(), root)
            try:
                with open(path, "ab") as file:
                    file.write(text.encode("utf-8", "replace"))
            except OSError as error:
                raise unwritable(path, error) from None

    def _is_wanted(self, level: str) -> bool:
        """Whether an annotation of this level is wanted; counts it if not."""
        if self._active and sum(each.level == level for each in self._kept) >= _MOST:
            self._left_out[level] += 1
            return False
        return self._active

    def _position(self, where: str) -> tuple[str | None, int | None, int | None]:
        """File, line and column of what an error calls its place: `w.yaml, line 3, column 5`, `w.yaml: tokens[0]`."""
        if (found := _POSITION.fullmatch(where)) and Path(found["file"]).is_file():
            column = found["column"]
            return found["file"], int(found["line"]), None if column is None else int(column)
        file, _, place = where.partition(": ")
        if file and Path(file).is_file():
            return file, self.line_of(file, place) if place else None, None
        return None, None, None


@contextmanager
def job_report(command: str) -> Iterator[JobReport]:
    """The report of a command, written when the command ends; its error is in it."""
    report = JobReport(command)
    try:
        yield report
    except EmulatorError as error:
        report.add_error(error)
        raise
    finally:
        report.write()


def _lines_of(file: str) -> Callable[[str], int | None]:
    try:
        text = read_text(file)
        # In JSON a tab is always between values, where YAML allows none.
        text = text.replace("\t", " ") if suffix_of(file) == ".json" else text
        return lines_in(text) if len(text) <= _LONGEST else _nowhere
    except (InputError, yaml.YAMLError, RecursionError):
        # The command itself has reported what is wrong with the file.
        return _nowhere


def _nowhere(_place: str) -> int | None:
    return None
