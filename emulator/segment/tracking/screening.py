"""What a source lets through: its schema controls, and the tracking plan that it is connected to.

"Customize your schema controls", "Source Schema" and "Forward blocked events" in Segment's documentation. A call that
is blocked is *Filtered at source*, with Segment's code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from emulator.segment.tracking.call_check import EVENT_SETTING, Check, filtered
from emulator.segment.tracking.calls import Call, IngestResult, RejectedCall
from emulator.segment.tracking.tracking_plan import VIEWS, CompiledPlan
from emulator.workspace import Source, Workspace
from emulator.workspace_protocols import SchemaControls


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """The calls of one body after the controls of their source.

    `forwarded` are those that were blocked and go to the source `forwarded_to`, where nothing blocks them again.
    """

    results: list[IngestResult]
    forwarded: tuple[Call, ...] = ()
    forwarded_to: str = ""


class Screening:
    """The controls of each source of a workspace that has any; what they do is compiled once."""

    def __init__(self, workspace: Workspace) -> None:
        plans = {plan.name: CompiledPlan(plan) for plan in workspace.tracking_plans}
        enabled = {source.name for source in workspace.sources if source.enabled}
        self._screens = {
            source.name: _Screen(source, index, plans.get(source.tracking_plan or ""), enabled)
            for index, source in enumerate(workspace.sources)
            if source.schema != SchemaControls() or source.tracking_plan is not None
        }

    def screen(self, results: list[IngestResult], source: str) -> Screened:
        """The calls of a source, with those that are blocked rejected, and without what is left out of the others."""
        screen = self._screens.get(source)
        return Screened(results=results) if screen is None else screen.screen(results)


class _Screen:
    """The controls of one source."""

    def __init__(self, source: Source, index: int, plan: CompiledPlan | None, enabled: Collection[str]) -> None:
        self._name, self._schema = source.name, source.schema
        # A disabled source gets no calls.
        self._forwarded_to = source.schema.forwarded_to if source.schema.forwarded_to in enabled else None
        self._place = f"sources[{index}].schema"
        self._plan = plan

    def screen(self, results: Iterable[IngestResult]) -> Screened:
        """The calls after the controls."""
        screened: list[IngestResult] = []
        forwarded: list[Call] = []
        for result in results:
            if isinstance(result, RejectedCall) or result.type == "alias":
                screened.append(result)
                continue
            after = self._after(result)
            screened.append(after)
            # What the Source Schema switches off is discarded.
            if isinstance(after, RejectedCall) and after.reason != EVENT_SETTING and self._forwarded_to:
                forwarded.append(replace(result, notes=(f"forwarded by {self._name!r}, which blocked it",)))
        return Screened(results=screened, forwarded=tuple(forwarded), forwarded_to=self._forwarded_to or "")

    def _after(self, call: Call) -> IngestResult:
        controls = self._schema.of(call.type)
        event = VIEWS.get(call.type, call.message.get("event"))
        if not call.has_traits and event in controls.blocked:
            return filtered(call, EVENT_SETTING, f"{self._place}.track.blockedEvents has {event!r}")
        check = Check(call=call, place=f"{self._place}.{call.type if call.has_traits else 'track'}")
        if call.has_traits:
            check.omit_switched_off(controls.blocked)
        blocked = check.against(self._plan, controls) if self._plan is not None else None
        return blocked or check.passed()
