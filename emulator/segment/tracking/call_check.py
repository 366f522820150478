"""One call against the controls of its source: what is left out of it, and why it is blocked.

Standard controls come before the advanced ones: properties that the plan does not have are left out, then the call's
own rule is checked, and last the common rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.segment.tracking.calls import Call, RejectedCall
from emulator.segment.tracking.tracking_plan import CompiledPlan, CompiledRule, Violation, whole
from emulator.workspace_protocols import ALLOW, BLOCK, Controls

# Segment's codes of calls that are filtered at source ("Delivery Overview").
EVENT_SETTING = "event_setting"
UNPLANNED = "unplanned"
SCHEMA_VIOLATION = "schema_violation"
UNPLANNED_AND_SCHEMA_VIOLATION = "unplanned_and_schema_violation"
COMMON_SCHEMA_VIOLATION = "common_schema_violation"
FILTERED_AT_SOURCE = (
    EVENT_SETTING,
    UNPLANNED,
    SCHEMA_VIOLATION,
    UNPLANNED_AND_SCHEMA_VIOLATION,
    COMMON_SCHEMA_VIOLATION,
)

Path = tuple[str | int, ...]


def filtered(call: Call, reason: str, why: str) -> RejectedCall:
    """The call, filtered at source."""
    return RejectedCall(type=call.type, message_id=call.message_id, reason=reason, message=call.message, why=why)


@dataclass(slots=True, kw_only=True)
class Check:
    """A call on its way through the controls. `message` is the call as far as it is let through.

    `place` is that of the controls in the workspace.
    """

    call: Call
    place: str
    message: dict[str, Any] = field(init=False)
    notes: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    omitted: list[str] = field(default_factory=list)
    omitted_on_violation: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.message = dict(self.call.message)

    @property
    def holder(self) -> str:
        """Where the call has its properties or traits."""
        return "traits" if self.call.has_traits else "properties"

    def omit_switched_off(self, names: Sequence[str]) -> None:
        """Leaves out the traits that are switched off in the Source Schema."""
        for name in names:
            if self._omit((self.holder, name)):
                self.notes.append(f"traits.{name} was left out: {self.place}.blockedTraits has it")

    def against(self, plan: CompiledPlan, controls: Controls) -> RejectedCall | None:
        """The call, rejected, if the tracking plan blocks it; otherwise leaves out of it what the plan does."""
        rule = plan.rule_for(self.call)
        common = plan.common
        if rule is None and self.call.type == "track" and not controls.allow_unplanned_events:
            found = common.violations(self._whole()) if common else []
            return self._unplanned(plan, found)
        if not controls.allow_unplanned:
            self._omit_unplanned(plan, rule)
        if rule is not None:
            found = self._violations(plan, rule)
            if found and not controls.allow_event_on_violations:
                return self._blocked(SCHEMA_VIOLATION, plan, rule, found, "allowEventOnViolations is false")
            if not controls.allow_invalid:
                self._omit_invalid(found)
        if common is not None:
            found = self._violations(plan, common)
            if found and controls.common == BLOCK:
                return self._blocked(COMMON_SCHEMA_VIOLATION, plan, common, found, "commonEventOnViolations is BLOCK")
            if controls.common not in (ALLOW, BLOCK):
                self._omit_invalid(found)
        return None

    def passed(self) -> Call:
        """The call as it goes on; `context.protocols` says what was found and left out, as Segment's does."""
        if not (self.notes or self.violations or self.omitted):
            return self.call
        protocols = {
            "violations": [violation.as_dict() for violation in self.violations],
            "omitted": self.omitted,
            "omitted_on_violation": self.omitted_on_violation,
        }
        context = self.message.get("context")
        context = dict(context) if isinstance(context, dict) else {}
        before = context.get("protocols")
        if found := {name: value for name, value in protocols.items() if value}:
            context["protocols"] = {**(before if isinstance(before, dict) else {}), **found}
            self.message["context"] = context
        return replace(self.call, message=self.message, notes=tuple(self.notes), complete=self.call.message)

    def _whole(self) -> dict[str, Any]:
        return whole(replace(self.call, message=self.message))

    def _violations(self, plan: CompiledPlan, rule: CompiledRule) -> list[Violation]:
        """What violates a rule; it is noted, whatever happens to the call."""
        found = rule.violations(self._whole())
        self.violations += found
        self.notes += [f"violates {rule.name} of {plan.name!r}: {each.text}" for each in found]
        return found

    def _omit_unplanned(self, plan: CompiledPlan, rule: CompiledRule | None) -> None:
        given = self.message.get(self.holder)
        given = given if isinstance(given, dict) else {}
        paths: Iterable[Path] = ((name,) for name in given) if rule is None else rule.unplanned(self.holder, given)
        for path in list(paths):
            if self._omit((self.holder, *path)):
                name = ".".join(map(str, path))
                self.omitted.append(name)
                self.notes.append(f"{self.holder}.{name} was left out: {plan.name!r} does not have it")

    def _omit_invalid(self, violations: Iterable[Violation]) -> None:
        for violation in violations:
            if self._omit(_before_items(violation.path)):
                name = ".".join(map(str, violation.path[1:]))
                self.omitted_on_violation.append(name)
                self.notes.append(f"{violation.field} was left out")

    def _omit(self, path: Path) -> bool:
        """Leaves out one property or trait, without changing the call as it came; whether it was there."""
        if len(path) < 2 or path[0] != self.holder:
            return False
        holder, found = _copied(self.message, path[:-1])
        if found is None or path[-1] not in found:
            return False
        del found[path[-1]]
        self.message = holder
        return True

    def _unplanned(self, plan: CompiledPlan, violations: list[Violation]) -> RejectedCall:
        message = f"{plan.name!r} has no event {self.call.message['event']!r}, and {self.place}.allowUnplannedEvents "
        message += "is false"
        if not violations:
            return filtered(self.call, UNPLANNED, message)
        return filtered(self.call, UNPLANNED_AND_SCHEMA_VIOLATION, f"{message}; {_in_words(violations)}")

    def _blocked(
        self, reason: str, plan: CompiledPlan, rule: CompiledRule, violations: list[Violation], switch: str
    ) -> RejectedCall:
        message = f"violates {rule.name} of {plan.name!r}: {_in_words(violations)}; {self.place}.{switch}"
        return filtered(self.call, reason, message)


def _in_words(violations: Iterable[Violation]) -> str:
    return "; ".join(each.text for each in violations)


def _before_items(path: Path) -> Path:
    """The path of a violation, up to an array: an item cannot be left out alone."""
    return tuple(_until_number(path))


def _until_number(path: Path) -> Iterator[str | int]:
    for part in path:
        if isinstance(part, int):
            return
        yield part


def _copied(message: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """A message with copies of the objects along a path, and the last of them; None where there is none."""
    copied = dict(message)
    inner: dict[str, Any] = copied
    for part in path:
        value = inner.get(str(part))
        if not isinstance(value, dict):
            return copied, None
        inner[str(part)] = dict(value)
        inner = inner[str(part)]
    return copied, inner
