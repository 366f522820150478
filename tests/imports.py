"""The imports of a package as a graph: who imports whom, the cycles in it, and the layers that it must respect."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Edge = tuple[str, str]
# Lowest first; the modules and packages of one layer do not import each other.
Layers = Sequence[frozenset[str]]


@dataclass(frozen=True)
class Package:
    """The modules under a folder, named from its parent: `emulator.segment.http`; a package by its own name."""

    folder: Path

    @cached_property
    def files(self) -> dict[str, Path]:
        """Each module's file."""
        return {self._name(path): path for path in sorted(self.folder.rglob("*.py"))}

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """Each module, parsed."""
        return {name: ast.parse(path.read_text("utf-8")) for name, path in self.files.items()}

    @cached_property
    def edges(self) -> list[Edge]:
        """Importer and imported, for each import at any depth, inside functions and `TYPE_CHECKING` included."""
        return [(module, found) for module, tree in self.trees.items() for found in self._imported(tree)]

    def cycles(self) -> list[str]:
        """An import cycle between files, and one between the children of each folder, as `a -> b -> a`."""
        graphs = [self._graph(self.edges)]
        parts = (name.split(".") for name in self.trees)
        packages = {".".join(path[:depth]) for path in parts for depth in range(1, len(path))}
        for package in sorted(packages):
            graphs.append(self._graph(self._between_children(package)))
        return [" -> ".join(cycle) for graph in graphs if (cycle := _cycle_in(graph))]

    def upward(self, layers: Layers, *, inside: str) -> list[str]:
        """Imports between children of a package that go up its layers, or sideways within one."""
        rank = {name: index for index, layer in enumerate(layers) for name in layer}
        return [
            f"{importer} imports {imported}"
            for importer, imported in self._between_children(inside)
            if rank[importer.removeprefix(f"{inside}.")] <= rank[imported.removeprefix(f"{inside}.")]
        ]

    def children(self, package: str) -> set[str]:
        """The modules and packages directly inside a package, by their last name."""
        inside = (name.removeprefix(f"{package}.") for name in self.trees if name.startswith(f"{package}."))
        return {name.split(".")[0] for name in inside}

    def private_imports(self, public: Mapping[str, Iterable[str]]) -> list[str]:
        """Imports of a module inside a package in `public` from outside it, unless the module is listed there."""
        return [
            f"{importer} imports {imported}"
            for importer, imported in self.edges
            for package, modules in public.items()
            if imported.startswith(f"{package}.") and not f"{importer}.".startswith(f"{package}.")
            if imported.removeprefix(f"{package}.") not in modules
        ]

    def _between_children(self, package: str) -> list[Edge]:
        """Imports between two different children of a package, each named as the child; the package's file left out."""
        depth = package.count(".") + 2
        edges = {
            (".".join(importer.split(".")[:depth]), ".".join(imported.split(".")[:depth]))
            for importer, imported in self.edges
            if importer.startswith(f"{package}.") and imported.startswith(f"{package}.")
        }
        return sorted((importer, imported) for importer, imported in edges if importer != imported)

    def _imported(self, tree: ast.Module) -> Iterator[str]:
        top = self.folder.name
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.trees)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == top:
                for alias in node.names:
                    module = f"{node.module}.{alias.name}"
                    offered = alias.name in self._offered.get(node.module or "", ())
                    name = module if module in self.trees and not offered else node.module or ""
                    # The top file lists what the package offers; it loads nothing by itself.
                    if name != top:
                        yield name

    @cached_property
    def _offered(self) -> dict[str, set[str]]:
        """The names that each module imports at its top; a package offers these, whatever its modules are called."""
        return {
            name: {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
            for name, tree in self.trees.items()
        }

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self.folder.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _graph(self, edges: Iterable[Edge]) -> dict[str, set[str]]:
        graph: dict[str, set[str]] = {}
        for importer, imported in edges:
            # A package's file re-exports its modules, which may name the package: that is one unit, not a cycle.
            if importer != imported and not importer.startswith(f"{imported}.") and importer != self.folder.name:
                graph.setdefault(importer, set()).add(imported)
        return graph


def _cycle_in(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []
