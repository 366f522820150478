"""User errors of a mutation: HTTP 200, a message, a path, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserError:
    """One user error. `path` names the argument, as `("input", "advertiserId")`."""

    message: str
    path: tuple[str, ...]


class Refusal(Exception):
    """A mutation refuses its whole input."""

    def __init__(self, *user_errors: UserError) -> None:
        super().__init__("; ".join(error.message for error in user_errors))
        self.user_errors = user_errors


def refusal(message: str, *path: str) -> Refusal:
    """A refusal with one error."""
    return Refusal(UserError(message, path))
