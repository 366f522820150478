"""Generated files: the same content in every format, by any number of processes, whole or resumed."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract, contract_json
from emulator.errors import InputError
from emulator.generator.event_stream import BLOCK, EventStream, IdentifyCalls, StreamOptions, members, membership_events
from emulator.generator.job import COLUMNS, CSV, FORMS, JSON, JSONL, Job, PeopleStream, Record, Stream
from emulator.generator.output import write_file, write_to
from emulator.generator.people import Population
from emulator.workspace import load_workspace

SEED = 5
OPTIONS = StreamOptions(duplicates=0.1, late=0.1, out_of_order=0.1, churn=0.3)
POPULATION = Population(seed=SEED, edge_cases={"quote": 0.1, "newline": 0.1, "backslash": 0.1, "accents": 0.1})
PEOPLE = PeopleStream(population=POPULATION)
IDENTIFIES = EventStream(population=POPULATION, source=IdentifyCalls(), options=OPTIONS)
AUDIENCE_EVENTS = EventStream(
    population=members(POPULATION), source=membership_events(load_workspace()), options=OPTIONS
)
STREAMS = pytest.mark.parametrize(
    "stream", [PEOPLE, IDENTIFIES, AUDIENCE_EVENTS], ids=["people", "identifies", "audience-events"]
)


def silent(_number: int) -> None:
    """Ignores the progress."""


def content(job: Job, *, processes: int = 1) -> bytes:
    out = io.BytesIO()
    write_to(out, job, processes=processes, report=silent)
    return out.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write(path: Path, job: Job, *, resume: bool = False, force: bool = False, **options: Any) -> None:
    write_file(path, job, processes=1, resume=resume, force=force, report=options.get("report", silent))


def read_jsonl(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.decode().splitlines()]


@STREAMS
def test_one_and_two_processes_jsonl_and_gzip_have_the_same_content(stream: Stream) -> None:
    job = Job(stream=stream, count=3 * BLOCK + 17)
    packed = replace(job, compressed=True)
    plain, by_two = content(job), content(packed, processes=2)
    assert digest(gzip.decompress(by_two)) == digest(plain)
    assert digest(content(packed)) == digest(by_two)
    assert len(plain.splitlines()) == job.count


@STREAMS
def test_record_i_is_the_same_whatever_the_count_and_the_start(stream: Stream) -> None:
    whole = content(Job(stream=stream, count=2 * BLOCK + 10)).splitlines()
    assert content(Job(stream=stream, count=BLOCK + 1)).splitlines() == whole[: BLOCK + 1]
    middle = content(Job(stream=stream, start=BLOCK - 5, count=BLOCK + 10))
    assert middle.splitlines() == whole[BLOCK - 5 : 2 * BLOCK + 5]
    assert content(Job(stream=stream, start=3, count=1)).splitlines() == whole[3:4]


@STREAMS
def test_a_json_array_has_the_same_records_as_json_lines(stream: Stream) -> None:
    job = Job(stream=stream, start=BLOCK - 2, count=BLOCK + 4)
    assert json.loads(content(replace(job, form=JSON))) == read_jsonl(content(job))
    single = replace(job, count=1)
    assert json.loads(content(replace(single, form=JSON))) == read_jsonl(content(single))


def test_csv_has_the_people_with_line_breaks_and_quotes() -> None:
    job = Job(stream=PEOPLE, count=BLOCK + 50)
    rows = list(csv.DictReader(io.StringIO(content(replace(job, form=CSV)).decode(), newline="")))
    assert [*rows[0]] == list(COLUMNS)
    people = read_jsonl(content(job))
    assert rows == [{column: str(person.get(column, "")) for column in COLUMNS} for person in people]
    assert any("\n" in row["street"] for row in rows)
    assert any('"' in row["first_name"] for row in rows)


def schema(name: str) -> Any:
    for place in (f"segment/{name}.schema.json", f"segment/events/{name}.schema.json"):
        if contract(place).is_file():
            return contract_json(place)
    pytest.skip(f"no schema {name}")


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        (IDENTIFIES, "identify"),
        (AUDIENCE_EVENTS, "audience-identify"),
        (AUDIENCE_EVENTS, "audience-track"),
    ],
)
def test_generated_events_fit_the_schemas(stream: EventStream, name: str) -> None:
    kind = name.removeprefix("audience-")
    validator = Draft202012Validator(schema(name))
    for number in (0, 1, 997):
        events = [event for event in stream.block(number) if event["type"] == kind]
        assert events
        for event in events[::7]:
            assert [error.message for error in validator.iter_errors(event)] == []


def test_people_have_the_columns_that_uploads_take() -> None:
    people = PEOPLE.block(0)
    assert people
    for person in people:
        assert set(person) | {"email"} == set(COLUMNS)


class Interrupted(Exception):
    """An interruption of the process."""


def interrupt_after(blocks: int) -> Callable[[int], None]:
    left = [blocks]

    def report(_number: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted

    return report


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("good", [0, 1, 3])
def test_a_resumed_file_is_the_same(tmp_path: Path, form: str, compressed: bool, good: int) -> None:
    job = Job(stream=PEOPLE, count=3 * BLOCK + 500, form=form, compressed=compressed)
    path, part = tmp_path / "people", tmp_path / "people.part"
    with pytest.raises(Interrupted):
        write(path, job, report=interrupt_after(good))
    assert not path.exists()
    with part.open("ab") as out:
        out.write(b"half of the next bl")
    reported: list[int] = []
    write(path, job, resume=True, report=reported.append)
    assert path.read_bytes() == content(job)
    assert sum(reported) == job.count
    assert [file.name for file in tmp_path.iterdir()] == ["people"]


def test_a_partial_file_without_a_complete_block_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "people.part").write_bytes(b"half of the first bl")
    job = Job(stream=PEOPLE, count=10)
    write(tmp_path / "people", job, resume=True)
    assert (tmp_path / "people").read_bytes() == content(job)


def test_a_partial_file_is_resumed_only_with_the_same_options(tmp_path: Path) -> None:
    job = Job(stream=PEOPLE, count=3 * BLOCK)
    path = tmp_path / "people"
    with pytest.raises(Interrupted):
        write(path, job, report=interrupt_after(1))
    before = (tmp_path / "people.part").read_bytes()
    for other in (replace(job, form=JSON), replace(job, stream=PeopleStream(population=Population(seed=SEED + 1)))):
        with pytest.raises(InputError, match="made with other options"):
            write(path, other, resume=True)
    assert (tmp_path / "people.part").read_bytes() == before


def test_files_are_replaced_only_with_force(tmp_path: Path) -> None:
    job = Job(stream=PEOPLE, count=10)
    path = tmp_path / "people"
    path.write_text("mine")
    with pytest.raises(InputError, match="already exists.*--force"):
        write(path, job)
    assert path.read_text() == "mine"
    write(path, job, force=True)
    assert path.read_bytes() == content(job)
    path.rename(tmp_path / "people.part")
    with pytest.raises(InputError, match="--resume to continue"):
        write(path, job)
    write(path, job, force=True)
    assert path.read_bytes() == content(job)


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder") as caught:
        write(tmp_path / "nowhere" / "people", Job(stream=PEOPLE, count=1))
    assert str(tmp_path / "nowhere" / "people") in str(caught.value)


class Sink(io.RawIOBase):
    """Discards what is written."""

    def write(self, data: Any) -> int:
        return len(data)


def peak(job: Job) -> int:
    tracemalloc.start()
    try:
        write_to(Sink(), job, processes=1, report=silent)  # type: ignore[arg-type]  # only `write` is called
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_count() -> None:
    class Small:
        """Blocks that are cheap to make."""

        def block(self, number: int) -> list[Record]:
            return [{"number": number * BLOCK + place, "text": "x" * 100} for place in range(BLOCK)]

    small = Job(stream=Small(), count=2 * BLOCK, form=JSONL)
    peak(small)
    assert peak(replace(small, count=20 * BLOCK)) < 1.5 * peak(small)
