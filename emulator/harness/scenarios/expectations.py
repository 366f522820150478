"""The expectations of a scenario: a function for each key of `then`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import httpx

from emulator.harness.client import Shown, body_in, errors_in, user_errors_in
from emulator.harness.scenarios.model import Check, Document, Expectation, FindPerson, Person, ScenarioRun

LONGEST = 400


def listed(names: Iterable[object]) -> str:
    """`ada, grace`, in alphabetical order; `none` when empty."""
    return ", ".join(sorted(map(str, names))) or "none"


def counted(numbers: Mapping[str, int]) -> str:
    """`2 MISSING_EMAIL, 1 INVALID_EMAIL`."""
    return ", ".join(f"{number} {name}" for name, number in sorted(numbers.items())) or "none"


def described(wanted: Mapping[str, Any]) -> str:
    """`outcome sent, type track`."""
    return ", ".join(f"{name} {value}" for name, value in wanted.items()) or "of any kind"


def says(text: object, part: str | None) -> bool:
    """Whether `text` contains `part`; true without a part."""
    return part is None or part in str(text or "")


def short(value: Any) -> str:
    """A value as JSON, truncated when it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def graphql_responses(given: list[Document], _: FindPerson) -> Expectation:
    """The responses to the documents of this step, in order."""

    def check(run: ScenarioRun) -> Iterator[Check]:
        wanted, found = len(given), len(run.responses)
        yield Check(expected=f"documents answered: {wanted}", found=str(found), passed=found == wanted)
        for expected, response in zip(given, run.responses, strict=False):
            yield from _checks(expected, response)

    return Expectation(check=check, needs_emulator=False)


def _checks(expected: Document, response: httpx.Response) -> Iterator[Check]:
    body = body_in(response.text)
    if (status := expected.get("status")) is not None:
        found = response.status_code
        yield Check(expected=f"status: {status}", found=f"{found} {short(response.text)}", passed=found == status)
    if "data" in expected:
        passed = "data" in body and agrees(body["data"], expected["data"])
        yield Check(expected=f"data containing {short(expected['data'])}", found=short(response.text), passed=passed)
    for name, messages in (("errors", _messages(errors_in(body))), ("userErrors", _messages(user_errors_in(body)))):
        if name in expected:
            parts = expected[name]
            passed = len(messages) == len(parts) and all(map(says, messages, parts))
            yield Check(expected=f"{name}: {short(parts)}", found=short(messages), passed=passed)


def agrees(found: Any, expected: Any) -> bool:
    """Whether the expected fields are present with these values. The items of an array must all agree, in order."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(agrees(found.get(key), value) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(agrees, found, expected))
    return bool(found == expected) and isinstance(found, bool) == isinstance(expected, bool)


def _messages(errors: Iterable[Shown]) -> list[str]:
    return [str(error.get("message")) for error in errors]


Counts = Mapping[str, int]


def _profiles(given: list[Any], find: FindPerson) -> Expectation:
    """Exactly these people are visible in StackAdapt, some with expected values."""
    items = [{"person": each} if isinstance(each, str) else each for each in given]
    names = listed([find(each["person"]).name for each in items])

    def check(run: ScenarioRun) -> Iterator[Check]:
        found = {run.name_of(profile["email"]): profile for profile in run.stackadapt.profiles()}
        yield _check(run, f"visible in StackAdapt: {names}", listed(found), names == listed(found))
        for each in items:
            if each["person"] in found:
                yield from _profile_checks(run, each["person"], each, found[each["person"]])

    return Expectation(check=check)


def _profile_checks(run: ScenarioRun, name: str, expected: Document, profile: Document) -> Iterator[Check]:
    for key, values in (
        ("in", [audience["name"] for audience in profile["audiences"]]),
        ("externalIds", profile["externalIds"]),
    ):
        if key in expected:
            text = f"{name}, {'audiences' if key == 'in' else 'external ids'}: {listed(expected[key])}"
            yield _check(run, text, listed(values), listed(values) == listed(expected[key]))
    if status := expected.get("marketingStatus"):
        found = profile["marketingStatus"]
        yield _check(run, f"{name}, marketing status: {status}", found, found == status)
    for key, value in expected.get("properties", {}).items():
        found = profile["properties"].get(key)
        yield _check(run, f"{name}, {key}: {short(value)}", short(found), found == value)


def _segment(given: Document, find: FindPerson) -> Expectation:
    """A segment with a rule has exactly these members."""
    names = listed(find(name).name for name in given["members"])

    def check(run: ScenarioRun) -> Iterator[Check]:
        found = listed(run.name_of(email) for email in run.stackadapt.segment(given["rule"])["members"])
        yield _check(run, f"members of the segment {short(given['rule'])}: {names}", found, found == names)

    return Expectation(check=check)


def _counts(label: str, count: Callable[[ScenarioRun, Counts], Counts]) -> Callable[[Counts, FindPerson], Expectation]:
    """Makes a reader of expected numbers; `count` returns those that are found."""

    def read(given: Counts, _: FindPerson) -> Expectation:
        def check(run: ScenarioRun) -> Iterator[Check]:
            found = count(run, given)
            yield _check(run, f"{label}: {counted(given)}", counted(found), found == given)

        return Expectation(check=check)

    return read


def _audiences(run: ScenarioRun, given: Counts) -> Counts:
    return {each["key"]: each["size"] for each in run.segment.audiences() if each["key"] in given}


def _delivery(given: Document, find: FindPerson) -> Expectation:
    """A number of events that Engage emitted match."""
    person = find(given["person"]) if "person" in given else None
    wanted = {name: given[name] for name in ("type", "outcome", "reason", "segmentReports") if name in given}
    message, times = given.get("message"), given.get("times", 1)

    def matches(delivery: Document) -> bool:
        return all(delivery[name] == value for name, value in wanted.items()) and says(delivery["message"], message)

    def check(run: ScenarioRun) -> Iterator[Check]:
        found = run.segment.deliveries(userId=person.user_id if person else None)
        matching = sum(map(matches, found))
        text = f"events with {described(wanted)}{_about(person)}{_saying(message)}: {times}"
        yield _check(run, text, f"{matching} of {len(found)}", matching == times)

    return Expectation(check=check)


def _request(given: Document, find: FindPerson) -> Expectation:
    """StackAdapt received a number of requests that match."""
    person = find(given["person"]) if "person" in given else None
    criteria = {name: given[name] for name in ("operation", "status") if name in given}
    outcome, part, times = given.get("outcome"), given.get("contains"), given.get("times", 1)
    refused_too = bool(given.keys() & {"status", "outcome"})

    def check(run: ScenarioRun) -> Iterator[Check]:
        matching = sum(
            outcome in (None, each["outcome"])
            and (refused_too or not each["refusal"])
            and says(_document(each["request"]), part)
            for each in run.stackadapt.journal(**criteria, email=person.email if person else None)
        )
        wanted = {**criteria, **({"outcome": outcome} if outcome else {})}
        text = f"requests to StackAdapt: {described(wanted)}{_about(person)}{_saying(part)}: {times}"
        yield _check(run, text, str(matching), matching == times)

    return Expectation(check=check)


def _document(request: str) -> str:
    """The GraphQL document of a request body, or the body when there is none."""
    try:
        body = json.loads(request)
    except ValueError:
        return request
    return str(body.get("query")) if isinstance(body, dict) else request


def _deletions(given: list[Document], _: FindPerson) -> Expectation:
    """The outcomes of this step's deletions at each destination, in order."""

    def check(run: ScenarioRun) -> Iterator[Check]:
        wanted, found = [each["outcome"] for each in given], [each["outcome"] for each in run.deletions]
        yield _check(run, f"deletions at the destinations: {', '.join(wanted)}", ", ".join(found), found == wanted)
        for expected, deletion in zip(given, run.deletions, strict=False):
            if part := expected.get("message"):
                message = deletion["message"]
                yield _check(run, f"the deletion's message contains {part!r}", str(message), says(message, part))

    return Expectation(check=check)


def _check(run: ScenarioRun, expected: str, found: str, passed: bool) -> Check:
    """A check, with all timelines when it failed."""
    return Check(expected=expected, found=found, passed=passed, timelines=() if passed else run.timelines())


def _about(person: Person | None) -> str:
    return f", about {person.name}" if person else ""


def _saying(part: str | None) -> str:
    return f", containing {part!r}" if part else ""


READERS: Mapping[str, Callable[[Any, FindPerson], Expectation]] = {
    "profiles": _profiles,
    "rejections": _counts(
        "records that StackAdapt rejected",
        lambda run, _: Counter(each["reason"] for each in run.stackadapt.rejections()),
    ),
    "records": _counts(
        "records in StackAdapt", lambda run, _: Counter(each["outcome"] for each in run.stackadapt.records())
    ),
    "dropped": _counts(
        "calls that Segment dropped",
        lambda run, _: Counter(each["reason"] for each in run.segment.calls(accepted=False)),
    ),
    "audiences": _counts("people in Segment", _audiences),
    "answers": graphql_responses,
    "deletions": _deletions,
}
# Each item of these lists is a separate expectation.
ITEM_READERS: Mapping[str, Callable[[Document, FindPerson], Expectation]] = {
    "segments": _segment,
    "deliveries": _delivery,
    "requests": _request,
}


def read_expectations(given: Document, find: FindPerson) -> Iterator[tuple[str, Expectation]]:
    """The expectations of a `then` that matches the schema, each with its place in it: `profiles`, `requests[1]`."""
    for kind, expected in given.items():
        if kind in READERS:
            yield kind, READERS[kind](expected, find)
        else:
            for index, item in enumerate(expected):
                yield f"{kind}[{index}]", ITEM_READERS[kind](item, find)
