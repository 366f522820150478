"""What the address of a page says: sandbox, masking, filters, the selected row. A link shows the same to others."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from emulator.protocol import CONTROL_HEADER, DEFAULT_SANDBOX, SANDBOX_HEADER

# The arguments that every screen keeps.
_SANDBOX: Final = "sandbox"
_MASK: Final = "mask"
_ON: Final = "on"


class Address(str):
    """A link: printed as it is, where other values are masked."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One page: `screen` is the last part of its path, `root` the URL of the server, which asks for a
    `control_token` or not.
    """

    screen: str
    sandbox: str
    masked: bool
    arguments: Mapping[str, str]
    root: str
    control_token: bool = False

    @classmethod
    def read(cls, screen: str, arguments: Mapping[str, str], root: str, *, control_token: bool = False) -> View:
        """The view at an address."""
        own = {name: value for name, value in arguments.items() if name not in (_SANDBOX, _MASK) and value}
        return cls(
            screen=screen,
            sandbox=arguments.get(_SANDBOX) or DEFAULT_SANDBOX,
            masked=arguments.get(_MASK) == _ON,
            arguments=own,
            root=root.rstrip("/"),
            control_token=control_token,
        )

    def get(self, name: str) -> str | None:
        """An argument of the screen; None without one."""
        return self.arguments.get(name)

    def number(self, name: str) -> int:
        """An argument that is a position in a list; 0 for anything else."""
        text = self.arguments.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0

    def kept(self) -> dict[str, str]:
        """The arguments that every link keeps."""
        sandbox = {} if self.sandbox == DEFAULT_SANDBOX else {_SANDBOX: self.sandbox}
        return {**sandbox, **({_MASK: _ON} if self.masked else {})}

    def link(self, screen: str, **arguments: Any) -> Address:
        """The address of a screen with these arguments."""
        given = {name: value for name, value in arguments.items() if value not in (None, "")}
        query = urlencode({**self.kept(), **given})
        path = f"/console/{screen}" if screen else "/"
        return Address(f"{path}?{query}" if query else path)

    def here(self, **changed: Any) -> Address:
        """The address of this page with some arguments changed; None removes one."""
        return self.link(self.screen, **{**self.arguments, **changed})

    def with_masking(self, masked: bool) -> Address:
        """The address of this page, masked or not."""
        return replace(self, masked=masked).here()

    def curl(self, path: str, *, sent: Any = None, method: str | None = None, **query: Any) -> str:
        """The command that asks the control API the same about this sandbox; it posts what is `sent`."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        url = f"{self.root}/_emulator/{path}" + (f"?{urlencode(given, quote_via=quote)}" if given else "")
        header = [] if self.sandbox == DEFAULT_SANDBOX else ["-H", f"{SANDBOX_HEADER}: {self.sandbox}"]
        if self.control_token:
            header += ["-H", f"{CONTROL_HEADER}: CONTROL_TOKEN"]
        body = [] if sent is None else ["--json", json.dumps(sent)]
        verb = [] if method is None else ["-X", method]
        return shlex.join(["curl", "-s", *verb, *header, *body, url])
