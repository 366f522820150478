"""YAML (and so JSON) files that people write, read safely, with the place of what does not parse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from emulator.errors import UserMistake


def read_mapping(path: Path, *, what: str, mistake: type[UserMistake]) -> Mapping[str, Any]:
    """The mapping in a file; `what` names it in messages: `a workspace`. Raises `mistake` when there is none."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise mistake("there is no such file.", where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise mistake(f"this file cannot be read: {error}.", where=str(path)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "it does not parse"
        raise mistake(f"this is neither YAML nor JSON: {problem}.", where=place) from None
    if not isinstance(document, dict):
        raise mistake(f"{what} is a mapping.", where=str(path), found=type(document).__name__)
    return document
