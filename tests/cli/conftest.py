"""An emulator for the commands that call one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from emulator import Emulator, load_workspace


@pytest.fixture
def emulate() -> Iterator[Callable[..., str]]:
    """Opens an emulator on a port of this process; returns its URL. `serve` takes a second more."""
    with ExitStack() as opened:

        def emulate(workspace: Any = None, **options: Any) -> str:
            emulator = Emulator(workspace if workspace is not None else load_workspace(), **options)
            return opened.enter_context(emulator).start()

        yield emulate
