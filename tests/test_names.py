"""Names of modules and classes: the field's terms, and one meaning for each name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "emulator"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Names that were given up. `exchange` stays for a recorded one, the only meaning left.
FORMER_MODULES = """
    answers awkward bodies carried channels comparing concurrency connection connections editions exchange_view
    exchanges execution faces happenings intake known memory moments read_models reading regulations remembering
    reports retries second_opinion setting slips space starting stories story troubles vocabulary wording world
"""
FORMER_CLASSES = """
    Judgement Answered Answers Memory Needs Known ProfileBook Failed Reception Passage Delivery Work Offer
    Settlement Crowd Voice Disorder Vocabulary Carried Asked Listing RecordSettled Incoming Reading Complaint Instead
    Cut Rejecting Line Reply Answer World SegmentFace StackAdaptFace ClockFace Story Troubles Stage Happening Walk
    Subject SecondOpinion Edition Strike
"""
# Names that several packages use, each for one thing.
SEEN_FROM_ANOTHER_PACKAGE = """
    clock control coverage demo documentation drift emulator explain faults fidelity grade graphql http journal
    journeys load mutate plan profiles queries rate_limit reasons replay sandboxes scenarios segment segments service
    snapshot stackadapt store tables upgrade_check workspace
"""
TERMS_OF_THE_VENDORS = "advertisers calls deletions emails mappings profile_lists uploads user_errors"
SHARED = {
    **dict.fromkeys(SEEN_FROM_ANOTHER_PACKAGE.split(), "the thing of that name"),
    **dict.fromkeys(TERMS_OF_THE_VENDORS.split(), "the vendor's term: its rules, its resolvers, its checks"),
    "actions": "what is done: by a destination, in a scenario",
    "audience_events": "the events of an audience: made, checked",
    "definition": "what a destination or a fault is declared to be",
    "document": "a GraphQL document: written, read",
    "events": "things that happened",
    "expectations": "what a test or scenario expects",
    "funnel": "the funnel: computed, asked for over HTTP, printed",
    "names": "names",
    "response": "an HTTP response",
    "rules": "rules",
    "schema": "what data must look like",
    "start": "the start of a server: with which workspace, in the background",
    "status": "a status: of a server, and of a response that a fault changes",
    "text": "text",
    "values": "how values are read",
    "wait": "waiting: the endpoint, and the command that waits for a server",
    "why": "why someone did not arrive: the diagnosis, its endpoint, its command",
    "workers": "processes that share work",
}


def test_former_names_of_modules_are_gone() -> None:
    assert {path.stem for path in MODULES} & {*FORMER_MODULES.split()} == set()


def test_former_names_of_classes_are_gone() -> None:
    classes = {
        node.name.lstrip("_")
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert classes & {*FORMER_CLASSES.split()} == set()


def test_modules_of_one_name_mean_one_thing() -> None:
    places = defaultdict(list)
    for path in MODULES:
        places[path.parent.name if path.stem == "__init__" else path.stem].append(path.relative_to(PACKAGE).as_posix())
    shared = {name: sorted(paths) for name, paths in places.items() if len(paths) > 1}
    assert {name: paths for name, paths in shared.items() if name not in SHARED} == {}
    assert SHARED.keys() - shared.keys() == set(), "names that are no longer shared"
