"""What the filters of a destination instance do with an event: kept, dropped, or with fewer members."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from emulator.segment.event_filters.destination_filters import DestinationFilters, FilterStep
from emulator.workspace import Filter, FilterAction

EVENT: dict[str, Any] = {
    "messageId": "m1",
    "type": "track",
    "userId": "u1",
    "context": {"traits": {"email": "a@example.com", "plan": "gold"}},
    "properties": {"total": 5, "products": [{"sku": "a", "price": 1}, {"sku": "b", "price": 2}, 3], "note": "x"},
}
ALWAYS = "type = 'track'"


def a_filter(*actions: FilterAction, condition: str = ALWAYS, title: str = "f", enabled: bool = True) -> Filter:
    return Filter(title=title, condition=condition, actions=actions, enabled=enabled)


def applied(*filters: Filter, event: dict[str, Any] | None = None, chance: float = 0.5) -> tuple[Any, list[FilterStep]]:
    left = deepcopy(event or EVENT)
    steps = list(DestinationFilters(filters, "destinations[0]").steps(left, lambda *_: chance))
    return left, steps


def removing(kind: str, **fields: tuple[str, ...]) -> FilterAction:
    return FilterAction(type=kind, fields={name.replace("_", "."): names for name, names in fields.items()})


DROP = FilterAction(type="DROP")


def test_drop_ends_the_way_of_the_events_that_match() -> None:
    _, [step] = applied(a_filter(DROP, title="No tracks"))
    assert (step.dropped, step.message) == (True, "the filter 'No tracks' (destinations[0].filters[0]) drops it")
    _, [step] = applied(a_filter(DROP, condition="type = 'identify'"))
    assert (step.dropped, step.matched) == (False, False)
    assert not DestinationFilters([a_filter(DROP, enabled=False)], "destinations[0]")


def test_the_members_named_are_dropped_or_the_others_are() -> None:
    left, [step] = applied(
        a_filter(removing("DROP_PROPERTIES", context_traits=("email", "absent"), properties=("note",)))
    )
    assert step.removed == ("context.traits.email", "properties.note")
    assert left["context"] == {"traits": {"plan": "gold"}}
    assert set(left["properties"]) == {"total", "products"}
    left, [step] = applied(a_filter(removing("ALLOW_PROPERTIES", properties=("total",))))
    assert left["properties"] == {"total": 5}
    assert left["context"] == EVENT["context"]


def test_the_objects_of_a_list_are_changed_one_by_one() -> None:
    left, [step] = applied(a_filter(removing("DROP_PROPERTIES", properties_products=("price",))))
    assert left["properties"]["products"] == [{"sku": "a"}, {"sku": "b"}, 3]
    assert step.removed == ("properties.products.price",)


@pytest.mark.parametrize("path", ["properties.total", "properties.missing.deeper", "userId.x"])
def test_what_is_no_object_stays_as_it_is(path: str) -> None:
    left, [step] = applied(a_filter(FilterAction(type="ALLOW_PROPERTIES", fields={path: ()})))
    assert (left, step.removed) == (EVENT, ())


def test_an_empty_path_is_the_event_itself() -> None:
    left, _ = applied(a_filter(FilterAction(type="DROP_PROPERTIES", fields={"": ("userId", "properties")})))
    assert set(left) == {"messageId", "type", "context"}


def test_actions_are_applied_in_segment_s_order_whichever_filter_they_belong_to() -> None:
    allow = a_filter(removing("ALLOW_PROPERTIES", properties=("total",)), title="allow")
    fewer = a_filter(removing("DROP_PROPERTIES", properties=("note",)), title="drop properties")
    drop = a_filter(DROP, condition="type = 'never'", title="drop")
    sample = a_filter(FilterAction(type="SAMPLE", percent=0.9), title="sample")
    _, steps = applied(allow, fewer, drop, sample)
    assert [step.title for step in steps] == ["sample", "drop", "drop properties", "allow"]
    # Before: it tests what is dropped later. After: it tests what is left.
    gone = a_filter(DROP, condition="properties.note = 'x'", title="drop")
    _, steps = applied(fewer, gone)
    assert [(step.title, step.dropped) for step in steps] == [("drop", True)]
    kept = a_filter(removing("ALLOW_PROPERTIES", properties=()), condition="properties.note = 'x'", title="allow")
    left, _ = applied(kept, fewer)
    assert "total" in left["properties"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            'userId = oops"',
            "cannot be evaluated, which drops the event: the query is no FQL: expected termination character",
        ),
        ("'x' in type", "cannot be evaluated, which drops the event: 'in' needs a list"),
    ],
)
@pytest.mark.parametrize(
    "action", [DROP, removing("DROP_PROPERTIES", properties=("note",)), FilterAction(type="SAMPLE", percent=1)]
)
def test_a_filter_that_cannot_be_evaluated_drops_the_event(condition: str, message: str, action: FilterAction) -> None:
    _, [step] = applied(a_filter(action, condition=condition))
    assert step.dropped
    assert message in step.message


@pytest.mark.parametrize(("percent", "kept"), [(0, False), (0.4, False), (0.6, True), (1, True)])
def test_a_sample_keeps_a_share_by_chance(percent: float, kept: bool) -> None:
    _, [step] = applied(a_filter(FilterAction(type="SAMPLE", percent=percent)), chance=0.5)
    assert step.dropped is not kept


def test_a_sample_by_a_path_keeps_all_events_with_a_value_or_none() -> None:
    half = a_filter(FilterAction(type="SAMPLE", percent=0.5, path="userId"))
    results = {}
    for number in range(400):
        event = {**EVENT, "userId": f"u{number}"}
        [low], [high] = (applied(half, event=event, chance=chance)[1] for chance in (0.0, 0.99))
        assert low.dropped == high.dropped
        results[number] = low.dropped
    assert 150 < sum(results.values()) < 250
    # A larger share has all of a smaller one.
    more = a_filter(FilterAction(type="SAMPLE", percent=0.6, path="userId"))
    assert all(
        not applied(more, event={**EVENT, "userId": f"u{number}"})[1][0].dropped
        for number, dropped in results.items()
        if not dropped
    )
