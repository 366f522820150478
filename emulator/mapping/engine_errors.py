"""What the published engine throws, with the engine's names, codes and statuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.errors import EmulatorError
from emulator.mapping.javascript.values import UNDEFINED, ConversionError, is_nullish, to_string
from emulator.mapping.wire import Response

BAD_REQUEST = 400
SERVER_ERROR = 500
_RETRYABLE_CLIENT_ERRORS = frozenset({408, 423, 429})
_FINAL_SERVER_ERRORS = frozenset({501})


class EngineError(EmulatorError):
    """An error of the real engine, with its `name`, `message`, `code` and `status`."""

    exit_code = 1

    def __init__(self, name: str, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.code = code
        self.status = status

    @property
    def retryable(self) -> bool:
        """Whether Segment retries: 408, 423, 429 and server errors except 501. No status counts as 500."""
        status = self.status or SERVER_ERROR
        if status < SERVER_ERROR:
            return status in _RETRYABLE_CLIENT_ERRORS
        return status not in _FINAL_SERVER_ERRORS

    def as_dict(self) -> dict[str, object]:
        return {"name": self.name, "message": self.message, "code": self.code, "status": self.status}


class AggregateAjvError(EngineError):
    """The settings or the payload of a single event are invalid: all violations, one sentence each."""

    def __init__(self, message: str) -> None:
        super().__init__("AggregateAjvError", message, status=BAD_REQUEST)


class IntegrationError(EngineError):
    """The provider reported an error in its response."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__("IntegrationError", message, code=code, status=BAD_REQUEST)


class HTTPError(EngineError):
    """A response with a status outside 200-299; the message is its reason phrase."""

    def __init__(self, response: Response) -> None:
        super().__init__("HTTPError", response.reason, status=response.status)
        self.response = response


class EngineTypeError(EngineError):
    """JavaScript's TypeError."""

    def __init__(self, message: str) -> None:
        super().__init__("TypeError", message)


class MissingActionError(EngineTypeError):
    """A batch for an action that the generation does not have: the engine fails on the missing results."""

    def __init__(self) -> None:
        super().__init__("Cannot read properties of undefined (reading 'status')")


class CredentialsError(EngineError):
    """The token failed the test of the destination's settings."""

    def __init__(self, reason: str) -> None:
        super().__init__("Error", f"Credentials are invalid:  {reason}")


class MappingError(EngineError):
    """A mapping is invalid, or fails on an event.

    `name` is `ValidationError` for one mistake in a mapping, `AggregateError` for all mistakes of an object, `Error`
    for a directive that fails on an event, `TypeError`, or one of LiquidJS's (`ParseError`, `RenderError`, …). `status`
    is 400 for a ValidationError; the others have none.
    """

    def __init__(
        self, name: str, message: str, *, problems: Sequence[str] = (), places: Sequence[tuple[str, ...]] = ((),)
    ) -> None:
        super().__init__(name, message, status=BAD_REQUEST if name == "ValidationError" else None)
        self.problems = tuple(problems) or (message,)
        self.places = tuple(places)
        """Of each problem the path in the mapping, as far as the engine knows it."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A compiled part of a mapping or trigger with a mistake: fails for every event, or `resolve` decides."""

    error: MappingError
    resolve: Callable[[object], object] | None = None

    def __call__(self, event: object) -> Any:
        if self.resolve is None:
            raise self.error
        return self.resolve(event)


def failing(error: MappingError) -> Failing:
    """A compiled part of a mapping or trigger that fails for every event."""
    return Failing(error)


def directive_error(message: str) -> MappingError:
    """A directive's error about its options or a value."""
    return MappingError("Error", message)


def invalid(place: Sequence[str], problem: str) -> MappingError:
    """One mistake in a mapping, in the engine's words: `/email/@path should be …`."""
    return MappingError("ValidationError", f"/{'/'.join(place)} {problem}.", places=[tuple(place)])


def collected(errors: Sequence[MappingError]) -> MappingError:
    """All mistakes of an object mapping in one error, one `ValidationError: …` a line."""
    problems = [problem for error in errors for problem in error.problems]
    places = [place for error in errors for place in error.places]
    message = "\n".join(f"ValidationError: {text}" for text in problems)
    return MappingError("AggregateError", message, problems=problems, places=places)


class SendError(EngineError):
    """No response; raised by a `send`. `name` is `FetchError` or `TimeoutError`, `code` Node's (`ECONNRESET`, …)."""

    def __init__(self, name: str, message: str, code: str | None) -> None:
        super().__init__(name, message, code=code)


def text_of(value: object) -> str:
    """`String(value)`. Raises EngineTypeError for an object that cannot be converted."""
    try:
        return to_string(value)
    except ConversionError as error:
        raise EngineTypeError(str(error)) from error


def member(value: object, name: str) -> object:
    """`value.name` for JSON values. Raises EngineTypeError for null and undefined."""
    if is_nullish(value):
        kind = "null" if value is None else "undefined"
        raise EngineTypeError(f"Cannot read properties of {kind} (reading '{name}')")
    return value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED
