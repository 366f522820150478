"""Findings and failures in the two forms that GitHub shows: log lines that mark a line of a file, and Markdown.

The form of the log line is that of GitHub's "Workflow commands"; its toolkit escapes the same characters.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from emulator.harness.checks.finding import ERROR, WARNING

LEVELS = (ERROR, WARNING)
# What Markdown, HTML or GitHub's mathematics may read as a mark.
_MARKS = re.compile(r"([\\`*_\[\]<>|~&$])")
_BACKTICKS = re.compile("`+")
# GitHub takes no summary of more than 1 MiB.
_LONGEST_TITLE = 200
_LONGEST_MESSAGE = 500
_LONGEST_DETAILS = 6_000
_MOST_DETAILS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A mistake or a failure. `level` is one of LEVELS; `line` and `column` count from 1.

    `details`, lines of plain text, are for the summary alone.
    """

    level: str
    title: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    details: str | None = None


def workflow_command(annotation: Annotation, root: Path) -> str:
    """The line of a log that GitHub shows at the line of the file. The path is relative to `root` if it is in it."""
    properties = {
        "file": None if annotation.file is None else _relative(annotation.file, root),
        "line": annotation.line,
        "col": annotation.column,
        "title": annotation.title,
    }
    given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None)
    return f"::{annotation.level} {given}::{_data(annotation.message)}"


def summary(heading: str, annotations: Sequence[Annotation], more: int, root: Path) -> str:
    """Markdown: a heading, a table of the annotations, and the details of the first that have some.

    `more` is the number of annotations that are left out. 200 annotations make less than 1 MiB, whatever is in them.
    """
    lines = [f"### {_cell(heading, _LONGEST_TITLE)}", ""]
    if annotations:
        lines += ["| | where | what |", "|---|---|---|"]
        lines += [f"| {each.level} | {_place(each, root)} | {_what(each)} |" for each in annotations]
        lines.append("")
    if more:
        lines += [f"{more} more in the log.", ""]
    for title, details in [(each.title, each.details) for each in annotations if each.details][:_MOST_DETAILS]:
        shown = escape(_short(" ".join(title.split()), _LONGEST_TITLE))
        block = fenced(_short(details, _LONGEST_DETAILS))
        lines += [f"<details><summary>{shown}</summary>", "", block, "", "</details>", ""]
    return "\n".join(lines) + "\n"


def fenced(text: str) -> str:
    """Text as a block of code, whatever is in it."""
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _place(annotation: Annotation, root: Path) -> str:
    if annotation.file is None:
        return ""
    line = "" if annotation.line is None else f":{annotation.line}"
    return _cell(_relative(annotation.file, root), _LONGEST_TITLE) + line


def _what(annotation: Annotation) -> str:
    return f"**{_cell(annotation.title, _LONGEST_TITLE)}**<br>{_cell(annotation.message, _LONGEST_MESSAGE)}"


def _cell(text: str, longest: int) -> str:
    """Plain text as the content of a heading or a cell of a table."""
    return "<br>".join(_MARKS.sub(r"\\\1", line) for line in _short(text, longest).splitlines())


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _relative(file: str, root: Path) -> str:
    path = Path(os.path.realpath(file))
    top = Path(os.path.realpath(root))
    return (path.relative_to(top) if path.is_relative_to(top) else path).as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
