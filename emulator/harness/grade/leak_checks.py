"""What a client shows to others: secrets and people in its output, in URLs and in headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from emulator.harness.grade.content_checks import masked
from emulator.harness.grade.seen_in_runs import Case, Evidence, seen
from emulator.harness.grade.sent_requests import Run, SentRequest

# The header in which a token belongs.
_AUTHORIZATION = "authorization"
# A shorter secret would be found in ordinary words.
_SHORTEST = 6
# What continues a value makes another one of it; in an address, that can be a sign between letters or digits.
_WORD_BEFORE, _WORD_AFTER = r"(?<![^\W_])", r"(?![^\W_])"
_ADDRESS_BEFORE, _ADDRESS_AFTER = r"(?<!\w)(?<!\w[.+-])", r"(?!\w|[.-]\w)"
_AT: Final = "@"


def keeps_tokens(case: Case) -> Iterator[Evidence]:
    """Whether tokens are in no place but the header `Authorization`."""
    names = {secret: name for name, secret in case.secrets.items() if len(secret) >= _SHORTEST}
    for run in case.runs:
        found = [*_found(run, names)]
        yield from found
        if not found and _shows_something(run):
            yield seen(True, f"no token in {_places(run)}", run)


def keeps_people(case: Case) -> Iterator[Evidence]:
    """Whether no email or phone number of a person is in the output, in URLs or in headers."""
    given = [*case.consents, *case.known_before]
    for run in case.runs:
        emails = dict.fromkeys([*given, *(email for request in run.requests for email in request.emails)])
        phones = dict.fromkeys(phone for request in run.requests for phone in request.phones)
        found = [*_found(run, {each: masked(each) for each in emails} | {each: f"{each[:3]}…" for each in phones})]
        yield from found
        if not found and emails and _shows_something(run):
            yield seen(True, f"no email and no phone number in {_places(run)}", run)


def _shows_something(run: Run) -> bool:
    return bool(run.requests) or not run.recorded


def _places(run: Run) -> str:
    return "URLs" if run.recorded else "output, URLs and headers"


def whole_values(text: str, values: Iterable[str]) -> Iterator[str]:
    """Those of `values` that are in `text`, as they are or in percent-encoding, in upper or lower case.

    `x.ada@example.com` and `ada@example.com.au` do not have `ada@example.com`; `token-1` has the token `token`.
    """
    lowered = text.lower()
    searched = f"{lowered}\n{unquote(lowered)}" if "%" in lowered else lowered
    # Output may be megabytes, and people are many.
    addresses = "\n".join(dict.fromkeys(word for word in searched.split() if _AT in word))
    for value in values:
        name = value.lower()
        if _AT in name:
            if name in addresses and _has(addresses, f"{_ADDRESS_BEFORE}{re.escape(name)}{_ADDRESS_AFTER}"):
                yield value
        elif name in searched and _has(searched, f"{_WORD_BEFORE}{re.escape(name)}{_WORD_AFTER}"):
            yield value


def _has(text: str, pattern: str) -> bool:
    return re.search(pattern, text) is not None


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
        for place, text in [("the URL", request.envelope.url), *headers]:
            shown = _shown(text, names) if place != f"the header {_AUTHORIZATION}" else None
            if shown:
                places.setdefault(f"{place} has {shown}", []).append(request)
    return places


def _shown(text: str, names: Mapping[str, str]) -> str | None:
    found = [names[value] for value in whole_values(text, names)]
    if not found:
        return None
    return found[0] if len(found) == 1 else f"{found[0]} and {len(found) - 1:,} more"
