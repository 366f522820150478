from __future__ import annotations

import json
import re
from subprocess import CalledProcessError

import pytest

from . import install as installer
from . import python_packages
from .install import LONG, NPM, main
from .packages import REQUIRE_VARIABLE, missing_reason, node_is_required, package_directory
from .python_packages import PYTHON_CLIENTS, requirements


@pytest.mark.parametrize("name", [*NPM, *LONG])
def test_lock_files_have_no_download_urls(name: str) -> None:
    lock = (package_directory(name) / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://" not in lock


@pytest.mark.parametrize("name", [*NPM, *LONG])
def test_lock_files_pin_the_versions_of_the_package_files(name: str) -> None:
    asked = json.loads((package_directory(name) / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((package_directory(name) / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {package: locked[f"node_modules/{package}"]["version"] for package in asked} == asked


def test_a_missing_node_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert missing_reason() == "Node.js is not on PATH"


@pytest.mark.node
def test_the_reason_for_missing_packages_has_the_install_command() -> None:
    reason = missing_reason("0.0.0")
    assert reason is not None
    assert "0.0.0" in reason
    assert "python -m tests.conformance.install" in reason


@pytest.mark.parametrize(("text", "required"), [("1", True), ("0", False), ("", False)])
def test_an_environment_variable_makes_node_required(
    monkeypatch: pytest.MonkeyPatch, text: str, required: bool
) -> None:
    monkeypatch.setenv(REQUIRE_VARIABLE, text)
    assert node_is_required() is required


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.node(name)) for name in NPM),
        *(pytest.param(name, marks=pytest.mark.python_client(name)) for name in PYTHON_CLIENTS),
    ],
)
def test_installing_again_skips_installed_packages(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main([name]) == 0
    assert capsys.readouterr().out == f"{name}: up to date\n"


@pytest.mark.parametrize("name", PYTHON_CLIENTS)
def test_every_package_of_a_python_client_has_one_version(name: str) -> None:
    lines = requirements(name).read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-zA-Z0-9._-]+==[0-9][0-9a-z.]*", line)] == []


@pytest.mark.parametrize(("names", "required", "code"), [([], "0", 0), ([], "1", 1), (["sgqlc"], "0", 1)])
def test_a_python_client_that_cannot_be_installed_fails_only_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], names: list[str], required: str, code: int
) -> None:
    def unreachable(name: str) -> bool:
        if name in PYTHON_CLIENTS:
            raise CalledProcessError(1, "pip")
        return False

    monkeypatch.setattr(installer, "install", unreachable)
    monkeypatch.setenv(python_packages.REQUIRE_VARIABLE, required)
    assert main(names) == code
    assert "sgqlc: Command 'pip'" in capsys.readouterr().err or required == "1"


def test_installing_an_unknown_name_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["9.9.9"]) == 2
    assert "9.9.9" in capsys.readouterr().err
