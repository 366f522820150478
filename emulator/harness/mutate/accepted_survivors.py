"""The file that says why survivors are accepted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from emulator.errors import InputError, unknown
from emulator.harness.mutate.mutation import KINDS, Mutation
from emulator.yaml_files import read_mapping

_TOP: Final = "survivors"
_KEYS: Final = ("kind", "place", "after", "because")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A survivor, as the report shows it, and why it is accepted."""

    kind: str
    place: str
    after: str
    because: str

    def means(self, mutation: Mutation) -> bool:
        """Whether it is about this mutation."""
        return (self.kind, self.place, self.after) == (mutation.kind, mutation.place, mutation.after)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def read_explained(path: Path) -> list[Explained]:
    """The accepted survivors in a YAML or JSON file. Raises InputError with the place of a mistake."""
    document = read_mapping(path, what="explained survivors", mistake=InputError)
    listed = document.get(_TOP)
    if set(document) != {_TOP} or not isinstance(listed, list):
        raise InputError("the file has no list of survivors", where=str(path), allowed=f"a list under the key {_TOP!r}")
    return [_read(each, f"{path}: {_TOP}[{position}]") for position, each in enumerate(listed)]


def _read(item: Any, where: str) -> Explained:
    if (
        not isinstance(item, dict)
        or set(item) != set(_KEYS)
        or not all(isinstance(each, str) for each in item.values())
    ):
        raise InputError(
            "a survivor has other fields", where=where, found=item, allowed=f"{', '.join(_KEYS)}, each a string"
        )
    if item["kind"] not in KINDS:
        raise unknown("kind of mutation", item["kind"], KINDS, where=f"{where}.kind")
    if not item["because"].strip():
        raise InputError("the reason is missing", where=f"{where}.because", hint="Write why nothing has to fail.")
    return Explained(**{**item, "because": item["because"].strip()})
