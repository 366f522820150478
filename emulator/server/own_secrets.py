"""The tokens and write keys by which requests address a sandbox.

The default sandbox uses those of its workspace. A named one has its own, derived from a random secret of the sandbox
and the one in the workspace; each contains the name of its sandbox. One that has that form already is its own, and
stays: the workspace of a named sandbox, sent back to it, is the same one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import replace

from emulator.protocol import DEFAULT_SANDBOX
from emulator.workspace import Destination, Workspace

TOKEN, WRITE_KEY = "token", "write key"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

_PREFIXES = {TOKEN: "sa", WRITE_KEY: "segment"}
_SECRET = re.compile(rf"(?P<prefix>[a-z]+)-(?P<name>{NAME.pattern})-[0-9a-f]{{32}}")


def with_own_secrets(workspace: Workspace, *, name: str, secret: str) -> Workspace:
    """The workspace with the secrets of a named sandbox, whose random secret is `secret`."""

    def own(kind: str, given: str) -> str:
        if name_in(kind, given) == name:
            return given
        digest = hmac.new(secret.encode(), f"{kind}/{given}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"{_PREFIXES[kind]}-{name}-{digest.hexdigest()[:32]}"

    tokens = {token.secret: own(TOKEN, token.secret) for token in workspace.tokens}

    def with_own_token(destination: Destination) -> Destination:
        settings = {key: tokens.get(value, value) for key, value in destination.settings.items()}
        return replace(destination, settings=settings)

    return replace(
        workspace,
        tokens=tuple(replace(token, secret=tokens[token.secret]) for token in workspace.tokens),
        sources=tuple(replace(source, write_key=own(WRITE_KEY, source.write_key)) for source in workspace.sources),
        destinations=tuple(map(with_own_token, workspace.destinations)),
    )


def name_in(kind: str, text: str) -> str | None:
    """The name of the sandbox in a secret; None for a string that has not the form of one."""
    match = _SECRET.fullmatch(text)
    return match["name"] if match and match["prefix"] == _PREFIXES[kind] else None


class Owners:
    """The sandbox that each secret belongs to. Not safe to share between threads."""

    def __init__(self) -> None:
        self._by_digest: dict[bytes, str] = {}
        self._digests: dict[str, tuple[bytes, ...]] = {}

    def find(self, kind: str, text: str) -> str | None:
        """The name of the sandbox with this secret. The time it takes reveals nothing about the secrets."""
        return self._by_digest.get(_digest(kind, text))

    def add(self, name: str, workspace: Workspace) -> None:
        """Adds the secrets of a sandbox in place of those that it had.

        The default sandbox gets none that another one has: a named sandbox can be addressed by its own in any case.
        """
        self.remove(name)
        digests = _digests(workspace)
        if name == DEFAULT_SANDBOX:
            digests = (digest for digest in digests if digest not in self._by_digest)
        self._digests[name] = tuple(digests)
        self._by_digest |= dict.fromkeys(self._digests[name], name)

    def remove(self, name: str) -> None:
        """Removes the secrets of a sandbox."""
        for digest in self._digests.pop(name, ()):
            if self._by_digest.get(digest) == name:
                del self._by_digest[digest]


def _digests(workspace: Workspace) -> Iterator[bytes]:
    yield from (_digest(TOKEN, token.secret) for token in workspace.tokens)
    yield from (_digest(WRITE_KEY, source.write_key) for source in workspace.sources)


def _digest(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}/{text}".encode("utf-8", "surrogatepass")).digest()
