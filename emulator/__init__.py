"""A local emulator and contract-testing harness for the sync of Segment Engage audiences into StackAdapt.

The names here are public; everything else may change between versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.harness.expectations import Unmet
    from emulator.server.emulator import Emulator
    from emulator.workspace import Workspace, load_workspace

__version__ = "0.1.0"
__all__ = ["Emulator", "Unmet", "Workspace", "__version__", "load_workspace"]

_MODULES = {
    "Emulator": "emulator.server.emulator",
    "Unmet": "emulator.harness.expectations",
    "Workspace": "emulator.workspace",
    "load_workspace": "emulator.workspace",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: a command that maps events must not wait for the web server's imports.
    from importlib import import_module

    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'emulator' has no attribute {name!r}")
