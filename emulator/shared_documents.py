"""JSON documents of a sandbox that several processes share, and its clock: read together, in one statement a request.

A process keeps what it has read of a document until its revision changes.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, select, update

from emulator.statements import Prepared
from emulator.store import Store

DOCUMENTS = MetaData()
STORED = Table(
    "sandbox_documents",
    DOCUMENTS,
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("document", Text),
)

FAULTS: Final = "faults"
RATE_LIMIT: Final = "rate_limit"

_OPEN = "INSERT INTO {schema}.sandbox_documents (name, revision) VALUES (%s, 0), (%s, 0) ON CONFLICT DO NOTHING"
_READ = "SELECT revision, document FROM {schema}.sandbox_documents WHERE name = %s"
_LOCK = Prepared(select(STORED.c.revision, STORED.c.document).where(STORED.c.name == bindparam("of")).with_for_update())
_WRITE = Prepared(
    update(STORED)
    .where(STORED.c.name == bindparam("of"))
    .values(revision=bindparam("new_revision"), document=bindparam("new_document"))
)


@dataclass(slots=True)
class Changing:
    """A document within the block in which no other process can change it; `value` is stored at its end."""

    value: Any


class SharedDocument:
    """One document, None at first."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._known = -1
        self._noticed = 0

    @property
    def is_known(self) -> bool:
        """Whether what was read last is what was stored when the current request began."""
        return self._known >= self._noticed

    def notice(self, revision: int) -> None:
        """Takes note of the revision that is stored."""
        self._noticed = revision

    def read(self) -> Any:
        """The document as it is stored."""
        [[revision, text]] = self._store.run(_READ, self._name)
        self._known = revision
        return _value(text)

    @contextmanager
    def changing(self) -> Iterator[Changing]:
        """Excludes other processes within the block, at whose end its value is stored if it is another."""
        with self._store.begin(locks=()) as connection:
            row = _LOCK.first(connection, of=self._name)
            changing = Changing(_value(row.document))
            yield changing
            text = json.dumps(changing.value)
            revision = row.revision
            if text != row.document:
                revision += 1
                _WRITE.run(connection, of=self._name, new_revision=revision, new_document=text)
        self._known = revision


class InDocument(ABC):
    """State that is kept in a document: read from it before each use, and stored after each change."""

    _lock: Lock
    _document: SharedDocument

    @abstractmethod
    def _stored(self) -> Any:
        """The state as JSON values."""

    @abstractmethod
    def _restore(self, stored: Any) -> None:
        """Takes the state that `_stored` returned; None at first."""

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock, self._document.changing() as changing:
            self._restore(changing.value)
            yield
            changing.value = self._stored()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            self._restore(self._document.read())
            yield


class SharedDocuments:
    """The documents of one sandbox."""

    def __init__(self, store: Store) -> None:
        store.run(_OPEN, FAULTS, RATE_LIMIT)
        self.faults = SharedDocument(store, FAULTS)
        self.rate_limit = SharedDocument(store, RATE_LIMIT)
        self._by_name: Mapping[str, SharedDocument] = MappingProxyType(
            {FAULTS: self.faults, RATE_LIMIT: self.rate_limit}
        )

    def notice(self, revisions: Mapping[str, int]) -> None:
        """Takes note of the revisions that are stored."""
        for name, revision in revisions.items():
            self._by_name[name].notice(revision)


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
