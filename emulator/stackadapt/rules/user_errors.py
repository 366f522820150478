"""User errors of a mutation: HTTP 200, a message, a path, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UserError:
    """One user error. `path` names the argument, as `("input", "advertiserId")`."""

    message: str
    path: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The value of the schema's `UserError`."""
        return {"message": self.message, "path": list(self.path)}


class Refusal(Exception):
    """A mutation refuses its whole input."""

    def __init__(self, *user_errors: UserError) -> None:
        super().__init__("; ".join(error.message for error in user_errors))
        self.user_errors = user_errors


def refusal(message: str, *path: str) -> Refusal:
    """A refusal with one error."""
    return Refusal(UserError(message, path))


def payload(
    user_errors: Iterable[UserError] = (), *, client_mutation_id: str | None = None, **fields: Any
) -> dict[str, Any]:
    """A mutation's payload. `clientMutationId` echoes the caller's."""
    return {
        "clientMutationId": client_mutation_id,
        "userErrors": [error.as_dict() for error in user_errors],
        **fields,
    }
