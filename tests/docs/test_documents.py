"""The documents as texts: links and anchors lead somewhere, generated parts are up to date, README is short."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.cli.docs import PAGES
from tests.bench.readme import table_of
from tests.docs.blocks import DOCUMENTS, FOLDER, ROOT, anchors_of, links_of
from tests.docs.tables import TABLES, rewritten

MOST_README_LINES = 150
README = ROOT / "README.md"

Call = Callable[..., subprocess.CompletedProcess[str]]

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@documents
def test_links_and_anchors_lead_somewhere(document: Path) -> None:
    for link in links_of(document):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@documents
def test_the_generated_parts_are_up_to_date(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert rewritten(text) == text, "run `make docs`"


def test_each_table_is_on_a_page() -> None:
    texts = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    assert set(re.findall(r"<!-- generated: ([a-z-]+) -->", texts)) == set(TABLES)


def test_the_readme_is_short_and_links_to_every_page() -> None:
    text = README.read_text(encoding="utf-8")
    # Without the table of figures, which is generated.
    assert len(text.replace(table_of(text), "").splitlines()) <= MOST_README_LINES
    linked = {link.partition("#")[0] for link in links_of(README)}
    assert {f"emulator/docs/{page}.md" for page in PAGES} <= linked


def test_the_command_knows_every_page() -> None:
    assert set(PAGES) == {path.stem for path in FOLDER.glob("*.md")}


def test_the_command_lists_the_pages(call: Call) -> None:
    listed = json.loads(call("docs", "--json").stdout)["pages"]
    assert [page["page"] for page in listed] == list(PAGES)
    assert call("docs").stdout.splitlines()[0].split() == ["getting-started", "Getting", "started"]


def test_the_command_prints_a_page_without_marks(call: Call) -> None:
    printed = call("docs", "reference").stdout
    assert printed.startswith("# Reference\n")
    assert "MISSING_EMAIL" in printed
    assert "<!--" not in printed


def test_an_unknown_page_is_an_error(call: Call) -> None:
    ended = call("docs", "referense")
    assert ended.returncode == 2
    assert "unknown page 'referense'" in ended.stderr
    assert "Did you mean 'reference'?" in ended.stderr


def test_the_stages_of_the_picture_are_in_the_tree() -> None:
    text = (ROOT / "emulator/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:emulator|contracts|tests)/[\w./-]+)`", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_json_schema_is_in_the_list_of_contracts() -> None:
    text = (ROOT / "contracts/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `contracts/([^`/]+\.schema\.json)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "contracts").glob("*.schema.json"))
