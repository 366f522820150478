"""A generated file: written as `FILE.part`, resumable after an interruption, renamed when it is complete.

`FILE.part.json` records how much of it is complete and is replaced after each block, so that a killed process can be
resumed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

from emulator import __version__
from emulator.errors import InputError, unwritable
from emulator.generator.job import Job
from emulator.generator.names import FAKER_RELEASE
from emulator.generator.shards import Shard
from emulator.generator.workers import made

Report = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How much of a file is complete: its first `bytes` bytes are the first `blocks` blocks of the described job."""

    job: str
    blocks: int = 0
    bytes: int = 0


def write_to(out: BinaryIO, job: Job, *, processes: int, report: Report) -> None:
    """Writes everything; reports the number of records after each block."""
    for number, chunk in zip(job.blocks(), made(job.chunk, job.blocks(), processes=processes), strict=True):
        out.write(chunk)
        report(job.size(number))


def write_file(path: Path, job: Job, *, processes: int, resume: bool, force: bool, report: Report) -> None:
    """Writes a whole file, or leaves an existing one unchanged. Raises InputError.

    An existing file, complete or partial, is replaced only with `force`. With `resume`, a partial file of an equal job
    is continued; the result is the same as without an interruption.
    """
    part = path.with_name(f"{path.name}.part")
    _check_free(path, part, resume=resume, force=force)
    try:
        mark = _read_mark(part, job) if resume and part.exists() else Mark(job=described(job))
        report(sum(job.size(number) for number in job.blocks()[: mark.blocks]))
        with part.open("r+b" if mark.blocks else "wb") as out:
            out.truncate(mark.bytes)
            out.seek(mark.bytes)
            for size in _continued(out, part, job, mark, processes):
                report(size)
        part.replace(path)
        _mark_of(part).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def is_finished(path: Path, job: Job) -> bool:
    """Whether a file starts and ends like the job's, which is checked without making all of it."""
    blocks = job.blocks()
    first, last = (job.chunk(blocks[0]), job.chunk(blocks[-1])) if blocks else (b"", b"")
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size < len(last) or (size and not blocks):
                return False
            file.seek(0)
            if file.read(len(first)) != first:
                return False
            file.seek(-len(last), os.SEEK_END)
            return file.read() == last
    except OSError:
        return False


def _continued(out: BinaryIO, part: Path, job: Job, mark: Mark, processes: int) -> Iterator[int]:
    """Writes the missing blocks. Yields the number of records of each once it is recorded."""
    rest = job.blocks()[mark.blocks :]
    done = mark.bytes
    for index, chunk in enumerate(made(job.chunk, rest, processes=processes), start=mark.blocks):
        out.write(chunk)
        out.flush()
        done += len(chunk)
        _save(Mark(job=mark.job, blocks=index + 1, bytes=done), part)
        yield job.size(job.blocks()[index])


def _check_free(path: Path, part: Path, *, resume: bool, force: bool) -> None:
    if path.exists() and not force:
        made = " and was not made with these options" if resume else ""
        raise InputError(f"the file already exists{made}", where=str(path), hint="Add --force to replace it.")
    if part.exists() and not (resume or force):
        raise InputError(
            "a partial file already exists",
            where=str(part),
            hint="Add --resume to continue it, or --force to start again.",
        )


def _read_mark(part: Path, job: Job) -> Mark:
    """How much of a partial file is complete. Raises InputError when another job made it."""
    try:
        mark = Mark(**json.loads(_mark_of(part).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        # Interrupted during the first block.
        return Mark(job=described(job))
    if mark.job != described(job) or part.stat().st_size < mark.bytes:
        raise InputError(
            "the partial file was made with other options, or by another version",
            where=str(part),
            hint="Repeat the options, or add --force to start again.",
        )
    return mark


def _save(mark: Mark, part: Path) -> None:
    written = _mark_of(part).with_suffix(".new")
    written.write_text(json.dumps(asdict(mark)), encoding="utf-8")
    written.replace(_mark_of(part))


def _mark_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def described(job: Job, *, shard: Shard | None = None) -> str:
    """Everything that determines the content of a job, or of another shard of it."""
    return f"{replace(job, shard=shard or job.shard)!r}, stackadapt-emulator {__version__}, {FAKER_RELEASE}"
