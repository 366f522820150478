"""A session of tools on an emulator of its own, in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator import Emulator, load_workspace
from emulator.harness.client import Endpoint, in_process
from emulator.mcp_server import Toolbox, tools

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(load_workspace()) as emulator:
        yield emulator


@pytest.fixture
def toolbox(emulator: Emulator) -> Toolbox:
    @contextmanager
    def opened() -> Iterator[Endpoint]:
        with in_process(emulator.app) as endpoint:
            yield endpoint

    return Toolbox(opened, sandbox="default")


@pytest.fixture
def ask(toolbox: Toolbox) -> Ask:
    """The answer of a tool with its provenance, which fits the tool's output schema."""

    def ask(name: str, /, **arguments: Any) -> dict[str, Any]:
        answer = toolbox.call(name, arguments)
        Draft202012Validator(tools()[name].output).validate(answer)
        return answer

    return ask
