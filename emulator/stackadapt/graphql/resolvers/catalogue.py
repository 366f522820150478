"""`audiences`: the catalogue of third-party audiences, empty in the emulator."""

from __future__ import annotations

from typing import Any

from ariadne import QueryType

from emulator.stackadapt.graphql.context import Info
from emulator.stackadapt.graphql.resolvers.fields import plain

query = QueryType()
BINDABLES_2026 = [query, plain("AudienceCatalogue", "demographicSegments", "interestSegments")]


@query.field("audiences")
def resolve_audiences(_parent: Any, _info: Info) -> dict[str, list[Any]]:
    return {"demographicSegments": [], "interestSegments": []}
