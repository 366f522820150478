"""Requests that cannot run: the table of `bad_documents.py`, values of every kind for every type, random documents."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from .bad_documents import SYNTAX, VALIDATION

Request = tuple[str, dict[str, Any]]

_UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message } } }"
_MAP = "mutation($m: ProfileMappingInput!) { upsertProfileMapping(input: $m) { userErrors { message } } }"
_UPLOAD = "mutation($t: CreateUploadTargetsInput!) { createUploadTargets(input: $t) { userErrors { message } } }"
_SORTED = "query($s: CustomSegmentSortBy) { customSegments(sortBy: $s) { totalCount } }"
_LIST = "mutation($l: UpdateProfileListProfilesInput!) { updateProfileListProfiles(input: $l) { userErrors { path } } }"
_HUB = (
    "mutation($h: DataHubWebhookApiUpsertDataHubProfilesRequestInput!) { dataHubWebhookApi {"
    " upsertDataHubProfiles(input: $h) { __typename } } }"
)

# What an argument or an input field may get as a literal.
LITERALS: Final = (
    *("null", "1", "-1", "0", "1.5", "1e3", "2147483648", "-2147483649", "99999999999999999999999", "true", "false"),
    *(
        '""',
        '"1"',
        '"it\'s"',
        '"a\\"b"',
        '"\\n"',
        '"""block"""',
        '"""two\n  lines"""',
        "BARE",
        "created_at",
        "[]",
        "[1]",
    ),
    *("[null]", "[[1]]", '["a", 1, true]', "{}", "{a: 1}", "{a: null, b: [1, {c: X}]}", '{ids: "1"}', "{ids: [1.5]}"),
)
# An argument of each input type of the schema; %s is the value.
PLACES: Final = (
    "{ advertisers(first: %s) { totalCount } }",
    "{ advertisers(after: %s) { totalCount } }",
    "{ advertiser(id: %s) { name } }",
    "{ customSegments(includePublic: %s) { totalCount } }",
    "{ advertisers(filterBy: %s) { totalCount } }",
    "{ advertisers(filterBy: {ids: %s}) { totalCount } }",
    "{ advertisers(filterBy: {archived: %s}) { totalCount } }",
    "{ customSegments(sortBy: %s) { totalCount } }",
    "{ customSegments(sortBy: {field: %s, order: ASC}) { totalCount } }",
    "{ customSegments(filterBy: {types: %s}) { totalCount } }",
    "{ customSegments(filterBy: {providers: [%s]}) { totalCount } }",
    "mutation { upsertProfiles(input: %s) { userErrors { message } } }",
    'mutation { upsertProfiles(input: {advertiserId: %s, externalProvider: "", profiles: 1}) { userErrors { path } } }',
    'mutation { upsertProfiles(input: {advertiserId: 1, externalProvider: "", profiles: %s}) { userErrors { path } } }',
    "mutation { upsertProfileMapping(input: {mappingSchemaV2: %s}) { userErrors { path } } }",
    "mutation { upsertProfileMapping(input: {mappingSchemaV2: [%s]}) { userErrors { path } } }",
    "mutation { upsertProfileMapping(input: {mappingSchemaV2: {isPii: true, type: %s}}) { userErrors { path } } }",
)
# The literals that suggestions are made for.
NEAR_MISSES: Final = (
    "{ customSegments(sortBy: {field: created, order: ASCC}) { totalCount } }",
    "{ customSegments(sortBy: {feild: name, ordr: ASC}) { totalCount } }",
    "{ customSegments(sortBy: {field: naem, order: DES}) { totalCount } }",
    "{ customSegments(filterBy: {types: [USER_UPLOADD, LOOKALIK, xyz]}) { totalCount } }",
    '{ customSegments(filterBy: {types: ["USER_UPLOADED"]}) { totalCount } }',
    "{ cdpProfiles(advertiserId: 1, filterBy: {source: segment_io}) { size } }",
    "{ cdpProfiles(advertiserId: 1, filterBy: {source: SEGMENTIO}) { size } }",
    '{ cdpProfiles(advertiserId: 1, filterBy: {emial: "", list: 1, pageToken: 1, domains: []}) { size } }',
    'mutation { upsertProfiles(input: {advertiserId: 1, profile: "", external: ""}) { userErrors { message } } }',
    "mutation { upsertProfileMapping(input: {mappingSchema: [], advertiser: 1}) { userErrors { message } } }",
    "{ advertisers(filterBy: {archived: true, archived: false}) { totalCount } }",
    "mutation { upsertProfiles(input: {advertiserId: null, foo: {bar: 1}}) { x } }",
)

VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 1.0, 1.5, -0.0, 1e21, 1e-7, 0.1, 2147483648, -2147483649, 2**53 + 1, 10**25),
    *("", "1", "it's", 'a"b', "back\\slash", "new\nline", "\u00e9\u2028\U0001f600", "\ud800", "\u0007", "x" * 50),
    *([], [None], [1], [[1]], [["a"], [1, 2]], list(range(11)), list(range(13)), ["a", None, 1.5, True], {}),
    *(
        {"a": 1},
        {"a": {"b": {"c": {"d": 1}}}},
        [[[[[1]]]]],
        {"2": 1, "1": 2, "b": 0},
        {"a b": [], "": {}},
        [{}, {"a": None}],
    ),
)
TYPES: Final = (
    *(
        "Int",
        "Int!",
        "String",
        "String!",
        "Boolean",
        "Boolean!",
        "ID",
        "ID!",
        "JSON",
        "JSON!",
        "ISO8601DateTime",
        "BigInt",
    ),
    *("Source", "Source!", "[Int]", "[Int!]!", "[[Int!]]", "[String!]", "[ID!]", "[Source!]", "[JSON!]!"),
    *("AdvertiserFilters", "AdvertiserFilters!", "[CustomSegmentSortBy!]", "UpsertProfilesInput", "MappingSchema"),
)

# A JSON value may contain a variable of any type.
_TYPED: Final = (
    'mutation($v: %s) { upsertProfiles(input: {advertiserId: 1, externalProvider: "", profiles: {v: $v}}) '
    "{ userErrors { path } } }"
)

_INPUT: dict[str, Any] = {"advertiserId": "1", "externalProvider": "segment_io", "profiles": "[]"}
_COLUMN: dict[str, Any] = {
    "destinationKey": "a",
    "incomingKey": "a",
    "isPii": False,
    "label": "A",
    "type": "STRING",
}
VARIABLES: Final[tuple[Request, ...]] = (
    ("query($id: ID!) { advertiser(id: $id) { name } }", {}),
    ("query($id: ID!) { advertiser(id: $id) { name } }", {"id": None}),
    ("query($id: ID!, $n: Int!) { advertiser(id: $id) { name } advertisers(first: $n) { totalCount } }", {"Id": 1}),
    ("query($n: Int) { advertisers(first: $n) { totalCount } }", {"n": "12"}),
    (_UPSERT, {}),
    (_UPSERT, {"u": {}}),
    (_UPSERT, {"u": {**_INPUT, "advertiserId": None}}),
    (_UPSERT, {"u": {**_INPUT, "advertiserId": 1.5, "syncId": 7}}),
    (_UPSERT, {"u": {**_INPUT, "profiles": None}}),
    (_UPSERT, {"u": {**_INPUT, "advertiser": 1, "syncID": "", "zzzzzzzzzz": None}}),
    (_UPSERT, {"u": [_INPUT]}),
    (_MAP, {"m": {"mappingSchemaV2": {}}}),
    (_MAP, {"m": {"mappingSchemaV2": [_COLUMN, None, 5, {**_COLUMN, "type": "TEXT"}]}}),
    (_MAP, {"m": {"mappingSchemaV2": [{**_COLUMN, "type": "string"}, {**_COLUMN, "type": 1}]}}),
    (_MAP, {"m": {"mappingSchemaV2": [{**_COLUMN, "options": [{"label": 1}, {"labl": ""}]}]}}),
    (_MAP, {"m": {"isOptedIn": "true", "pollingDelay": 2**40, "mappableId": True, "mappingSchema": []}}),
    (_UPLOAD, {"t": {"regionDependent": [{"filename": "f", "mimeType": "m", "region": "EU1", "resourceType": "X"}]}}),
    (_UPLOAD, {"t": {"regionIndependent": {"filename": None}}}),
    (_SORTED, {"s": {"field": "created", "order": "asc"}}),
    (_SORTED, {"s": {"field": "name"}}),
    (_SORTED, {"s": "name"}),
    (_LIST, {"l": {"advertiserId": 1, "ids": [1, None, 1.5, {}], "addProfilesRawEmail": "a"}}),
    (_LIST, {"l": {"advertiserId": 1, "ids": {"a": 1}}}),
    (_HUB, {"h": {"requestId": "r", "subAdvertiserId": "1", "integrationId": 1.5, "data": 5}}),
    (_HUB, {"h": {"requestId": "r", "subAdvertiserId": 1, "integrationId": 2**31, "data": None}}),
    (_TYPED % "[Int!]", {"v": list("abcdefghijklmnopqrstuvwxyz") * 3}),
    (_LIST, {"l": {"advertiserId": 1, "ids": [1.5] * 60}}),
)

VALID: Final = (
    'query Q($id: ID! = "1", $n: Int) { advertiser(id: $id) { id name profileLists(first: $n) { nodes { id } } } }',
    "{ user { email } account { id currency } tokenInfo { name scopesByAdvertiser { nodes { scopes } } } }",
    "{ customSegments(sortBy: {field: name, order: ASC}, first: 3) { nodes { ... on CustomSegment { id } } } }",
    'mutation { upsertProfiles(input: {advertiserId: 1, externalProvider: "", profiles: 1}) { userErrors { path } } }',
    """query($f: ProfileFilters) { cdpProfiles(advertiserId: 1, filterBy: $f) { size ...P } }
    fragment P on ProfilesResponse { profiles(first: 1) { nodes { email @skip(if: true) } } }""",
    """mutation { upsertProfileMapping(input: {advertiserId: 1, mappingSchemaV2: [
      {destinationKey: "e", incomingKey: "e", isPii: false, label: "E", type: STRING}]}) { userErrors { path } } }""",
)
_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_]\w*|\.\.\.|-?\d+|\S')


def requests() -> Iterator[Request]:
    """The table."""
    for document in (*SYNTAX, *VALIDATION, *NEAR_MISSES):
        yield document, {}
    for place, literal in product(PLACES, LITERALS):
        yield place % literal, {}
    for kind, value in product(TYPES, VALUES):
        yield _TYPED % kind, {"v": value}
    yield from VARIABLES


def random_documents(seed: int, count: int) -> Iterator[str]:
    """Documents that differ from a valid one in one to three tokens."""
    drawn = random.Random(seed)
    words = sorted({word for document in VALID for word in _TOKEN.findall(document)})
    for _ in range(count):
        tokens = _TOKEN.findall(drawn.choice(VALID))
        for _ in range(drawn.randint(1, 3)):
            place = drawn.randrange(len(tokens))
            change = drawn.choice(("drop", "double", "swap", "replace", "cut"))
            if change == "drop" and len(tokens) > 1:
                del tokens[place]
            elif change == "double":
                tokens.insert(place, tokens[place])
            elif change == "swap":
                other = drawn.randrange(len(tokens))
                tokens[place], tokens[other] = tokens[other], tokens[place]
            elif change == "replace":
                tokens[place] = drawn.choice(words)
            elif len(tokens[place]) > 2 and tokens[place][0] != '"':
                tokens[place] = tokens[place][:-1]
        yield " ".join(tokens)
