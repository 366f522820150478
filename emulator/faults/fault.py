"""What a fault is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from emulator.errors import InputError


class Fault(ABC):
    """One way in which a request goes wrong."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def parse(cls, options: Mapping[str, Any]) -> Self:
        """Builds the fault from its JSON options. Raises InputError."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """The options again, for listings."""


def refuse_unknown(options: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raises InputError when an option is not one of the known ones."""
    for name in options:
        if name not in known:
            raise InputError("this fault has no such option.", where=name, allowed=", ".join(known) or "none")
