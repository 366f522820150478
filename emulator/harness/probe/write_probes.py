"""The probes that write, W1 to W8: what is accepted, and under which mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from emulator.harness.probe.forms import listed, refused, some
from emulator.harness.probe.probe_parts import FOREIGN, Observed, Phase, ProbeResponse, ProbeResponses, Seen, query
from emulator.harness.probe.write_requests import (
    column,
    found,
    is_there,
    look,
    mapping,
    person,
    sources,
    status,
    upsert,
    upsert_raw,
    write,
)
from emulator.text import counted_noun

_FIELD: Final = "upsertProfiles"
_MANY: Final = (1_001, 10_001)
_DEPTH: Final = 100
# Mappings are kept by provider: these have none yet, and nothing else is sent under their names.
_OF_OPT_IN, _OF_COLUMNS, _OF_IDENTITY, _OF_RACE = "KLAVIYO", "ITERABLE", "MAILCHIMP", "BRAZE"
_PROVIDERS: Final = {"a": "segmentio", "b": "segment_io", "c": "SEGMENT_IO", "d": "no_such_provider"}


def _unknown_advertiser(answers: ProbeResponses) -> Observed:
    return {"mutation.unknown-advertiser": refused(answers["unknown"], _FIELD)}


def _forms(answers: ProbeResponses) -> Observed:
    forms = ("list", "broken", "object", "deep", "empty")
    sizes = {f"{number:,} profiles": refused(answers[f"many-{number}"], _FIELD) for number in _MANY}
    return {
        "ingestion.profiles-argument": listed({name: refused(answers[name], _FIELD) for name in forms}),
        "ingestion.batch-limit": listed(sizes),
    }


def _bad_email(answers: ProbeResponses) -> Observed:
    taken = {name: refused(answers[name], _FIELD) for name in ("bad", "none")}
    return {"ingestion.email-required": listed({"not an address": taken["bad"], "no email and no id": taken["none"]})}


def _spellings(answers: ProbeResponses) -> Observed:
    exact, loud = found(answers, "exact", "a"), found(answers, "loud", "a")
    shown = {str(each.get("email")) for each in (*exact, *loud)}
    if not shown:
        return {"ingestion.email-identity": None}
    lower = all(email == email.strip().lower() for email in shown)
    return {"ingestion.email-identity": f"{counted_noun(len(shown), 'profile')}, in lower case: {lower}"}


def _providers(answers: ProbeResponses) -> Observed:
    taken = {provider: refused(answers[f"send-{letter}"], _FIELD) for letter, provider in _PROVIDERS.items()}
    shown = {source for letter in "abc" for source in sources(answers, "look", letter)}
    accepted = refused(answers["send-a"], _FIELD) == "accepted"
    return {
        "ingestion.provider": f"{listed(taken)}; source {some(shown)}",
        "ingestion.asynchronous": visibility(answers, "visible") if accepted else None,
    }


def visibility(answers: ProbeResponses, word: str) -> Seen:
    """Whether something was visible in time; the value is the latency that fits, from above."""
    if answers.waited is None:
        return Seen(f"not {word} in time", "longer")
    minutes = round(answers.waited * 60)
    hours = f"{minutes // 60}h" if minutes >= 60 else ""
    rest = f"{minutes % 60}m" if minutes % 60 else ""
    return Seen(f"{word} in time", f"{hours}{rest}" or "instant")


def _columns(answers: ProbeResponses) -> Observed:
    schema = answers["map"].at_path("data.upsertProfileMapping.profileMapping.mappingSchema")
    keys = schema[0].keys() if isinstance(schema, list) and schema and isinstance(schema[0], dict) else None
    return {
        "mapping.output-keys": None if keys is None else f"keys {some(keys)}",
        "ingestion.email-key": f"an email without a column: {is_there(answers, 'look', 'a')}",
    }


def _identity(answers: ProbeResponses) -> Observed:
    ids = {name: _mapping_of(answers[name]).get("id") for name in ("once", "again", "spelled", "other")}
    if None in ids.values():
        return {"mapping.identity": None, "mapping.absent-schema": None}
    kept = _mapping_of(answers["bare"]).get("mappingSchema")
    same = {name: "the same" if ids[name] == ids["once"] else "another" for name in ("again", "spelled", "other")}
    return {
        "mapping.identity": listed(same),
        "mapping.absent-schema": f"columns kept: {bool(kept)}",
    }


def _mapping_of(answer: ProbeResponse) -> dict[str, Any]:
    shown = answer.at_path("data.upsertProfileMapping.profileMapping")
    return shown if isinstance(shown, dict) else {}


def _opt_in(answers: ProbeResponses) -> Observed:
    statuses = {
        "new with true": status(answers, "look-true", "a"),
        "then with false": status(answers, "look-false", "a"),
        "new with false": status(answers, "look-false", "b"),
        "new without": status(answers, "look-absent", "c"),
    }
    return {"ingestion.marketing-status": None if "not there" in statuses.values() else listed(statuses)}


def _race(answers: ProbeResponses) -> Observed:
    of_old, of_new = (is_there(answers, "look", letter) for letter in "ab")
    if of_old == of_new:
        return {"ingestion.mapping-in-force": None}
    return {"ingestion.mapping-in-force": listed({"read by the mapping before": of_old, "by the one after": of_new})}


_RACED: Final = [{"email": "<mail a>", "probe_mail": "<mail b>"}]
_SAME: Final = [{"email": "<mail a>"}]

_CONSENTS: Final[Sequence[tuple[str, Mapping[str, Any], str]]] = (
    ("true", {"isOptedIn": True}, "a"),
    ("false", {"isOptedIn": False}, "ab"),
    ("absent", {}, "c"),
)


def _consent(name: str, given: Mapping[str, Any], people: str) -> Iterator[Phase]:
    """A mapping and a marker, which appears after the mapping became active; then the people whom it is about."""
    marker = f"after-{name}"
    yield Phase(
        send=(
            mapping(f"map-{name}", _OF_OPT_IN, ("probe_note", "probe_note"), **given),
            upsert(f"mark-{name}", {"email": f"<mail {marker}>"}),
        ),
        look=(look(f"marked-{name}", marker),),
        appear=(marker,),
    )
    yield Phase(
        send=(upsert(f"send-{name}", *({"email": f"<mail {each}>"} for each in people), provider=_OF_OPT_IN),),
        look=(look(f"look-{name}", *people),),
        appear=(people[-1],),
    )


FIRST_WRITE_PROBES: Final = (
    write(
        "W1",
        "Profiles for an unknown advertiser",
        "mutation.unknown-advertiser",
        _unknown_advertiser,
        Phase(send=(upsert_raw("unknown", "[]", advertiserId=FOREIGN[1]),)),
    ),
    write(
        "W2",
        "Profiles in several forms and numbers",
        "ingestion.profiles-argument ingestion.batch-limit",
        _forms,
        Phase(
            send=(
                upsert_raw("list", _SAME),
                upsert_raw("broken", "[{"),
                upsert_raw("object", json.dumps(_SAME[0])),
                upsert_raw("deep", "[" * _DEPTH + "]" * _DEPTH),
                upsert_raw("empty", "[]"),
                *(upsert_raw(f"many-{number}", json.dumps(_SAME * number)) for number in _MANY),
            )
        ),
    ),
    write(
        "W3",
        "Records without a usable email",
        "ingestion.email-required",
        _bad_email,
        Phase(send=(upsert("bad", {"email": "not an address", "userId": "<id a>"}), upsert("none", {"note": "x"}))),
    ),
    write(
        "W4",
        "One address in two spellings",
        "ingestion.email-identity",
        _spellings,
        Phase(
            send=(upsert("spelled", {"email": "<loud a>"}), upsert("plain", {"email": "<mail a>"})),
            look=(look("exact", "a"), look("loud", "a", of="loud")),
            appear=("a",),
            whole=True,
        ),
    ),
    write(
        "W5",
        "Spellings of the provider",
        "ingestion.provider ingestion.asynchronous",
        _providers,
        Phase(
            send=tuple(
                upsert(f"send-{letter}", person(letter), provider=provider) for letter, provider in _PROVIDERS.items()
            ),
            look=(look("look", "a", "b", "c"),),
            appear=("a",),
            whole=True,
        ),
        at_once=("ingestion.asynchronous",),
    ),
    write(
        "W6",
        "A mapping without the email",
        "mapping.output-keys ingestion.email-key",
        _columns,
        Phase(
            send=(
                mapping("map", _OF_COLUMNS, ("probe_note", "probe_note")),
                upsert("send", {"email": "<mail a>", "probe_note": "x"}, provider=_OF_COLUMNS),
                upsert("control", {"email": "<mail b>"}),
            ),
            look=(look("look", "a", "b"),),
            appear=("b",),
            whole=True,
        ),
        at_once=("mapping.output-keys",),
    ),
    write(
        "W7",
        "One mapping in several spellings",
        "mapping.identity mapping.absent-schema",
        _identity,
        Phase(
            send=(
                mapping("once", _OF_IDENTITY, ("probe_note", "probe_note")),
                mapping("again", _OF_IDENTITY, ("probe_note", "probe_note")),
                mapping("spelled", _OF_IDENTITY.lower(), ("probe_note", "probe_note")),
                mapping("other", _OF_IDENTITY, ("probe_note", "probe_note"), mappableId="2"),
                mapping("bare", _OF_IDENTITY),
            )
        ),
        unseen="The mapping was refused.",
    ),
    write(
        "W8",
        "Consent: true, false and absent",
        "ingestion.marketing-status",
        _opt_in,
        *(stage for name, given, people in _CONSENTS for stage in _consent(name, given, people)),
    ),
    write(
        "W19",
        "A mapping that changes while records are on their way",
        "ingestion.mapping-in-force",
        _race,
        Phase(
            send=(
                query(
                    "both",
                    """mutation ($p: UpsertProfilesInput!, $m: ProfileMappingInput!) {
                    upsertProfiles(input: $p) { userErrors { message path } }
                    upsertProfileMapping(input: $m) { userErrors { message path } } }""",
                    p={"advertiserId": "<advertiser>", "externalProvider": _OF_RACE, "profiles": json.dumps(_RACED)},
                    m={
                        "advertiserId": "<advertiser>",
                        "mappableType": _OF_RACE,
                        "mappingSchemaV2": [column("probe_mail", "email")],
                    },
                ),
            ),
            look=(look("look", "a", "b"),),
            whole=True,
        ),
    ),
)
