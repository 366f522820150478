"""The recipe for a new fault: one module in `emulator/faults/kinds`, found without a change anywhere else."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from emulator import Emulator
from emulator.artefacts import contracts_dir
from emulator.errors import InputError
from emulator.faults import kinds, parse_definition, registry
from emulator.protocol import FAULT_HEADER
from tests.faults import contract_parts

# An effect that a fault of the package has already: a response in place of the service's.
TEAPOT = '''
from dataclasses import dataclass
from typing import ClassVar

from emulator.faults.fault import Fault
from emulator.faults.options import integer
from emulator.faults.response import error_response


@dataclass(frozen=True, slots=True, kw_only=True)
class Teapot(Fault):
    """Responds with status 418."""

    name: ClassVar[str] = "teapot"
    main: ClassVar[str] = "minutes"
    minutes: int = integer("minutes until the tea is ready", least=1, most=10, default=3)

    def on_request(self, trace_id):
        return error_response(418, trace_id, retry_after=self.minutes * 60)
'''
# An effect that no fault of the package has: a changed header and body.
WRONG_CHARSET = '''
from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.faults.fault import Fault
from emulator.faults.options import string


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCharset(Fault):
    """Sends the body in another encoding than UTF-8."""

    name: ClassVar[str] = "wrongCharset"
    main: ClassVar[str] = "charset"
    charset: str = string("encoding of the body", default="utf-16")

    def on_response(self, response):
        headers = {**response.headers, "Content-Type": f"application/json; charset={self.charset}"}
        return replace(response, body=response.body.decode().encode(self.charset), headers=headers)
'''
USER = {"query": "{ account { currency } }"}
TOKEN = {"Authorization": "Bearer sa-local-write"}


@pytest.fixture
def new_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two more modules in the package of faults."""
    modules = {"teapot": TEAPOT, "wrong_charset": WRONG_CHARSET}
    for name, source in modules.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    registry.cache_clear()
    yield
    registry.cache_clear()
    for name in modules:
        sys.modules.pop(f"{kinds.__name__}.{name}", None)


@pytest.mark.parametrize("contract", contract_parts.parts())
def test_the_contracts_describe_the_registered_faults(contract: str) -> None:
    part = contract_parts.parts()[contract]
    current = contract_parts.current_part(contract, (contracts_dir() / contract).read_text(encoding="utf-8"))
    assert current == part, f"run `{contract_parts.COMMAND}`, or paste into contracts/{contract}:\n{part}"


@pytest.mark.usefixtures("new_faults")
def test_a_new_fault_with_an_existing_effect_is_one_module() -> None:
    with Emulator() as emulator:
        added = emulator.client.post("/_emulator/faults", json={"fault": "teapot", "minutes": 5, "times": 1})
        assert added.status_code == 201
        assert added.json["minutes"] == 5
        response = emulator.client.post("/graphql", json=USER, headers=TOKEN)
        assert (response.status_code, response.headers["Retry-After"]) == (418, "300")
        assert emulator.client.get("/_emulator/journal").json["entries"][0]["faults"] == ["teapot"]
    with pytest.raises(InputError, match="minutes: invalid integer. Found: 11. Allowed: 1 to 10"):
        parse_definition({"fault": "teapot", "minutes": 11})


@pytest.mark.usefixtures("new_faults")
def test_a_new_fault_with_a_new_effect_is_one_module_too() -> None:
    with Emulator() as emulator:
        headers = {**TOKEN, FAULT_HEADER: "wrongCharset=utf-16-le"}
        response = emulator.client.post("/graphql", json=USER, headers=headers)
        assert response.content_type == "application/json; charset=utf-16-le"
        assert json.loads(response.data.decode("utf-16-le")) == {"data": {"account": {"currency": "USD"}}}


@pytest.mark.usefixtures("new_faults")
def test_contracts_and_documentation_of_a_new_fault_are_generated(tmp_path: Path) -> None:
    for contract in contract_parts.parts():
        shutil.copy(contracts_dir() / contract, tmp_path)
        text = (tmp_path / contract).read_text(encoding="utf-8")
        assert contract_parts.current_part(contract, text) != contract_parts.parts()[contract]
    contract_parts.write(tmp_path)
    fault = json.loads((tmp_path / contract_parts.WORKSPACE).read_text(encoding="utf-8"))["$defs"]["fault"]
    assert "teapot" in fault["properties"]["fault"]["enum"]
    assert fault["properties"]["minutes"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "description": "teapot: minutes until the tea is ready.",
    }
    schemas = yaml.safe_load((tmp_path / contract_parts.OPENAPI).read_text(encoding="utf-8"))["components"]["schemas"]
    assert schemas["FaultRule"]["properties"]["charset"] == {"type": "string"}
    assert "wrongCharset" in [each["properties"]["fault"]["const"] for each in schemas["FaultDefinition"]["oneOf"]]
    rows = list(contract_parts.documentation())
    assert ("teapot", None, "", "", "Responds with status 418.") in rows
    assert ("teapot", "minutes", "integer, 1 to 10", "3", "minutes until the tea is ready") in rows
