"""The actions of a scenario: a function for each verb, which is the key of the action in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.harness.client import ClockClient
from emulator.harness.scenarios.model import Action, Document, FindPerson, ScenarioRun, workspace_of

# Written instead of the name of a token for a request without one.
ANONYMOUS = "none"


def _identify(given: Document, find: FindPerson) -> Action:
    person, changes, fields = find(given["identify"]), given.get("traits", {}), _fields(given)
    return Action(run=lambda run: run.segment.identify(person.user_id, person.all_traits(changes), **fields))


def _batch(given: Document, find: FindPerson) -> Action:
    """Identify calls of several people in one request."""
    people = [find(name) for name in given["batch"]]
    calls = [{"type": "identify", "userId": each.user_id, "traits": each.all_traits()} for each in people]
    return Action(run=lambda run: run.segment.call("batch", {"batch": calls}))


def _track(given: Document, find: FindPerson) -> Action:
    person, event, properties = find(given["person"]), given["track"], given.get("properties", {})
    fields = _fields(given)
    return Action(run=lambda run: run.segment.track(person.user_id, event, properties, **fields))


def _fields(given: Document) -> dict[str, Any]:
    """The fields of a call that say where it may go."""
    consent = {"context": {"consent": {"categoryPreferences": given["consent"]}}} if "consent" in given else {}
    return consent | ({"integrations": given["integrations"]} if "integrations" in given else {})


def _enter(given: Document, find: FindPerson) -> Action:
    user = find(given["person"]).as_user()
    return Action(run=lambda run: run.segment.enter_audience(given["enter"], **user))


def _exit(given: Document, find: FindPerson) -> Action:
    user = find(given["person"]).as_user()
    return Action(run=lambda run: run.segment.exit_audience(given["exit"], **user))


def _advance(given: Document, _: FindPerson) -> Action:
    return Action(run=lambda run: ClockClient(run.endpoint).advance(given["advance"]))


def _change(given: Document, _: FindPerson) -> Action:
    """Changes the workspace as `given` does, from what it is now."""

    def change(run: ScenarioRun) -> None:
        control = run.endpoint.control
        now = control.get("workspace")["workspace"]
        control.put("workspace", workspace_of(given["change"], where="change", base=now))

    return Action(run=change)


def _compute(given: Document, _: FindPerson) -> Action:
    audience, connected = given["compute"], {name: given[name] for name in ("destination", "resync") if name in given}
    return Action(run=lambda run: run.segment.compute(audience, **connected))


def _control(given: Document, _: FindPerson) -> Action:
    """A request to the control API, written as `METHOD path`."""
    method, path = given["control"].split(" ", 1)
    return Action(run=lambda run: run.endpoint.control.request(method, path, given.get("body")))


def _fault(given: Document, _: FindPerson) -> Action:
    return Action(run=lambda run: run.stackadapt.add_fault(**given))


def _delete(given: Document, find: FindPerson) -> Action:
    """A deletion regulation."""
    person = find(given["delete"])
    return Action(run=lambda run: run.deletions.extend(run.segment.delete(person.user_id)["destinations"]))


def _regulate(given: Document, find: FindPerson) -> Action:
    """A regulation of any type."""
    person, kind = find(given["person"]), given["regulate"]

    def regulate(run: ScenarioRun) -> None:
        for subject in run.segment.regulate(kind, person.user_id)["subjects"]:
            run.deletions.extend(subject["destinations"])

    return Action(run=regulate)


def _graphql(given: Document, _: FindPerson) -> Action:
    """A request to StackAdapt with a named token, `ANONYMOUS`, or by default a token that may write."""
    document, token = given["graphql"], given.get("token")

    def send(run: ScenarioRun) -> None:
        endpoint, variables = run.endpoint, dict(given.get("variables", {}))
        if "$advertiserId" in document:
            variables.setdefault("advertiserId", endpoint.advertiser_id)
        secret = endpoint.token if token is None else endpoint.tokens.get(token)
        run.responses.append(
            endpoint.client.post(
                endpoint.graphql_path,
                json={"query": document, "variables": variables, **given.get("members", {})},
                headers={} if secret is None else {"authorization": f"Bearer {secret}"},
            )
        )

    tokens = frozenset() if token in (None, ANONYMOUS) else frozenset({str(token)})
    return Action(run=send, needs_emulator=False, tokens=tokens)


READERS: Mapping[str, Callable[[Document, FindPerson], Action]] = {
    "identify": _identify,
    "batch": _batch,
    "track": _track,
    "enter": _enter,
    "exit": _exit,
    "advance": _advance,
    "change": _change,
    "compute": _compute,
    "control": _control,
    "fault": _fault,
    "delete": _delete,
    "regulate": _regulate,
    "graphql": _graphql,
}


def read_action(given: Document, find: FindPerson) -> Action:
    """The action of an item of `when` that matches the schema."""
    verb = next(verb for verb in READERS if verb in given)
    return READERS[verb](given, find)
