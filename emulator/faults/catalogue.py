"""The kinds of faults and their options as JSON, for forms."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from emulator.faults.definition import registry
from emulator.faults.options import Option, options_of


def fault_kinds() -> list[dict[str, Any]]:
    """Every kind: `{"name", "description", "options": [{"name", "type", "description", "required", "default", …}]}`.

    `default` is null where there is none, `least` and `most` are those of an integer.
    """
    return [
        {
            "name": name,
            "description": (kind.__doc__ or "").strip().splitlines()[0],
            "options": [_shown(option, option_name) for option_name, option in options_of(kind).items()],
        }
        for name, kind in registry().items()
    ]


def _shown(option: Option, name: str) -> dict[str, Any]:
    required = option.default is MISSING
    default = None if required else option.default
    return {
        "name": name,
        "type": option.type,
        "description": option.description,
        "required": required,
        "default": list(default) if isinstance(default, tuple) else default,
        "least": option.least,
        "most": option.most,
    }
