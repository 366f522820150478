"""The requests of the probes that write. Each names made people by a letter: `a` is `<mail a>` with the id `<id a>`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from emulator.harness.probe.forms import items
from emulator.harness.probe.probe_parts import Observe, Phase, Probe, ProbeResponses, Request, query

PROVIDER: Final = "segmentio"
# The audience whose members the segment must have that is given.
AUDIENCE_ID, AUDIENCE_NAME = "fidelity-probe", "fidelity probe"
# The day that another rule of the segment is about, for the values of a property, which no query has.
SEGMENT_DAY: Final = "1901-02-03"
SEGMENT_RULE: Final[Mapping[str, Any]] = {
    "any": [
        {"field": "segment_engage_audience_name", "operator": "equals", "value": AUDIENCE_NAME},
        {"field": "birth_date", "operator": "equals", "value": SEGMENT_DAY},
    ]
}
IN_SEGMENT: Final = {"segmentId": "<segment>"}
ENTER: Final = {"action": "enter", "audienceId": AUDIENCE_ID, "audienceName": AUDIENCE_NAME}
EXIT: Final = {**ENTER, "action": "exit"}

_UPSERT: Final = (
    "mutation ($i: UpsertProfilesInput!) { upsertProfiles(input: $i) { clientMutationId userErrors { message path } } }"
)
_FOUND: Final = "{ size profiles(first: 10) { nodes { email marketingStatus sources } } }"


def write(probe: str, title: str, rows: str, observe: Observe, *stages: Phase, **more: Any) -> Probe:
    """A probe that writes; `rows` are joined by blanks."""
    return Probe(id=probe, title=title, rows=tuple(rows.split()), stages=stages, observe=observe, writes=True, **more)


def mutation(name: str, field: str, kind: str, given: Mapping[str, Any], shown: str = "") -> Request:
    """A mutation with one input; `shown` are the fields of its payload besides the user errors."""
    return query(name, f"mutation ($i: {kind}!) {{ {field}(input: $i) {{ {shown} userErrors {{ message path }} }} }}",
                 i=given)  # fmt: skip


def upsert(name: str, *records: Mapping[str, Any], provider: str = PROVIDER, **given: Any) -> Request:
    """Profiles, as the published client sends them: as a string of JSON."""
    return upsert_raw(name, json.dumps(records), provider=provider, **given)


def upsert_raw(name: str, profiles: Any, *, provider: str = PROVIDER, **given: Any) -> Request:
    """Profiles in any form."""
    own = {"advertiserId": "<advertiser>", "externalProvider": provider, "profiles": profiles, **given}
    return query(name, _UPSERT, i=own)


def person(letter: str, **more: Any) -> dict[str, Any]:
    """The record of a made person with an external id."""
    return {"email": f"<mail {letter}>", "userId": f"<id {letter}>", **more}


def mapping(name: str, provider: str, *columns: tuple[str, ...], **given: Any) -> Request:
    """`upsertProfileMapping` with these incoming and destination keys and types; without columns there is no schema."""
    schema = {"mappingSchemaV2": [column(*each) for each in columns]} if columns else {}
    own = {"advertiserId": "<advertiser>", "mappableType": provider, **schema, **given}
    return mutation(name, "upsertProfileMapping", "ProfileMappingInput", own, "profileMapping { id mappingSchema }")


def audience_mapping(name: str) -> Request:
    """The audience mapping of the published client."""
    columns = [column("audienceId", "external_id"), column("audienceName", "name")]
    own = {"advertiserId": "<advertiser>", "mappableType": PROVIDER, "mappingSchema": columns}
    return mutation(name, "upsertExternalAudienceMapping", "ExternalAudienceMappingInput", own)


def column(incoming: str, destination: str, data_type: str = "STRING") -> dict[str, Any]:
    """A column of a mapping."""
    return {
        "incomingKey": incoming,
        "destinationKey": destination,
        "label": destination,
        "type": data_type,
        "isPii": destination == "email",
    }


def look(name: str, *letters: str, of: str = "mail", **filters: str) -> Request:
    """Looks for made people, one by one, with further filters; `of` is another mark for their addresses."""
    names = {letter: letter.replace("-", "_") for letter in letters}
    declared = ", ".join(f"${each}: ProfileFilters" for each in names.values())
    fields = " ".join(f"{each}: cdpProfiles(advertiserId: $id, filterBy: ${each}) {_FOUND}" for each in names.values())
    given = {each: {"email": f"<{of} {letter}>", **filters} for letter, each in names.items()}
    return query(name, f"query ($id: ID!, {declared}) {{ {fields} }}", id="<advertiser>", **given)


def found(answers: ProbeResponses, name: str, letter: str) -> list[Mapping[str, Any]]:
    """The profiles of a made person in the newest answer to a `look`."""
    profiles = answers[name].at_path(f"data.{letter}.profiles.nodes")
    return [each for each in profiles if isinstance(each, Mapping)] if isinstance(profiles, list) else []


def is_there(answers: ProbeResponses, name: str, letter: str) -> str:
    """`there` or `not there`."""
    return "there" if found(answers, name, letter) else "not there"


def status(answers: ProbeResponses, name: str, letter: str) -> str:
    """The marketing status of a made person."""
    return next((str(each.get("marketingStatus")) for each in found(answers, name, letter)), "not there")


def sources(answers: ProbeResponses, name: str, letter: str) -> list[str]:
    """The sources of a made person."""
    return [str(source) for each in found(answers, name, letter) for source in items(each.get("sources"))]
