"""Coverage in files: what a run has written, read to be combined with that of other runs."""

from __future__ import annotations

import json
from pathlib import Path

from emulator.complete_files import write_complete
from emulator.errors import InputError
from emulator.harness.coverage.covered import Coverage, check_format, coverage_in
from emulator.schemas import first_mistake
from emulator.text import whole_characters
from emulator.text_files import place_of, read_text

_SCHEMA = "coverage.schema.json"
_HINT = "Give files that --coverage, --stackadapt-emulator-coverage or `coverage --json` has written."


def read_coverage(source: Path | str) -> Coverage:
    """The coverage in a file, or on standard input for `-`. Raises InputError."""
    where = place_of(source)
    try:
        document = json.loads(read_text(source))
    except (ValueError, RecursionError):
        raise InputError("this is not JSON", where=where, hint=_HINT) from None
    check_format(document, where)
    mistake = first_mistake(document, _SCHEMA)
    if mistake is not None:
        error = mistake.as_error(InputError, where)
        error.hint = error.hint or _HINT
        raise error
    return coverage_in(document)


def json_text(coverage: Coverage) -> str:
    """The JSON form with a line end. It can be written as UTF-8, whatever the names of items are."""
    return whole_characters(f"{json.dumps(coverage.as_dict(), ensure_ascii=False, indent=1)}\n")


def written(coverage: Coverage, path: Path) -> None:
    """Writes the JSON form to a file, which appears when it is complete. Raises InputError."""
    write_complete(path, [json_text(coverage).encode()])
