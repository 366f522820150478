"""The sandboxes of an emulator, by name, by token and by write key.

The default sandbox uses the tokens and write keys of the workspace. Each named one has the same workspace, or the one
that it was created with, and its own secrets, derived from a random secret stored with the default sandbox's data:
anyone who can read that can read all data anyway. Each secret contains the name of its sandbox, so that a workspace is
parsed when its sandbox is first used, and one that no longer fits the schema affects no other sandbox. The workspace
of each can be changed; where several processes share the sandboxes, the others follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from emulator.errors import InputError, NotFound, UserMistake, WorkspaceError, unknown
from emulator.ids import secret
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.own_secrets import NAME, TOKEN, WRITE_KEY, Owners, name_in, with_own_secrets
from emulator.server.registry import Entry, Registry, same
from emulator.server.services import SandboxServices
from emulator.server.start import Start
from emulator.server.stores import Stores
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of
from emulator.workspace_file import parse

# Windows opens devices under these names, whatever the extension.
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})

# Its arguments are the name of a sandbox, the key of its store, and its workspace.
OpenServices = Callable[[str, str, Workspace], SandboxServices]
# Makes another workspace of the present one.
Edit = Callable[[Workspace], Workspace]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSandbox:
    """A sandbox that can be opened: its name, the key of its store, and its workspace with its secrets.

    `revision` counts the changes of the workspace.
    """

    name: str
    key: str
    workspace: Workspace = field(repr=False)
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableSandbox:
    """A sandbox whose stored workspace no longer fits the schema: it can only be deleted."""

    name: str
    error: UserMistake


class Sandboxes:
    """Finds the services that a request addresses; opens them on first use."""

    def __init__(self, start: Start, stores: Stores, open_services: OpenServices) -> None:
        self._stores = stores
        self._open_services = open_services
        self._lock = RLock()
        # Held while a workspace is being changed, however long its delivery takes to pause.
        self._changing = RLock()
        # Replaced, never changed in place, so that they can be read without the lock.
        self._entries: Mapping[str, Entry] = {}
        self._revisions: Mapping[str, int] = {}
        self._known: dict[str, NamedSandbox] = {}
        self._owners = Owners()
        self._services: dict[str, SandboxServices] = {}
        self._template = self.started_with = start.template
        # The file that is followed, and why it was refused, if it was.
        self.watched: tuple[str, str | None] | None = None
        default = NamedSandbox(
            name=DEFAULT_SANDBOX, key=DEFAULT_SANDBOX, workspace=start.workspace, revision=start.revision
        )
        self._learn(default)
        services = self._services_of(default)
        self._registry = Registry(services.sandbox.store)
        if start.replaced:
            services.segment.fit_data(recomputed=True)
        self._read_registry()
        for key in self._registry.dropped():
            # They were being deleted when the emulator was killed.
            self._registry.drop(key, self._stores.drop)

    def create(
        self, name: str | None = None, seed: int | None = None, workspace: Mapping[str, Any] | str | None = None
    ) -> NamedSandbox:
        """A new sandbox with new tokens and write keys.

        `workspace` is in JSON form, or the content of a workspace file; the default sandbox's when absent.

        Raises InputError for an invalid or taken name, WorkspaceError for an invalid workspace.
        """
        name = secret("sandbox-")[:20] if name is None else name
        _check_name(name)
        if isinstance(workspace, str):
            workspace = parse(workspace, where="workspace")
        own = self._known[DEFAULT_SANDBOX].workspace if workspace is None else parse_workspace(workspace)
        if workspace is None and own is not self._template:
            workspace = document_of(own)
        entry = Entry(name=name, secret=secret(""), seed=seed)
        if not self._registry.add(entry, workspace):
            raise _taken(name)
        if (deleted := self._entries.get(name)) is not None:
            # By another process: this one has not noticed yet.
            self._forget(deleted)
        with self._lock:
            self._entries = {**self._entries, name: entry}
            sandbox = self._learn(_named(own, entry))
            try:
                self._services_of(sandbox)
            except BaseException:
                # Such as an invalid condition of an audience, found when it is compiled, or a full disk.
                self.delete(name)
                raise
        return sandbox

    def change(self, name: str, edit: Edit, *, started_with: Workspace | None = None) -> NamedSandbox:
        """Exchanges the workspace of a sandbox for what `edit` makes of it; its data stays.

        `started_with` is the workspace in a file with which a later start goes on from here. A named sandbox keeps its
        own tokens and write keys, and gets its own for new ones. Raises UserMistake for a
        workspace that cannot be used, NotFound and WorkspaceError as `get` does; nothing has changed then.
        """
        with self._changing:
            while True:
                before = self.get(name)
                workspace = self._own(edit(before.workspace), name)
                if started_with is not None:
                    self.started_with = started_with
                if same(workspace, before.workspace):
                    return before
                use = self._opened(before).prepare(workspace)
                if self._registry.save(name, workspace, after=before.revision, started_with=started_with):
                    break
                # Another process was faster.
            changed = replace(before, workspace=workspace, revision=before.revision + 1)
            try:
                use()
            except BaseException:
                self._registry.save(name, before.workspace, after=changed.revision)
                self._learn(replace(before, revision=changed.revision + 1))
                raise
            return self._learn(changed)

    def all(self) -> list[NamedSandbox | UnreadableSandbox]:
        """Every sandbox, the default one first, then by name."""
        self._refresh()
        return [self._listed(name) for name in (DEFAULT_SANDBOX, *sorted(self._entries))]

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
        entry = self._entries.get(name)
        if entry is None:
            raise self._not_found(name)
        if (services := self._services.get(name)) is not None:
            services.before_discarding(services)
        deleted = self._registry.delete(entry)
        self._forget(entry)
        if not deleted:
            # Another request was faster.
            raise self._not_found(name)
        self._registry.drop(entry.key, self._stores.drop)

    def services(self, name: str) -> SandboxServices:
        """The services of the sandbox with this name. Raises NotFound and WorkspaceError as `get` does."""
        return self._opened(self.get(name))

    def services_of_token(self, token: str) -> SandboxServices | None:
        """The services that accept a bearer token. Raises WorkspaceError when its sandbox cannot be read."""
        return self._services_with(TOKEN, token)

    def services_of_write_key(self, write_key: str) -> SandboxServices | None:
        """The services that accept a write key. Raises WorkspaceError when its sandbox cannot be read."""
        return self._services_with(WRITE_KEY, write_key)

    def opened(self) -> list[SandboxServices]:
        """The services that are open."""
        self._refresh(wait=True)
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
        name = name_in(kind, text)
        # The secrets of a sandbox that is deleted meanwhile are unknown.
        with suppress(NotFound):
            if name is not None and name in self._entries:
                self._sandbox(name)
            with self._lock:
                owner = self._owners.find(kind, text)
            return None if owner is None else self._opened(self._sandbox(owner))
        return None

    def _opened(self, sandbox: NamedSandbox) -> SandboxServices:
        with self._lock:
            # It may have been replaced by another of this name, and its workspace may have been changed.
            known = self._known.get(sandbox.name)
            if known is None or known.key != sandbox.key:
                raise self._not_found(sandbox.name)
            services = self._services_of(known)
        if self._stores.shared:
            services.sandbox.clock.refresh()
        return services

    def _services_of(self, sandbox: NamedSandbox) -> SandboxServices:
        if sandbox.name not in self._services:
            services = self._open_services(sandbox.name, sandbox.key, sandbox.workspace)
            services.change_workspace = lambda workspace: self.change(sandbox.name, lambda _: workspace)
            self._services[sandbox.name] = services
        return self._services[sandbox.name]

    def _listed(self, name: str) -> NamedSandbox | UnreadableSandbox:
        try:
            return self._sandbox(name)
        except UserMistake as error:
            return UnreadableSandbox(name=name, error=error)

    def _sandbox(self, name: str) -> NamedSandbox:
        """The sandbox with this name; its workspace is parsed on first use."""
        with self._lock:
            known, entry = self._known.get(name), self._entries.get(name)
        if known is not None:
            return known
        if entry is None:
            raise self._not_found(name)
        sandbox = self._stored(entry)
        with self._lock:
            # Parsed without the lock: it may have been deleted meanwhile.
            if self._entries.get(name) != entry:
                raise self._not_found(name)
            return self._known.get(name) or self._learn(sandbox)

    def _stored(self, entry: Entry) -> NamedSandbox:
        """A named sandbox as it is stored."""
        current = self._registry.current(entry.name) if entry.name in self._revisions else None
        given = self._registry.given(entry.name) if current is None else current.workspace
        if given is None:
            return _named(self._template, entry)
        try:
            workspace = parse_workspace(given)
        except WorkspaceError as error:
            raise WorkspaceError(
                f"the workspace of this sandbox is no longer valid: {error}",
                where=f"sandbox {entry.name!r}",
                hint=f"DELETE /_emulator/sandboxes/{entry.name} and create it again.",
            ) from None
        if current is None:
            return _named(workspace, entry)
        return NamedSandbox(name=entry.name, key=entry.key, workspace=workspace, revision=current.revision)

    def _own(self, workspace: Workspace, name: str) -> Workspace:
        """The workspace with secrets that requests can address this sandbox by. Raises WorkspaceError for another's."""
        if (entry := self._entries.get(name)) is not None:
            return with_own_secrets(workspace, name=name, secret=entry.secret)
        given = [("tokens", TOKEN, token.name, token.secret) for token in workspace.tokens]
        given += [("sources", WRITE_KEY, source.name, source.write_key) for source in workspace.sources]
        for group, kind, of, text in given:
            if (owner := name_in(kind, text)) in self._entries:
                raise WorkspaceError(
                    f"this {kind} belongs to the sandbox {owner!r}",
                    where=f"workspace: {group}",
                    found=of,
                    hint="Choose another one.",
                )
        return workspace

    def _not_found(self, name: str) -> UserMistake:
        return unknown(
            "sandbox",
            name,
            (DEFAULT_SANDBOX, *self._entries),
            where="sandbox",
            hint="GET /_emulator/sandboxes lists them.",
            listing=False,
            error=NotFound,
        )

    def _learn(self, sandbox: NamedSandbox) -> NamedSandbox:
        with self._lock:
            self._known[sandbox.name] = sandbox
            self._owners.add(sandbox.name, sandbox.workspace)
        return sandbox

    def _forget(self, forgotten: Entry) -> None:
        name = forgotten.name
        with self._lock:
            if self._entries.get(name) != forgotten:
                # Another request has forgotten it, and a new one may have its name.
                return
            self._entries = {other: entry for other, entry in self._entries.items() if other != name}
            self._known.pop(name, None)
            self._owners.remove(name)
            services = self._services.pop(name, None)
        if services is not None:
            services.close()

    def _refresh(self, *, wait: bool = False) -> None:
        """Reads what other processes have created, changed or deleted.

        `wait`: also for the batches that are being sent; a request may be part of one.
        """
        if not (self._stores.shared and self._services):
            return
        self._read_registry()
        for sandbox in list(self._known.values()):
            if self._revisions.get(sandbox.name, 0) > sandbox.revision:
                self._follow(sandbox, wait=wait)

    def _follow(self, sandbox: NamedSandbox, *, wait: bool) -> None:
        """Exchanges a workspace that another process has changed; later, when another thread changes one now."""
        services = self._services.get(sandbox.name)
        if services is not None and services.segment.delivering and not wait:
            return
        if not self._changing.acquire(blocking=False):
            return
        try:
            current = self._registry.current(sandbox.name)
            if current is None or self._known.get(sandbox.name) is not sandbox:
                return
            workspace = parse_workspace(current.workspace)
            if services is not None:
                services.prepare(workspace)()
            self._learn(replace(sandbox, workspace=workspace, revision=current.revision))
        finally:
            self._changing.release()

    def _read_registry(self) -> None:
        before = self._entries
        entries, revisions = self._registry.entries()
        # One that was deleted and created again has another secret; one created meanwhile is not in `before`.
        for entry in [entry for name, entry in before.items() if entries.get(name) != entry]:
            self._forget(entry)
        with self._lock:
            self._entries = {**self._entries, **entries}
            self._revisions = revisions


def _named(workspace: Workspace, entry: Entry) -> NamedSandbox:
    """The workspace with the secrets and the seed of the sandbox."""
    own = with_own_secrets(workspace, name=entry.name, secret=entry.secret)
    return NamedSandbox(
        name=entry.name, key=entry.key, workspace=own if entry.seed is None else replace(own, seed=entry.seed)
    )


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
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
