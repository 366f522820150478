"""The timeline of a person: what the journal has, each entry with the document, answer or record of its stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.examples import example_call
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_EVENTS = 200
_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Documents:
    """What both services keep of a person: deliveries by message id, records by trace id and index."""

    deliveries: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[tuple[str, int], Any] = field(default_factory=dict)

    @classmethod
    def read(cls, api: ControlAPI, asked: Mapping[str, str]) -> Documents:
        """Those of the person that a question is about."""
        deliveries = api.get("deliveries", **asked, limit=_ITEMS)["deliveries"]
        about = {"email": asked["email"]} if "email" in asked else {"externalId": asked.get("userId")}
        records = [] if "messageId" in asked else api.get("records", **about, limit=_ITEMS)["records"]
        return cls(
            deliveries={each["messageId"]: each for each in deliveries},
            records={(each["requestId"], each["index"]): each for each in records},
        )

    def of(self, event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The documents of an event of the journal, by their labels."""
        detail = event["detail"]
        if event["kind"] == "delivery":
            own = [*self._delivered(detail)]
            yield from (("Event", each["payload"]) for each in own)
            # Events of one request have the same answer.
            yield from (("Answer", answer) for answer in dict.fromkeys(each["response"] for each in own) if answer)
        elif event["kind"] == "record":
            record = self.records.get((detail["traceId"], detail["index"]))
            yield "Record", record["record"] if record else detail
        elif event["kind"] in ("call", "membership"):
            yield "Details", detail

    def _delivered(self, detail: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The deliveries that an event of the journal is about: it names those that were sent."""
        for message, each in self.deliveries.items():
            same = all(each[name] == detail[name] for name in ("destination", "subscription"))
            if message in detail["messageIds"] or (same and each["reason"] in detail["reasons"]):
                yield each


def timeline(api: ControlAPI, view: View, name: str, documents: Documents) -> Table:
    """The newest events of the journal about the person, oldest first."""
    found = api.get("events", person=name, limit=_EVENTS, mask=view.masked)["events"]

    def row(item: Mapping[str, Any]) -> Row:
        detail = item["detail"]
        trace = detail.get("traceId")
        # A delivery has several, with their counts.
        reason = detail.get("reason") or next(iter(detail.get("reasons") or ()), None)
        request = Cell("Request", view.link("requests", trace=trace)) if trace else Cell(None)
        opens: Sequence[tuple[str, Any]] = [*documents.of(item)]
        why = Cell(reason, reason_link(view, reason), reason=True)
        return Row([Cell(item["at"]), Cell(item["kind"]), Cell(item["text"], opens=opens), request, why])

    return Table(
        caption="Timeline",
        columns=("Time", "Kind", "What happened", "Document and answer", "Reason"),
        rows=rows_of(found, row),
        empty="The journal has nothing about this person.",
        fill=example_call(view),
    )
