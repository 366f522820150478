"""Runs the lines of a shell block: commands of this package in this process, others as they are."""

from __future__ import annotations

import contextlib
import io
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from emulator.cli import main

# What a page may run: nothing that installs, removes or starts anything outside of its folder.
_ALLOWED = frozenset({"stackadapt-emulator", "curl", "cat", "echo", "head"})
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code and what it printed, standard output first."""

    code: int
    output: bytes
    errors: bytes


def commands_in(text: str) -> Iterator[str]:
    """The commands of a block, without comments; a quoted string may span several lines."""
    command = ""
    for line in text.replace("\\\n", " ").splitlines():
        command += f"\n{line}" if command else line
        try:
            tokens = _tokens(command)
        except ValueError:
            continue
        if tokens:
            yield command
        command = ""
    assert not command, f"this quote has no end: {command}"


def words_of(command: str) -> list[str]:
    """The words of a command's first stage."""
    return next(_stages(_tokens(command)))[0]


def run(command: str, *, folder: Path) -> Ended:
    """Runs a command: stages joined by `|`, the last one perhaps with `> FILE`."""
    ended = Ended(0, b"", b"")
    for words, target in _stages(_tokens(command)):
        ended = _stage(words, ended, folder)
        if target is not None:
            (folder / target).write_bytes(ended.output)
            ended = Ended(ended.code, b"", ended.errors)
    return ended


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    return list(lexer)


def _stages(tokens: list[str]) -> Iterator[tuple[list[str], str | None]]:
    words: list[str] = []
    rest = iter(tokens)
    for token in rest:
        if token == "|":
            yield words, None
            words = []
        elif token == ">":
            yield words, next(rest)
            return
        else:
            words.append(token)
    yield words, None


def _stage(words: list[str], before: Ended, folder: Path) -> Ended:
    assert words[0] in _ALLOWED, f"{words[0]} is not a command that a page may run: add it to NOT_RUN, with a reason"
    if words[0] == "stackadapt-emulator":
        return _in_process([each for word in words[1:] for each in _expanded(word, folder)], before.output)
    done = subprocess.run(words, input=before.output, capture_output=True, cwd=folder, timeout=_SECONDS, check=False)
    return Ended(done.returncode, done.stdout, before.errors + done.stderr)


def _expanded(word: str, folder: Path) -> list[str]:
    """The files that a word with `*` names, as a shell passes them on; the word itself where there are none."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob(word)) or [word] if "*" in word else [word]


def _in_process(arguments: list[str], given: bytes) -> Ended:
    output, errors = io.BytesIO(), io.BytesIO()
    streams = [io.TextIOWrapper(stream, encoding="utf-8", write_through=True) for stream in (output, errors)]
    code = 0
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as standard_input,
        patch.object(sys, "argv", ["stackadapt-emulator", *arguments]),
        patch.object(sys, "stdin", standard_input),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        standard_input.write(given.decode())
        standard_input.seek(0)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, output.getvalue(), errors.getvalue())
