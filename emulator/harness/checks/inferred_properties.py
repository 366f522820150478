"""Custom properties that are not declared: the destination infers their columns from the values in each request.

StackAdapt's engineers describe the consequence in the pull requests 3812 and 3813 of action-destinations.
"""

from __future__ import annotations

from collections.abc import Iterator

from emulator.harness.checks.finding import SUBSCRIPTION, WARNING, Finding, check
from emulator.harness.subscription_context import SubscriptionContext

_DECLARE = "Set custom_properties_mode to v2 and declare the properties in custom_user_properties."
_UPDATE = "Use generation 3.517.0 or newer and declare the properties in custom_user_properties."
_EVERYONE = "Or give every person a value for each property, such as 0 or false."


@check("P001", WARNING, "A request without a custom property takes it out of the mapping for everyone.", SUBSCRIPTION)
def unmapped_by_others(context: SubscriptionContext) -> Iterator[Finding]:
    for field, names in _inferred(context):
        columns = ", ".join(names) or "all of them"
        yield Finding(
            place=f"{context.place}.mapping.{field}",
            message=f"The columns of custom properties are inferred from the values in each request: {columns}.",
            why="Each mapping replaces the one before. A request in which no event has a value for a property takes it "
            "out of StackAdapt's mapping, and the values of everyone who is processed then are dropped.",
            fix=f"{_DECLARE if _knows_v2(context) else _UPDATE} {_EVERYONE}",
        )


def _inferred(context: SubscriptionContext) -> Iterator[tuple[str, list[str]]]:
    """The field with inferred properties and their names; no names for an object that is taken over as it is."""
    for field in context.action.fields if context.action else ():
        mapped = context.mapping.get(field.key)
        if field.key not in ("custom_traits", "traits") or not isinstance(mapped, dict) or not mapped:
            continue
        if field.key == "custom_traits" and context.mapping.get("custom_properties_mode") == "v2":
            continue
        standard = {known.key for known in field.properties}
        names = [name for name in mapped if name not in standard and not name.startswith("@")]
        if names or any(name.startswith("@") for name in mapped):
            yield field.key, names


def _knows_v2(context: SubscriptionContext) -> bool:
    fields = context.action.fields if context.action else ()
    return any(field.key == "custom_properties_mode" for field in fields)
