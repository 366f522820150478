"""The sandboxes of an emulator, by name, by token and by write key.

The default one has the tokens and write keys of the workspace. Each named one has the same workspace, or one that it
was made with, and secrets of its own, worked out from one random secret that lies beside the default sandbox's data:
whoever can read that can read all data anyway. Each secret tells the name of its sandbox, so that a workspace is read
when somebody first asks for its sandbox, and one that no longer fits the schema is in nobody else's way.
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

from emulator.errors import EmulatorError, InputError, NotFound, UserMistake, WorkspaceError, nearest
from emulator.ids import secret
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.services import SandboxServices
from emulator.server.stores import Stores
from emulator.workspace import Destination, Workspace, parse_workspace

REGISTRY = MetaData()

SANDBOXES = Table(
    "sandboxes",
    REGISTRY,
    Column("name", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("seed", BigInteger),
)

# The workspaces, as JSON, of those that have another than the default one's.
WORKSPACES = Table(
    "sandbox_workspaces",
    REGISTRY,
    Column("name", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
)

_TOKEN, _WRITE_KEY = "token", "write key"
_PREFIXES = {_TOKEN: "sa", _WRITE_KEY: "segment"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SECRET = re.compile(rf"(?P<prefix>[a-z]+)-(?P<name>{_NAME.pattern})-[0-9a-f]{{32}}")
_LARGEST_SEED = 2**63 - 1

OpenWorld = Callable[[str, Workspace], SandboxServices]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSandbox:
    """A sandbox that can be opened: its name, and the workspace with its secrets."""

    name: str
    workspace: Workspace = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableSandbox:
    """A sandbox whose stored workspace no longer fits the schema: it can be deleted, and nothing else."""

    name: str
    error: UserMistake


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What is stored of a sandbox beside its workspace."""

    name: str
    secret: str = field(repr=False)
    seed: int | None


class Sandboxes:
    """Finds the world that a request speaks to; opens it when it is first asked for."""

    def __init__(self, workspace: Workspace, stores: Stores, open_world: OpenWorld) -> None:
        self._stores = stores
        self._open_world = open_world
        self._lock = RLock()
        # Replaced and never changed, so that it can be read without the lock.
        self._rows: Mapping[str, _Row] = {}
        self._known: dict[str, NamedSandbox] = {}
        self._by_secret: dict[bytes, str] = {}
        self._worlds: dict[str, SandboxServices] = {}
        self._workspace = workspace
        self._learn(NamedSandbox(name=DEFAULT_SANDBOX, workspace=workspace))
        self._registry = self.world(DEFAULT_SANDBOX).sandbox.store
        self._registry.create(REGISTRY)
        self._read_registry()

    def create(
        self, name: str | None = None, seed: int | None = None, workspace: Mapping[str, Any] | None = None
    ) -> NamedSandbox:
        """A new sandbox with fresh tokens and write keys, in the JSON form of a `workspace` or in the default one's.

        Raises InputError for a bad name or seed, or a taken name, WorkspaceError for a bad workspace.
        """
        name = secret("sandbox-")[:20] if name is None else name
        _check_name(name)
        _check_seed(seed)
        own = self._workspace if workspace is None else parse_workspace(workspace)
        row = _Row(name=name, secret=secret(""), seed=seed)
        try:
            with self._registry.begin() as connection:
                connection.execute(insert(SANDBOXES).values(name=name, secret=row.secret, seed=seed))
                if workspace is not None:
                    connection.execute(insert(WORKSPACES).values(name=name, workspace=json.dumps(workspace)))
        except IntegrityError:
            raise _taken(name) from None
        with self._lock:
            self._rows = {**self._rows, name: row}
            sandbox = self._learn(_named(own, row))
            try:
                self._world(sandbox)
            except EmulatorError:
                # Such as an audience whose condition makes no sense, which shows when it is compiled.
                self.delete(name)
                raise
        return sandbox

    def all(self) -> list[NamedSandbox | UnreadableSandbox]:
        """Every sandbox, the default one first, then by name."""
        self._catch_up()
        return [self._listed(name) for name in (DEFAULT_SANDBOX, *sorted(self._rows))]

    def get(self, name: str) -> NamedSandbox:
        """The sandbox with this name.

        Raises NotFound with the nearest name, WorkspaceError when its workspace no longer fits the schema.
        """
        self._catch_up()
        return self._sandbox(name)

    def delete(self, name: str) -> None:
        """Forgets a sandbox and its data. Raises NotFound, and InputError for the default one."""
        if name == DEFAULT_SANDBOX:
            raise InputError("the default sandbox stays", where="sandbox", hint="POST /_emulator/reset empties it.")
        self._catch_up()
        if name not in self._rows:
            raise self._not_found(name)
        with self._registry.begin() as connection:
            for table in (SANDBOXES, WORKSPACES):
                connection.execute(delete(table).where(table.c.name == name))
        self._forget(name)
        self._stores.drop(name)

    def world(self, name: str) -> SandboxServices:
        """The world of the sandbox with this name. Raises NotFound and WorkspaceError as `get` does."""
        return self._opened(self.get(name))

    def services_of_token(self, token: str) -> SandboxServices | None:
        """The world in which a bearer token is known. Raises WorkspaceError when its sandbox cannot be read."""
        return self._world_of(_TOKEN, token)

    def services_of_write_key(self, write_key: str) -> SandboxServices | None:
        """The world in which a write key is known. Raises WorkspaceError when its sandbox cannot be read."""
        return self._world_of(_WRITE_KEY, write_key)

    def opened(self) -> list[SandboxServices]:
        """The worlds that have been asked for."""
        self._catch_up()
        with self._lock:
            return list(self._worlds.values())

    def close(self) -> None:
        """Closes every world."""
        with self._lock:
            for world in self._worlds.values():
                world.close()
            self._worlds.clear()

    def _world_of(self, kind: str, text: str) -> SandboxServices | None:
        self._catch_up()
        name = _name_in(kind, text)
        # One that is deleted meanwhile takes its secrets with it.
        with suppress(NotFound):
            if name is not None and name in self._rows:
                self._sandbox(name)
            # Looked up by digest: how long it takes says nothing about the secret.
            with self._lock:
                owner = self._by_secret.get(_digest(kind, text))
            return None if owner is None else self._opened(self._sandbox(owner))
        return None

    def _opened(self, sandbox: NamedSandbox) -> SandboxServices:
        with self._lock:
            # Another of this name may stand in its place by now.
            if self._known.get(sandbox.name) is not sandbox:
                raise self._not_found(sandbox.name)
            world = self._world(sandbox)
        if self._stores.shared:
            world.sandbox.clock.refresh()
        return world

    def _world(self, sandbox: NamedSandbox) -> SandboxServices:
        if sandbox.name not in self._worlds:
            self._worlds[sandbox.name] = self._open_world(sandbox.name, sandbox.workspace)
        return self._worlds[sandbox.name]

    def _listed(self, name: str) -> NamedSandbox | UnreadableSandbox:
        try:
            return self._sandbox(name)
        except UserMistake as error:
            return UnreadableSandbox(name=name, error=error)

    def _sandbox(self, name: str) -> NamedSandbox:
        """The sandbox with this name; its workspace is read when it is first asked for."""
        with self._lock:
            known, row = self._known.get(name), self._rows.get(name)
        if known is not None:
            return known
        if row is None:
            raise self._not_found(name)
        sandbox = _named(self._workspace_of(name), row)
        with self._lock:
            # Read beside the lock: meanwhile it may have been deleted.
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
                f"the workspace that this sandbox was made with cannot be read any more: {error}",
                where=f"sandbox {name!r}",
                hint=f"DELETE /_emulator/sandboxes/{name} and make it again.",
            ) from None

    def _not_found(self, name: str) -> NotFound:
        return NotFound(
            "there is no such sandbox",
            where="sandbox",
            found=name,
            hint=nearest(name, (DEFAULT_SANDBOX, *self._rows)) or "GET /_emulator/sandboxes lists them.",
        )

    def _learn(self, sandbox: NamedSandbox) -> NamedSandbox:
        self._known[sandbox.name] = sandbox
        for digest in _digests(sandbox.workspace):
            self._by_secret[digest] = sandbox.name
        return sandbox

    def _forget(self, name: str) -> None:
        with self._lock:
            self._rows = {other: row for other, row in self._rows.items() if other != name}
            sandbox = self._known.pop(name, None)
            world = self._worlds.pop(name, None)
            for digest in _digests(sandbox.workspace) if sandbox else ():
                self._by_secret.pop(digest, None)
        if world is not None:
            world.close()

    def _catch_up(self) -> None:
        """Learns what other processes have made or deleted."""
        if self._stores.shared and self._worlds:
            self._read_registry()

    def _read_registry(self) -> None:
        before = self._rows
        with self._registry.begin() as connection:
            rows = {row.name: _Row(**row._mapping) for row in connection.execute(select(SANDBOXES))}
        # One that was deleted and made again has another secret; one that was made meanwhile is not looked at.
        for name in [name for name, row in before.items() if rows.get(name) != row]:
            self._forget(name)
        with self._lock:
            self._rows = {**self._rows, **rows}


def _named(workspace: Workspace, row: _Row) -> NamedSandbox:
    """The workspace with other secrets: each follows from the sandbox's secret and the one it replaces."""

    def fresh(kind: str, replaced: str) -> str:
        digest = hmac.new(row.secret.encode(), f"{kind}/{replaced}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"{_PREFIXES[kind]}-{row.name}-{digest.hexdigest()[:32]}"

    tokens = {token.secret: fresh(_TOKEN, token.secret) for token in workspace.tokens}

    def pointed_here(destination: Destination) -> Destination:
        settings = {key: tokens.get(value, value) for key, value in destination.settings.items()}
        return replace(destination, settings=settings)

    return NamedSandbox(
        name=row.name,
        workspace=replace(
            workspace,
            tokens=tuple(replace(token, secret=tokens[token.secret]) for token in workspace.tokens),
            sources=tuple(
                replace(source, write_key=fresh(_WRITE_KEY, source.write_key)) for source in workspace.sources
            ),
            destinations=tuple(map(pointed_here, workspace.destinations)),
            seed=workspace.seed if row.seed is None else row.seed,
        ),
    )


def _digests(workspace: Workspace) -> Iterator[bytes]:
    yield from (_digest(_TOKEN, token.secret) for token in workspace.tokens)
    yield from (_digest(_WRITE_KEY, source.write_key) for source in workspace.sources)


def _name_in(kind: str, text: str) -> str | None:
    """The name of the sandbox that a text would be a secret of."""
    match = _SECRET.fullmatch(text)
    return match["name"] if match and match["prefix"] == _PREFIXES[kind] else None


def _digest(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}/{text}".encode("utf-8", "surrogatepass")).digest()


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            "this cannot be the name of a sandbox",
            where="name",
            found=name,
            allowed="1 to 40 of a-z, 0-9, - and _, the first a letter or digit",
        )
    if name == DEFAULT_SANDBOX:
        raise _taken(name)


def _check_seed(seed: Any) -> None:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= _LARGEST_SEED):
        raise InputError(
            "this is not a seed", where="seed", found=seed, allowed=f"a whole number, 0 to {_LARGEST_SEED}"
        )


def _taken(name: str) -> InputError:
    return InputError("a sandbox has this name already", where="name", found=name, hint="Choose another or delete it.")
