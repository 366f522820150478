"""What a point is judged by: the runs of a client, and what in them speaks for it or against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from emulator.harness.grade.sent_requests import Run, SentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something seen in a run: `ok` is whether it is as expected, `at` when, in seconds, where requests show it."""

    ok: bool
    text: str
    run: str
    requests: tuple[int, ...] = ()
    trace_ids: tuple[str, ...] = ()
    at: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        at = None if self.at is None else round(self.at, 3)
        return {
            "ok": self.ok,
            "text": self.text,
            "run": self.run,
            "requests": list(self.requests),
            "traceIds": list(self.trace_ids),
            "at": at,
        }

    @property
    def place(self) -> str:
        """The run, the requests by number, and the time of the first."""
        if not self.requests:
            return self.run
        shown = ", ".join(f"#{number}" for number in self.requests)
        return f"{self.run}, {shown} at {self.at or 0:.2f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is known of a client. `consents` is by email; `secrets` are tokens and write keys by what they are."""

    runs: Sequence[Run]
    consents: Mapping[str, bool] = field(default_factory=dict)
    known_before: Sequence[str] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


# Yields what was seen: nothing where the client did nothing that the point is about.
Check: TypeAlias = Callable[[Case], Iterator[Evidence]]

_SHOWN = 6


def seen(ok: bool, text: str, run: Run, *requests: SentRequest) -> Evidence:
    """Evidence of requests, or of the whole run without any."""
    shown = requests[:_SHOWN]
    return Evidence(
        ok=ok,
        text=text,
        run=run.name,
        requests=tuple(request.number for request in shown),
        trace_ids=tuple(request.trace_id for request in shown),
        at=requests[0].started if requests else None,
    )


def how_it_ended(run: Run) -> str:
    """The end of a run as a clause."""
    return "was stopped after its time limit" if run.stopped else f"exited with code {run.exit_code}"
