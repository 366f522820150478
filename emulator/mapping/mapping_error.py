"""The error of a mapping that cannot be used, or that fails on an event."""

from __future__ import annotations

from collections.abc import Sequence

BAD_REQUEST = 400


class MappingError(Exception):
    """What the engine throws, by the name that JavaScript gives it.

    `name`: `ValidationError` for one mistake in a mapping, `AggregateError` for the collected mistakes of an object
    mapping, `Error` for a directive that fails on an event, `TypeError`, or one of LiquidJS's (`ParseError`,
    `RenderError`, …). `status` is 400 for a ValidationError alone: the engine sets none on the others.
    """

    def __init__(self, name: str, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = BAD_REQUEST if name == "ValidationError" else None
        self.problems = tuple(problems) or (message,)


def directive_error(message: str) -> MappingError:
    """A directive's own complaint about its options or the value it met."""
    return MappingError("Error", message)


def invalid(place: Sequence[str], complaint: str) -> MappingError:
    """One mistake at a place of a mapping, in the engine's words: `/email/@path should be …`."""
    return MappingError("ValidationError", f"/{'/'.join(place)} {complaint}.")


def collected(errors: Sequence[MappingError]) -> MappingError:
    """All mistakes of an object mapping in one error, a line `ValidationError: …` each."""
    problems = [problem for error in errors for problem in error.problems]
    return MappingError("AggregateError", "\n".join(f"ValidationError: {text}" for text in problems), problems=problems)
