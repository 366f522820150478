"""What is unpacked is bounded while it is unpacked: a few bytes never become gigabytes."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from emulator import Emulator, text_files
from emulator.errors import InputError, TooLarge
from emulator.text_files import MEBIBYTE, lines_of, read_text, unpacked

LIMIT = 2 * MEBIBYTE


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "UNPACKED_LIMIT_BYTES", LIMIT)
    monkeypatch.setattr(text_files, "TEXT_LIMIT_BYTES", MEBIBYTE)


def test_unpacking_ends_at_the_limit() -> None:
    stream, read = unpacked(io.BytesIO(gzip.compress(b"\n" * (3 * LIMIT)))), 0
    with pytest.raises(TooLarge, match=f"at most {LIMIT // MEBIBYTE} MiB"):
        while part := stream.read1(65536):
            read += len(part)
    assert read <= LIMIT


def test_what_is_not_packed_is_read_to_its_end() -> None:
    assert len(unpacked(io.BytesIO(b"\n" * (3 * LIMIT))).read()) == 3 * LIMIT


@pytest.mark.parametrize("content", [b"x\n" * MEBIBYTE, b"x" * (2 * MEBIBYTE)], ids=["lines", "one line"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_that_is_read_as_a_whole_is_bounded(content: bytes, pack: type[bytes], tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl.gz"
    file.write_bytes(pack(content))
    with pytest.raises(InputError, match="cannot read .*events.jsonl.gz: .* is too large") as refused:
        read_text(file)
    assert refused.value.allowed == "at most 1 MiB"


def test_lines_that_are_read_one_at_a_time_may_be_many(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"x\n" * MEBIBYTE)
    assert sum(1 for _ in lines_of(file)) == MEBIBYTE


def test_over_http_it_is_413_and_nothing_changes() -> None:
    packed = gzip.compress(b'{"email": "ada@example.com"}\n' + b"\n" * (2 * LIMIT))
    with Emulator() as emulator:
        for method, path in (("PUT", "snapshot"), ("POST", "profiles/import?advertiserId=1001")):
            answer = emulator.client.open(f"/_emulator/{path}", method=method, data=packed)
            if path == "snapshot":
                # Its first line is no header, and the rest is not read.
                assert answer.status_code == 400, answer.text
            else:
                assert (answer.status_code, (answer.json or {})["allowed"]) == (413, "at most 2 MiB"), answer.text
        assert emulator.client.get("/_emulator/profiles").json == {"profiles": []}
        saved = gzip.decompress(emulator.client.get("/_emulator/snapshot").data)
        bomb = gzip.compress(saved.replace(b"\n", b" " * (2 * LIMIT) + b"\n", 1))
        assert emulator.client.put("/_emulator/snapshot", data=bomb).status_code == 413
