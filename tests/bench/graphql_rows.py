"""Rows of StackAdapt's API over HTTP, beside the stub: round trips, large documents, pages, many connections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory

from tests.bench import documents, servers
from tests.bench.client import Answers, drive, each
from tests.bench.progress import steps
from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale
from tests.bench.servers import Server

_WARM_UP = 200
_EIGHT = 8
_MANY = (64, 512)

Values = Mapping[str, list[float]]


@contextmanager
def _started(*, data: bool = False, naive: bool = False) -> Iterator[dict[str, Server]]:
    """The emulator and its peers, warm. With `data` the emulator a second time, with files."""
    with ExitStack() as opened:
        started = {"memory": opened.enter_context(servers.emulator())}
        if data:
            folder = opened.enter_context(TemporaryDirectory())
            started["data"] = opened.enter_context(servers.emulator("--data", folder))
        if naive:
            started["naive"] = opened.enter_context(servers.naive())
        started["yoga"] = opened.enter_context(servers.yoga())
        warm = documents.one_profile(_WARM_UP, seed=9)
        for server in started.values():
            drive(server.port, each(warm)).checked()
        yield started


def one(scale: Scale) -> Results:
    """One-profile mutations, over one connection and over eight."""
    sent = documents.one_profile(scale.one_profile_documents)
    found: defaultdict[str, list[float]] = defaultdict(list)
    position = 0

    def next_document(_: int) -> bytes:
        nonlocal position
        position += 1
        return sent[position % len(sent)]

    with _started(naive=True) as started:
        for _ in steps("one profile, round", range(scale.rounds)):
            for name, server in started.items():
                # Every server gets the same documents, none of them twice within thousands of requests.
                position = 0
                alone = drive(server.port, next_document, seconds=scale.seconds).checked()
                found[f"{name} p50"].append(alone.milliseconds(0.5))
                found[f"{name} p99"].append(alone.milliseconds(0.99))
                if name != "naive":
                    eight = drive(server.port, next_document, connections=_EIGHT, seconds=scale.seconds).checked()
                    found[f"{name} rate"].append(eight.rate)
    return {
        "one-p50": _beside(found, "memory p50", "yoga p50"),
        "one-p99": _beside(found, "memory p99", "yoga p99"),
        "one-naive": _beside(found, "memory p50", "naive p50"),
        "one-8": _beside(found, "memory rate", "yoga rate"),
    }


def thousand(scale: Scale) -> Results:
    """Documents with 1,000 profiles."""
    sent = documents.thousand_profiles(scale.thousands * (scale.rounds + 1))
    found: defaultdict[str, list[float]] = defaultdict(list)
    with _started(data=True) as started:
        for turn in steps("thousand profiles, round", range(scale.rounds + 1)):
            these = sent[turn * scale.thousands : (turn + 1) * scale.thousands]
            for name, server in started.items():
                answers = drive(server.port, each(these)).checked()
                found[name].append(answers.rate * documents.A_DOCUMENT)
    # The first turn warms up.
    warm = {name: rates[1:] for name, rates in found.items()}
    return {
        "thousand-memory": _beside(warm, "memory", "yoga"),
        "thousand-data": _beside(warm, "data", "yoga"),
    }


def page(scale: Scale) -> Results:
    """A page of 100 profiles among many."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    with _started() as started:
        for server in started.values():
            fill(server, 0, scale.page_profiles)
        for _ in steps("page, round", range(scale.rounds)):
            for name, server in started.items():
                found[name].append(_pages(server, scale.pages).milliseconds(0.5))
    return {"page": _beside(found, "memory", "yoga")}


def million(scale: Scale) -> Results:
    """A page of 100 profiles among a thousand and among a million, with `--data`: a million may not fit in memory."""
    few, many = [], []
    with TemporaryDirectory() as folder, servers.emulator("--data", folder) as server:
        fill(server, 0, documents.A_DOCUMENT)
        _pages(server, scale.pages)
        few += [_pages(server, scale.pages).milliseconds(0.5) for _ in range(scale.rounds)]
        fill(server, documents.A_DOCUMENT, scale.million_profiles)
        many += [_pages(server, scale.pages).milliseconds(0.5) for _ in range(scale.rounds)]
    return {"million": Measured(figures=many, peers=few)}


def mixed(scale: Scale) -> Results:
    """Mutations and pages in turn over many connections."""
    mutations = documents.one_profile(scale.one_profile_documents)
    page_request = documents.graphql(documents.PAGE)

    def request(number: int) -> bytes:
        return page_request if number % 2 else mutations[number // 2 % len(mutations)]

    found: defaultdict[str, list[float]] = defaultdict(list)
    with _started() as started:
        for connections in steps("mixed, round", _MANY * scale.mixed_rounds):
            for name, server in started.items():
                answers = drive(server.port, request, connections=connections, seconds=scale.mixed_seconds)
                found[f"{name} {connections}"].append(answers.rate)
                found[f"{name} {connections} p50"].append(answers.milliseconds(0.5))
                found[f"{name} {connections} p99"].append(answers.milliseconds(0.99))
                found[f"{name} errors"].append(answers.errors.total())
    rows = {}
    for connections in _MANY:
        rows[f"mixed-{connections}"] = _beside(found, f"memory {connections}", f"yoga {connections}")
        rows[f"mixed-{connections}-p99"] = _beside(found, f"memory {connections} p99", f"memory {connections} p50")
    errors = Measured(figures=[sum(found["memory errors"])], peers=[sum(found["yoga errors"])])
    return {**rows, "mixed-512-beside-64": _beside(found, "memory 512", "memory 64"), "mixed-errors": errors}


def fill(server: Server, first: int, end: int) -> None:
    """Stores the profiles of these numbers."""
    starts = steps("documents of a thousand profiles", range(first, end, documents.A_DOCUMENT))

    def request(_: int) -> bytes | None:
        start = next(starts, None)
        return None if start is None else documents.profile_page(start, min(start + documents.A_DOCUMENT, end))

    drive(server.port, request, connections=2, seconds=3600).checked()


def _pages(server: Server, count: int) -> Answers:
    return drive(server.port, each([documents.graphql(documents.PAGE)] * count)).checked()


def _beside(found: Values, mine: str, peer: str) -> Measured:
    return Measured(figures=found[mine], peers=found[peer])
