"""A schema of Strawberry's answers while the emulator runs in the same process."""

import strawberry


def test_a_resolver_of_strawberry_asks_the_emulator(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})

    @strawberry.type
    class Query:
        @strawberry.field
        def size(self) -> int:
            return stackadapt.graphql("{ cdpProfiles(advertiserId: 1001) { size } }")["cdpProfiles"]["size"]

    result = strawberry.Schema(query=Query).execute_sync("{ size }")
    assert (result.errors, result.data) == (None, {"size": 1})
