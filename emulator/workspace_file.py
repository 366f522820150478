"""Reads workspace files and reports what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator import user_patterns
from emulator.errors import InputError, WorkspaceError, unknown
from emulator.schemas import first_mistake
from emulator.yaml_files import parse_mapping, read_mapping

SCHEMA = "workspace.schema.json"
# "Destination Filters" in Segment's documentation: a query is at most 5 KB.
FILTER_BYTES = 5 * 1024
# Those of Segment that name a user ("Identity Resolution Onboarding").
DEFAULT_IDENTIFIERS = (
    "user_id",
    "email",
    "android.id",
    "android.idfa",
    "android.push_token",
    "anonymous_id",
    "ga_client_id",
    "ios.id",
    "ios.idfa",
    "ios.push_token",
)


def read(path: Path) -> Mapping[str, Any]:
    """The document in a YAML or JSON file. Raises WorkspaceError when it cannot be read."""
    return read_mapping(path, what="a workspace", mistake=WorkspaceError)


def parse(text: str, *, where: str) -> Mapping[str, Any]:
    """The document in a YAML or JSON string. Raises WorkspaceError when it cannot be parsed."""
    return parse_mapping(text, where=where, what="a workspace", mistake=WorkspaceError)


@contextmanager
def used(path: Path | None) -> Iterator[None]:
    """Adds the file to workspace errors that are found only when the workspace is used."""
    try:
        yield
    except WorkspaceError as error:
        if path is not None:
            error.where = f"{path}: {error.where}"
        raise


def check(document: Mapping[str, Any], *, where: str) -> None:
    """Raises WorkspaceError for the most relevant mistake in a workspace document."""
    mistake = first_mistake(document, SCHEMA)
    if mistake is not None:
        raise mistake.as_error(WorkspaceError, where)
    check_references(document, where=where)


def check_references(document: Mapping[str, Any], *, where: str) -> None:
    """Raises WorkspaceError for a duplicate name or an unknown one, in a document that fits the schema."""
    advertisers = [item["id"] for item in document["advertisers"]]
    audiences = [item["key"] for item in document.get("audiences", ())]
    _check_unique(advertisers, "advertisers", where)
    _check_unique(audiences, "audiences", where)
    _check_unique([item["token"] for item in document["tokens"]], "tokens", where, show=False)
    sources = [item["name"] for item in document.get("sources", ())]
    _check_unique([item["writeKey"] for item in document.get("sources", ())], "sources", where, show=False)
    _check_unique(sources, "sources", where)
    _check_unique([item["name"] for item in document.get("destinations", ())], "destinations", where)
    _check_protocols(document, sources, where)
    _check_identifiers(document.get("space", {}).get("identifiers", ()), f"{where}: space")
    journeys = document.get("journeys", ())
    steps = [step["key"] for journey in journeys for step in journey["steps"]]
    _check_unique([item["id"] for item in journeys], "journeys", where)
    _check_unique([*audiences, *steps], "audiences and journey steps", where)
    for index, token in enumerate(document["tokens"]):
        for advertiser in token["scopes"]:
            _check_known(advertiser, advertisers, f"{where}: tokens[{index}].scopes", "advertiser")
    for index, destination in enumerate(document.get("destinations", ())):
        if "source" in destination:
            _check_known(destination["source"], sources, f"{where}: destinations[{index}].source", "source")
        for position, each in enumerate(destination.get("filters", ())):
            _check_filter_size(each["if"], f"{where}: destinations[{index}].filters[{position}].if")
        if "endpoint" in destination:
            _check_loopback(destination["endpoint"], f"{where}: destinations[{index}].endpoint")
        for position, connection in enumerate(destination.get("audiences", ())):
            place = f"{where}: destinations[{index}].audiences[{position}].key"
            _check_known(connection["key"], audiences, place, "audience")
        for position, connection in enumerate(destination.get("journeySteps", ())):
            place = f"{where}: destinations[{index}].journeySteps[{position}].key"
            _check_known(connection["key"], steps, place, "journey step")


def _check_protocols(document: Mapping[str, Any], sources: list[str], where: str) -> None:
    """Tracking plans, and what sources say of them and of one another."""
    plans = document.get("trackingPlans", ())
    names = [item["name"] for item in plans]
    _check_unique(names, "trackingPlans", where)
    for index, plan in enumerate(plans):
        rules = [(rule["type"], rule.get("key"), rule.get("version", 1)) for rule in plan["rules"]]
        for position, rule in enumerate(plan["rules"]):
            place = f"{where}: trackingPlans[{index}].rules[{position}]"
            if rules[position] in rules[:position]:
                raise WorkspaceError(
                    f"duplicates rules[{rules.index(rules[position])}]",
                    where=place,
                    hint="Give each version of a rule a version of its own.",
                )
            _check_schema(rule["jsonSchema"], f"{place}.jsonSchema")
    for index, source in enumerate(document.get("sources", ())):
        place = f"{where}: sources[{index}]"
        if "trackingPlan" in source:
            _check_known(source["trackingPlan"], names, f"{place}.trackingPlan", "tracking plan")
        forwarded = source.get("schema", {}).get("forwardingBlockedEventsTo")
        if forwarded is not None:
            others = [name for name in sources if name != source["name"]]
            _check_known(forwarded, others, f"{place}.schema.forwardingBlockedEventsTo", "other source")


def _check_schema(schema: Mapping[str, Any], where: str) -> None:
    # Imported here because few workspaces have a tracking plan.
    from emulator.rule_schemas import check_schema

    try:
        check_schema(schema, where=where)
    except InputError as error:
        raise WorkspaceError.at(error.where or where, error) from None


def _check_identifiers(identifiers: Sequence[Mapping[str, Any]], where: str) -> None:
    _check_unique([item["type"] for item in identifiers], "identifiers", where)
    for index, item in enumerate(identifiers):
        place = f"{where}.identifiers[{index}]"
        if "key" in item and item["type"] in DEFAULT_IDENTIFIERS:
            raise WorkspaceError(
                f"the default identifier {item['type']!r} has no key",
                where=f"{place}.key",
                found=item["key"],
                hint="Segment knows where a call has it: remove the key.",
            )
        blocked = item.get("blockedValues", ())
        for position, each in enumerate(blocked if isinstance(blocked, list) else ()):
            if isinstance(each, dict):
                _check_pattern(each["pattern"], f"{place}.blockedValues[{position}].pattern")


def _check_pattern(pattern: str, where: str) -> None:
    if (mistake := user_patterns.check(pattern)) is not None:
        raise WorkspaceError(
            f"the regular expression is invalid: {mistake}",
            where=where,
            found=pattern,
            allowed="a regular expression such as ^[0-]*$",
        )


def _check_unique(values: list[str], group: str, where: str, *, show: bool = True) -> None:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if first.setdefault(value, index) != index:
            raise WorkspaceError(
                f"duplicates {group}[{first[value]}]",
                where=f"{where}: {group}[{index}]",
                found=value if show else None,
            )


def _check_filter_size(text: str, where: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > FILTER_BYTES:
        raise WorkspaceError(
            "the FQL is too long",
            where=where,
            found=f"{size} bytes",
            allowed=f"at most {FILTER_BYTES} bytes",
            hint="Divide the condition over several filters.",
        )


def _check_loopback(url: str, where: str) -> None:
    # Imported here because few workspaces have an endpoint, and httpx takes long to import.
    from emulator.addresses import LOOPBACK_HOSTS, address, is_loopback, shown

    try:
        given = address(url)
    except InputError as error:
        raise WorkspaceError.at(where, error) from None
    if not is_loopback(given.host):
        raise WorkspaceError(
            "the URL must be on a loopback address",
            where=where,
            found=shown(given),
            allowed=", ".join(LOOPBACK_HOSTS),
            hint="Send events to an emulator or a test server on this machine.",
        )


def _check_known(value: str, known: list[str], where: str, kind: str) -> None:
    if value not in known:
        raise unknown(kind, value, known, where=where, error=WorkspaceError)
