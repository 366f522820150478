"""The recipe for a root field without state: its SDL in the contract, a resolver module, nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.artefacts import contract
from emulator.errors import EmulatorDefect
from emulator.stackadapt.graphql import resolvers, schema
from emulator.stackadapt.graphql.schema import LATEST, ApiVersion, bind, bindables_of, executable_schema
from tests.stackadapt.conftest import Make

NAME = "greetings"
MODULE = """
from ariadne import QueryType

query = QueryType()
BINDABLES_2026 = [query]


@query.field("greeting")
def resolve_greeting(_parent, info, *, name):
    return f"Hello {name}, from {info.context.token.name}"
"""
CURRENT_SDL = contract(schema.API_VERSIONS[LATEST].file).read_text(encoding="utf-8")
SDL = f"{CURRENT_SDL}\nextend type Query {{ greeting(name: String!): String! }}\n"
LISTS = schema.API_VERSIONS[LATEST].lists


@pytest.fixture
def new_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more module in the package of resolvers."""
    (tmp_path / f"{NAME}.py").write_text(MODULE)
    monkeypatch.setattr(resolvers, "__path__", [*resolvers.__path__, str(tmp_path)])
    yield
    sys.modules.pop(f"{resolvers.__name__}.{NAME}", None)


@pytest.fixture
def new_sdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The contract with one more root field."""
    file = tmp_path / "schema.graphql"
    file.write_text(SDL, encoding="utf-8")
    monkeypatch.setattr(schema, "API_VERSIONS", {LATEST: ApiVersion(file=str(file), lists=LISTS)})
    executable_schema.cache_clear()
    yield
    executable_schema.cache_clear()


@pytest.mark.usefixtures("new_module", "new_sdl")
def test_a_root_field_is_a_line_of_the_contract_and_a_resolver_module(make_service: Make) -> None:
    service = make_service()
    assert "greeting" in service.stackadapt.operations
    data = service.run("query($n: String!) { greeting(name: $n) }", n="Ada")
    assert data == {"greeting": "Hello Ada, from Local read and write"}


def test_a_field_without_a_resolver_stops_the_start() -> None:
    with pytest.raises(EmulatorDefect, match=r"Query\.greeting: a field has no resolver"):
        bind(SDL, bindables_of(schema.API_VERSIONS[LATEST]))


@pytest.mark.usefixtures("new_module")
def test_a_resolver_without_a_field_stops_the_start() -> None:
    with pytest.raises(EmulatorDefect, match=r"Query\.greeting: Field greeting is not defined on type Query"):
        bind(CURRENT_SDL, bindables_of(schema.API_VERSIONS[LATEST]))
