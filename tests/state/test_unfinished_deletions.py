"""A deletion of a sandbox that a kill interrupts is finished at the next start: no data of it stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from emulator import Emulator
from emulator.engines import open_engine
from emulator.server import stores


class Killed(BaseException):
    """Ends the process in the middle of a deletion."""


@pytest.fixture
def killed_in_deletion(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    def die(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as context:
        for kind in (stores.FileStores, stores.SharedStores):
            context.setattr(kind, "drop", die)
        yield context


def delete_one_of_two(emulator: Emulator) -> None:
    for name in ("goes", "stays"):
        made = emulator.client.post("/_emulator/sandboxes", json={"name": name}).get_json()
        call = {"userId": "ada", "writeKey": made["writeKey"], "traits": {"email": "ada@example.com"}}
        assert emulator.client.post("/v1/identify", json=call).status_code == 200
    with pytest.raises(Killed):
        emulator.sandboxes.delete("goes")


def names(emulator: Emulator) -> list[str]:
    return [each.name for each in emulator.sandboxes.all()]


def test_the_file_is_deleted_at_the_next_start(tmp_path: Path, killed_in_deletion: pytest.MonkeyPatch) -> None:
    with Emulator(data=tmp_path) as emulator:
        delete_one_of_two(emulator)
        assert names(emulator) == ["default", "stays"]
    assert list(tmp_path.glob("goes-*"))
    killed_in_deletion.undo()
    with Emulator(data=tmp_path) as emulator:
        assert not list(tmp_path.glob("goes-*"))
        assert list(tmp_path.glob("stays-*"))
        assert names(emulator) == ["default", "stays"]
        # A new one of the same name is not taken for it at later starts.
        emulator.client.post("/_emulator/sandboxes", json={"name": "goes"})
    with Emulator(data=tmp_path) as emulator:
        assert list(tmp_path.glob("goes-*"))


def test_the_schema_is_dropped_at_the_next_start(database: str, killed_in_deletion: pytest.MonkeyPatch) -> None:
    def schemas() -> list[str]:
        engine = open_engine(database)
        with engine.connect() as connection:
            found = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%_goes-%'")).all()
        engine.dispose()
        return list(found)

    with Emulator(database=database) as emulator:
        delete_one_of_two(emulator)
    assert schemas()
    killed_in_deletion.undo()
    with Emulator(database=database) as emulator:
        assert not schemas()
        emulator.sandboxes.delete("stays")
