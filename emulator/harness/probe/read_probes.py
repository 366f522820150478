"""The probes that read, R1 to R15: what they send, and what the answers say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from emulator.graphql_core import introspection_query
from emulator.harness.probe.forms import envelope, form, items, listed, nodes, some
from emulator.harness.probe.limit_probes import LIMIT_PROBES
from emulator.harness.probe.probe_parts import (
    FOREIGN,
    JSON,
    Observe,
    Observed,
    Phase,
    Probe,
    ProbeResponse,
    ProbeResponses,
    Request,
    query,
)
from emulator.harness.probe.served_schema import served_schema
from emulator.text import counted_noun
from emulator.timestamps import parse_timestamp

_STRICT: Final = "application/graphql-response+json"
_ACCEPTS: Final = {"json": JSON, "any": "*/*", "strict": _STRICT}
_TYPENAME: Final = "{ __typename }"
# The last is no number.
_OTHERS: Final = (*FOREIGN, "abc")
# More than a page has.
_MANY: Final = 500


def _raw(name: str, body: str, **changes: Any) -> Request:
    return replace(Request(name=name, body=body, harmless=True), **changes)


def _read(probe: str, title: str, rows: str, observe: Observe, *requests: Request, **more: Any) -> Probe:
    return Probe(
        id=probe, title=title, rows=tuple(rows.split()), stages=(Phase(send=requests),), observe=observe, **more
    )


def _anonymous(answers: ProbeResponses) -> Observed:
    return {
        "graphql.unauthorized": listed({name: envelope(answers[name]) for name in ("typename", "account")}),
        "graphql.anonymous-introspection": envelope(answers["schema"]),
    }


def _bad_tokens(answers: ProbeResponses) -> Observed:
    return {"graphql.unauthorized": listed({name: envelope(answers[name]) for name in ("wrong", "empty", "basic")})}


def _token(answers: ProbeResponses) -> Observed:
    answer = answers["token"]
    created = parse_timestamp(str(answer.at_path("data.tokenInfo.createdAt")))
    found = nodes(answer, "data.tokenInfo.scopesByAdvertiser") or ()
    currency = answer.at_path("data.account.currency")
    known = {str(scope) for each in found for scope in items(each.get("scopes"))} - {"READ", "WRITE"}
    return {
        "token.created-at": None if created is None else f"a time {'before' if created <= answer.at else 'after'} now",
        "account.fixed": None if currency is None else f"currency {currency}",
        "token.scopes-by-advertiser": f"scopes other than READ and WRITE: {some(known)}" if found else None,
        "graphql.path": listed({path: form(answers[path]) for path in _PATHS}),
    }


def _request_errors(answers: ProbeResponses) -> Observed:
    statuses = {
        kind: "/".join(str(answers[f"{kind}-{accept}"].status) for accept in _ACCEPTS)
        for kind in ("syntax", "field", "variables")
    }
    named = answers["operation"]
    return {
        "graphql.request-error-status": listed(statuses),
        "graphql.wording": listed({kind: answers[f"{kind}-json"].message for kind in statuses}),
        "graphql.operation-name": f"{named.status}: {named.message}",
    }


def _bodies(answers: ProbeResponses) -> Observed:
    broken = ("text", "array", "no-query", "typed")
    url = answers["url"]
    texts = {name: f"{answers[name].status} {answers[name].message}".strip() for name in broken}
    coded = [name for name in broken if "code" in str(answers[name].errors[:1])]
    return {
        "graphql.body-errors": f"{listed(texts)}; with a code: {some(coded)}",
        "graphql.null-unknown-key": form(answers["null-key"]),
        "graphql.unexpected-parameter": f"{answers['extra-key'].status} {answers['extra-key'].message}".strip(),
        "graphql.strict-json": listed({name: answers[name].status for name in ("nan", "behind")}),
        "graphql.media-types": listed({name: answers[name].status for name in ("plain", "accept-xml")}),
        "graphql.json-only": f"a form: {answers['form'].status}",
        "graphql.request-in-url": form(url),
    }


def _pages(answers: ProbeResponses) -> Observed:
    total = answers["plain"].at_path("data.advertisers.totalCount")
    first, after, before = (_ids(answers[name]) for name in ("first", "after", "before"))
    wrong = {name: form(answers[name]) for name in ("zero", "negative", "bad-cursor")}
    found: dict[str, str | None] = {"paging.largest-page": None, "paging.keyset": None, "paging.wrong-page": None}
    found["paging.wrong-page"] = listed({**wrong, "a page of 0 has": counted_noun(len(_ids(answers["zero"])), "item")})
    if isinstance(total, int) and total > 1 and first:
        follows = bool(after) and after != first
        precedes = before == first
        found["paging.keyset"] = listed(
            {"after a cursor comes the next": follows, "before it the one before": precedes}
        )
    if isinstance(total, int) and total > 100:
        large = answers["large"]
        more = large.at_path("data.advertisers.pageInfo.hasNextPage")
        found["paging.largest-page"] = f"{len(_ids(large))} of 500 asked for, more: {more}, {form(large)}"
    return found


def _ids(answer: ProbeResponse) -> list[str]:
    return [str(each.get("id")) for each in nodes(answer, "data.advertisers") or ()]


def _foreign(answers: ProbeResponses) -> Observed:
    return {"advertiser.read-scope": listed({f"id {each}": form(answers[f"id-{each}"]) for each in _OTHERS})}


def _profiles(answers: ProbeResponses) -> Observed:
    plain = answers["plain"]
    size = plain.at_path("data.cdpProfiles.size")
    found: dict[str, str | None] = {
        "profiles.read-scope": form(answers["foreign"]),
        "profiles.filters": None,
        "profiles.outer-pages": None,
        "paging.largest-nested-page": None,
    }
    if not isinstance(size, int) or size < 1:
        return found
    none, one = (answers[name].at_path("data.cdpProfiles.size") for name in ("no-domain", "limit-1"))
    found["profiles.filters"] = f"a domain that nothing has: {counted_noun(none or 0, 'profile')}"
    if size > 1:
        token = answers["limit-1"].at_path("data.cdpProfiles.nextToken")
        default, most = (_total(answers[name]) for name in ("plain", "limit-5000"))
        found["profiles.outer-pages"] = listed(
            {
                "size counts all": one == size,
                "a token leads on": token is not None,
                "and back": answers["next"].at_path("data.cdpProfiles.prevToken") is not None,
                "without a limit": min(size, 100) == default,
                "limit 5000": min(size, 1000) == most,
            }
        )
    if size > 100:
        page = nodes(answers["nested"], "data.cdpProfiles.profiles") or ()
        found["paging.largest-nested-page"] = f"{len(page)} of {min(size, 500)}"
    return found


def _total(answer: ProbeResponse) -> Any:
    return answer.at_path("data.cdpProfiles.profiles.totalCount")


def _properties(answers: ProbeResponses) -> Observed:
    found = nodes(answers["properties"], "data.advertiser.cdpProfilePropertiesConnection")
    if found is None:
        return {"properties.catalogue": None}
    keys = (f"{each.get('key')} {each.get('dataType')}" for each in found if each.get("source") == "GLOBAL")
    return {"properties.catalogue": f"global: {some(keys)}"}


def _mapping_status(answers: ProbeResponses) -> Observed:
    return {"mapping.status": f"for an unknown id: {form(answers['status'])}"}


def _segments(answers: ProbeResponses) -> Observed:
    kinds = {str(each.get("__typename")) for each in nodes(answers["segments"], "data.customSegments") or ()}
    catalogue = answers["audiences"].at_path("data.audiences")
    filled = [name for name, value in catalogue.items() if value] if isinstance(catalogue, dict) else None
    return {
        "custom-segments.rules": some(kinds) if kinds else None,
        "audiences.empty": None if filled is None else f"lists with entries: {some(filled)}",
    }


_WRONG_VARIABLE: Final = {
    "query": "query ($n: Int!) { advertisers(first: $n) { totalCount } }",
    "variables": {"n": "x"},
}
_CDP: Final = (
    "query ($a: ID!, $f: ProfileFilters) { cdpProfiles(advertiserId: $a, filterBy: $f) { size nextToken prevToken "
    "profiles(first: 1) { totalCount } } }"
)
_ADVERTISERS: Final = (
    "query ($first: Int, $last: Int, $after: String, $before: String) { advertisers(first: $first, last: $last, "
    "after: $after, before: $before) { totalCount nodes { id } pageInfo { hasNextPage startCursor endCursor } } }"
)
_NEXT_PAGE: Final = "<limit-1:data.cdpProfiles.nextToken>"
_FIRST_CURSOR: Final = "<first:data.advertisers.pageInfo.endCursor>"
_SECOND_CURSOR: Final = "<after:data.advertisers.pageInfo.startCursor>"

# The paths that sources name for production and for the sandbox.
_PATHS: Final = ("/graphql", "/public/graphql")

READ_PROBES: Final = (
    _read(
        "R1",
        "Requests without a token",
        "graphql.anonymous-introspection graphql.unauthorized",
        _anonymous,
        replace(query("typename", _TYPENAME), authorization=None),
        replace(query("account", "{ account { id } }"), authorization=None),
        replace(query("schema", "{ __schema { queryType { name } } }"), authorization=None),
    ),
    _read(
        "R2",
        "A wrong, an empty and a Basic token",
        "graphql.unauthorized",
        _bad_tokens,
        replace(query("wrong", _TYPENAME), authorization="Bearer not-a-token-of-this-account"),
        replace(query("empty", _TYPENAME), authorization="Bearer"),
        replace(query("basic", _TYPENAME), authorization="Basic bm90OmEtdG9rZW4="),
    ),
    _read(
        "R3",
        "What the token says of itself, at both paths of an endpoint",
        "token.created-at account.fixed token.scopes-by-advertiser graphql.path",
        _token,
        query(
            "token",
            """{ account { currency } tokenInfo { createdAt
            scopesByAdvertiser(first: 100) { nodes { advertiser { id } scopes } } } }""",
        ),
        *(replace(query(path, _TYPENAME), path=path) for path in _PATHS),
    ),
    _read(
        "R4",
        "The whole schema",
        "schema.2026-06 schema.2025-05 schema.2024-12 schema.deprecated-directive",
        served_schema,
        query("schema", introspection_query(deprecated_inputs=True, one_of=False)),
        unseen="The service has the schema of another API version.",
    ),
    _read(
        "R5",
        "Documents that cannot run, with three Accept headers",
        "graphql.request-error-status graphql.wording graphql.operation-name",
        _request_errors,
        *(
            replace(request, name=f"{request.name}-{name}", accept=accept)
            for request in (
                Request(name="syntax", body={"query": "{ advertisers {"}, harmless=True),
                query("field", "{ advertisers { notAField } }"),
                Request(name="variables", body=_WRONG_VARIABLE),
            )
            for name, accept in _ACCEPTS.items()
        ),
        Request(name="operation", body={"query": "query A { __typename }", "operationName": "B"}),
        valid=False,
    ),
    _read(
        "R6",
        "Bodies that are no GraphQL request",
        "graphql.body-errors graphql.null-unknown-key graphql.unexpected-parameter graphql.strict-json "
        "graphql.media-types graphql.json-only graphql.request-in-url",
        _bodies,
        _raw("text", "not JSON"),
        _raw("array", "[]"),
        _raw("no-query", "{}"),
        _raw("typed", '{"query": 1}'),
        _raw("null-key", '{"query": "{ __typename }", "extra": null}'),
        _raw("extra-key", '{"query": "{ __typename }", "extra": 1, "more": 2}'),
        _raw("nan", '{"query": "{ __typename }", "variables": {"x": NaN}}'),
        _raw("behind", '{"query": "{ __typename }"} x'),
        _raw("plain", '{"query": "{ __typename }"}', content_type="text/plain"),
        _raw("form", "query=%7B__typename%7D", content_type="application/x-www-form-urlencoded"),
        replace(query("accept-xml", _TYPENAME), accept="application/xml"),
        _raw("url", "query=%7B__typename%7D", content_type=None, in_url=True),
        valid=False,
    ),
    _read(
        "R7",
        "Pages of advertisers",
        "paging.largest-page paging.keyset paging.wrong-page",
        _pages,
        query("plain", _ADVERTISERS),
        query("large", _ADVERTISERS, first=_MANY),
        query("zero", _ADVERTISERS, first=0),
        query("negative", _ADVERTISERS, first=-1),
        query("bad-cursor", _ADVERTISERS, first=1, after="not a cursor"),
        query("first", _ADVERTISERS, first=1),
        query("after", _ADVERTISERS, first=1, after=_FIRST_CURSOR),
        query("before", _ADVERTISERS, last=1, before=_SECOND_CURSOR),
        unseen="The token sees too few advertisers for more than one page.",
    ),
    _read(
        "R8",
        "Advertisers of others",
        "advertiser.read-scope",
        _foreign,
        *(query(f"id-{each}", "query ($a: ID!) { advertiser(id: $a) { id } }", a=each) for each in _OTHERS),
    ),
    _read(
        "R9",
        "Profiles: pages, filters, another advertiser",
        "profiles.outer-pages profiles.filters profiles.read-scope paging.largest-nested-page",
        _profiles,
        query("plain", _CDP, a="<advertiser>"),
        query("limit-1", _CDP, a="<advertiser>", f={"limit": 1}),
        query("next", _CDP, a="<advertiser>", f={"limit": 1, "paginationToken": _NEXT_PAGE}),
        query("limit-5000", _CDP, a="<advertiser>", f={"limit": 5000}),
        query("no-domain", _CDP, a="<advertiser>", f={"filterDomains": ["nothing.invalid"]}),
        query(
            "nested",
            _CDP.replace("first: 1", "first: 500").replace("totalCount", "nodes { sources }"),
            a="<advertiser>",
            f={"limit": 1000},
        ),
        query("foreign", _CDP, a=FOREIGN[1]),
        unseen="The advertiser has too few profiles.",
    ),
    _read(
        "R10",
        "The catalogue of properties",
        "properties.catalogue",
        _properties,
        query(
            "properties",
            """query ($a: ID!) { advertiser(id: $a) { cdpProfilePropertiesConnection(first: 100)
            { nodes { key source dataType } } } }""",
            a="<advertiser>",
        ),
    ),
    _read(
        "R11",
        "The status of an unknown mapping",
        "mapping.status",
        _mapping_status,
        query(
            "status",
            "query ($a: ID!) { profileMappingStatus(advertiserId: $a, mappableId: 987654321) }",
            a="<advertiser>",
        ),
    ),
    *LIMIT_PROBES,
    _read(
        "R15",
        "Custom segments and audiences",
        "custom-segments.rules audiences.empty",
        _segments,
        query("segments", "{ customSegments(first: 1) { nodes { __typename } } }"),
        query("audiences", "{ audiences { demographicSegments interestSegments } }"),
        unseen="The account has no custom segment.",
    ),
)
