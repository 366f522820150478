"""Markdown of the documentation as HTML. Raw HTML in it is text, and it links to pages of the console only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from emulator.console.view import View

_PAGE = ".md"
_SCREEN = "documentation"


def to_html(text: str, view: View, *, anchors: Sequence[str], linked: Mapping[str, str]) -> Markup:
    """A page below a heading of level 1. `anchors` are the names of its headings in order; `linked` has the address of
    each word that is a link where it is code, or all of a cell.
    """
    tokens = _parser().parse(text)
    names = iter(anchors)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 1, 6)}"
        if token.type == "heading_open" and (name := next(names, None)) is not None:
            token.attrSet("id", name)
        if token.type == "inline":
            in_cell = before is not None and before.type == "td_open"
            token.children = [*_inline(token.children or [], view, linked, in_cell=in_cell)]
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704 - the parser escapes the text


def _inline(children: Sequence[Token], view: View, linked: Mapping[str, str], *, in_cell: bool) -> Iterator[Token]:
    inside, outside = False, None
    for token in children:
        if token.type == "link_open":
            href = str(token.attrGet("href") or "")
            address = _address(href, view)
            inside, outside = address is not None, None if address is not None else href
            if address is not None:
                token.attrSet("href", address)
                yield token
        elif token.type == "link_close":
            yield token if inside else _text(f" ({outside})")
            inside, outside = False, None
        elif (token.type == "code_inline" or (in_cell and len(children) == 1)) and token.content in linked:
            yield from (token,) if inside or outside else _link(token, linked[token.content])
        else:
            yield token


def _address(href: str, view: View) -> str | None:
    """Where a link leads in the console; None for what is not in it."""
    path, _, anchor = href.partition("#")
    if not path:
        return f"#{anchor}"
    if not path.endswith(_PAGE) or "/" in path:
        return None
    shown = view.link(_SCREEN, page=path.removesuffix(_PAGE))
    return f"{shown}#{anchor}" if anchor else shown


def _link(token: Token, address: str) -> Iterator[Token]:
    yield Token("link_open", "a", 1, attrs={"href": address})
    yield token
    yield Token("link_close", "a", -1)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    parser.add_render_rule(
        "table_open", lambda *_: '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'
    )
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _code(_renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    text = escape(tokens[index].content)
    return f'<div class="code"><pre tabindex="0">{text}</pre><button type="button" data-copy>Copy</button></div>\n'
