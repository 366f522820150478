"""What others have written shows in Markdown as it is."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from emulator.text import escaped_markdown


@pytest.mark.parametrize(
    "text", ["*a*", "\\*a\\*", "\\[a](http://b)", "\\`a\\`", "~~a~~", "<img src=x>", "a | b", "a \\| b", "&lt;", "_a_"]
)
def test_a_cell_of_a_table_shows_the_characters_of_a_text(text: str) -> None:
    table = f"| x |\n|---|\n| {escaped_markdown(text)} |\n"
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(table)
    [_, cell] = [token for token in tokens if token.type == "inline"]
    assert cell.children is not None
    assert {child.type for child in cell.children} <= {"text", "text_special"}
    assert "".join(child.content for child in cell.children) == text


def test_a_line_break_of_any_kind_does_not_end_the_row() -> None:
    assert escaped_markdown("a\rb\nc") == "a b c"
