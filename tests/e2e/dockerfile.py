"""The instructions of a Dockerfile by stage, as far as the one of this repository goes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

KNOWN = re.compile("FROM|LABEL|RUN|COPY|ENV|USER|WORKDIR|VOLUME|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD")


@dataclass(frozen=True)
class Stage:
    """A base image, the name of the stage if it has one, and its instructions after `FROM`, in order."""

    base: str
    name: str | None
    instructions: Sequence[tuple[str, str]]

    def all(self, keyword: str) -> list[str]:
        """What the instructions of a kind say."""
        return [text for each, text in self.instructions if each == keyword]

    def last(self, keyword: str) -> str:
        """What the last instruction of a kind says, which counts."""
        return self.all(keyword)[-1]

    @property
    def health_command(self) -> list[str]:
        """The words of the health check."""
        return words(self.last("HEALTHCHECK").partition("CMD ")[2])


def stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile. Raises AssertionError for an instruction that is not known here."""
    found: list[tuple[str, str | None, list[tuple[str, str]]]] = []
    for keyword, text in _instructions(path.read_text(encoding="utf-8")):
        assert KNOWN.fullmatch(keyword), keyword
        if keyword == "FROM":
            base, _, name = text.partition(" AS ")
            found.append((base, name or None, []))
        else:
            found[-1][2].append((keyword, text))
    return [Stage(*each) for each in found]


def words(text: str) -> list[str]:
    """The words of the exec form, which no shell reads."""
    listed: list[str] = json.loads(text)
    return listed


def pairs(text: str) -> dict[str, str]:
    """The names and values of `ENV` or `LABEL`."""
    return {name: value.strip('"') for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S+)', text)}


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    without_comments = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", "", without_comments).splitlines():
        if line.strip():
            keyword, _, rest = line.partition(" ")
            yield keyword, rest.strip()
