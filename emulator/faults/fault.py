"""What a fault is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect
from emulator.faults.matching import Match, RequestSummary


class Fault(ABC):
    """One way in which a request goes wrong. A fault is a frozen data class in a file of its own.

    `name` is what definitions call it; `main` is the option that a bare value stands for, as in `status=503`.
    """

    name: ClassVar[str]
    main: ClassVar[str]

    @classmethod
    @abstractmethod
    def parse(cls, options: Mapping[str, Any]) -> Self:
        """Builds the fault from its JSON options. Raises InputError."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """The options again, for listings."""

    @abstractmethod
    def effect(self, trace_id: str, match: Match) -> Effect:
        """What it does to a request. `match` is what its rule looks for."""

    def applies_to(self, asked: RequestSummary) -> bool:
        """Whether it can do anything to such a request; if not, its rule is not used up."""
        return True
