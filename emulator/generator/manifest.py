"""The manifest of a shard's file, and the file that several shards make together.

`FILE.manifest.json` is `{"job", "of", "records", "bytes", "sha256", "shards": [{"shard", "first", "records", "bytes",
"sha256"}]}`: `job` has everything that determines the content, `first` is the number of a shard's first record, and the
manifest of one shard lists only that one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from emulator.errors import InputError, unreadable, unwritable
from emulator.generator.job import Job
from emulator.generator.output import described
from emulator.generator.shards import WHOLE
from emulator.text_files import read_text

_CHUNK = 1 << 20
# More missing shards than this are counted.
_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A shard that is complete, with the SHA-256 of its bytes in hexadecimal."""

    shard: int
    first: int
    records: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The shards in a file, in order."""

    job: str
    of: int
    records: int
    bytes: int
    sha256: str
    shards: tuple[Part, ...]


def manifest_path(path: Path) -> Path:
    """Where the manifest of a file is."""
    return path.with_name(f"{path.name}.manifest.json")


def write_manifest(path: Path, job: Job) -> None:
    """Writes the manifest beside the complete file of a shard. Raises InputError."""
    digest, size = _copied(path)
    part = Part(
        shard=job.shard.number, first=job.positions.start, records=len(job.positions), bytes=size, sha256=digest
    )
    whole = described(job, shard=WHOLE)
    _save(
        path,
        Manifest(job=whole, of=job.shard.of, records=part.records, bytes=size, sha256=digest, shards=(part,)),
    )


def join(parts: Sequence[Path], output: Path, *, force: bool, report: Callable[[int], None] = lambda _: None) -> int:
    """Concatenates the files of all shards in their order; returns the number of records.

    `report` gets the number of bytes of each file that was copied. Raises InputError, and writes nothing, when a shard
    is missing, comes twice, belongs to another job, or does not have the bytes of its manifest.
    """
    if output.exists() and not force:
        raise InputError("the file already exists", where=str(output), hint="Add --force to replace it.")
    found = sorted(((_read(path), path) for path in parts), key=lambda each: each[0].shards[0].shard)
    manifests = [manifest for manifest, _ in found]
    _check_complete(found)
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as out:
            digest, size = _joined(found, out, report)
        part.replace(output)
    except OSError as error:
        raise unwritable(output, error) from None
    finally:
        part.unlink(missing_ok=True)
    records = sum(manifest.records for manifest in manifests)
    shards = tuple(each for manifest in manifests for each in manifest.shards)
    first = manifests[0]
    _save(output, Manifest(job=first.job, of=first.of, records=records, bytes=size, sha256=digest, shards=shards))
    return records


def _joined(found: Sequence[tuple[Manifest, Path]], out: BinaryIO, report: Callable[[int], None]) -> tuple[str, int]:
    whole = hashlib.sha256()
    total = 0

    def take(chunk: bytes) -> None:
        whole.update(chunk)
        out.write(chunk)

    for manifest, path in found:
        digest, size = _copied(path, take)
        if digest != manifest.sha256:
            raise InputError(
                "the file does not have the bytes of its manifest",
                where=str(path),
                found=f"{size:,} bytes, SHA-256 {digest}",
                allowed=f"{manifest.bytes:,} bytes, SHA-256 {manifest.sha256}",
                hint=f"Generate shard {manifest.shards[0].shard}/{manifest.of} again.",
            )
        total += size
        report(size)
    return whole.hexdigest(), total


def _check_complete(found: Sequence[tuple[Manifest, Path]]) -> None:
    (first, first_path), *others = found
    for manifest, path in others:
        if (manifest.job, manifest.of) != (first.job, first.of):
            raise InputError(
                f"this shard belongs to other data than {first_path}",
                where=str(path),
                found=f"{manifest.of} shards of {manifest.job}",
                allowed=f"{first.of} shards of {first.job}",
                hint="Generate both with the same options and the same version.",
            )
    for (manifest, path), (after, after_path) in zip(found, others, strict=False):
        if manifest.shards[0].shard == after.shards[0].shard:
            raise InputError(f"shard {after.shards[0].shard} comes twice", where=str(after_path), found=str(path))
    if missing := sorted(set(range(1, first.of + 1)) - {manifest.shards[0].shard for manifest, _ in found}):
        more = f" and {len(missing) - _LISTED:,} more" if len(missing) > _LISTED else ""
        listed = ", ".join(map(str, missing[:_LISTED]))
        raise InputError(
            f"missing shards of {first.of}: {listed}{more}", hint=f"Generate them with --shard K/{first.of}."
        )


def _read(path: Path) -> Manifest:
    """The manifest of one shard's file. Raises InputError."""
    manifest = manifest_path(path)
    if not manifest.exists():
        raise InputError(
            "the file has no manifest", where=str(path), hint=f"Generate it with --shard K/N, and keep {manifest.name}."
        )
    text = read_text(manifest)
    try:
        written = json.loads(text)
        shards = tuple(Part(**part) for part in written.pop("shards"))
        read = Manifest(**written, shards=shards)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError("not the manifest of a shard", where=str(manifest), hint="Generate the shard again.") from None
    if len(read.shards) != 1:
        raise InputError("the file has several shards already", where=str(path), found=f"{len(read.shards)} shards")
    return read


def _copied(path: Path, take: Callable[[bytes], object] = lambda _: None) -> tuple[str, int]:
    """The SHA-256 and the size of a file whose bytes `take` got. Raises InputError."""
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size += len(chunk)
        take(chunk)
    return digest.hexdigest(), size


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _save(path: Path, manifest: Manifest) -> None:
    target = manifest_path(path)
    written = target.with_name(f"{target.name}.new")
    document: dict[str, Any] = asdict(manifest)
    try:
        written.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")
        written.replace(target)
    except OSError as error:
        raise unwritable(target, error) from None
