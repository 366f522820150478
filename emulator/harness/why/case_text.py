"""The case of a person as commands, a test or a scenario: what was sent in, and that the profile becomes visible.

What comes out runs in the workspace of the emulator that it is from, or in another one, and fails as long as the person
does not arrive.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from emulator.errors import unknown
from emulator.harness.why.answer import Question
from emulator.harness.why.evidence import Evidence, Services, Shown, gather
from emulator.harness.why.rerun import UPSERT, Case, upserted
from emulator.harness.why.send_again import known_case
from emulator.yaml_files import dump_yaml

_LATENCY: Final = "4h"
_PERSON: Final = "person"


def case_text(question: Question, services: Services, form: str, *, url: str) -> str:
    """The case in a form of `CASE_FORMS`; `url` is that of the emulator.

    Raises NotFound when nothing that was sent is known, UnknownName for an unknown form.
    """
    if form not in CASE_FORMS:
        raise unknown("form", form, CASE_FORMS, where="as")
    evidence = gather(question, services)
    case = known_case(evidence, services)
    return CASE_FORMS[form](case, evidence, url)


def _curl(case: Case, evidence: Evidence, url: str) -> str:
    """Commands that send it, move the clock and ask why."""
    return "\n".join(_commands(case, evidence, url)) + "\n"


def _commands(case: Case, evidence: Evidence, url: str) -> Iterator[str]:
    for call in case.calls:
        kind, sent = _call(call)
        yield _command(f"{url}/v1/{kind}", sent, "-u", "WRITE_KEY:")
    for body in _bodies(case):
        yield _command(f"{url}/graphql", body, "-H", "Authorization: Bearer TOKEN")
    yield _command(f"{url}/_emulator/clock/advance", {"duration": _LATENCY})
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in _who(evidence).items())
    yield shlex.join(["curl", "-s", f"{url}/_emulator/why?{asked}"])


def _command(url: str, body: Any, *options: str) -> str:
    return shlex.join(["curl", "-s", *options, "--json", _json(body), url])


def _pytest(case: Case, evidence: Evidence, _url: str) -> str:
    """A test with the fixtures of the pytest plugin."""
    lines = [f"    segment.call({kind!r}, {sent!r})" for kind, sent in map(_call, case.calls)]
    for body in _bodies(case):
        query, variables = body["query"], body.get("variables")
        given = f", {variables!r}" if variables else ""
        lines += [f"    stackadapt.post({query!r}{given})"]
    lines += [f"    stackadapt.clock.advance({_LATENCY!r})"]
    who = _who(evidence)
    if "email" in who:
        lines += [f"    stackadapt.expect_profile(email={who['email']!r})"]
    else:
        lines += [f"    assert stackadapt.control.get('profiles', externalId={who['userId']!r})['profiles']"]
    name = re.sub(r"\W+", "_", next(iter(who.values())).lower()).strip("_") or _PERSON
    return "\n".join([f"def test_{name}_becomes_visible(stackadapt, segment):", *lines]) + "\n"


def _scenario(case: Case, evidence: Evidence, _url: str) -> str:
    """A scenario; calls without a user id are sent by their user's email."""
    who = _who(evidence)
    named = next(iter(who.values()))
    steps: list[Shown] = []
    person: Shown = {"email": who["email"]} if "email" in who else {}
    for call in case.calls:
        if call["type"] == "identify":
            traits = {name: value for name, value in call.get("traits", {}).items() if name != "email"}
            person |= {"userId": call["userId"]} if call.get("userId") else {}
            person |= {"traits": traits} if traits else {}
            steps.append({"identify": _PERSON})
        elif call["type"] == "track":
            properties = {"properties": call["properties"]} if call.get("properties") else {}
            steps.append({"track": call["event"], "person": _PERSON, **properties})
    for body in _bodies(case):
        steps.append({"graphql": body["query"], **({"variables": body["variables"]} if body.get("variables") else {})})
    document = {
        "title": f"{named} becomes visible",
        "about": f"What was sent about {named}, and that the profile is visible after {_LATENCY}.",
        "given": {"people": {_PERSON: person}},
        "steps": [{"when": [*steps, {"advance": _LATENCY}], "then": {"profiles": [_PERSON]}}],
    }
    return dump_yaml(document)


def _call(call: Shown) -> tuple[str, Shown]:
    """The route of a call, and its body."""
    return call["type"], {name: value for name, value in call.items() if name not in ("type", "messageId")}


def _bodies(case: Case) -> Iterator[Mapping[str, Any]]:
    """The bodies of the requests to StackAdapt that another client than Segment sent."""
    for record in case.records:
        yield {"query": UPSERT, "variables": {"input": upserted(record)}}
    if case.request is not None:
        try:
            body = json.loads(case.request)
        except (ValueError, RecursionError):
            return
        if isinstance(body, dict) and isinstance(body.get("query"), str):
            yield body


def _who(evidence: Evidence) -> dict[str, str]:
    """The name by which the person is asked for."""
    if evidence.emails:
        return {"email": evidence.emails[0]}
    return {"userId": evidence.users[0]} if evidence.users else {"messageId": str(evidence.question.message_id)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# What each form is made by.
CASE_FORMS: Final[Mapping[str, Callable[[Case, Evidence, str], str]]] = {
    "curl": _curl,
    "pytest": _pytest,
    "scenario": _scenario,
}
