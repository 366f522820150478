"""The probes that write, W9 to W18: memberships, deletions, lists, uploads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.harness.probe.forms import form, items, listed, refused, some
from emulator.harness.probe.limit_probes import SEGMENT
from emulator.harness.probe.probe_parts import Observed, Phase, ProbeResponses, Request, Seen, query
from emulator.harness.probe.write_probes import visibility
from emulator.harness.probe.write_requests import (
    ENTER,
    EXIT,
    IN_SEGMENT,
    PROVIDER,
    audience_mapping,
    column,
    found,
    is_there,
    look,
    mapping,
    mutation,
    person,
    sources,
    status,
    upsert,
    write,
)
from emulator.text import counted_noun

# A provider for which no audience mapping is made, and one whose mapping fills a list.
_WITHOUT_AUDIENCES, _OF_LISTS = "DRIP", "ATTENTIVE"
_OTHER_AUDIENCE: Final = {"action": "enter", "audienceId": "fidelity-probe-2", "audienceName": "fidelity probe 2"}
_MUTATION_ID: Final = "fidelity-probe"


def _waiting_record(answers: ProbeResponses) -> Observed:
    if not found(answers, "profile", "a"):
        return {"ingestion.record-without-email": None}
    member = is_there(answers, "members", "a")
    return {"ingestion.record-without-email": f"a membership that came before its profile: {member}"}


def _memberships(answers: ProbeResponses) -> Observed:
    if not all(found(answers, "profiles", letter) for letter in "abc"):
        return {"ingestion.audience-membership": None, "ingestion.audience-mapping": None}
    members = {letter: is_there(answers, "members", letter) for letter in "abc"}
    return {
        "ingestion.audience-membership": listed({"in two at once": members["a"], "after an exit": members["b"]}),
        "ingestion.audience-mapping": f"without an audience mapping: {members['c']}",
    }


def _deletions(answers: ProbeResponses) -> Observed:
    after = {letter: is_there(answers, "left", letter) for letter in "abe"}
    again = None if not found(answers, "back", "d") else is_there(answers, "back", "c")
    taken = refused(answers["delete"], "deleteProfilesWithExternalIds")
    return {
        "deletion.by-external-id": f"{taken}; named: {after['a']}, not named: {after['b']}",
        "deletion.all-advertisers": f"without advertisers: {after['e']}",
        "deletion.compliance": None if again is None else f"sent again after a compliance deletion: {again}",
        "deletion.hundred-emails": f"101 emails: {refused(answers['many'], 'deleteRawProfiles')}",
    }


def _shared_id(answers: ProbeResponses) -> Observed:
    left = {letter: is_there(answers, "left", letter) for letter in "ab"}
    text = f"one id with two emails, deleted by it: the first is {left['a']}, the second {left['b']}"
    return {"ingestion.external-ids": text, "deletion.by-external-id": text}


def _lists(answers: ProbeResponses) -> Observed:
    ids = [answers[name].at_path("data.createProfileList.profileList.id") for name in ("create", "namesake")]
    mistakes = ("both", "invalid", "unknown")
    taken = {name: refused(answers[name], "updateProfileListProfiles") for name in mistakes}
    kept = f"its profile is {is_there(answers, 'after', 'a')}, the list {form(answers['list-after'])}"
    return {
        "lists.create-or-update": f"{counted_noun(len({*map(str, ids)}), 'list')} of one name"
        if None not in ids
        else None,
        "lists.add-and-remove": listed(taken),
        "lists.members-by-email": f"an address without a profile, later: {is_there(answers, 'members', 'a')}",
        "lists.deletion": kept if found(answers, "members", "a") else None,
        "lists.filled-by-mapping": f"by the name of two lists: in the first {is_there(answers, 'filled', 'd')}",
    }


def _uploads(answers: ProbeResponses) -> Observed:
    done = answers["status"].at_path("data.profileMappingStatus")
    statuses = {
        "new with OPTED_IN": status(answers, "look", "a"),
        "then with PROSPECT": status(answers, "later", "a"),
        "new with PROSPECT": status(answers, "later", "b"),
    }
    seen = found(answers, "look", "a")
    return {
        "uploads.status": Seen(f"{done} in the end", visibility(answers, "visible").value),
        "uploads.own-mapping": f"source {some(sources(answers, 'look', 'a'))}" if seen else None,
        "uploads.owned-status": None if "not there" in statuses.values() else listed(statuses),
    }


def _targets(answers: ProbeResponses) -> Observed:
    targets = answers["targets"].at_path("data.createUploadTargets.targets")
    other = refused(answers["other"], "createUploadTargets")
    if not isinstance(targets, list):
        return {"uploads.targets": f"{refused(answers['targets'], 'createUploadTargets')}; another resource: {other}"}
    named = (each for target in targets if isinstance(target, Mapping) for each in items(target.get("parameters")))
    names = {str(each.get("name")) for each in named if isinstance(each, Mapping)}
    return {"uploads.targets": f"{counted_noun(len(targets), 'target')} with {some(names)}; another resource: {other}"}


def _sync_id(answers: ProbeResponses) -> Observed:
    return {"ingestion.sync-id": f"the second of one syncId: {is_there(answers, 'look', 'b')}"}


def _echo(answers: ProbeResponses) -> Observed:
    echoed = answers["echo"].at_path("data.updateProfileListProfiles.clientMutationId")
    text = "echoed" if echoed == _MUTATION_ID else f"not echoed: {form(answers['echo'])}"
    return {"mutation.client-mutation-id": text, "client-mutation-id": text}


def _webhook(answers: ProbeResponses) -> Observed:
    return {"webhook.integration": f"an unknown integration: {form(answers['webhook'])}"}


def _members_change(name: str, list_id: str, **given: Any) -> Request:
    own = {"advertiserId": "<advertiser>", "ids": [list_id], **given}
    return mutation(name, "updateProfileListProfiles", "UpdateProfileListProfilesInput", own, "clientMutationId")


def _new_list(name: str) -> Request:
    own = {"advertiserId": "<advertiser>", "name": "<list a>"}
    return mutation(name, "createProfileList", "ProfileListInput", own, "profileList { id }")


def _upload(name: str, owned_status: str, *letters: str) -> Request:
    own = {
        "advertiserId": "<advertiser>",
        "mappingSchema": [column("email", "email")],
        "profileOwnedStatus": owned_status,
        "profiles": [{"email": f"<mail {letter}>"} for letter in letters],
    }
    kind = "UserUploadedProfilesWithJSONInput"
    return mutation(name, "createUserUploadedProfilesWithJson", kind, own, "mappableId")


def _new_targets(name: str, resource: str) -> Request:
    own = {"regionIndependent": [{"filename": "probe.csv", "mimeType": "text/csv", "resourceType": resource}]}
    shown = "targets { resourceUrl parameters { name } }"
    return mutation(name, "createUploadTargets", "CreateUploadTargetsInput", own, shown)


def _delete(name: str, *ids: str, **given: Any) -> Request:
    own = {"externalIds": list(ids), "externalProvider": PROVIDER, **given}
    return mutation(name, "deleteProfilesWithExternalIds", "DeleteProfilesWithExternalIdsInput", own)


_LIST: Final = "<create:data.createProfileList.profileList.id>"
_OWN: Final = {"advertiserIds": ["<advertiser>"]}

# The marker appears after the mapping became active.
_AUDIENCE_MAPPED: Final = Phase(
    send=(audience_mapping("map"), upsert("mark", {"email": "<mail marker>"})),
    look=(look("marked", "marker"),),
    appear=("marker",),
)

FURTHER_WRITE_PROBES: Final = (
    write(
        "W3b",
        "A membership of a person without a profile",
        "ingestion.record-without-email",
        _waiting_record,
        _AUDIENCE_MAPPED,
        Phase(
            send=(upsert("early", {"userId": "<id a>", **ENTER}), upsert("other", person("b"))),
            look=(look("others", "b"),),
            appear=("b",),
        ),
        Phase(
            send=(upsert("late", person("a")),),
            look=(look("profile", "a"), look("members", "a", **IN_SEGMENT)),
            appear=("a",),
            whole=True,
        ),
        needs=SEGMENT,
    ),
    write(
        "W9",
        "Memberships: two at once, an exit, no audience mapping",
        "ingestion.audience-membership ingestion.audience-mapping",
        _memberships,
        _AUDIENCE_MAPPED,
        Phase(
            send=(
                upsert("enter", person("a", **ENTER), person("b", **ENTER)),
                upsert("further", person("a", **_OTHER_AUDIENCE), person("b", **EXIT)),
                upsert("unmapped", person("c", **ENTER), provider=_WITHOUT_AUDIENCES),
            ),
            look=(look("profiles", "a", "b", "c"), look("members", "a", "b", "c", **IN_SEGMENT)),
            appear=("a", "b", "c"),
            whole=True,
        ),
        needs=SEGMENT,
    ),
    write(
        "W10",
        "Deletions by external id and by email",
        "deletion.by-external-id deletion.all-advertisers deletion.compliance deletion.hundred-emails",
        _deletions,
        Phase(
            send=(upsert("send", *(person(letter) for letter in "abce")),),
            look=(look("first", "a", "b", "c", "e"),),
            appear=("a", "b", "c", "e"),
        ),
        Phase(
            send=(
                _delete("delete", "<id a>", "<id unknown>", **_OWN),
                _delete("everywhere", "<id e>"),
                mutation(
                    "compliance",
                    "deleteRawProfile",
                    "DeleteRawProfileInput",
                    {"advertiserId": "<advertiser>", "email": "<mail c>", "isComplianceRequest": True},
                ),
                mutation(
                    "many",
                    "deleteRawProfiles",
                    "DeleteRawProfilesInput",
                    {
                        "advertiserId": "<advertiser>",
                        "emails": [f"<mail x{number}>" for number in range(101)],
                        "isComplianceRequest": False,
                    },
                ),
                upsert("control", person("f")),
            ),
            look=(look("left", "a", "b", "e", "f"),),
            appear=("b", "f"),
            whole=True,
        ),
        Phase(
            send=(upsert("again", {"email": "<mail c>"}, {"email": "<mail d>"}),),
            look=(look("back", "c", "d"),),
            appear=("d",),
            whole=True,
        ),
        at_once=("deletion.hundred-emails",),
    ),
    write(
        "W11",
        "Lists: names, members, deletion",
        "lists.create-or-update lists.add-and-remove lists.members-by-email lists.deletion lists.filled-by-mapping",
        _lists,
        Phase(
            send=(
                _new_list("create"),
                _new_list("namesake"),
                _members_change("both", _LIST, addProfilesRawEmail=["<mail b>"], removeProfilesRawEmail=["<mail b>"]),
                _members_change("invalid", _LIST, addProfilesRawEmail=["not an address"]),
                _members_change("unknown", "987654321", addProfilesRawEmail=["<mail b>"]),
                _members_change("add", _LIST, addProfilesRawEmail=["<mail a>"]),
                upsert("send", person("a")),
                mapping("fill", _OF_LISTS, ("probe_note", "probe_note"), profileListName="<list a>"),
            ),
            look=(look("profile", "a"), look("members", "a", listId=_LIST)),
            appear=("a",),
            whole=True,
        ),
        Phase(
            send=(upsert("send-filled", {"email": "<mail d>"}, provider=_OF_LISTS),),
            look=(look("profile-filled", "d"), look("filled", "d", listId=_LIST)),
            appear=("d",),
            whole=True,
        ),
        Phase(
            send=(
                mutation("delete", "deleteProfileList", "DeleteProfileListInput", {"id": _LIST}),
                query(
                    "list-after",
                    "query ($a: ID!, $l: ID!) { advertiser(id: $a) { profileList(profileListId: $l) { id } } }",
                    a="<advertiser>",
                    l=_LIST,
                ),
                look("after", "a"),
            )
        ),
        at_once=("lists.create-or-update", "lists.add-and-remove"),
    ),
    write(
        "W12",
        "An upload: its status, its mapping, its consent",
        "uploads.status uploads.own-mapping uploads.owned-status",
        _uploads,
        Phase(
            send=(_upload("upload", "OPTED_IN", "a"),),
            look=(
                look("look", "a"),
                query(
                    "status",
                    "query ($a: ID!, $m: ID!) { profileMappingStatus(advertiserId: $a, mappableId: $m) }",
                    a="<advertiser>",
                    m="<upload:data.createUserUploadedProfilesWithJson.mappableId>",
                ),
            ),
            appear=("a",),
        ),
        Phase(
            send=(_upload("second", "PROSPECT", "a", "b"),),
            look=(look("later", "a", "b"),),
            appear=("b",),
        ),
    ),
    write(
        "W13",
        "Upload targets",
        "uploads.targets",
        _targets,
        Phase(send=(_new_targets("targets", "CDP_PROFILES"), _new_targets("other", "AD_TAGS"))),
    ),
    write(
        "W14",
        "One syncId twice, with another profile",
        "ingestion.sync-id",
        _sync_id,
        Phase(
            send=tuple(upsert(f"send-{each}", person(each), syncId="<id sync>") for each in "ab"),
            look=(look("look", "a", "b"),),
            appear=("a",),
            whole=True,
        ),
    ),
    write(
        "W16",
        "The echo of clientMutationId",
        "mutation.client-mutation-id client-mutation-id",
        _echo,
        Phase(send=(_members_change("echo", "987654321", clientMutationId=_MUTATION_ID),)),
    ),
    write(
        "W17",
        "An integration that does not exist",
        "webhook.integration",
        _webhook,
        Phase(
            send=(
                query(
                    "webhook",
                    """mutation { dataHubWebhookApi { upsertProfiles(integration: "SHOPIFY", input: {
                    requestId: "fidelity-probe", subAdvertiserId: <advertiser>, integrationId: 987654321, data: [] })
                    { status requestId } } }""",
                ),
            )
        ),
    ),
    write(
        "W18",
        "One external id with two emails, deleted by it",
        "ingestion.external-ids deletion.by-external-id",
        _shared_id,
        Phase(
            send=(upsert("first", {"email": "<mail a>", "userId": "<id shared>"}),),
            look=(look("look-a", "a"),),
            appear=("a",),
        ),
        Phase(
            send=(upsert("second", {"email": "<mail b>", "userId": "<id shared>"}),),
            look=(look("look-b", "b"),),
            appear=("b",),
        ),
        Phase(
            send=(_delete("delete", "<id shared>", **_OWN), upsert("control", {"email": "<mail c>"})),
            look=(look("left", "a", "b", "c"),),
            appear=("c",),
            whole=True,
        ),
    ),
)
