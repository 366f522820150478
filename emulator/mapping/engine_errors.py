"""What the published engine throws, under the names that it gives its errors.

EngineError
├── AggregateAjvError    settings, or the payload of a single event, do not fit the fields     status 400
├── IntegrationError     the destination's own complaint                                      status 400
├── HTTPError            the provider answered with a status outside 200-299                  that status
├── EngineTypeError      a value of the wrong kind met in the engine (`TypeError`)            none
│   └── MissingActionError   a batch for an action that does not exist                        none
├── CredentialsError     the token did not pass its test (`Error`)                            none
├── MappingFailure       a mapping that is wrong or fails on an event                         400 or none
└── SendError            no answer came (`FetchError`, `TimeoutError`); raised by a `send`    none
"""

from __future__ import annotations

from emulator.errors import EmulatorError
from emulator.mapping.javascript.values import UNDEFINED, ConversionError, to_string
from emulator.mapping.mapping_error import MappingError
from emulator.mapping.wire import Reply

BAD_REQUEST = 400
SERVER_ERROR = 500
_RETRYABLE_CLIENT_ERRORS = frozenset({408, 423, 429})
_FINAL_SERVER_ERRORS = frozenset({501})


class EngineError(EmulatorError):
    """Something the real engine would throw: `name`, `message`, `code` and `status` are its own."""

    exit_code = 1

    def __init__(self, name: str, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.code = code
        self.status = status

    @property
    def retryable(self) -> bool:
        """Whether the platform tries again, by the published classification of statuses.

        408, 423, 429 and server errors except 501 are retried; an error without a status counts as a 500.
        """
        status = self.status or SERVER_ERROR
        if status < SERVER_ERROR:
            return status in _RETRYABLE_CLIENT_ERRORS
        return status not in _FINAL_SERVER_ERRORS

    def as_dict(self) -> dict[str, object]:
        return {"name": self.name, "message": self.message, "code": self.code, "status": self.status}


class AggregateAjvError(EngineError):
    """All complaints about a payload or the settings, one sentence each."""

    def __init__(self, message: str) -> None:
        super().__init__("AggregateAjvError", message, status=BAD_REQUEST)


class IntegrationError(EngineError):
    """The destination read the answer and found that the provider refused."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__("IntegrationError", message, code=code, status=BAD_REQUEST)


class HTTPError(EngineError):
    """An answer outside 200-299; the message is its reason phrase."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("HTTPError", reply.reason, status=reply.status)
        self.reply = reply


class EngineTypeError(EngineError):
    """JavaScript's TypeError."""

    def __init__(self, message: str) -> None:
        super().__init__("TypeError", message)


class MissingActionError(EngineTypeError):
    """A batch came for an action that the generation does not have; the engine stumbles over the missing results."""

    def __init__(self) -> None:
        super().__init__("Cannot read properties of undefined (reading 'status')")


class CredentialsError(EngineError):
    """The token cannot be used; thrown by the test of a destination's settings."""

    def __init__(self, reason: str) -> None:
        super().__init__("Error", f"Credentials are invalid:  {reason}")


class MappingFailure(EngineError):
    """A MappingError on its way out of the destination."""

    def __init__(self, error: MappingError) -> None:
        super().__init__(error.name, error.message, status=error.status)


class SendError(EngineError):
    """No answer came. `name` is `FetchError` or `TimeoutError`, `code` Node's (`ECONNRESET`, `ETIMEDOUT`, …)."""

    def __init__(self, name: str, message: str, code: str | None) -> None:
        super().__init__(name, message, code=code)


def text_of(value: object) -> str:
    """`String(value)`. Raises EngineTypeError for an object that cannot become text."""
    try:
        return to_string(value)
    except ConversionError as error:
        raise EngineTypeError(str(error)) from error


def member(value: object, name: str) -> object:
    """`value.name` in JavaScript, for values out of JSON. Raises EngineTypeError for null and undefined."""
    if value is None or value is UNDEFINED:
        kind = "null" if value is None else "undefined"
        raise EngineTypeError(f"Cannot read properties of {kind} (reading '{name}')")
    return value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED
