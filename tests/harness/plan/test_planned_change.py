"""`stackadapt.plan(…)` in a test: the checks of a plan, read from its JSON form."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import Emulator, Unmet
from emulator.errors import InputError, UserMistake
from emulator.harness.client import in_process
from emulator.harness.expectations import ExpectingSegment, ExpectingStackAdapt
from emulator.harness.plan_checks import CHECKS
from emulator.workspace import built_in_workspace, parse_workspace
from emulator.workspace_document import document_of

DOCUMENT = document_of(built_in_workspace())
Document = dict[str, Any]
Services = tuple[ExpectingStackAdapt, ExpectingSegment]


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Emulator() as emulator, in_process(emulator.app, sandbox=emulator.described()) as endpoint:
        yield ExpectingStackAdapt(endpoint), ExpectingSegment(endpoint)


def narrow(document: Document) -> None:
    document["audiences"][0]["condition"]["value"] = 3000


def other_consent(document: Document) -> None:
    document["destinations"][0]["subscriptions"][0]["mapping"]["marketing_status"] = "Indeterminate"


def no_city(document: Document) -> None:
    document["destinations"][0]["audiences"][0]["traits"].remove("city")


def changed(change: Callable[[Document], None]) -> Document:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return document


CHANGES = [
    (narrow, ["lost-profiles"], ["gained-profiles"], "profiles lost: "),
    (other_consent, ["changed-consent"], [], "consent OPTED_IN → INDETERMINATE: "),
    (no_city, ["changed-properties", "lost-properties"], ["changed-properties"], "property 'city' removed: "),
]


@pytest.mark.parametrize(("change", "failed", "backwards", "line"), CHANGES)
def test_an_expectation_names_the_checks_the_cause_and_examples(
    services: Services, change: Callable[[Document], None], failed: list[str], backwards: list[str], line: str
) -> None:
    new = changed(change)
    plan = services[0].plan(new, people=40)
    assert plan.failed(*CHECKS) == failed
    with pytest.raises(Unmet) as caught:
        plan.expect_no(*CHECKS)
    assert str(caught.value).startswith(f"expected a change without {', '.join(failed)}\n{line}")
    assert "\n  such as " in str(caught.value)
    assert plan.expect_no(*(name for name in CHECKS if name not in failed)) is plan
    undone = services[0].plan(DOCUMENT, old=new, people=40)
    assert undone.failed(*backwards) == backwards
    assert (undone.gained, undone.lost) == (plan.lost, 0)


def test_a_workspace_is_a_file_a_document_or_an_object(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "narrow.yaml"
    path.write_text(yaml.safe_dump(changed(narrow)), encoding="utf-8")
    forms = (path, str(path), changed(narrow), parse_workspace(changed(narrow)))
    assert len({services[0].plan(form, people=40, seed=2).lost for form in forms} - {0}) == 1


def test_the_people_of_the_test_itself(services: Services) -> None:
    stackadapt, segment = services
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    plan = stackadapt.plan(changed(narrow), known=True)
    assert (plan.lost, plan.document["people"]["calls"]) == (1, 1)
    assert stackadapt.expect_profile(email="ada@example.com")


def test_people_without_a_profile_prove_nothing(services: Services) -> None:
    nothing = {**DOCUMENT, "destinations": []}
    with pytest.raises(Unmet, match="Neither workspace has a profile"):
        services[0].plan(nothing, old=nothing, people=5).expect_no("lost-profiles")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda stackadapt: stackadapt.plan("none.yaml"), "cannot read none.yaml: no such file"),
        (
            lambda stackadapt: stackadapt.plan({"name": "x", "audience": []}),
            r"new.*audience.*Did you mean 'audiences'\?",
        ),
        (lambda stackadapt: stackadapt.plan(DOCUMENT, old={"nam": "x"}), "old.*nam"),
        (lambda stackadapt: stackadapt.plan(DOCUMENT, people=2001), "people"),
        (lambda stackadapt: stackadapt.plan(DOCUMENT, advance="soon"), "advance: invalid duration"),
        (lambda stackadapt: stackadapt.plan(DOCUMENT, known=True, people=5), "Leave out people and seed, or known"),
        (lambda stackadapt: stackadapt.plan(DOCUMENT, pepole=5), "Did you mean 'people'"),
        (lambda stackadapt: stackadapt.plan(DOCUMENT, people=1).failed("lost"), "unknown check 'lost'"),
        (lambda stackadapt: stackadapt.plan(DOCUMENT, people=1).expect_no("lost-profile"), "Did you mean 'lost-profi"),
    ],
)
def test_mistakes_name_their_place(services: Services, asked: Callable[[Any], object], message: str) -> None:
    with pytest.raises(UserMistake, match=message):
        asked(services[0])


def test_an_expectation_needs_a_check(services: Services) -> None:
    with pytest.raises(InputError, match="there is nothing to expect.*lost-profiles"):
        services[0].plan(DOCUMENT, people=1).expect_no()
