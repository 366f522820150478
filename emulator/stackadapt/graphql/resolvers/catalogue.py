"""`audiences`: the catalogue of third-party audiences, which is empty here."""

from __future__ import annotations

from typing import Any

from emulator.stackadapt.graphql.context import Info
from emulator.stackadapt.graphql.resolvers.fields import Fields, plain

query = Fields("Query")
BINDABLES_2026 = [query, plain("AudienceCatalogue", "demographicSegments", "interestSegments")]


@query.field("audiences")
def resolve_audiences(_parent: Any, _info: Info) -> dict[str, list[Any]]:
    return {"demographicSegments": [], "interestSegments": []}
