"""The origin of a field's value."""

from __future__ import annotations

import pytest

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import UNDEFINED
from emulator.mapping.trace import Step, trace_mapping

EMAIL = {"@if": {"exists": {"@path": "$.traits.email"}, "then": {"@path": "$.traits.email"}, "else": {"@path": "$.e"}}}


def roles(step: Step) -> list[tuple[str, str | None, object]]:
    return [(part.role, part.directive, part.value) for part in step.steps]


def test_an_if_shows_its_condition_and_the_branch_taken() -> None:
    (email,) = trace_mapping({"email": EMAIL}, {"traits": {"email": "a@b.com"}})
    assert (email.field, email.value, email.step.directive) == ("email", "a@b.com", "@if")
    assert roles(email.step) == [("exists", "@path", "a@b.com"), ("then", "@path", "a@b.com")]
    assert email.step.steps[1].options == "$.traits.email"


def test_an_if_that_is_false_shows_else() -> None:
    (email,) = trace_mapping({"email": EMAIL}, {"e": "c@d.com"})
    assert roles(email.step) == [("exists", "@path", UNDEFINED), ("else", "@path", "c@d.com")]


def test_fields_come_in_the_payloads_order_and_missing_ones_are_undefined() -> None:
    traces = trace_mapping({"b": {"@path": "$.zz"}, "2": "fixed"}, {})
    assert [(trace.field, trace.value) for trace in traces] == [("2", "fixed"), ("b", UNDEFINED)]
    assert traces[0].step == Step(role="", directive=None, options="fixed", value="fixed")


def test_steps_nest_through_objects_lists_and_options() -> None:
    mapping = {"k": {"o": [{"@case": {"operator": "upper", "value": {"@path": "$.a"}}}, 1]}}
    (trace,) = trace_mapping(mapping, {"a": "x"})
    listed = trace.step.steps[0]
    case = listed.steps[0]
    assert (trace.step.directive, listed.role, listed.directive) == (None, "o", None)
    assert (case.role, case.directive, case.value) == ("0", "@case", "X")
    assert roles(case) == [("value", "@path", "x")]


def test_array_path_shows_every_element() -> None:
    (trace,) = trace_mapping({"k": {"@arrayPath": ["$.l", {"X": {"@path": "$.x"}}]}}, {"l": [{"x": 1}, {"x": 2}]})
    assert [(part.role, part.value) for part in trace.step.steps] == [
        ("path", [{"x": 1}, {"x": 2}]),
        ("0", {"X": 1}),
        ("1", {"X": 2}),
    ]


def test_merge_and_transform_show_their_parts() -> None:
    merge = {"@merge": {"direction": "left", "objects": [{"@path": "$.o"}, {"z": 1}]}}
    transform = {"@transform": {"apply": {"q": {"@path": "$.a"}}, "mapping": {"x": {"@path": "$.q"}}}}
    merged, transformed = trace_mapping({"m": merge, "t": transform}, {"a": 1, "o": {"y": 2}})
    assert roles(merged.step) == [("0", "@path", {"y": 2}), ("1", None, {"z": 1})]
    assert roles(transformed.step) == [("apply", None, {"q": 1}), ("mapping", None, {"x": 1})]


def test_a_directive_that_fails_has_an_error_and_the_other_fields_are_traced() -> None:
    bad, good = trace_mapping({"bad": {"@case": {"value": "x"}}, "good": {"@path": "$.a"}}, {"a": 1})
    assert (bad.step.error, bad.value) == ('@case requires a "operator" key', UNDEFINED)
    assert good.value == 1


def test_a_failing_condition_shows_where_it_failed() -> None:
    (trace,) = trace_mapping({"k": {"@if": {"exists": {"@case": {"value": "x"}}, "then": 1}}}, {})
    assert trace.step.error == '@case requires a "operator" key'


def test_a_directive_at_the_root_is_a_field_without_a_name() -> None:
    (trace,) = trace_mapping({"@path": "$.o"}, {"o": {"a": 1}})
    assert (trace.field, trace.value) == ("", {"a": 1})


def test_an_invalid_mapping_is_an_error() -> None:
    with pytest.raises(MappingError, match="invalid directive: @nope"):
        trace_mapping({"k": {"@nope": 1}}, {})


def test_every_part_is_resolved_against_the_original_event() -> None:
    event = {"n": 1}
    mapping = {"counted": {"@liquid": "{% increment n %}"}, "after": {"@path": "$.n"}}
    assert [trace.value for trace in trace_mapping(mapping, event)] == ["1", 1]
    assert event == {"n": 1}
