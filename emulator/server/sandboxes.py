"""The sandboxes of an emulator, by name, by token and by write key.

The default one has the tokens and write keys of the workspace. Each named one has the same workspace, or one that it
was made with, and secrets of its own, worked out from one random secret that lies beside the default sandbox's data:
whoever can read that can read all data anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError

from emulator.errors import EmulatorError, InputError, NotFound, nearest
from emulator.ids import secret
from emulator.server.stores import Stores
from emulator.server.world import World
from emulator.workspace import Destination, Workspace, parse_workspace

DEFAULT = "default"
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

_EVERY = select(SANDBOXES, WORKSPACES.c.workspace).outerjoin(WORKSPACES, WORKSPACES.c.name == SANDBOXES.c.name)

_TOKEN, _WRITE_KEY = "token", "write key"
_PREFIXES = {_TOKEN: "sa", _WRITE_KEY: "segment"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LARGEST_SEED = 2**63 - 1

OpenWorld = Callable[[str, Workspace], World]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSandbox:
    """A sandbox that can be opened: its name, and the workspace with its secrets."""

    name: str
    workspace: Workspace = field(repr=False)


class Sandboxes:
    """Finds the world that a request speaks to; opens it when it is first asked for."""

    def __init__(self, workspace: Workspace, stores: Stores, open_world: OpenWorld) -> None:
        self._stores = stores
        self._open_world = open_world
        self._lock = RLock()
        self._known: dict[str, NamedSandbox] = {}
        self._by_secret: dict[bytes, str] = {}
        self._worlds: dict[str, World] = {}
        self._workspace = workspace
        self._learn(NamedSandbox(name=DEFAULT, workspace=workspace))
        self._registry = self.world(DEFAULT).sandbox.store
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
        fresh = secret("")
        try:
            with self._registry.begin() as connection:
                connection.execute(insert(SANDBOXES).values(name=name, secret=fresh, seed=seed))
                if workspace is not None:
                    connection.execute(insert(WORKSPACES).values(name=name, workspace=json.dumps(workspace)))
        except IntegrityError:
            raise _taken(name) from None
        with self._lock:
            sandbox = self._learn(_named(own, name=name, secret=fresh, seed=seed))
            try:
                self._world(name)
            except EmulatorError:
                # Such as an audience whose condition makes no sense, which shows when it is compiled.
                self.delete(name)
                raise
        return sandbox

    def all(self) -> list[NamedSandbox]:
        """Every sandbox, the default one first, then by name."""
        self._catch_up()
        with self._lock:
            return sorted(self._known.values(), key=lambda sandbox: (sandbox.name != DEFAULT, sandbox.name))

    def get(self, name: str) -> NamedSandbox:
        """The sandbox with this name. Raises NotFound with the nearest name."""
        self._catch_up()
        with self._lock:
            if name not in self._known:
                raise NotFound(
                    "there is no such sandbox.",
                    where="sandbox",
                    found=name,
                    hint=nearest(name, self._known) or "GET /_emulator/sandboxes lists them.",
                )
            return self._known[name]

    def delete(self, name: str) -> None:
        """Forgets a sandbox and its data. Raises NotFound, and InputError for the default one."""
        if name == DEFAULT:
            raise InputError("the default sandbox stays.", where="sandbox", hint="POST /_emulator/reset empties it.")
        self.get(name)
        with self._registry.begin() as connection:
            for table in (SANDBOXES, WORKSPACES):
                connection.execute(delete(table).where(table.c.name == name))
        self._forget(name)
        self._stores.drop(name)

    def world(self, name: str) -> World:
        """The world of the sandbox with this name. Raises NotFound."""
        return self._opened(self.get(name).name)

    def world_of_token(self, token: str) -> World | None:
        """The world in which a bearer token is known."""
        return self._world_of(_TOKEN, token)

    def world_of_write_key(self, write_key: str) -> World | None:
        """The world in which a write key is known."""
        return self._world_of(_WRITE_KEY, write_key)

    def opened(self) -> list[World]:
        """The worlds that have been asked for."""
        with self._lock:
            return list(self._worlds.values())

    def close(self) -> None:
        """Closes every world."""
        with self._lock:
            for world in self._worlds.values():
                world.close()
            self._worlds.clear()

    def _world_of(self, kind: str, text: str) -> World | None:
        self._catch_up()
        # Looked up by digest: how long it takes says nothing about the secret.
        with self._lock:
            name = self._by_secret.get(_digest(kind, text))
        return None if name is None else self._opened(name)

    def _opened(self, name: str) -> World:
        with self._lock:
            world = self._world(name)
        if self._stores.shared:
            world.sandbox.clock.refresh()
        return world

    def _world(self, name: str) -> World:
        if name not in self._worlds:
            self._worlds[name] = self._open_world(name, self._known[name].workspace)
        return self._worlds[name]

    def _learn(self, sandbox: NamedSandbox) -> NamedSandbox:
        self._known[sandbox.name] = sandbox
        for digest in _digests(sandbox.workspace):
            self._by_secret[digest] = sandbox.name
        return sandbox

    def _forget(self, name: str) -> None:
        with self._lock:
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
        with self._registry.begin() as connection:
            rows = {row.name: row for row in connection.execute(_EVERY)}
        for name in self._known.keys() - rows.keys() - {DEFAULT}:
            self._forget(name)
        with self._lock:
            for name in rows.keys() - self._known.keys():
                row = rows[name]
                own = self._workspace
                if row.workspace is not None:
                    own = parse_workspace(json.loads(row.workspace), where=f"workspace of the sandbox {name!r}")
                self._learn(_named(own, name=name, secret=row.secret, seed=row.seed))


def _named(workspace: Workspace, *, name: str, secret: str, seed: int | None) -> NamedSandbox:
    """The workspace with other secrets: each follows from the sandbox's secret and the one it replaces."""

    def fresh(kind: str, replaced: str) -> str:
        digest = hmac.new(secret.encode(), f"{kind}/{replaced}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"{_PREFIXES[kind]}-{name}-{digest.hexdigest()[:32]}"

    tokens = {token.secret: fresh(_TOKEN, token.secret) for token in workspace.tokens}

    def pointed_here(destination: Destination) -> Destination:
        settings = {key: tokens.get(value, value) for key, value in destination.settings.items()}
        return replace(destination, settings=settings)

    return NamedSandbox(
        name=name,
        workspace=replace(
            workspace,
            tokens=tuple(replace(token, secret=tokens[token.secret]) for token in workspace.tokens),
            sources=tuple(
                replace(source, write_key=fresh(_WRITE_KEY, source.write_key)) for source in workspace.sources
            ),
            destinations=tuple(map(pointed_here, workspace.destinations)),
            seed=workspace.seed if seed is None else seed,
        ),
    )


def _digests(workspace: Workspace) -> Iterator[bytes]:
    yield from (_digest(_TOKEN, token.secret) for token in workspace.tokens)
    yield from (_digest(_WRITE_KEY, source.write_key) for source in workspace.sources)


def _digest(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}/{text}".encode("utf-8", "surrogatepass")).digest()


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            "this cannot be the name of a sandbox.",
            where="name",
            found=name,
            allowed="1 to 40 of a-z, 0-9, - and _, the first a letter or digit",
        )
    if name == DEFAULT:
        raise _taken(name)


def _check_seed(seed: Any) -> None:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= _LARGEST_SEED):
        raise InputError(
            "this is not a seed.", where="seed", found=seed, allowed=f"a whole number, 0 to {_LARGEST_SEED}"
        )


def _taken(name: str) -> InputError:
    return InputError("a sandbox has this name already.", where="name", found=name, hint="Choose another or delete it.")
