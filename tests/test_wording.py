"""Plain technical English in everything that users and contributors read: no metaphors, one term for one thing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What is written in place of each: see the glossary in emulator/README.md.
AVOIDED = re.compile(
    r"""\b(?:
      mend(?:s|ed|ing)? | whoever | somebody | nobody | everybody
    | what\ (?:becomes?|became|comes|came)\ of | becomes?\ of | became\ of
    | doors? | rooms? | house | slips? | stor(?:y|ies) | troubles? | happenings? | editions? | awkward | seams?
    | in\ force | held\ against | holds?\ against | taken\ in | takes?\ in\b | by\ hand | of\ its\ own\ accord
    | this\ is\ no | there\ is\ no\ such | no\ such\ thing
    | whole\ numbers? | an?\ texts? | be\ texts? | e-mails?
    | (?:two|both)\ companies | (?:segment|stackadapt)'s\ side
    | moments? | told | tells?\ (?:of|what|that|whether|how|who|where|when|which|apart)
    | stands?\ (?:twice|beside|there|at|in|under|still|for) | stood | strangers?
    | crowds? | (?:un)?lucky | judgements? | verdicts? | time\ ends
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
# Vendors' texts and recordings, and the table of old names.
EXEMPT = re.compile(
    r"tests/test_(wording|names)\.py|tests/mapping/recorded/|contracts/segment/destinations/|\.graphql$|CHANGELOG\.md|conformance/node/"
)
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".json", ".toml", ".cjs", ".mjs", ".js", ".css", ".html", ".ts", ""}
# Installed packages have tens of thousands of files: their folders are not entered.
INSTALLED = {"__pycache__", "node_modules", ".venv"}


def texts() -> Iterator[Path]:
    for top in ("emulator", "contracts", "tests", "fixtures"):
        for folder, inside, files in os.walk(ROOT / top):
            inside[:] = set(inside) - INSTALLED
            yield from (Path(folder, name) for name in files)
    yield from (
        ROOT / name for name in ("README.md", "Makefile", "pyproject.toml", ".ci/run", "Dockerfile", "compose.yaml")
    )
    yield from (ROOT / ".github").rglob("*.yml")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


READ = sorted(path for path in texts() if path.suffix in SUFFIXES and not EXEMPT.search(name_of(path)))


def avoided_in(text: str) -> list[str]:
    """The lines with a word to avoid; `wording: exempt` at the end of a line, with a reason, lets it pass."""
    return [
        f"{number}: {', '.join(found)}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := AVOIDED.findall(line)) and "wording: exempt" not in line
    ]


@pytest.mark.parametrize("path", READ, ids=name_of)
def test_a_text_uses_the_terms_of_the_field(path: Path) -> None:
    assert not avoided_in(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", ["The doors of the house", "Mend: omit it", "this is no URL", "an e-mail address"])
def test_a_metaphor_is_found(line: str) -> None:
    assert avoided_in(line)


def test_plain_terms_pass() -> None:
    assert not avoided_in("HTTP endpoints. Fix: omit it. error: invalid URL 'x'. The email address is a string.")


@pytest.mark.parametrize(
    "name", ["templates/person.html", "static/mapping.js", "static/console.css", "screens/person.py"]
)
def test_files_of_the_console_are_read(name: str) -> None:
    assert ROOT / "emulator" / "console" / name in READ
