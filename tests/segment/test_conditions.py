from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.artefacts import contract_json
from emulator.errors import WorkspaceError
from emulator.segment.conditions.compile import TRAIT_OPERATORS, compile_condition, requires
from emulator.segment.conditions.operators import OPERATORS, Operator
from emulator.segment.profiles.facts import ProfileFacts


def meets(condition: dict[str, Any], traits: dict[str, Any]) -> bool:
    return compile_condition(condition, where="c").holds(ProfileFacts(traits=traits))


def holds(traits: dict[str, Any], operator: str, value: Any = None) -> bool:
    return meets({"trait": "t", "operator": operator, "value": value}, traits)


@pytest.mark.parametrize(
    ("operator", "value", "matching", "others"),
    [
        ("equals", 5, [5, 5.0], ["5", True, 6, None]),
        ("equals", True, [True], [1, "true", False]),
        ("equals", "a", ["a"], ["A", ["a"]]),
        ("not_equals", "a", ["b", 1, ""], ["a"]),
        ("less_than", 5, [4, 4.9, -1], [5, "4", True, None]),
        ("greater_than", 5, [6], [5, "6"]),
        ("at_most", 5, [5, 4], [5.1]),
        ("at_least", 500, [500, 500.0, 9e9], [499.99, "500", True]),
        ("one_of", ["a", 1], ["a", 1], ["b", "1", True]),
        ("contains", "x", ["axb", ["ax"]], ["b", 1]),
        ("contains", ["x", "y"], ["ay"], ["b"]),
        ("not_contains", "x", ["b", 1], ["axb"]),
        ("starts_with", "a", ["ab"], ["ba"]),
        ("ends_with", "a", ["ba"], ["ab"]),
        ("exists", None, ["", 0, False], []),
        ("not_exists", None, [], ["", 0, False]),
    ],
)
def test_operators_mean_what_the_audience_builder_documents(
    operator: str, value: Any, matching: list[Any], others: list[Any]
) -> None:
    assert [found for found in matching if not holds({"t": found}, operator, value)] == []
    assert [found for found in others if holds({"t": found}, operator, value)] == []


def test_the_contract_lists_the_operators() -> None:
    condition = contract_json("workspace.schema.json")["$defs"]["traitCondition"]["properties"]["operator"]
    assert condition["enum"] == [*TRAIT_OPERATORS], "list the operator in contracts/workspace.schema.json"


def test_an_operator_is_an_entry_of_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe for an operator: the entry here and its name in the contract, which the test above compares."""
    longer = Operator(
        description="a string of more characters",
        needs=lambda value: f"a string of more than {value} characters",
        takes="a number",
        fits=lambda value: isinstance(value, int),
        test=lambda found, value: isinstance(found, str) and len(found) > value,
    )
    monkeypatch.setitem(OPERATORS, "longer_than", longer)  # type: ignore[arg-type]  # declared as read-only
    assert holds({"t": "abc"}, "longer_than", 2)
    assert not holds({"t": "ab"}, "longer_than", 2)
    assert not holds({}, "longer_than", 2)
    with pytest.raises(WorkspaceError, match="a number"):
        holds({"t": "abc"}, "longer_than", "2")


def test_a_missing_trait_matches_only_some_negations() -> None:
    """`not equals` needs a value that differs; `does not contain` is the negation of `contains`."""
    values = {"one_of": ["a"], "exists": None, "not_exists": None, "contains": "a", "not_contains": "a"}
    numbers = dict.fromkeys(("less_than", "greater_than", "at_most", "at_least"), 1)
    met = {name for name in OPERATORS if holds({}, name, (values | numbers).get(name, "a"))}
    assert met == {"not_contains", "not_exists"}


def test_conditions_combine_with_all_and_any() -> None:
    rich = {"trait": "spent", "operator": "at_least", "value": 500}
    mail = {"trait": "email", "operator": "exists"}
    both = {"all": [rich, {"any": [mail, {"trait": "vip", "operator": "equals", "value": True}]}]}
    assert meets(both, {"spent": 500, "email": "a@b.co"})
    assert meets(both, {"spent": 500, "vip": True})
    assert not meets(both, {"spent": 500})
    assert not meets(both, {"email": "a@b.co"})
    assert meets({"not": both}, {"spent": 500})


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"trait": "t", "operator": "at_least", "value": "500"}, "c.value"),
        ({"trait": "t", "operator": "at_least", "value": True}, "c.value"),
        ({"trait": "t", "operator": "equals"}, "c.value"),
        (
            {"all": [{"trait": "t", "operator": "exists"}, {"trait": "t", "operator": "one_of", "value": []}]},
            "c.all[1].value",
        ),
        ({"any": [{"trait": "t", "operator": "exists", "value": 1}]}, "c.any[0].value"),
        ({"trait": "t", "operator": "starts_with", "value": ""}, "c.value"),
    ],
)
def test_an_invalid_value_is_rejected_with_its_path(condition: dict[str, Any], place: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        compile_condition(condition, where="c")
    assert caught.value.where == place
    assert caught.value.allowed


@pytest.mark.parametrize(
    ("condition", "needed"),
    [
        ({"trait": "email", "operator": "exists"}, True),
        ({"trait": "email", "operator": "not_exists"}, False),
        ({"trait": "spent", "operator": "at_least", "value": 1}, False),
        ({"all": [{"trait": "spent", "operator": "exists"}, {"trait": "email", "operator": "exists"}]}, True),
        ({"any": [{"trait": "spent", "operator": "exists"}, {"trait": "email", "operator": "exists"}]}, False),
        (
            {
                "any": [
                    {"trait": "email", "operator": "exists"},
                    {"trait": "email", "operator": "contains", "value": "@"},
                ]
            },
            True,
        ),
    ],
)
def test_whether_a_condition_requires_a_trait(condition: dict[str, Any], needed: bool) -> None:
    assert requires(condition, "email") is needed


leaves = st.builds(
    lambda trait, operator: {"trait": trait, "operator": operator},
    st.sampled_from(["email", "spent"]),
    st.sampled_from(["exists", "not_exists"]),
)
conditions = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(
            lambda kind, several: {kind: several},
            st.sampled_from(["all", "any"]),
            st.lists(parts, min_size=1, max_size=3),
        ),
        st.builds(lambda part: {"not": part}, parts),
    ),
    max_leaves=8,
)


@given(conditions, st.sampled_from([{}, {"spent": 1}]))
def test_a_profile_without_a_required_trait_never_meets_the_condition(
    condition: dict[str, Any], traits: dict[str, Any]
) -> None:
    if requires(condition, "email"):
        assert not meets(condition, traits)
