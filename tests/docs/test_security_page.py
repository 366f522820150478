"""Each sentence of the page `security` names the test that shows it, in security_page.yaml beside this file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from emulator import transport
from emulator.server import app, http_connections, listener, wsgi_bridge
from emulator.server.control import wait
from emulator.yaml_files import load_yaml
from tests.docs.blocks import FOLDER, ROOT

PAGE = FOLDER / "security.md"
TABLE = Path(__file__).with_name("security_page.yaml")
# What a sentence without a test is: it recommends something, or says what the page is about.
NO_CLAIM = "no claim"


def sentences_of(text: str) -> Iterator[str]:
    """The sentences of a page, and the rows of its tables without their heads."""
    for block in re.split(r"\n\n|\n(?=- |\|)", text):
        line = " ".join(block.split())
        if line.startswith("|"):
            yield line
        elif line and not line.startswith("#"):
            yield from re.split(r"(?<=[.!?]) (?=[A-Z`\[])", line.removeprefix("- "))


def rows_of(sentences: Iterator[str]) -> Iterator[str]:
    """The same without heads of tables: a head is what the line of hyphens follows."""
    kept: list[str] = []
    for sentence in sentences:
        if re.fullmatch(r"[|\- ]+", sentence):
            kept.pop()
        else:
            kept.append(sentence)
    yield from kept


@cache
def functions_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


TESTS: dict[str, str | list[str]] = load_yaml(TABLE.read_text(encoding="utf-8"))


def test_each_sentence_has_a_row_and_each_row_a_sentence() -> None:
    said = list(rows_of(sentences_of(PAGE.read_text(encoding="utf-8"))))
    assert len(said) == len(set(said))
    assert set(said) - set(TESTS) == set(), "name their tests in security_page.yaml"
    assert set(TESTS) - set(said) == set(), "the page does not say so any more"


@pytest.mark.parametrize("sentence", TESTS)
def test_the_named_tests_exist(sentence: str) -> None:
    named = TESTS[sentence]
    if named == NO_CLAIM:
        return
    for test in [named] if isinstance(named, str) else named:
        path, _, name = test.partition("::")
        assert name in functions_in(ROOT / "tests" / path), test


def test_the_figures_are_those_of_the_server() -> None:
    figures = {
        "connections": [listener.CONNECTIONS],
        "the head of a request": [http_connections.MOST_HEAD_BYTES // 1024, http_connections.HEAD_SECONDS],
        "the body of a request": [app.BODY_LIMIT_BYTES // 1024**2, wsgi_bridge._BODY_LIMIT_BYTES // 1024**3],
        "a body on its way": [http_connections.BODY_SECONDS, http_connections.SLOWEST_BYTES_PER_SECOND // 1000],
        "requests sent before the first is answered": [http_connections.MOST_PIPELINED],
        "a response that the client does not read": [http_connections.READ_SECONDS],
        "requests to `/_emulator/wait` at the same time": [wait.MOST_WAITS],
        "what a destination's endpoint answers": [
            transport._RESPONSE_LIMIT_BYTES // 1024**2,
            transport.TIMEOUT_SECONDS,
        ],
    }
    for what, expected in figures.items():
        [row] = [sentence for sentence in TESTS if sentence.startswith(f"| {what} |")]
        assert [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", row)] == expected, row
