"""The package for Node, packed and installed: its own tests, its types, and the tests in the documentation."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tomllib
from pathlib import Path

import pytest

from tests.docs.blocks import FOLDER, blocks_of

from .node_project import PACKAGE, NodeProject
from .node_types import TYPES, generated
from .packages import NODE_HELPER, package_directory
from .served import REPOSITORY

PAGE = FOLDER / "node.md"
FILES = {
    *("package.json", "README.md", "index.d.ts", "openapi.d.ts"),
    *(f"lib/{path.name}" for path in (PACKAGE / "lib").iterdir()),
}
TYPE_CHECK = {
    "module": "nodenext",
    "target": "es2022",
    "lib": ["es2022"],
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "allowJs": True,
    "checkJs": True,
    "noEmit": True,
    "types": ["node"],
}


@pytest.fixture
def project(node_packages: None, tmp_path: Path) -> NodeProject:
    folder = tmp_path / "project"
    folder.mkdir()
    return NodeProject(folder)


def on_the_page(language: str, words: str) -> str:
    """The block of the page with these words."""
    [text] = [each.text for each in blocks_of(PAGE) if each.language == language and words in each.text]
    return text


@pytest.mark.node
def test_the_package_has_its_files_and_passes_its_tests_where_it_is_installed(project: NodeProject) -> None:
    with tarfile.open(project.install()) as packed:
        assert {name.removeprefix("package/") for name in packed.getnames()} == FILES
    shutil.copytree(PACKAGE / "tests", project.folder / "tests")
    printed = project.run("node", "--test", "--test-reporter=spec", "tests")
    assert re.search(r"^ℹ tests [1-9]\d+$", printed, re.MULTILINE), printed


@pytest.mark.node
def test_the_commands_of_the_page_run_its_tests(project: NodeProject) -> None:
    (project.folder.parent / "stackadapt-emulator").symlink_to(REPOSITORY)
    example = on_the_page("js", "// vip.test.mjs")
    assert example.strip() == (PACKAGE / "examples/node-test/vip.test.mjs").read_text(encoding="utf-8").strip()
    (project.folder / "vip.test.mjs").write_text(example, encoding="utf-8")
    install, run = on_the_page("sh", "npm install").splitlines()[1:]
    project.run(*install.split(), "--offline")
    assert "# pass 1" in project.run(*run.split(), "--test-reporter=tap")

    (project.folder / "vip.test.mjs").unlink()
    (project.folder / "quote.test.mjs").write_text(on_the_page("js", "// quote.test.mjs"), encoding="utf-8")
    printed = project.run(*run.split(), code=1)
    for line in on_the_page("text", "expected a visible profile").splitlines():
        assert line in printed


@pytest.mark.parametrize("runner", ["jest", "vitest"])
def test_the_examples_of_the_page_are_those_that_run(runner: str) -> None:
    example = (PACKAGE / "examples" / runner / "vip.test.js").read_text(encoding="utf-8")
    assert on_the_page("js", example.splitlines()[0]).strip() == example.strip()


@pytest.mark.node(NODE_HELPER)
def test_the_types_are_those_of_the_openapi_document() -> None:
    assert TYPES.read_text(encoding="utf-8") == generated(), "run `make node-types`"


@pytest.mark.node(NODE_HELPER)
def test_the_code_fits_its_declarations(project: NodeProject) -> None:
    installed = package_directory(NODE_HELPER) / "node_modules"
    options = {**TYPE_CHECK, "typeRoots": [str(installed / "@types")]}
    files = [str(PACKAGE / name) for name in ("index.d.ts", "tests/types.ts")]
    (project.folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": files}))
    assert project.run(installed / ".bin/tsc", "-p", project.folder) == ""


def test_the_package_has_the_version_of_the_emulator_and_no_dependencies() -> None:
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    emulator = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert package["version"] == emulator["project"]["version"]
    assert [name for name in package if "ependencies" in name] == []
