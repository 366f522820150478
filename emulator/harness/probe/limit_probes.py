"""The probes of limits, R12 to R14: headers, a burst of requests, deep documents, a token that may only read."""

from __future__ import annotations

from typing import Final

from emulator.harness.probe.forms import envelope, form, listed, refused, some
from emulator.harness.probe.probe_parts import FOREIGN, Observed, Phase, Probe, ProbeResponses, Seen, query

_DEPTHS: Final = (16, 30)
_ALIASES: Final = 101
BURST: Final = "burst"
SEGMENT: Final = "segment"
READ_ONLY: Final = "read-only"
TOO_MANY: Final = 429


def _headers(answers: ProbeResponses) -> Observed:
    return {"rate-limit.no-headers-on-success": f"headers about limits: {some(answers['read'].headers)}"}


def _burst(answers: ProbeResponses) -> Observed:
    sent = [*answers.named(BURST)]
    refusals = [answer for answer in sent if answer.status == TOO_MANY]
    if not refusals:
        return {"rate-limit.off-by-default": Seen("no status 429", "none"), "faults.status-envelope": None}
    first = refusals[0]
    wait = first.headers.get("retry-after")
    accepted = len(sent) - len(refusals)
    text = f"status 429 after {accepted} requests, {envelope(first)}, Retry-After: {wait or 'absent'}"
    return {
        "rate-limit.off-by-default": Seen(text, {"requests": max(accepted, 1)}),
        "faults.status-envelope": Seen(envelope(first), None),
    }


def _limits(answers: ProbeResponses) -> Observed:
    statuses = {f"depth {depth}": form(answers[f"depth-{depth}"]) for depth in _DEPTHS}
    return {"graphql.limits": listed({**statuses, f"{_ALIASES} aliases": form(answers["aliases"])})}


def _read_only(answers: ProbeResponses) -> Observed:
    taken = {name: refused(answers[name], "upsertProfiles") for name in ("own", "unknown")}
    return {"mutation.unknown-advertiser": listed(taken)}


def _deep(depth: int) -> str:
    """A query of so many fields within each other."""
    inner = depth - 4
    of_type = f"{'ofType { ' * inner}name{' }' * inner}"
    return f'{{ __type(name: "Query") {{ fields {{ type {{ {of_type} }} }} }} }}'


LIMIT_PROBES: Final = (
    Probe(
        id="R12",
        title="Headers about limits",
        rows=("rate-limit.no-headers-on-success",),
        stages=(Phase(send=(query("read", "{ account { currency } }"),)),),
        observe=_headers,
    ),
    Probe(
        id="R13",
        title="A deep document and one with many aliases",
        rows=("graphql.limits",),
        stages=(
            Phase(
                send=(
                    *(query(f"depth-{depth}", _deep(depth)) for depth in _DEPTHS),
                    query("aliases", f"{{ {' '.join(f'a{number}: __typename' for number in range(_ALIASES))} }}"),
                )
            ),
        ),
        observe=_limits,
    ),
    Probe(
        id="R14",
        title="A change by a token that may only read",
        rows=("mutation.unknown-advertiser",),
        stages=(
            Phase(
                send=tuple(
                    query(
                        name,
                        "mutation ($i: UpsertProfilesInput!) { upsertProfiles(input: $i) { userErrors { path } } }",
                        i={"advertiserId": advertiser, "externalProvider": "segmentio", "profiles": "[]"},
                    )
                    for name, advertiser in (("own", "<advertiser>"), ("unknown", FOREIGN[1]))
                )
            ),
        ),
        observe=_read_only,
        writes=True,
        needs=READ_ONLY,
        unseen="The token may write.",
    ),
)


def burst_probe(count: int) -> Probe:
    """So many requests in a row; the only probe that goes on after a status 429."""
    return Probe(
        id="R12b",
        title=f"A burst of {count} requests",
        rows=("rate-limit.off-by-default", "faults.status-envelope"),
        stages=(Phase(send=tuple(query(f"{BURST}-{number}", "{ __typename }") for number in range(count))),),
        observe=_burst,
        needs=BURST,
        unseen="No request was refused.",
    )
