"""Coverage in files: what a run has written, read to be combined with that of other runs."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import mkstemp

from emulator.errors import InputError, unwritable
from emulator.harness.coverage.covered import Coverage, coverage_in
from emulator.schemas import first_mistake
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
    mistake = first_mistake(document, _SCHEMA)
    if mistake is not None:
        error = mistake.as_error(InputError, where)
        error.hint = error.hint or _HINT
        raise error
    return coverage_in(document)


def written(coverage: Coverage, path: Path) -> None:
    """Writes the JSON form to a file, which appears when it is complete. Raises InputError."""
    save_text(path, f"{json.dumps(coverage.as_dict(), ensure_ascii=False, indent=1)}\n")


def save_text(path: Path, text: str) -> None:
    """Writes text to a file, which appears when it is complete. Raises InputError."""
    try:
        opened, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
        unfinished = Path(name)
        try:
            with open(opened, "w", encoding="utf-8") as out:
                out.write(text)
            unfinished.chmod(0o644)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def check_writable(path: Path) -> None:
    """Raises InputError where `written` could not create the file."""
    try:
        opened, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
        Path(name).unlink()
        open(opened, "wb").close()
    except OSError as error:
        raise unwritable(path, error) from None
