"""Shards: their files, joined, are the file of one run, whatever their number, the format and the options."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InputError
from emulator.generator.event_stream import BLOCK, EventStream, IdentifyCalls, StreamOptions
from emulator.generator.job import CSV, FORMS, JSONL, Job, PeopleStream, Record
from emulator.generator.manifest import join, manifest_path, write_manifest
from emulator.generator.output import is_finished, write_file, write_to
from emulator.generator.people import Population
from emulator.generator.shards import MOST_SHARDS, Shard, parse_shard

POPULATION = Population(seed=3)
PEOPLE = PeopleStream(population=POPULATION)
OPTIONS = StreamOptions(duplicates=0.1, late=0.1, out_of_order=0.1, churn=0.3)
IDENTIFIES = EventStream(population=POPULATION, source=IdentifyCalls(), options=OPTIONS)


class Numbers:
    """Each record is its number; a block takes no time."""

    def block(self, number: int) -> list[Record]:
        return [{"n": index} for index in range(number * BLOCK, (number + 1) * BLOCK)]


def content(job: Job) -> bytes:
    out = io.BytesIO()
    write_to(out, job, processes=1, report=lambda _: None)
    return out.getvalue()


def shards_of(job: Job, number: int) -> list[Job]:
    return [replace(job, shard=Shard(number=each, of=number)) for each in range(1, number + 1)]


def written(job: Job, path: Path) -> Path:
    write_file(path, job, processes=1, resume=False, force=False, report=lambda _: None)
    write_manifest(path, job)
    return path


@pytest.fixture
def parts(tmp_path: Path) -> Callable[..., list[Path]]:
    """Writes the shards of a job, and returns their paths."""

    def write(job: Job, number: int, name: str = "part") -> list[Path]:
        return [
            written(each, tmp_path / f"{name}-{index}.{job.form}") for index, each in enumerate(shards_of(job, number))
        ]

    return write


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("number", [1, 7, 400])
def test_the_shards_of_many_records_have_the_bytes_of_one_run(number: int, compressed: bool) -> None:
    job = Job(stream=Numbers(), start=17, count=400 * BLOCK + 123, compressed=compressed)
    shards = shards_of(job, number)
    assert b"".join(map(content, shards)) == content(job)
    assert min(len(each.positions) for each in shards) > 0
    # Blocks are not made twice.
    assert sum(len(each.blocks()) for each in shards) == len(job.blocks())


@pytest.mark.parametrize(
    ("stream", "form"), [*((PEOPLE, form) for form in FORMS), (IDENTIFIES, JSONL)], ids=[*FORMS, "identifies"]
)
@pytest.mark.parametrize("number", [1, 7, 40])
def test_the_shards_of_few_records_do_too_and_are_of_about_equal_size(
    stream: PeopleStream | EventStream, form: str, number: int
) -> None:
    job = Job(stream=stream, start=BLOCK - 10, count=30, form=form)
    shards = shards_of(job, number)
    assert b"".join(map(content, shards)) == content(job)
    sizes = {len(each.positions) for each in shards}
    assert max(sizes) - min(sizes) <= 1


@given(start=st.integers(0, 3 * BLOCK), count=st.integers(1, 10**9), of=st.integers(1, 1000))
def test_the_shards_have_every_position_once(start: int, count: int, of: int) -> None:
    ranges = [Shard(number=number, of=of).positions(start, count, BLOCK) for number in range(1, of + 1)]
    assert (ranges[0].start, ranges[-1].stop) == (start, start + count)
    assert all(one.stop == after.start for one, after in pairwise(ranges))


@pytest.mark.parametrize("number", [1, 7, 40])
def test_joined_files_are_the_file_of_one_run(parts: Callable[..., list[Path]], tmp_path: Path, number: int) -> None:
    job = Job(stream=PEOPLE, count=30, form=CSV)
    paths = parts(job, number)
    # In any order of arguments.
    assert join(paths[::-1], tmp_path / "all.csv", force=False) == job.count
    assert (tmp_path / "all.csv").read_bytes() == content(job)
    manifest = json.loads(manifest_path(tmp_path / "all.csv").read_text())
    assert [each["shard"] for each in manifest["shards"]] == [*range(1, number + 1)]
    assert (manifest["records"], manifest["bytes"]) == (job.count, len(content(job)))
    # As that of one run.
    alone = written(job, tmp_path / "alone.csv")
    assert json.loads(manifest_path(alone).read_text())["sha256"] == manifest["sha256"]


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"user", b"USER", 1))


def other_seed(path: Path) -> None:
    job = Job(stream=PeopleStream(population=Population(seed=4)), count=30, shard=Shard(number=2, of=3))
    path.unlink()
    written(job, path)


def same_shard(path: Path) -> None:
    path.unlink()
    written(Job(stream=PEOPLE, count=30, shard=Shard(number=1, of=3)), path)


def set_manifest(text: str) -> Callable[[Path], object]:
    return lambda path: manifest_path(path).write_text(text)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (damage, r"part-1\.jsonl: the file does not have the bytes of its manifest.*Generate shard 2/3 again"),
        (lambda path: path.write_bytes(b""), "does not have the bytes of its manifest. Found: '0 bytes"),
        (lambda path: path.unlink(), r"cannot read .*part-1\.jsonl: no such file"),
        (lambda path: manifest_path(path).unlink(), r"part-1\.jsonl: the file has no manifest"),
        (other_seed, r"part-1\.jsonl: this shard belongs to other data than .*part-0\.jsonl.*seed=4"),
        (same_shard, r"part-1\.jsonl: shard 1 comes twice"),
        (set_manifest("{"), r"part-1\.jsonl\.manifest\.json: not the manifest of a shard"),
        (set_manifest('{"shards": 3}'), "not the manifest of a shard"),
        (set_manifest("[]"), "not the manifest of a shard"),
    ],
    ids=["bytes", "empty", "no-file", "no-manifest", "other-data", "twice", "not-json", "no-shards", "array"],
)
def test_nothing_is_written_when_a_shard_is_not_right(
    parts: Callable[..., list[Path]], tmp_path: Path, harm: Callable[[Path], object], message: str
) -> None:
    paths = parts(Job(stream=PEOPLE, count=30), 3)
    harm(paths[1])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=message):
        join(paths, tmp_path / "all.jsonl", force=False)
    assert sorted(tmp_path.iterdir()) == before


def test_missing_shards_are_named(parts: Callable[..., list[Path]], tmp_path: Path) -> None:
    paths = parts(Job(stream=PEOPLE, count=30), 14)
    with pytest.raises(InputError, match=r"missing shards of 14: 2, 14\. Generate them with --shard K/14"):
        join([*paths[:1], *paths[2:13]], tmp_path / "all", force=False)
    with pytest.raises(InputError, match="2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more"):
        join(paths[:1], tmp_path / "all", force=False)


def test_an_existing_file_is_kept_without_force(parts: Callable[..., list[Path]], tmp_path: Path) -> None:
    job = Job(stream=PEOPLE, count=30)
    target = tmp_path / "all"
    target.write_text("mine")
    with pytest.raises(InputError, match="already exists"):
        join(parts(job, 2), target, force=False)
    assert target.read_text() == "mine"
    assert join(parts(job, 2, "again"), target, force=True) == job.count
    assert target.read_bytes() == content(job)


def test_a_shard_without_records_is_an_empty_file(tmp_path: Path) -> None:
    job = Job(stream=PEOPLE, count=2, shard=Shard(number=1, of=3))
    assert len(job.positions) == 0
    path = written(job, tmp_path / "empty")
    assert path.read_bytes() == b""
    assert is_finished(path, job)
    path.write_text("not empty")
    assert not is_finished(path, job)


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "-1/4", "1/0", "1/4/2", "a/b", "1.0/4", "1/ 4", "٣/٤"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--shard: invalid shard.*such as 17/400"):
        parse_shard(text)


def test_the_number_of_shards_is_limited() -> None:
    assert parse_shard(f"1/{MOST_SHARDS}") == Shard(number=1, of=MOST_SHARDS)
    with pytest.raises(InputError, match="N up to 1,000,000"):
        parse_shard(f"1/{MOST_SHARDS + 1}")
