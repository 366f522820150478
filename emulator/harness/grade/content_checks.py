"""What a client sends and what it reads: people, batches, tokens, pages and user errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from emulator.harness.grade.response_data import data_of
from emulator.harness.grade.seen_in_runs import Case, Evidence, how_it_ended, seen
from emulator.harness.grade.sent_requests import USER_ERRORS, Run, SentRequest

# What the published destination sends at most: more is not known to be accepted.
MOST_PEOPLE: Final = 1000
MOST_BYTES: Final = 4 * 1024 * 1024
# The largest page.
PAGE: Final = 100
# A page with fewer is a sample, whatever comes after it.
_SAMPLE = 10
# What a token says about itself cannot be asked with another one.
_OF_THE_TOKEN = frozenset({"tokenInfo"})


def reads_user_errors(case: Case) -> Iterator[Evidence]:
    """Whether a command whose write was refused with user errors ends with an exit code other than 0."""
    for run in case.runs:
        refused = [attempts[-1] for attempts in run.attempts if attempts[-1].outcome == USER_ERRORS]
        if refused and not run.recorded:
            text = f"{len(refused)} with user errors, and the command {how_it_ended(run)}"
            yield seen(bool(run.exit_code), text, run, *refused)


def respects_batch_limits(case: Case) -> Iterator[Evidence]:
    """Whether no request has more people or bytes than is known to be accepted."""
    for run in case.runs:
        too_large = [request for request in run.requests if request.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
        yield from (seen(False, f"{request}, larger than is read", run, request) for request in too_large)
        writes = [request for request in run.requests if request.mutates]
        for each in writes:
            size = len(each.document.encode())
            if max(len(each.records) / MOST_PEOPLE, size / MOST_BYTES) > 1:
                yield seen(False, f"{_people(len(each.records))} in {size:,} bytes", run, each)
        people = sum(len(each.records) for each in writes)
        if people > MOST_PEOPLE:
            largest = max(len(each.records) for each in writes)
            yield seen(True, f"{people:,} people in all, at most {largest:,} in a request", run)


def needs_read_only(case: Case) -> Iterator[Evidence]:
    """Whether requests that only read are sent with a token that cannot write."""
    for run in case.runs:
        reads = [
            request
            for request in run.requests
            if request.operations and not request.mutates and not _OF_THE_TOKEN.issuperset(request.operations)
            if request.can_write is not None
        ]
        writing = [request for request in reads if request.can_write]
        if writing:
            text = f"{len(writing):,} that only read, such as {writing[0].operations[0]}, with a token that has WRITE"
            yield seen(False, text, run, *writing)
        elif reads:
            yield seen(True, f"{len(reads):,} that only read, with a token that has READ", run, *reads)


def sends_with_consent(case: Case) -> Iterator[Evidence]:
    """Whether everyone who is sent has agreed."""
    refused = {email for email, agreed in case.consents.items() if not agreed}
    for run in case.runs:
        sent = {email: request for request in run.requests if request.mutates for email in request.emails}
        without = [email for email in sent if email in refused]
        if without:
            requests = {sent[email].number: sent[email] for email in without}
            text = f"{_people(len(without))} without consent, such as {masked(without[0])}"
            yield seen(False, text, run, *requests.values())
        elif refused and not sent.keys().isdisjoint(case.consents):
            yield seen(True, f"{_people(len(sent))}, all with consent", run)


def reads_all_pages(case: Case) -> Iterator[Evidence]:
    """Whether the next page is requested where there is one. A run that failed may have ended before it."""
    for run in case.runs:
        if not run.recorded and run.exit_code != 0:
            continue
        for place, request in enumerate(run.requests):
            if request.mutates or not request.accepted:
                continue
            later = run.requests[place + 1 :]
            for token in _next_pages(data_of(request.document, request.response)):
                yield _followed(run, request, token, later)


def _followed(run: Run, request: SentRequest, token: str, later: Sequence[SentRequest]) -> Evidence:
    if not token:
        text = f"{request.operations[0]}: a full page, and neither hasNextPage nor nextToken was selected"
        return seen(False, text, run, request)
    following = next((each for each in later if token in each.document.replace("\\/", "/")), None)
    if following is None:
        return seen(False, f"{request.operations[0]}: there is a next page, which was not requested", run, request)
    return seen(True, f"{request.operations[0]}: the next page was requested", run, request, following)


def _next_pages(value: Any, *, within_page: bool = False) -> Iterator[str]:
    """What the request of each next page must contain; empty where nothing was selected that says whether there is one.

    `cdpProfiles` has pages by token, and within each of them a connection of profiles that ends with the page.
    """
    if isinstance(value, list):
        for each in value:
            yield from _next_pages(each)
    if not isinstance(value, dict):
        return
    profiles = value.get("profiles")
    is_page = isinstance(profiles, dict) and _items(profiles) > 0
    if value.get("nextToken"):
        yield str(value["nextToken"])
    elif is_page and "nextToken" not in value and _items(value["profiles"]) >= PAGE:
        yield ""
    information = value.get("pageInfo")
    if isinstance(information, dict) and "hasNextPage" in information:
        if information["hasNextPage"] and _items(value) >= _SAMPLE:
            yield str(information.get("endCursor") or "")
    elif not within_page and _items(value) >= PAGE:
        yield ""
    for name, each in value.items():
        yield from _next_pages(each, within_page=is_page and name == "profiles")


def _items(part: Mapping[str, Any]) -> int:
    return max((len(part[name]) for name in ("nodes", "edges") if isinstance(part.get(name), list)), default=0)


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def masked(email: str) -> str:
    """An email that a report may contain."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"
