from __future__ import annotations

import json

import pytest

from .install import ALL, main
from .packages import REQUIRE_VARIABLE, missing_reason, node_is_required, package_directory


@pytest.mark.parametrize("name", ALL)
def test_lock_files_have_no_download_urls(name: str) -> None:
    lock = (package_directory(name) / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://" not in lock


@pytest.mark.parametrize("name", ALL)
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


@pytest.mark.node(*ALL)
def test_installing_again_skips_installed_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name}: up to date" for name in ALL]


def test_installing_an_unknown_name_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["9.9.9"]) == 2
    assert "9.9.9" in capsys.readouterr().err
