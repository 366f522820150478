"""Checks of the arguments of the methods that tests call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, wraps
from inspect import Parameter, signature
from types import FunctionType
from typing import Any, TypeVar

from emulator.errors import EmulatorError, InputError, unknown

C = TypeVar("C")


def checked(cls: type[C]) -> type[C]:
    """The class, with public methods and properties that raise at the line that called them.

    A misspelled argument raises UnknownName with the nearest name, other arguments that do not fit InputError, before
    the method runs. Deliberate errors carry no frames of the emulator.
    """
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, FunctionType):
            setattr(cls, name, _checked(member))
        elif isinstance(member, property) and member.fget is not None:
            setattr(cls, name, property(_without_frames(member.fget), doc=member.__doc__))
    return cls


def check_keys(given: Iterable[str], known: Iterable[str], *, where: str, hint: str | None = None) -> None:
    """Raises UnknownName for a keyword argument that is not known."""
    names = list(known)
    for name in given:
        if name not in names:
            raise unknown("argument", name, names, where=where, hint=hint)


def _checked(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*positional: Any, **named: Any) -> Any:
        _check_arguments(method, positional, named)
        return method(*positional, **named)

    return _without_frames(call)


def _check_arguments(method: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    declared = _declared(method)
    parameters = declared.parameters
    _, *names = (name for name, each in parameters.items() if each.kind is not Parameter.VAR_KEYWORD)
    if len(names) == len(parameters) - 1:
        check_keys(named, names, where=method.__name__)
    try:
        declared.bind(*positional, **named)
    except TypeError as error:
        raise InputError(str(error), where=method.__name__, allowed=", ".join(names)) from None


# Reading it takes longer than the check, and the methods are those of a few classes.
_declared = cache(signature)


def _without_frames(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def run(*positional: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        try:
            return method(*positional, **named)
        except EmulatorError as error:
            raise error.with_traceback(None)  # noqa: B904 - the same error, without the frames below

    return run
