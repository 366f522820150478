"""A schema of graphene's answers while the emulator runs in the same process."""

import graphene


class Query(graphene.ObjectType):
    size = graphene.Int(advertiser=graphene.Int(required=True))


def test_a_resolver_of_graphene_asks_the_emulator(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})

    class Asking(Query):
        def resolve_size(self, info, advertiser):
            asked = "query($a: ID!) { cdpProfiles(advertiserId: $a) { size } }"
            return stackadapt.graphql(asked, {"a": advertiser})["cdpProfiles"]["size"]

    result = graphene.Schema(query=Asking).execute("{ size(advertiser: 1001) }")
    assert (result.errors, result.data) == (None, {"size": 1})
