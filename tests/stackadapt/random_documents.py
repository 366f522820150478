"""Random documents, valid and not, with strings of every form in every place."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Final

# As a document spells them.
STRINGS: Final = (
    '""',
    '"1001"',
    '"segment_io"',
    '"Segment IO"',
    '"no such"',
    '"ann@example.com"',
    '"a \\"quoted\\" word \\\\ \\/ \\b\\f\\n\\r\\t"',
    '"caf\\u00e9"',
    '"\\ud83d\\ude00"',
    '"\\u{1F600}"',
    '"\\ud800"',
    '"\\u0000"',
    '"\\x"',
    '"é 😀"',
    '"\ud800"',
    '"a\tb"',
    '"a\nb"',
    '"#"',
    '"{ } [ ] $ ! """',
    '"""a "block" string"""',
    '""""""',
    '"unterminated',
    '"x" # "a comment"',
    '# "a comment"\n"x"',
    "null",
    "1001",
    "1.5",
    "true",
    "ENUM",
    '["a", "b"]',
    '{a: "b"}',
    "$v",
)
PEOPLE: Final = (
    [{"email": "ann@example.com", "userId": "u1", "tier": "gold", "audienceId": "a1", "action": "enter"}],
    [{"email": "ANN@example.com ", "userId": "u2", "audienceId": "a1", "audienceName": "VIPs", "action": "exit"}],
    [{"userId": "u1"}, {"email": "broken"}, {}, {"email": "é@example.com", "tier": 'a "quoted" word'}],
    [{"email": "bob@example.com", "userId": 7, "tier": ["x"], "extra": {"nested": [1.5, None, True]}}],
    [{"email": "cy@example.com", "tier": "😀", "birth_date": "2001-02-03"}] * 3,
    {"not": "an array"},
)
COLUMNS: Final = (
    "mappingSchemaV2: [{incomingKey: S, destinationKey: S, label: S, type: STRING, isPii: false}]",
    (
        'mappingSchemaV2: [{incomingKey: "email", destinationKey: "email", label: "E", type: STRING, isPii: true},'
        ' {incomingKey: "tier", destinationKey: "tier", label: S, type: STRING, isPii: false, value: S}]'
    ),
    'mappingSchemaV2: {incomingKey: "tier", destinationKey: "tier", label: "T", type: DATE, isPii: false}',
    "isOptedIn: true",
    "mappingSchemaV2: []",
)
AUDIENCE: Final = (
    'mappingSchema: [{incomingKey: "audienceId", destinationKey: "external_id", type: STRING, label: S, isPii: false},'
    ' {incomingKey: "audienceName", destinationKey: "name", type: STRING, label: "N", isPii: false}]'
)
# `S` is any string, `P` the text of profiles, `C` the columns of a mapping; `A` is nearly always an advertiser.
MUTATIONS: Final = (
    'upsertProfiles(input: {advertiserId: A, externalProvider: "segment_io", profiles: P}) { userErrors { message } }',
    "upsertProfiles(input: {advertiserId: A, externalProvider: S, profiles: P, syncId: S}) { userErrors { path } }",
    (
        'upsertProfiles(input: {advertiserId: A, externalProvider: "segmentio", profiles: [{email: "d@x.com"}]})'
        " { clientMutationId userErrors { message path } }"
    ),
    'upsertProfileMapping(input: {advertiserId: A, C, mappableType: "segment_io"}) { userErrors { message } }',
    (
        "upsertProfileMapping(input: {advertiserId: A, C, mappableType: S, mappableId: S})"
        " { profileMapping { id mappableType mappingSchema } userErrors { message path } }"
    ),
    'upsertExternalAudienceMapping(input: {advertiserId: A, E, mappableType: "segment_io"}) { userErrors { message } }',
    (
        "deleteRawProfiles(input: {advertiserId: A, emails: [S, S], isComplianceRequest: false})"
        " { emails userErrors { message } }"
    ),
    "deleteRawProfiles(input: {advertiserId: A, emails: S}) { userErrors { message } }",
    "createProfileList(input: {advertiserId: A, name: S}) { profileList { id name } userErrors { message } }",
    "updateAdvertiser(input: {id: A, name: S, description: S}) { advertiser { name description } userErrors { path } }",
)
QUERIES: Final = (
    "cdpProfiles(advertiserId: A) { size nextToken profiles(first: 5) { nodes { email sources } totalCount } }",
    "cdpProfiles(advertiserId: A, filterBy: {email: S}) { profiles { edges { cursor node { __typename email } } } }",
    "cdpProfiles(advertiserId: A, filterBy: {paginationToken: S, limit: 2}) { nextToken prevToken }",
    "cdpProfiles(advertiserId: A, filterBy: {filterDomains: [S]}) { profiles(after: S) { pageInfo { endCursor } } }",
    "advertiser(id: A) { name profileLists { nodes { name createdAt } } }",
    "advertisers(filterBy: {archived: false}, first: 2, after: S) { nodes { id name } }",
    "profileMappingStatus(advertiserId: A, mappableId: S)",
    "customSegments { nodes { ... on CustomSegment { id } } }",
    "customSegments(filterBy: {types: [S]}) { totalCount }",
    "customSegments(sortBy: {field: S, order: ASC}, first: S) { totalCount }",
    "user { email } account { id } tokenInfo { name }",
    "__schema { queryType { name } }",
    "__typename",
)
FORMS: Final = (
    "{ %s }",
    "query { %s }",
    "mutation { %s }",
    "mutation { one: %s }",
    "mutation Named { %s %s }",
    "{ a: %s }",
    "query ($v: String) { %s }",
    'query ($v: String! = "v") { %s }',
    "mutation ($v: ID) { %s }",
    "{ ...F } fragment F on Query { %s }",
    "mutation { ... @include(if: true) { %s } }",
    "query A { %s } query B { user { email } }",
    "# comment\n{ %s }",
    "subscription { %s }",
)


def random_documents(seed: int, count: int) -> Iterator[str]:
    """Documents whose errors, if they have any, are in one place or several."""
    drawn = random.Random(seed)
    for _ in range(count):
        form = drawn.choice(FORMS)
        # A form mostly has fields of its own operation; what does not fit is refused.
        kinds = MUTATIONS if ("mutation" in form) != (drawn.random() < 0.03) else QUERIES
        fields = [drawn.choice(kinds) for _ in range(form.count("%s"))]
        yield _filled(form % tuple(fields), drawn)


def _filled(text: str, drawn: random.Random) -> str:
    # Mostly plain strings: of ten odd ones, one would not be valid.
    odd = 0.15 if drawn.random() < 0.5 else 0.0

    def string() -> str:
        return drawn.choice(STRINGS) if drawn.random() < odd else drawn.choice(STRINGS[:7])

    values = {
        "A": lambda: drawn.choice(("1001", '"1001"', '"1001"', "1002", string())),
        "S": string,
        "P": lambda: json.dumps(json.dumps(drawn.choice(PEOPLE), ensure_ascii=drawn.random() < 0.5)),
        "C": lambda: drawn.choice(COLUMNS),
        "E": lambda: AUDIENCE,
    }
    words = text.replace("C,", drawn.choice(COLUMNS) + ",").replace("E,", AUDIENCE + ",").split(" ")
    return " ".join(_word(word, values, drawn) for word in words)


def _word(word: str, values: dict[str, object], drawn: random.Random) -> str:
    core = word.strip("()[]{}:,")
    if core in values and core in ("A", "S", "P"):
        make = values[core]
        assert callable(make)
        return word.replace(core, make())
    return word
