"""Files that appear when they are complete: what fails on the way leaves the old file, or none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import mkstemp

from emulator.errors import unwritable


def write_complete(path: Path, chunks: Iterable[bytes], *, mode: int = 0o644) -> None:
    """Writes a file. What is no regular file, such as `/dev/null`, is written into. Raises InputError."""
    target = path.resolve()
    try:
        if _is_special(target):
            with target.open("wb") as out:
                out.writelines(chunks)
            return
        opened, name = mkstemp(dir=target.parent, prefix=f".{target.name}.")
        unfinished = Path(name)
        try:
            with open(opened, "wb") as out:
                out.writelines(chunks)
            unfinished.chmod(mode)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def check_writable(path: Path) -> None:
    """Raises InputError where `write_complete` could not create the file."""
    target = path.resolve()
    if _is_special(target):
        return
    try:
        opened, name = mkstemp(dir=target.parent, prefix=f".{target.name}.")
        open(opened, "wb").close()
        Path(name).unlink()
    except OSError as error:
        raise unwritable(path, error) from None


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file() and not target.is_dir()
