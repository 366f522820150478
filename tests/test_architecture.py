"""The rules of the code's structure, checked by reading the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.imports import Layers, Package

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Package(ROOT / "emulator")

MODULE_LINES = 400
FUNCTION_LINES = 50


def layers(*names: str) -> Layers:
    return tuple(frozenset(layer.split()) for layer in names)


# Lowest first, from the folder named on the left. An import goes down: the modules of one layer stay apart.
LAYERS: Mapping[str, Layers] = {
    "emulator": layers(
        "errors artefacts ending_signals graphql_core ids merge_patch patience protocol request_limits spawning",
        "clock durations addresses control_token credentials text text_files strict_json json_text store_failures",
        "complete_files data_files notices user_patterns",
        "timestamps rate_limit transport statements schemas text_search",
        "pipelines",
        "engines",
        "memory_databases",
        "store",
        "yaml_files yaml_lines events stored_values rule_schemas",
        "column_rules workspace_diff workspace_file workspace_protocols workspace_segment",
        "shared_documents stored_clock stored_events",
        "workspace journal faults",
        "shared_clock shared_journal shared_rate_limit",
        "workspace_document",
        "sandbox",
        "mapping stackadapt",
        "segment",
        "generator",
        "harness",
        "console load mcp_server",
        "server",
        "pytest_plugin cli",
        "pytest_entry",
        "__main__",
    ),
    "emulator.segment": layers(
        "event_contents",
        "tables lookups",
        "event_payload",
        "profiles tracking event_filters",
        "conditions",
        "engage",
        "delivery received_calls",
        "service",
        "http",
    ),
    # Pages of profiles are filtered by segments, and segments by what ingestion has declared.
    "emulator.stackadapt": layers(
        "row_contents",
        "tables messages limits upsert",
        "relay rules profile_counts",
        "advertisers",
        "ingestion",
        "segments",
        "profiles",
        "graphql",
        "request_log",
        "service",
        "http",
    ),
}
# Packages that the rest imports by what their `__init__` offers, or by the modules listed here.
PUBLIC: Mapping[str, frozenset[str]] = {
    package: frozenset(modules.split())
    for package, modules in {
        "emulator.faults": "",
        "emulator.mapping": "",
        "emulator.segment": "conditions.compile delivery.event_checks delivery.response delivery.steps "
        "delivery.subscriptions delivery.switches engage.audience_events engage.journey_events engage.routes "
        "event_contents event_filters.destination_filters event_filters.functions event_filters.query event_payload "
        "http lookups profiles.profile tables tracking.calls tracking.request_body",
        "emulator.stackadapt": "graphql.document graphql.javascript_text graphql.schema http limits "
        "profiles.import_export rules.emails rules.mapping_columns rules.outcomes rules.providers "
        "row_contents rules.segment_rules tables",
        "emulator.console": "",
        "emulator.generator": "edge_cases event_stream job manifest output people sending shards workspace",
        "emulator.harness": "checks checks.at_start checks.document_kinds checks.finding client coverage "
        "coverage.collected coverage.ledger_rows coverage.observed demo drift event_files "
        "documentation ledger reasons "
        "action_fields catalog connection_test event_tester expectations explain funnel grade "
        "mapping_draft mutate plan preview probe recorded_cases recordings remote_guard "
        "sample_events scenarios subscription_context triggered unused upgrade why",
        "emulator.harness.checks": "at_start document_kinds finding",
        "emulator.harness.client": "",
        "emulator.harness.coverage": "collected ledger_rows observed",
        "emulator.harness.drift": "",
        "emulator.harness.expectations": "",
        "emulator.harness.grade": "",
        "emulator.harness.mutate": "",
        "emulator.harness.plan": "",
        "emulator.harness.probe": "",
        "emulator.harness.recordings": "",
        "emulator.harness.scenarios": "files",
        "emulator.harness.upgrade": "",
        "emulator.harness.why": "",
        "emulator.mcp_server": "session",
        "emulator.load": "accounts locust_run worker_ledger",
        "emulator.server": "emulator explained heartbeat host_names listener logs plan_people plan_runs "
        "probe_reference recorder signals trial watch workers",
    }.items()
}
# What each package must not know. The two services meet over HTTP only.
FORBIDDEN = {
    "emulator.mapping": "emulator.",
    "emulator.stackadapt": "emulator.segment emulator.mapping",
    "emulator.segment": "emulator.stackadapt",
}
MAPPING_MAY_IMPORT = {"emulator.errors", "emulator.artefacts"}
TIME_AND_CHANCE = {"time", "random", "secrets", "uuid"}
MAY_USE_TIME_AND_CHANCE = {"emulator.clock", "emulator.ids"}


def test_no_import_cycle_between_files_or_folders() -> None:
    assert PACKAGE.cycles() == []


@pytest.mark.parametrize("package", LAYERS)
def test_imports_go_down_the_layers(package: str) -> None:
    assert PACKAGE.upward(LAYERS[package], inside=package) == []


@pytest.mark.parametrize("package", LAYERS)
def test_the_layers_name_what_exists(package: str) -> None:
    named = [name for layer in LAYERS[package] for name in layer]
    assert sorted(named) == sorted(PACKAGE.children(package))


def test_a_package_is_imported_by_its_public_interface() -> None:
    assert PACKAGE.private_imports(PUBLIC) == []


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_interface_exists_and_is_used(package: str) -> None:
    used = {
        imported.removeprefix(f"{package}.")
        for importer, imported in PACKAGE.edges
        if imported.startswith(f"{package}.") and not f"{importer}.".startswith(f"{package}.")
    }
    assert used >= PUBLIC[package]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_the_two_services_and_the_mapping_engine_stay_apart(package: str) -> None:
    forbidden = tuple(FORBIDDEN[package].split())
    found = [
        imported
        for importer, imported in PACKAGE.edges
        if f"{importer}.".startswith(f"{package}.") and imported.startswith(forbidden)
        if not f"{imported}.".startswith(f"{package}.") and imported not in MAPPING_MAY_IMPORT
    ]
    assert found == []


@pytest.mark.parametrize("name", sorted(PACKAGE.files.keys() - MAY_USE_TIME_AND_CHANCE))
def test_only_clock_and_ids_use_time_and_chance(name: str) -> None:
    nodes = [*ast.walk(PACKAGE.trees[name])]
    imported = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not TIME_AND_CHANCE & imported
    calls = [
        node
        for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}
    ]
    assert not calls


# The modules that open files themselves, other than to write, and why.
MAY_READ = {
    "emulator.text_files": "the reader",
    "emulator.artefacts": "files of the package",
    "emulator.cli.snapshot_files": "sends the bytes of a file as they are",
    "emulator.cli.streams": "the null device",
    "emulator.server.plan_people": "passes the bytes of a snapshot on",
    "emulator.load.worker_ledger": "reads on in files that are being written",
    "emulator.generator.manifest": "joins the bytes of files as they are",
    "emulator.generator.output": "continues a file of its own",
    "emulator.stackadapt.ingestion.upload_targets": "passes the bytes of a file on",
}
READERS = {"open", ".open", ".read_text", ".read_bytes", ".TextIOWrapper", ".GzipFile", ".decompress"}
# What opens something else, or a stream that is packed.
OTHERS = {"self._stores.open", "stores.open", "target.open", "found.open", "self.open", "self._stackadapt.open"}
MAY_UNPACK = {"emulator.segment.tracking.request_body": "the body of a request, within its limit"}


def opened(tree: ast.AST) -> set[str]:
    """The calls in a module that open a file or unpack a stream, unless it is to write."""
    found = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        texts = [each.value for each in ast.walk(call) if isinstance(each, ast.Constant)]
        writes = any(text in ("w", "wb", "ab", "x") for text in texts) or "O_CREAT" in ast.unparse(call)
        called = "." + name.rpartition(".")[2] if "." in name else name
        if called in READERS and name not in OTHERS and not writes:
            found.add(name)
    return found


@pytest.mark.parametrize("name", sorted(PACKAGE.files))
def test_only_the_reader_opens_text_files(name: str) -> None:
    allowed = name in MAY_READ or name in MAY_UNPACK
    assert bool(opened(PACKAGE.trees[name])) <= allowed, opened(PACKAGE.trees[name])


def test_what_may_read_files_does() -> None:
    assert [name for name in (*MAY_READ, *MAY_UNPACK) if not opened(PACKAGE.trees[name])] == []


@pytest.mark.parametrize(
    "text", ["open(p)", "p.open('rb')", "gzip.open(p, 'rt')", "p.read_text()", "io.open(p)", "io.TextIOWrapper(b)"]
)
def test_a_file_that_is_opened_is_found(text: str) -> None:
    assert opened(ast.parse(text))


def test_a_start_imports_no_other_dialect_no_client_and_no_recordings() -> None:
    heavy = ("postgresql", "httpx", "emulator.harness.recordings")
    code = f"import sys, emulator.server.emulator; print([n for n in sys.modules if any(h in n for h in {heavy!r})])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_imports_are_absolute() -> None:
    relative = [
        name
        for name, tree in PACKAGE.trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


@pytest.mark.parametrize("path", PACKAGE.files.values(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_and_its_functions_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    long = {node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES}
    assert not long


@pytest.mark.parametrize("name", sorted(PACKAGE.files))
def test_no_module_keeps_state(name: str) -> None:
    """A lower-case name bound at module level to something that can grow would be shared by every sandbox."""
    growing = (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    for node in PACKAGE.trees[name].body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(getattr(node, "value", None), growing):
                assert target.id.isupper() or target.id.startswith("__"), f"{target.id} in {name}"


def test_the_top_file_only_lists_what_the_package_offers() -> None:
    assert len((PACKAGE.folder / "__init__.py").read_text(encoding="utf-8").splitlines()) <= 60


# The rules themselves, on a package made for the purpose.


def write(folder: Path, **modules: str) -> Package:
    top = folder / "toy"
    for name, text in {"__init__": "", **modules}.items():
        path = top / f"{name.replace('__in__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Package(top)


def test_a_cycle_between_files_is_found(tmp_path: Path) -> None:
    package = write(tmp_path, a="from toy.b import x", b="def f():\n    from toy import a")
    assert "toy.a -> toy.b -> toy.a" in package.cycles() or "toy.b -> toy.a -> toy.b" in package.cycles()


def test_a_cycle_between_folders_is_found(tmp_path: Path) -> None:
    package = write(
        tmp_path,
        one__in__a="from toy.two.b import x",
        one__in__c="",
        two__in__b="",
        two__in__d="if TYPE_CHECKING:\n    from toy.one.c import y",
    )
    assert any("toy.one" in cycle and "toy.two" in cycle for cycle in package.cycles())


def test_an_import_up_the_layers_is_found(tmp_path: Path) -> None:
    package = write(tmp_path, low="from toy.high import x", high="")
    assert package.upward(layers("low", "high"), inside="toy") == ["toy.low imports toy.high"]
    assert package.upward(layers("high", "low"), inside="toy") == []


def test_an_import_within_a_layer_is_found(tmp_path: Path) -> None:
    assert write(tmp_path, a="import toy.b", b="").upward(layers("a b"), inside="toy") == ["toy.a imports toy.b"]


def test_an_import_past_the_public_interface_is_found(tmp_path: Path) -> None:
    package = write(tmp_path, user="from toy.lib.inner import x\nfrom toy.lib.open import y\nfrom toy import lib",
                    lib__in____init__="", lib__in__inner="", lib__in__open="")  # fmt: skip
    assert package.private_imports({"toy.lib": {"open"}}) == ["toy.user imports toy.lib.inner"]


def test_a_layer_that_does_not_exist_is_found(tmp_path: Path) -> None:
    assert write(tmp_path, a="", b__in__c="").children("toy") == {"a", "b"}
