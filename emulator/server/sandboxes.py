"""The sandboxes of an emulator, by name, by token and by write key.

The default sandbox uses the tokens and write keys of the workspace. Each named one has the same workspace, or the one
that it was created with, and its own secrets, derived from a random secret stored with the default sandbox's data:
anyone who can read that can read all data anyway. Each secret contains the name of its sandbox, so that a workspace is
parsed when its sandbox is first used, and one that no longer fits the schema affects no other sandbox.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError

from emulator.errors import InputError, NotFound, UserMistake, WorkspaceError, unknown
from emulator.ids import secret
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.services import SandboxServices
from emulator.server.stores import Stores
from emulator.statements import Prepared
from emulator.workspace import Destination, Workspace, parse_workspace

REGISTRY = MetaData()

SANDBOXES = Table(
    "sandboxes",
    REGISTRY,
    Column("name", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("seed", BigInteger),
)

# The workspaces, as JSON, of sandboxes created with one.
WORKSPACES = Table(
    "sandbox_workspaces",
    REGISTRY,
    Column("name", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
)

# The stores of deleted sandboxes, until their data is deleted, too.
DROPPED = Table("sandbox_stores_dropped", REGISTRY, Column("key", Text, primary_key=True))

_DROPPED_KEYS = Prepared(select(DROPPED.c.key))

_TOKEN, _WRITE_KEY = "token", "write key"
_PREFIXES = {_TOKEN: "sa", _WRITE_KEY: "segment"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
# Windows opens devices under these names, whatever the extension.
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
_SECRET = re.compile(rf"(?P<prefix>[a-z]+)-(?P<name>{_NAME.pattern})-[0-9a-f]{{32}}")

# Its arguments are the name of a sandbox, the key of its store, and its workspace.
OpenServices = Callable[[str, str, Workspace], SandboxServices]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSandbox:
    """A sandbox that can be opened: its name, the key of its store, and its workspace with its secrets."""

    name: str
    key: str
    workspace: Workspace = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableSandbox:
    """A sandbox whose stored workspace no longer fits the schema: it can only be deleted."""

    name: str
    error: UserMistake


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """The stored data of a sandbox, except its workspace."""

    name: str
    secret: str = field(repr=False)
    seed: int | None

    @property
    def key(self) -> str:
        """The key of its store. A later sandbox of this name has another, so that neither can find the other's data."""
        return f"{self.name}-{hashlib.sha256(self.secret.encode()).hexdigest()[:12]}"


class Sandboxes:
    """Finds the services that a request addresses; opens them on first use."""

    def __init__(self, workspace: Workspace, stores: Stores, open_services: OpenServices) -> None:
        self._stores = stores
        self._open_services = open_services
        self._lock = RLock()
        # Replaced, never changed in place, so that it can be read without the lock.
        self._rows: Mapping[str, _Row] = {}
        self._known: dict[str, NamedSandbox] = {}
        self._by_secret: dict[bytes, str] = {}
        self._services: dict[str, SandboxServices] = {}
        self._workspace = workspace
        self._learn(NamedSandbox(name=DEFAULT_SANDBOX, key=DEFAULT_SANDBOX, workspace=workspace))
        self._registry = self.services(DEFAULT_SANDBOX).sandbox.store
        self._registry.create(REGISTRY)
        self._read_registry()
        self._finish_deletions()

    def create(
        self, name: str | None = None, seed: int | None = None, workspace: Mapping[str, Any] | None = None
    ) -> NamedSandbox:
        """A new sandbox with new tokens and write keys. `workspace` is in JSON form; the default sandbox's when absent.

        Raises InputError for an invalid or taken name, WorkspaceError for an invalid workspace.
        """
        name = secret("sandbox-")[:20] if name is None else name
        _check_name(name)
        own = self._workspace if workspace is None else parse_workspace(workspace)
        row = _Row(name=name, secret=secret(""), seed=seed)
        try:
            with self._registry.begin() as connection:
                connection.execute(insert(SANDBOXES).values(name=name, secret=row.secret, seed=seed))
                if workspace is not None:
                    connection.execute(insert(WORKSPACES).values(name=name, workspace=json.dumps(workspace)))
        except IntegrityError:
            raise _taken(name) from None
        if (deleted := self._rows.get(name)) is not None:
            # By another process: this one has not noticed yet.
            self._forget(deleted)
        with self._lock:
            self._rows = {**self._rows, name: row}
            sandbox = self._learn(_named(own, row))
            try:
                self._services_of(sandbox)
            except BaseException:
                # Such as an invalid condition of an audience, found when it is compiled, or a full disk.
                self.delete(name)
                raise
        return sandbox

    def all(self) -> list[NamedSandbox | UnreadableSandbox]:
        """Every sandbox, the default one first, then by name."""
        self._refresh()
        return [self._listed(name) for name in (DEFAULT_SANDBOX, *sorted(self._rows))]

    def get(self, name: str) -> NamedSandbox:
        """The sandbox with this name.

        Raises NotFound with the nearest name, WorkspaceError when its workspace no longer fits the schema.
        """
        self._refresh()
        return self._sandbox(name)

    def delete(self, name: str) -> None:
        """Deletes a sandbox and its data. Raises NotFound, and InputError for the default one."""
        if name == DEFAULT_SANDBOX:
            raise InputError(
                "the default sandbox cannot be deleted", where="sandbox", hint="POST /_emulator/reset empties it."
            )
        self._refresh()
        row = self._rows.get(name)
        if row is None:
            raise self._not_found(name)
        with self._registry.begin() as connection:
            # Not one of the same name that another process has created meanwhile.
            same = (SANDBOXES.c.name == name) & (SANDBOXES.c.secret == row.secret)
            deleted = connection.execute(delete(SANDBOXES).where(same)).rowcount > 0
            if deleted:
                connection.execute(delete(WORKSPACES).where(WORKSPACES.c.name == name))
                connection.execute(insert(DROPPED).values(key=row.key))
        self._forget(row)
        if not deleted:
            # Another request was faster.
            raise self._not_found(name)
        self._drop(row.key)

    def services(self, name: str) -> SandboxServices:
        """The services of the sandbox with this name. Raises NotFound and WorkspaceError as `get` does."""
        return self._opened(self.get(name))

    def services_of_token(self, token: str) -> SandboxServices | None:
        """The services that accept a bearer token. Raises WorkspaceError when its sandbox cannot be read."""
        return self._services_with(_TOKEN, token)

    def services_of_write_key(self, write_key: str) -> SandboxServices | None:
        """The services that accept a write key. Raises WorkspaceError when its sandbox cannot be read."""
        return self._services_with(_WRITE_KEY, write_key)

    def opened(self) -> list[SandboxServices]:
        """The services that are open."""
        self._refresh()
        with self._lock:
            return list(self._services.values())

    def close(self) -> None:
        """Closes all services."""
        with self._lock:
            for services in self._services.values():
                services.close()
            self._services.clear()

    def _services_with(self, kind: str, text: str) -> SandboxServices | None:
        self._refresh()
        name = _name_in(kind, text)
        # The secrets of a sandbox that is deleted meanwhile are unknown.
        with suppress(NotFound):
            if name is not None and name in self._rows:
                self._sandbox(name)
            # Looked up by digest: the time it takes reveals nothing about the secret.
            with self._lock:
                owner = self._by_secret.get(_digest(kind, text))
            return None if owner is None else self._opened(self._sandbox(owner))
        return None

    def _opened(self, sandbox: NamedSandbox) -> SandboxServices:
        with self._lock:
            # It may have been replaced by another of this name.
            if self._known.get(sandbox.name) is not sandbox:
                raise self._not_found(sandbox.name)
            services = self._services_of(sandbox)
        if self._stores.shared:
            services.sandbox.clock.refresh()
        return services

    def _services_of(self, sandbox: NamedSandbox) -> SandboxServices:
        if sandbox.name not in self._services:
            self._services[sandbox.name] = self._open_services(sandbox.name, sandbox.key, sandbox.workspace)
        return self._services[sandbox.name]

    def _listed(self, name: str) -> NamedSandbox | UnreadableSandbox:
        try:
            return self._sandbox(name)
        except UserMistake as error:
            return UnreadableSandbox(name=name, error=error)

    def _sandbox(self, name: str) -> NamedSandbox:
        """The sandbox with this name; its workspace is parsed on first use."""
        with self._lock:
            known, row = self._known.get(name), self._rows.get(name)
        if known is not None:
            return known
        if row is None:
            raise self._not_found(name)
        sandbox = _named(self._workspace_of(name), row)
        with self._lock:
            # Parsed without the lock: it may have been deleted meanwhile.
            if self._rows.get(name) != row:
                raise self._not_found(name)
            return self._known.get(name) or self._learn(sandbox)

    def _workspace_of(self, name: str) -> Workspace:
        with self._registry.begin() as connection:
            stored = connection.scalar(select(WORKSPACES.c.workspace).where(WORKSPACES.c.name == name))
        if stored is None:
            return self._workspace
        try:
            return parse_workspace(json.loads(stored))
        except WorkspaceError as error:
            raise WorkspaceError(
                f"the workspace of this sandbox is no longer valid: {error}",
                where=f"sandbox {name!r}",
                hint=f"DELETE /_emulator/sandboxes/{name} and create it again.",
            ) from None

    def _finish_deletions(self) -> None:
        """Deletes the data of sandboxes that were being deleted when the emulator was killed."""
        with self._registry.begin() as connection:
            rows = _DROPPED_KEYS.rows(connection)
        for row in rows:
            self._drop(row.key)

    def _drop(self, key: str) -> None:
        # The row is locked meanwhile: no other process drops the store at the same time.
        with self._registry.begin() as connection:
            if connection.execute(delete(DROPPED).where(DROPPED.c.key == key)).rowcount:
                self._stores.drop(key)

    def _not_found(self, name: str) -> UserMistake:
        return unknown(
            "sandbox",
            name,
            (DEFAULT_SANDBOX, *self._rows),
            where="sandbox",
            hint="GET /_emulator/sandboxes lists them.",
            listing=False,
            error=NotFound,
        )

    def _learn(self, sandbox: NamedSandbox) -> NamedSandbox:
        self._known[sandbox.name] = sandbox
        for digest in _digests(sandbox.workspace):
            self._by_secret[digest] = sandbox.name
        return sandbox

    def _forget(self, forgotten: _Row) -> None:
        name = forgotten.name
        with self._lock:
            if self._rows.get(name) != forgotten:
                # Another request has forgotten it, and a new one may have its name.
                return
            self._rows = {other: row for other, row in self._rows.items() if other != name}
            sandbox = self._known.pop(name, None)
            services = self._services.pop(name, None)
            for digest in _digests(sandbox.workspace) if sandbox else ():
                self._by_secret.pop(digest, None)
        if services is not None:
            services.close()

    def _refresh(self) -> None:
        """Reads what other processes have created or deleted."""
        if self._stores.shared and self._services:
            self._read_registry()

    def _read_registry(self) -> None:
        before = self._rows
        rows = {row.name: _Row(**row._mapping) for row in self._registry.read(select(SANDBOXES))}
        # One that was deleted and created again has another secret; one created meanwhile is not in `before`.
        for row in [row for name, row in before.items() if rows.get(name) != row]:
            self._forget(row)
        with self._lock:
            self._rows = {**self._rows, **rows}


def _named(workspace: Workspace, row: _Row) -> NamedSandbox:
    """The workspace with new secrets, each derived from the sandbox's secret and the one it replaces."""

    def derived(kind: str, replaced: str) -> str:
        digest = hmac.new(row.secret.encode(), f"{kind}/{replaced}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"{_PREFIXES[kind]}-{row.name}-{digest.hexdigest()[:32]}"

    tokens = {token.secret: derived(_TOKEN, token.secret) for token in workspace.tokens}

    def with_own_token(destination: Destination) -> Destination:
        settings = {key: tokens.get(value, value) for key, value in destination.settings.items()}
        return replace(destination, settings=settings)

    return NamedSandbox(
        name=row.name,
        key=row.key,
        workspace=replace(
            workspace,
            tokens=tuple(replace(token, secret=tokens[token.secret]) for token in workspace.tokens),
            sources=tuple(
                replace(source, write_key=derived(_WRITE_KEY, source.write_key)) for source in workspace.sources
            ),
            destinations=tuple(map(with_own_token, workspace.destinations)),
            seed=workspace.seed if row.seed is None else row.seed,
        ),
    )


def _digests(workspace: Workspace) -> Iterator[bytes]:
    yield from (_digest(_TOKEN, token.secret) for token in workspace.tokens)
    yield from (_digest(_WRITE_KEY, source.write_key) for source in workspace.sources)


def _name_in(kind: str, text: str) -> str | None:
    """The name of the sandbox in a secret; None for a string that has not the form of one."""
    match = _SECRET.fullmatch(text)
    return match["name"] if match and match["prefix"] == _PREFIXES[kind] else None


def _digest(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}/{text}".encode("utf-8", "surrogatepass")).digest()


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            "invalid sandbox name",
            where="name",
            found=name,
            allowed="1 to 40 of a-z, 0-9, - and _, starting with a letter or digit",
        )
    if name in _RESERVED:
        raise InputError("some file systems reserve this name", where="name", found=name, hint="Choose another.")
    if name == DEFAULT_SANDBOX:
        raise _taken(name)


def _taken(name: str) -> InputError:
    return InputError("a sandbox with this name exists", where="name", found=name, hint="Choose another or delete it.")
