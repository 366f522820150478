"""What computing an audience did, in words, from what the control API answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.console.view import Address, View
from emulator.text import counted_noun

_NUMBERS: Final = ("profiles", "entered", "left", "events", "sent")
# No destination was chosen where `sent` is absent.
_GIVEN: Final = ("profiles", "entered", "left", "events")


def after_computing(view: View) -> Address:
    """The page after it; the script puts the numbers of the answer in."""
    return view.here(saved=None, connect=None, after=None, **{name: f"{{{name}}}" for name in _NUMBERS})


def without_result(view: View, **changed: Any) -> Address:
    """The address of this page without what was computed."""
    return view.here(**dict.fromkeys(_NUMBERS), **changed)


def computed(view: View, audience: Mapping[str, Any], item: Mapping[str, Any], connected: list[str]) -> str | None:
    """A sentence about the answer in the address; None without one. `item` is the audience in the workspace."""
    if not all(view.get(name) for name in _GIVEN):
        return None
    profiles, entered, left, events, sent = (view.number(name) for name in _NUMBERS)
    to_one = view.get("sent") is not None
    if entered or left or events:
        said = f"Computed for {counted_noun(profiles, 'profile')}: {entered} entered, {left} exited"
        if events:
            to_members = f" for {counted_noun(sent, 'member')}" if to_one else ""
            return f"{said}, {counted_noun(events, 'event')} emitted{to_members}."
        return f"{said}, no event emitted, because {_why_nothing_is_sent(connected)}."
    if not profiles:
        return "Nothing changed, because the space has no profile: send a call first."
    if not audience["size"]:
        return f"Nothing changed, because no profile meets the condition ({profiles} known)."
    if not connected:
        return (
            "Nothing changed, because the members are the same as before. The audience is connected to no destination."
        )
    if not to_one:
        return (
            "Nothing changed, because the members are the same as before. "
            "Choose a destination to send the present members there."
        )
    if item.get("includeHistory", True) is False:
        return "Nothing changed, because the audience is without historical data. Choose Resync to send its members."
    return f"Nothing changed, because {_why_nothing_is_sent(connected)}."


def _why_nothing_is_sent(connected: list[str]) -> str:
    if not connected:
        return "the audience is connected to no destination"
    return "Send Track and Send Identify are off for its destination"
