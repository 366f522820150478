"""The house rules of the design, kept by looking at the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "emulator"
MODULES = sorted(PACKAGE.rglob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 50

# Lowest first. A module may import its own layer's room and everything below, nothing above, no sibling room.
LAYERS = (
    {"errors", "artefacts"},
    {"clock", "ids", "durations", "rate_limit", "transport", "store", "schemas", "yaml_files"},
    {"workspace_file", "workspace", "events"},
    {"journal", "faults"},
    {"sandbox"},
    {"mapping", "stackadapt"},
    {"segment"},
    {"harness"},
    {"server", "console"},
    {"cli", "pytest_plugin", "__main__"},
)
FOUNDATION = set().union(*LAYERS[:5])
# What a room may import besides itself and the foundation. The two companies meet over HTTP only.
DOORS = {
    "mapping": {"errors", "artefacts"},
    "stackadapt": FOUNDATION,
    "segment": FOUNDATION | {"mapping"},
    "harness": FOUNDATION | {"mapping", "segment", "stackadapt"},
    "server": FOUNDATION | {"mapping", "segment", "stackadapt", "harness"},
}
TIME_AND_CHANCE = {"time", "random", "secrets", "uuid"}
DOORS_TO_TIME_AND_CHANCE = {PACKAGE / "clock.py", PACKAGE / "ids.py"}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            if node.module == "emulator":
                yield from (f"emulator.{alias.name}" for alias in node.names if alias.name != "__version__")


def rooms_imported(path: Path) -> set[str]:
    return {room_of(name) for name in imports_of(path) if name.startswith("emulator.")}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent != PACKAGE or path.stem != "__init__"], ids=name_of
)
def test_imports_point_down(path: Path) -> None:
    rank = {room: index for index, layer in enumerate(LAYERS) for room in layer}
    own = room_of(name_of(path))
    assert own in rank, f"{own} has no place among the layers"
    upward = {room for room in rooms_imported(path) - {own} if rank[room] > rank[own]}
    assert not upward


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_forbidden_doors_stay_shut(path: Path) -> None:
    own = room_of(name_of(path))
    if own in DOORS:
        assert rooms_imported(path) - {own} <= DOORS[own]


def test_only_the_mapping_room_s_public_face_is_used_from_outside() -> None:
    behind = {
        (name_of(path), name)
        for path in MODULES
        if room_of(name_of(path)) in {"segment"}
        for name in imports_of(path)
        if name.startswith("emulator.mapping.")
    }
    assert not behind


@pytest.mark.parametrize("path", [path for path in MODULES if path not in DOORS_TO_TIME_AND_CHANCE], ids=name_of)
def test_only_clock_and_ids_touch_time_and_chance(path: Path) -> None:
    assert not TIME_AND_CHANCE & {name.split(".")[0] for name in imports_of(path)}
    calls = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}
    ]
    assert not calls


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_and_its_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    functions = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    long = {node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES}
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_keeps_state(path: Path) -> None:
    """A lower-case name bound at module level to something that can grow would be shared by every sandbox."""
    growing = (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    for node in tree_of(path).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(getattr(node, "value", None), growing):
                assert target.id.isupper() or target.id.startswith("__"), f"{target.id} in {path.name}"


def test_the_package_file_is_only_a_menu() -> None:
    assert len((PACKAGE / "__init__.py").read_text(encoding="utf-8").splitlines()) <= 60
