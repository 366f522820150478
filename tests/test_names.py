"""Names of modules: one name means one thing wherever it occurs."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "emulator"

# Names that several packages use, and what each means in all of them.
SHARED = {
    "queries": "what a service reads from its store, as JSON values",
    "tables": "the SQL tables of a service",
    "service": "the service as one object",
    "store": "rows of one kind in the database",
    "schema": "the schema that a service or action is checked with",
    "profiles": "profiles",
    "mappings": "mappings",
    "workspace": "a workspace",
    "segment": "the Segment service",
    "stackadapt": "the StackAdapt service",
}


def test_modules_of_one_name_mean_one_thing() -> None:
    places = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        places[path.parent.name if path.stem == "__init__" else path.stem].append(path.relative_to(PACKAGE).as_posix())
    shared = {name: sorted(paths) for name, paths in places.items() if len(paths) > 1}
    assert {name: paths for name, paths in shared.items() if name not in SHARED} == {}
