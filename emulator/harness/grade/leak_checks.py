"""What a client shows to others: secrets and people in its output, in URLs and in headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

from emulator.harness.grade.content_checks import masked
from emulator.harness.grade.seen_in_runs import Case, Evidence, seen
from emulator.harness.grade.sent_requests import Run, SentRequest

# The header in which a token belongs.
_AUTHORIZATION = "authorization"
# A shorter secret would be found in ordinary words.
_SHORTEST = 6


def keeps_tokens(case: Case) -> Iterator[Evidence]:
    """Whether tokens are in no place but the header `Authorization`."""
    names = {secret: name for name, secret in case.secrets.items() if len(secret) >= _SHORTEST}
    for run in case.runs:
        found = [*_found(run, names)]
        yield from found
        if not found:
            places = "URLs" if run.recorded else "output, URLs and headers"
            yield seen(True, f"no token in {places}", run)


def keeps_people(case: Case) -> Iterator[Evidence]:
    """Whether no email of a person is in the output, in URLs or in headers."""
    given = [*case.consents, *case.known_before]
    for run in case.runs:
        emails = dict.fromkeys([*given, *(email for request in run.requests for email in request.emails)])
        found = [*_found(run, {email: masked(email) for email in emails})]
        yield from found
        if not found and emails:
            places = "URLs" if run.recorded else "output, URLs and headers"
            yield seen(True, f"no email in {places}", run)


def _found(run: Run, names: Mapping[str, str]) -> Iterator[Evidence]:
    """One piece of evidence for each place that contains some of `names`, which are shown by their values."""
    for place, text in (("standard output", run.output), ("standard error", run.error_output)):
        shown = _shown(text, names)
        if shown:
            yield seen(False, f"{place} has {shown}", run)
    for name, requests in _by_place(run, names).items():
        yield seen(False, name, run, *requests)


def _by_place(run: Run, names: Mapping[str, str]) -> Mapping[str, list[SentRequest]]:
    places: dict[str, list[SentRequest]] = {}
    for request in run.requests:
        headers = [(f"the header {name}", text) for name, text in request.envelope.headers.items()]
        for place, text in [("the URL", unquote_plus(request.envelope.url)), *headers]:
            shown = _shown(text, names) if place != f"the header {_AUTHORIZATION}" else None
            if shown:
                places.setdefault(f"{place} has {shown}", []).append(request)
    return places


def _shown(text: str, names: Mapping[str, str]) -> str | None:
    lowered = text.lower()
    found = [shown for name, shown in names.items() if name.lower() in lowered] if text else []
    if not found:
        return None
    return found[0] if len(found) == 1 else f"{found[0]} and {len(found) - 1:,} more"
