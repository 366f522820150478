"""Text files: byte order marks, line ends, gzip, and encodings that are refused by name."""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InputError, WorkspaceError
from emulator.text_files import NotUtf8, decode, lines_of, read_text, suffix_of

TEXT = "name: Zoë 😀\n\nlast"

# The forms in which the same text may arrive.
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "byte order mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip of several members": lambda text: b"".join(
        gzip.compress(text[at : at + 5].encode()) for at in range(0, len(text), 5)
    ),
    "all of them": lambda text: (
        gzip.compress(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode()) + gzip.compress(b"")
    ),
}


def written(folder: Path, content: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_a_text_is_the_same_in_every_form(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, FORMS[form](TEXT))
    assert read_text(path) == TEXT
    assert list(lines_of(path)) == ["name: Zoë 😀\n", "\n", "last"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff")))
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    assert decode(codecs.BOM_UTF8 + text.encode()) == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, TEXT.encode(encoding))
    named = encoding[:6].upper()
    with pytest.raises(WorkspaceError, match=re.escape(f"cannot read {path}: it is {named} text, not UTF-8. Save it")):
        read_text(path, mistake=WorkspaceError)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a\nZoé x".encode("latin-1"), "line 2, column 3 has the byte 0xE9, 'é' in Windows-1252. Save it as UTF-8."),
        ("é".encode() + b"\x81", "line 1, column 2 has the byte 0x81. Save it as UTF-8."),
        (gzip.compress(b"a\n\n\xff", mtime=0), "line 3, column 1 has the byte 0xFF, 'ÿ' in Windows-1252."),
    ],
    ids=["Latin-1", "no letter", "gzip"],
)
def test_a_byte_that_is_not_utf_8_is_located(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read_text(written(tmp_path, content))


def test_a_body_is_refused_with_what_to_do() -> None:
    with pytest.raises(NotUtf8) as refused:
        decode("email\n".encode("utf-16"))
    assert "PowerShell" in refused.value.hint


def test_lines_are_read_before_a_later_one_fails(tmp_path: Path) -> None:
    lines = lines_of(written(tmp_path, b"a\n\xff\n"))
    assert next(lines) == "a\n"
    with pytest.raises(InputError, match="line 2, column 1"):
        next(lines)


@pytest.mark.parametrize(("name", "suffix"), [("a.yaml", ".yaml"), ("a.json.gz", ".json"), ("a.gz", ""), ("-", "")])
def test_a_suffix_is_that_of_the_text(name: str, suffix: str) -> None:
    assert suffix_of(Path(name)) == suffix
