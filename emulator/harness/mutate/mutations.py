"""All mutations of a workspace, in the order of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from emulator.errors import InputError, WorkspaceError, unknown
from emulator.harness.mutate.mapping_mutations import mapping_changes
from emulator.harness.mutate.mutation import (
    KINDS,
    SWAP_EMAIL,
    TOGGLE,
    Document,
    Mutation,
    Path,
    anchors_of,
    full_mapping,
    place_of,
    shown,
    without_repetitions,
)
from emulator.harness.mutate.trigger_mutations import trigger_changes
from emulator.ids import Ids
from emulator.segment.delivery.subscriptions import definition_of
from emulator.workspace import ALL, FIRST, LAST, Destination, Workspace, parse_workspace

_ALL_ADDRESSES = "every address"
_ENTERED = "entered"


def mutations_of(document: Document) -> list[Mutation]:
    """The mutations of a workspace in its JSON form; what is switched off in it has none. Raises WorkspaceError."""
    found = without_repetitions(_of_workspace(document, parse_workspace(document)))
    return [each for each in found if _is_possible(each, document)]


def chosen(mutations: Sequence[Mutation], *, only: Sequence[str] = (), sample: int | None, seed: int) -> list[Mutation]:
    """Those of some kinds (all without one), and of these a random sample, in their order. Raises InputError."""
    for kind in only:
        if kind not in KINDS:
            raise unknown("kind of mutation", kind, KINDS, where="only")
    if not mutations:
        raise InputError(
            "there is nothing to mutate",
            where="workspace",
            hint="A workspace needs a destination instance that is on, with a mapping that is on.",
        )
    of_kind = [each for each in mutations if not only or each.kind in only]
    if not of_kind:
        raise InputError(
            "the workspace has no mutation of this kind",
            where="only",
            found=", ".join(only),
            allowed=", ".join(kind for kind in KINDS if any(each.kind == kind for each in mutations)),
        )
    if sample is None or sample >= len(of_kind):
        return of_kind
    positions = Ids(seed).stream("mutations").sample(range(len(of_kind)), sample)
    return [of_kind[position] for position in sorted(positions)]


def _is_possible(mutation: Mutation, document: Document) -> bool:
    changed = mutation.applied(document)
    if changed is None:
        return False
    try:
        parse_workspace(changed)
    except WorkspaceError:
        return False
    return True


def _of_workspace(document: Document, workspace: Workspace) -> Iterator[Mutation]:
    for index, destination in enumerate(workspace.destinations):
        if destination.enabled:
            yield from _of_destination(document, destination, ("destinations", index))


def _of_destination(document: Document, destination: Destination, at: Path) -> Iterator[Mutation]:
    yield _made(document, TOGGLE, (*at, "enabled"), True, False)
    for index, connection in enumerate(destination.connections):
        place = (*at, "audiences", index)
        if connection.send_track:
            yield _made(document, TOGGLE, (*place, "sendTrack"), True, False)
        if connection.send_identify:
            yield _made(document, TOGGLE, (*place, "sendIdentify"), True, False)
        yield from _of_emails(document, connection.email, place)
    for index, step in enumerate(destination.step_connections):
        place = (*at, "journeySteps", index)
        if step.events == ALL:
            yield _made(document, TOGGLE, (*place, "events"), ALL, _ENTERED)
        yield from _of_emails(document, step.email, place)
    for index, subscription in enumerate(destination.subscriptions):
        if subscription.enabled:
            yield from _of_subscription(document, destination, (*at, "subscriptions", index))


def _of_emails(document: Document, strategy: str | None, at: Path) -> Iterator[Mutation]:
    """Other addresses of a person than those that are sent now."""
    if strategy is None:
        return
    written = _at(document, at).get("email")
    other: Any = FIRST if strategy == LAST else True
    before = _ALL_ADDRESSES if strategy not in (FIRST, LAST) else strategy
    after = LAST if other is True else FIRST
    yield _made(document, SWAP_EMAIL, (*at, "email"), written, other, before=before, after=after)


def _of_subscription(document: Document, destination: Destination, at: Path) -> Iterator[Mutation]:
    yield _made(document, TOGGLE, (*at, "enabled"), True, False)
    given = _at(document, at)
    for change in trigger_changes(given["trigger"]):
        yield _made(document, change.kind, (*at, "trigger"), given["trigger"], change.text)
    action = definition_of(destination).actions.get(given["action"])
    for each in mapping_changes(full_mapping(document, at), action.fields if action else ()):
        path = (*at, "mapping", *each.path)
        named = None if each.named is None else (*at, "mapping", *each.named)
        inherited = each.path[0] not in given.get("mapping", {})
        yield _made(
            document,
            each.kind,
            path,
            each.old,
            each.new,
            before=each.before,
            after=each.after,
            named=named,
            inherited=inherited,
        )


def _made(
    document: Document,
    kind: str,
    path: Path,
    old: Any,
    new: Any,
    *,
    before: str | None = None,
    after: str | None = None,
    named: Path | None = None,
    inherited: bool = False,
) -> Mutation:
    return Mutation(
        kind=kind,
        path=path,
        old=old,
        new=new,
        place=place_of(named or path),
        before=shown(old) if before is None else before,
        after=shown(new) if after is None else after,
        anchors=anchors_of(document, path),
        inherited=inherited,
    )


def _at(document: Document, path: Path) -> Any:
    found: Any = document
    for key in path:
        found = found[key]
    return found
